"""A storm that a drill plays: readings in time, at a speed of their own, through rules with a state of their own. Decisions only.

However it is cut into pieces, an engine that has seen the same part of it stands where any other would: that is what makes it
possible to go on after a crash.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from rules.change import Change, Mode
from rules.engine import Engine
from rules.grade import Grade
from rules.plan import Plan
from rules.reading import Reading
from rules.record import moment

FASTEST = 120.0
_BEFORE_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """``readings`` in order of time between ``begin`` and ``ends``; one second of the wall is ``speed`` seconds of the storm."""

    name: str
    begin: datetime
    ends: datetime
    speed: float
    readings: tuple[Reading, ...]

    @property
    def lasts(self) -> timedelta:
        """How long it takes to play."""
        return (self.ends - self.begin) / self.speed

    def storm_time(self, started_at: datetime, now: datetime) -> datetime:
        """What time it is in the storm."""
        return self.begin + max(timedelta(0), now - started_at) * self.speed

    def wall_time(self, started_at: datetime, at: datetime) -> datetime:
        """When something of the storm happens for those who take part."""
        return started_at + max(timedelta(0), at - self.begin) / self.speed


def script_of(name: str, readings: Sequence[Reading], speed: float) -> Script:
    """A script from readings in any order, of which there is at least one; it begins a minute before the first."""
    ordered = tuple(sorted(readings, key=lambda r: r.at_s))
    begin, ends = moment(ordered[0].at_s - _BEFORE_S), moment(ordered[-1].at_s)
    return Script(name=name, begin=begin, ends=ends, speed=speed, readings=ordered)


def begun(plan: Plan, script: Script) -> Engine:
    """Rules that know nothing yet, at the beginning of the storm."""
    engine = Engine(plan)
    engine.tick(script.begin)
    return engine


def play(engine: Engine, script: Script, since: datetime, until: datetime) -> list[Change]:
    """What the rules decide about the part of the storm after ``since``, up to ``until``."""
    changes: list[Change] = []
    for at, readings in arrivals(script, since, until):
        while (due := engine.next_tick()) is not None and due < at:
            changes += engine.tick(due).changes
        changes += engine.observe(readings, at).changes
    while (due := engine.next_tick()) is not None and due <= until:
        changes += engine.tick(due).changes
    return [change for change in changes if change.mode is Mode.LIVE]


def arrivals(script: Script, since: datetime, until: datetime) -> Iterator[tuple[datetime, list[Reading]]]:
    """The readings after ``since``, up to ``until``, by the moment they were taken."""
    first, last = since.timestamp(), until.timestamp()
    for at_s, group in groupby((r for r in script.readings if first < r.at_s <= last), key=lambda r: r.at_s):
        yield moment(at_s), list(group)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """A storm and everything that the rules will say of it."""

    script: Script
    changes: tuple[Change, ...]


def foreseen(plan: Plan, script: Script) -> list[Change]:
    """Everything the storm will make the rules say, known before anybody is called."""
    return play(begun(plan, script), script, script.begin, script.ends)


def as_told(change: Change, script: Script, drill: str, started_at: datetime, now: datetime) -> Change:
    """A change as it is kept: under a name that is the drill's, at the time of those who take part."""
    onset = script.wall_time(started_at, change.onset) if change.onset else None
    return replace(change, id=f"{drill}:{change.id}", at=script.wall_time(started_at, change.at), decided_at=now, onset=onset)


def highest(changes: Sequence[Change]) -> tuple[str, Grade]:
    """The hazard and grade that say most of a storm; none when it warns of nothing."""
    worst = max(changes, key=lambda c: c.after, default=None)
    return (worst.hazard, worst.after) if worst else ("", Grade.NONE)
