"""What every decision of one installation rests on: its registry, policies, texts and its own settings."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from dispatcher.drills.model import Participants
from dispatcher.duty.model import DutyTable
from dispatcher.duty.resolve import on_duty
from dispatcher.incidents.model import Reporting
from dispatcher.policy.model import Policies
from dispatcher.policy.stages import Stages
from dispatcher.ports import Status
from dispatcher.registry.areas import current_code
from dispatcher.registry.helping import HELPERS, Helpers
from dispatcher.registry.model import Contact, Registry
from dispatcher.templates.model import Templates


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """One installation. ``secret`` signs answer links and sessions; ``public_url`` has no slash at its end.

    ``coalesce`` is how long changes of one warning are gathered into one alert (red waits for nothing).
    ``cap_sender`` names us in CAP messages; default ``alerts@`` and the host of the public address.
    ``duty`` is the duty table as it stands now; default what the registry says. ``drill`` are the participants of the drill that runs.
    ``helpers`` are those of the villages that a transaction is about: it reads them from the store, since what is erased is gone.
    ``stages`` say who is told how long ahead; none: everybody, always.
    """

    registry: Registry
    policies: Policies
    templates: Templates
    status: Status
    public_url: str
    secret: bytes
    coalesce: timedelta = timedelta(seconds=10)
    cap_sender: str = ""
    reporting: Reporting = field(default_factory=Reporting)
    duty: DutyTable = field(default_factory=DutyTable)
    drill: Participants | None = None
    helpers: Helpers = field(default_factory=dict)
    stages: Stages = field(default_factory=Stages)
    travel_times: Mapping[str, timedelta] = field(init=False, repr=False)
    _exercise: "House | None" = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        """Find each village's shortest travel time, our name, and the duty table where none was given."""
        if not self.cap_sender:
            object.__setattr__(self, "cap_sender", f"alerts@{urlsplit(self.public_url).hostname or 'localhost'}")
        if not self.duty.rosters:
            object.__setattr__(self, "duty", self.registry.duty)
        times: dict[str, timedelta] = {}
        for link in self.registry.links:
            times[link.village] = min(times.get(link.village, link.travel_time), link.travel_time)
        object.__setattr__(self, "travel_times", times)

    def travel_time(self, village: str) -> timedelta | None:
        """How long water takes to a village at the least; None when no link says so."""
        return self.travel_times.get(current_code(self.registry, village))

    def of(self, status: Status) -> "House":
        """The house as it is for what has this status: an exercise knows its participants only, and nobody when no drill runs."""
        if status is self.status or self.status is Status.EXERCISE:
            return self
        if self._exercise is None:
            object.__setattr__(self, "_exercise", self._confined())
        return self._exercise or self

    def _confined(self) -> "House":
        people, speakers = (self.drill.people, self.drill.speakers) if self.drill else (frozenset[str](), frozenset[str]())
        registry = replace(
            self.registry,
            contacts={k: c for k, c in self.registry.contacts.items() if k in people},
            speakers={k: s for k, s in self.registry.speakers.items() if k in speakers},
        )
        return replace(self, registry=registry, status=Status.EXERCISE, drill=None)

    def with_helpers(self, helpers: Helpers) -> "House":
        """The same house, which knows these helpers."""
        found = copy.copy(self)
        object.__setattr__(found, "helpers", helpers)
        object.__setattr__(found, "_exercise", None)
        return found

    @property
    def county(self) -> str:
        """The code of the county."""
        return self.registry.county.code

    def resolve(self, role: str, village: str, now: datetime) -> tuple[Contact, ...]:
        """Who holds a role for a village now: who is on duty where a roster says so, else every contact with the role.

        Empty is a gap that must be shown.
        """
        if role == HELPERS:
            named = (self.registry.contacts.get(h.helper) for h in self.helpers.get(village, ()))
            return tuple(contact for contact in named if contact is not None)
        area = self.registry.area_of_role(role, village)
        roster = self.duty.roster_of(role, area)
        if roster is None:
            return self.registry.contacts_by(role, area)
        found = (self.registry.contacts.get(person) for person in on_duty(self.duty, roster, now).people)
        return tuple(contact for contact in found if contact is not None)
