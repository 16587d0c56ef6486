"""What the web is given. Each protocol names only what a page calls, so that a test needs no engine."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client import CollectorRegistry

from dispatcher.calls.preview import Announcement, Preview
from dispatcher.clock import Clock, SystemClock
from dispatcher.drills.roll_calls import RollCalls
from dispatcher.drills.running import Drills
from dispatcher.duty.book import DutyBook
from dispatcher.incidents.book import Book
from dispatcher.intake.rules_desk import RulesDesk
from dispatcher.model.answer import Path, Said
from dispatcher.model.notice import Notice
from dispatcher.model.reject import Decoded
from dispatcher.ports import HookRequest, Kind, Status, Store
from dispatcher.registry.book import RegistryBook
from dispatcher.registry.households import HouseholdBook
from dispatcher.registry.model import Registry
from dispatcher.reports.reporter import Reporter
from dispatcher.templates.model import Templates
from dispatcher.upkeep.broadcast import Broadcast
from dispatcher.upkeep.health import Health
from dispatcher.views.unknown import Unknown
from dispatcher.warnings.releasing import Releases


class Desk(Protocol):
    """The one place where answers and gateways' reports come in. What returns is durable."""

    async def hear(self, gateway: str, request: HookRequest) -> str:
        """What the gateway is answered, mostly nothing. Raises HookRefused, or KeyError for a gateway that is not there."""
        ...

    async def answer(  # noqa: PLR0913 - an answer has these parts
        self,
        notice_id: str,
        *,
        action: Said,
        path: Path,
        person: str,
        on_behalf_by: str = "",
        people: int | None = None,
        note: str = "",
        origin: str = "",
    ) -> None:
        """Raises NotAsked when the notice no longer asks for anything."""
        ...

    async def open_link(self, token: str) -> tuple[Notice, str]:
        """The notice and the contact's id; raises LinkRefused."""
        ...

    async def close_task(self, seq: int, by: str, origin: str) -> bool:
        """Whether there was such an open task."""
        ...


class Intake(Protocol):
    """Where bodies of readings go."""

    def holding(self, key: str) -> AbstractContextManager[None]:
        """While inside, another request with this key is InHand."""
        ...

    async def submit(self, body: bytes, kind: Kind, subject: str, key: str = "") -> Decoded:
        """Returns once durable, and the answer remembered under ``key``; raises Overloaded when too much waits."""
        ...


def _not_counted(_code: str) -> None:
    """For a web without an engine."""


@dataclass(slots=True, kw_only=True)
class WebContext:
    """Everything the web needs. ``clock`` is the engine's time (a replay's own), ``wall`` what hangs on the wall.

    ``registry`` and ``texts`` are others after new files have been taken over.

    ``secret`` signs session cookies. ``public_url`` is what the outside calls us, without a slash at the end.
    ``unknown`` are villages of which no station has data, by hazard.
    ``refused`` counts what is turned away at the door, by its reject code.
    ``look_ahead`` tells what a release of a hazard would set going.
    ``stopping`` is set before the server stops, so that live streams end at once.
    """

    store: Store
    desk: Desk
    intake: Intake
    incidents: Book
    drills: Drills
    roll_calls: RollCalls
    releases: Releases
    reporter: Reporter
    duty: DutyBook
    households: HouseholdBook
    registry_book: RegistryBook
    broadcast: Broadcast
    health: Health
    registry: Registry
    texts: Templates
    clock: Clock
    status: Status
    public_url: str
    secret: str
    metrics: CollectorRegistry
    rules: RulesDesk | None = None
    refused: Callable[[str], None] = _not_counted
    unknown: Callable[[], Unknown] = dict
    look_ahead: Callable[[str, Sequence[Announcement]], Awaitable[Preview]] | None = None
    wall: Clock = field(default_factory=SystemClock)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def county(self) -> str:
        """The code of the county that is served."""
        return self.registry.county.code
