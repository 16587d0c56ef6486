"""What the storm of a drill was held against: the series of the places that it raised highest, with thresholds and grades.

The rules see the storm again as far as it was played; times are those of the storm. Decisions only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.drills.ending import stored_script
from dispatcher.drills.script import Script, arrivals, begun
from dispatcher.ports import Row
from dispatcher.reports.compose import Told
from dispatcher.rulework.panels import Sample, panels_of
from dispatcher.rulework.svg import Picture
from dispatcher.timestamps import from_ms
from rules.grade import Grade
from rules.plan import Plan

_MOST = 6
_SHORTEST = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Played:
    """The storm of a drill as it is kept (``row``), and its pictures; ``other_rules`` have come into force since it began."""

    row: Row
    pictures: tuple[Picture, ...] = ()
    other_rules: bool = False


def played(told: Told, plan: Plan, row: Row, started_at: datetime, changes: Sequence[Row]) -> Played:
    """``changes`` are those that the drill made of it, in the time of those who took part."""
    script, digest, done = stored_script(row)
    graded = {x.place for x in plan.ladders}
    highest: dict[str, int] = {}
    for change in changes:
        highest[change["place"]] = max(change["after"], highest.get(change["place"], 0))
    places = sorted((p for p in highest if p in graded), key=lambda p: (-highest[p], p))[:_MOST]
    window = (script.begin, max(done, script.begin + _SHORTEST))
    samples = traced(plan, script, done, places)
    zone = told.registry.county.timezone
    pictures = tuple(
        Picture(
            title=told.name(place), begin=window[0], end=window[1], event=None, zone=zone,
            bands=((told.words["grade"], _line(script, started_at, [c for c in changes if c["place"] == place])),),
            panels=tuple(panels_of(plan, place, samples[place], window)),
        )
        for place in places
    )  # fmt: skip
    return Played(row, pictures, other_rules=digest != plan.digest)


def _line(script: Script, started_at: datetime, changes: Sequence[Row]) -> tuple[tuple[datetime, Grade], ...]:
    return tuple((script.storm_time(started_at, from_ms(c["at"])), Grade(c["after"])) for c in changes)


def traced(plan: Plan, script: Script, until: datetime, places: Sequence[str]) -> Mapping[str, list[Sample]]:
    """What the inputs of places were worth after each arrival up to a moment of the storm."""
    samples: dict[str, list[Sample]] = {place: [] for place in places}
    if not places:
        return samples
    engine = begun(plan, script)
    for at, readings in arrivals(script, script.begin, until):
        while (due := engine.next_tick()) is not None and due < at:
            engine.tick(due)
        engine.observe(readings, at)
        for place, found in samples.items():
            found.append((at, engine.values(place)))
    return samples
