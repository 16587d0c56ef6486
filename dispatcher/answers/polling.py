"""Where a gateway cannot call us, it is asked: what it says goes the way of what others call back."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from dispatcher.errors import DeliveryError, StoreFailed
from dispatcher.ports import Awaited, Heard, Look, Polling, Reply, Transaction
from dispatcher.rows import value_of
from dispatcher.timestamps import to_ms
from dispatcher.workplace import Workplace

AWAITED_MOST = 20_000
LONGEST_PAUSE_S = 300.0
REMEMBERED = timedelta(days=2)
_NAME = "replies"
_WORTH_SAYING = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """That replies of this gateway may come again, each counts once. ``mark`` is where it is asked from next, None leaves it.

    ``complete``: everything up to the mark was seen, so that what is old is no longer needed.
    """

    gateway: str
    mark: str | None = None
    complete: bool = False


class Taking(Protocol):
    """Who writes down what was heard; durable on return."""

    async def take(self, heard: Heard, asked: Asked | None = None) -> None:
        """With ``asked``, each reply counts once and the mark is kept."""
        ...


async def only_new(tx: Transaction, asked: Asked, replies: Sequence[Reply], now: datetime) -> list[Reply]:
    """The replies whose references were never heard before, each once; remembered from now on, with the mark."""
    found: dict[str, Reply] = {}
    for reply in replies:
        found.setdefault(reply.reference, reply)
    if found:
        params = {"gateway": asked.gateway, "references": json.dumps(list(found))}
        known = {row["reference"] for row in await tx.fetch("polled.heard", params)}
        found = {reference: reply for reference, reply in found.items() if reference not in known}
        rows = [{"gateway": asked.gateway, "reference": reference, "at": to_ms(now)} for reference in found]
        await tx.run_many("polled.hear", rows)
    if asked.complete and found:
        await tx.run("polled.forget", {"gateway": asked.gateway, "before": to_ms(now - REMEMBERED)})
    if asked.mark is not None:
        await tx.run_many("journal.set_position", [{"source": _source(asked.gateway), "name": _NAME, "position": asked.mark}])
    return list(found.values())


def pause_s(every: timedelta, failures: int) -> float:
    """Seconds until the gateway is asked again: twice as long after each failure, up to five minutes."""
    every_s = every.total_seconds()
    return min(every_s * (1 << min(failures, 20)), max(every_s, LONGEST_PAUSE_S))


class Poller:
    """Asks one gateway, again and again."""

    def __init__(self, place: Workplace, desk: Taking, name: str, channel: Polling) -> None:
        """``name`` is what the deployment calls the gateway."""
        self._place = place
        self._desk = desk
        self._name = name
        self._channel = channel

    async def run(self) -> None:
        """Ask until cancelled; a gateway that does not answer is asked less often, and said in ``/readyz``."""
        failures = 0
        every = self._channel.poll_every or timedelta(seconds=LONGEST_PAUSE_S)
        while True:
            more = False
            try:
                more = await self.ask()
            except Exception as error:  # noqa: BLE001 - supervision point: an adapter that breaks is asked again, later
                failures += 1
                told = str(error) if isinstance(error, (DeliveryError, StoreFailed)) else type(error).__name__
                self._place.log.warning("not_polled", gateway=self._name, error=told, failures=failures)
                if failures >= _WORTH_SAYING:
                    self._place.health.set(f"polling {self._name}", "the gateway does not say what happened to messages, nor replies")
            else:
                failures = 0
                self._place.health.clear(f"polling {self._name}")
            await asyncio.sleep(0 if more else pause_s(every, failures))

    async def ask(self) -> bool:
        """Ask once and have it written down; whether there is more at once."""
        async with self._place.store.read() as reader:
            marks = {r["name"]: r["position"] for r in await reader.fetch("journal.positions", {"source": _source(self._name)})}
            rows = await reader.fetch("polled.awaited", {"gateway": self._name, "limit": AWAITED_MOST})
        look = await self._channel.look(marks.get(_NAME, ""), [value_of(Awaited, row) for row in rows])
        mark = look.mark if look.mark != marks.get(_NAME, "") else None
        if look.heard.receipts or look.heard.replies or mark is not None:
            await self._take(look, Asked(gateway=self._name, mark=mark, complete=not look.more))
        return look.more

    async def _take(self, look: Look, asked: Asked) -> None:
        """All at once; where that cannot be, one by one, so that one bad reply does not keep all others out for ever."""
        try:
            await self._desk.take(look.heard, asked)
        except Exception as error:  # noqa: BLE001 - supervision point: what cannot be taken is in the log, the others are taken
            self._place.log.error("look_not_taken", gateway=self._name, error=type(error).__name__)
        else:
            return
        parts = [Heard(receipts=look.heard.receipts), *(Heard(replies=(reply,)) for reply in look.heard.replies), Heard()]
        for number, part in enumerate(parts, 1):
            try:
                await self._desk.take(part, asked if number == len(parts) else Asked(gateway=asked.gateway))
            except Exception as error:  # noqa: BLE001 - as above
                self._place.log.error("not_taken", gateway=self._name, error=type(error).__name__)


def _source(gateway: str) -> str:
    return f"channel {gateway}"
