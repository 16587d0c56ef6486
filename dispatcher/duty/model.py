"""The duty table as values. Times of day are the county's own; moments are aware and in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from enum import StrEnum


class Days(StrEnum):
    """On which days a pattern holds. Holidays are days off, shifted working days (调休) are workdays."""

    EVERY = "every"
    WORKDAYS = "workdays"
    DAYS_OFF = "days_off"


class Turns(StrEnum):
    """How often the next people of the list take over."""

    SHIFT = "shift"
    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """From one time of day to another; to the same or an earlier one means the day after."""

    name: str
    begins: time
    ends: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """The shifts of certain days: of a season (``first`` and ``last`` as month and day, both included; may span the new year)."""

    name: str
    shifts: tuple[Shift, ...]
    days: Days = Days.EVERY
    first: tuple[int, int] | None = None
    last: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Who holds ``role`` in ``area``, in turns. The first pattern that fits a day counts; ``size`` people are on duty together."""

    id: str
    name: str
    name_en: str
    role: str
    area: str
    patterns: tuple[Pattern, ...]
    people: tuple[str, ...] = ()
    turns: Turns = Turns.DAY
    since: date = date(2026, 1, 1)
    size: int = 1

    def shift_names(self) -> tuple[str, ...]:
        """Every shift that some pattern has."""
        return tuple(dict.fromkeys(shift.name for pattern in self.patterns for shift in pattern.shifts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Days that are not what their weekday says."""

    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Who has one shift of one day, said outright: it goes before the rotation. ``day`` is the day on which the shift begins."""

    roster: str
    day: date
    shift: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Who is on duty from one moment to another, whatever the table says. A later one (by ``seq``) goes before an earlier."""

    seq: int
    roster: str
    begins: datetime
    ends: datetime
    people: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A person is away (外出报备) and who stands in; ``stand_in`` is empty when nobody does."""

    seq: int
    person: str
    begins: datetime
    ends: datetime
    stand_in: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyTable:
    """The whole of it: what the files say (rosters, calendar, entries) and what was said since."""

    zone: tzinfo = UTC
    calendar: Calendar = field(default_factory=Calendar)
    rosters: Mapping[str, Roster] = field(default_factory=dict)
    entries: Mapping[tuple[str, date, str], Entry] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    absences: tuple[Absence, ...] = ()
    _by_role: Mapping[tuple[str, str], Roster] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the rosters findable by what they say."""
        object.__setattr__(self, "_by_role", {(r.role, r.area): r for r in self.rosters.values()})

    def roster_of(self, role: str, area: str) -> Roster | None:
        """The roster that says who holds a role in an area; None when no roster does."""
        return self._by_role.get((role, area))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One shift of one day as it really is: from one moment to another. ``index`` counts turns for the rotation."""

    roster: str
    day: date
    shift: str
    begins: datetime
    ends: datetime
    index: int


class Why(StrEnum):
    """What put these people on duty, or why there is nobody."""

    OVERRIDE = "override"
    ENTRY = "entry"
    ROTATION = "rotation"
    NO_SHIFT = "no_shift"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """Who is on duty at one moment, and why. ``stood_in`` pairs each one who is away with his stand-in, ``away`` have none."""

    roster: str
    turn: Turn | None
    why: Why
    people: tuple[str, ...]
    stood_in: tuple[tuple[str, str], ...] = ()
    away: tuple[str, ...] = ()
