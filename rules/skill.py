"""How good a rule would have been: hits, misses, false alarms and lead time per grade, against events that are known. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from rules.change import Change
from rules.grade import Grade

_END = datetime.max.replace(tzinfo=UTC)
Line = tuple[tuple[datetime, Grade], ...]
"""The grades of one place in order of time: from each moment on, the grade."""
Spell = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at a place, from ``begin`` to ``end``, and deserved at least ``grade``."""

    unit: str
    begin: datetime
    end: datetime
    grade: Grade
    hazard: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        """An event ends no earlier than it begins, and deserves a warning."""
        if self.end < self.begin:
            raise ValueError(f"the event at {self.unit!r} ends ({self.end}) before it begins ({self.begin})")
        if self.grade is Grade.NONE:
            raise ValueError(f"the event at {self.unit!r} must deserve at least blue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one event at one grade: ``raised_at`` is None for a miss; a negative lead came too late."""

    event: Event
    raised_at: datetime | None

    @property
    def lead(self) -> timedelta | None:
        """How long before the event the grade was reached."""
        return None if self.raised_at is None else self.event.begin - self.raised_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A time in which a unit stood at a grade or above though no event deserved it."""

    unit: str
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The skill of one version at one grade or above."""

    grade: Grade
    outcomes: tuple[Outcome, ...]
    false_alarms: tuple[Alarm, ...]

    @property
    def hits(self) -> int:
        """Events that were warned of, before or while they happened."""
        return sum(o.raised_at is not None for o in self.outcomes)

    @property
    def misses(self) -> int:
        """Events that were not."""
        return len(self.outcomes) - self.hits

    @property
    def late(self) -> int:
        """Hits that came only after the event had begun."""
        return sum(lead < timedelta(0) for lead in self.leads)

    @property
    def leads(self) -> tuple[timedelta, ...]:
        """The lead time of each hit, shortest first."""
        return tuple(sorted(o.lead for o in self.outcomes if o.lead is not None))

    @property
    def median_lead(self) -> timedelta | None:
        """The middle of the lead times; None without hits."""
        return timedelta(seconds=median(lead.total_seconds() for lead in self.leads)) if self.leads else None

    @property
    def detection(self) -> float | None:
        """Probability of detection: hits of all events; None without events."""
        return self.hits / len(self.outcomes) if self.outcomes else None

    @property
    def false_ratio(self) -> float | None:
        """False alarms of all alarms; None without alarms."""
        alarms = self.hits + len(self.false_alarms)
        return len(self.false_alarms) / alarms if alarms else None

    @property
    def success(self) -> float | None:
        """Critical success index: hits of hits, misses and false alarms."""
        counted = len(self.outcomes) + len(self.false_alarms)
        return self.hits / counted if counted else None


def lines(changes: Iterable[Change]) -> dict[str, Line]:
    """The grades of each place over time; several rules at one place give the highest of them."""
    by_rule: dict[tuple[str, str], list[tuple[datetime, Grade]]] = {}
    for c in changes:
        by_rule.setdefault((c.place, c.rule), []).append((c.decided_at, c.after))
    by_place: dict[str, list[Line]] = {}
    for (place, _), line in by_rule.items():
        by_place.setdefault(place, []).append(tuple(line))
    return {place: highest(found) for place, found in by_place.items()}


def highest(found: Sequence[Line]) -> Line:
    """The highest of several lines at each moment; steps that change nothing are left out."""
    now = [Grade.NONE] * len(found)
    # Stable: two steps of one line at the same moment stay in their order.
    steps = sorted(((at, n, grade) for n, line in enumerate(found) for at, grade in line), key=lambda s: s[0])
    merged: list[tuple[datetime, Grade]] = []
    for at, n, grade in steps:
        now[n] = grade
        top = max(now)
        if merged and merged[-1][0] == at:
            merged.pop()
        if top is not (merged[-1][1] if merged else Grade.NONE):
            merged.append((at, top))
    return tuple(merged)


def spells(line: Line, grade: Grade) -> tuple[Spell, ...]:
    """When a line stood at a grade or above: from, to; the last one may have no end."""
    found: list[Spell] = []
    begin: datetime | None = None
    for at, reached in line:
        if reached >= grade and begin is None:
            begin = at
        elif reached < grade and begin is not None:
            found.append((begin, at))
            begin = None
    return (*found, (begin, _END)) if begin is not None else tuple(found)


def score(grade: Grade, events: Iterable[Event], graded: Mapping[str, Line], before: timedelta) -> Score:
    """The skill at one grade. A warning may come up to ``before`` ahead of an event and still be about it.

    ``graded`` are the lines of all units that could have been warned: what they show without an event is a false alarm.
    """
    asked = [e for e in events if e.grade >= grade]
    standing = {unit: spells(line, grade) for unit, line in graded.items()}
    outcomes = tuple(Outcome(event=e, raised_at=_raised(e, standing.get(e.unit, ()), before)) for e in asked)
    alarms = tuple(
        Alarm(unit=unit, begin=begin, end=end)
        for unit, found in standing.items()
        for begin, end in found
        if not any(e.unit == unit and begin <= e.end and end > e.begin - before for e in asked)
    )
    return Score(grade=grade, outcomes=outcomes, false_alarms=alarms)


def _raised(event: Event, found: Iterable[Spell], before: timedelta) -> datetime | None:
    """The last raise before the event, which is the one that was about it; else the first one during it."""
    earliest = event.begin - before
    about = [max(begin, earliest) for begin, end in found if begin <= event.end and end > earliest]
    return max((at for at in about if at <= event.begin), default=min(about, default=None))
