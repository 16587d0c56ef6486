"""Versions of rules against what really happened: each is run over the same history and scored by the same events."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from dispatcher.errors import ConfigurationError
from dispatcher.registry.model import Registry
from dispatcher.registry.places import places_of
from dispatcher.rulework.events import Events
from dispatcher.rulework.history import History, replayed
from dispatcher.rulework.packs import version_of
from rules.change import Change
from rules.engine import Engine
from rules.errors import RuleErrors
from rules.model import GRADES
from rules.plan import Plan, compile_rules
from rules.skill import Event, Line, Score, highest, lines, score


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of the rules, ready to run, under the name it is shown by."""

    name: str
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one version did at one kind of place and one hazard (empty: all).

    ``scores`` go from blue to red, ``units`` hold the same per place.
    """

    version: str
    kind: str
    hazard: str
    scores: tuple[Score, ...]
    units: Mapping[str, tuple[Score, ...]]


def version(path: Path, registry: Registry) -> Version:
    """The rules at a path, compiled for a county; ConfigurationError carries every mistake."""
    pack = version_of(path)
    try:
        return Version(name=str(path), plan=compile_rules(pack.parsed(), places_of(registry), registry.county.timezone))
    except RuleErrors as errors:
        raise ConfigurationError([pack.named(e) for e in errors.errors]) from errors


def run(chosen: Version, history: History) -> list[Change]:
    """All that a version would have changed."""
    return list(replayed(Engine(chosen.plan), history))


def results(name: str, changes: Sequence[Change], events: Sequence[Events], history: History, before: timedelta) -> Iterator[Result]:
    """The skill of one version for each kind of place that has events.

    Left out are events that the history says nothing about: over before it begins, or beginning later than ``before`` after its end.
    """
    for found in events:
        graded = graded_units(changes, found)
        inside = [e for e in found.events if concerned(e, history, before)]
        scores = tuple(score(g, inside, graded, before) for g in GRADES)
        with_events = dict.fromkeys(e.unit for e in inside)
        alarmed = dict.fromkeys(a.unit for s in scores for a in s.false_alarms)
        units = {
            unit: tuple(score(g, [e for e in inside if e.unit == unit], {unit: graded.get(unit, ())}, before) for g in GRADES)
            for unit in sorted(with_events | alarmed)
        }
        yield Result(version=name, kind=found.kind.value, hazard=found.hazard, scores=scores, units=units)


def graded_units(changes: Sequence[Change], found: Events) -> dict[str, Line]:
    """The grades over time of every unit: the highest of its stations, in the events' hazard. A unit may itself be what a rule grades."""
    by_station = lines(c for c in changes if found.hazard in ("", c.hazard))
    return {
        unit: highest([by_station[s] for s in dict.fromkeys((unit, *behind)) if s in by_station]) for unit, behind in found.stations.items()
    }


def concerned(event: Event, history: History, before: timedelta) -> bool:
    """Whether a warning within a history could be about an event. A gauge that the flood destroyed reports before it, not in it."""
    return event.end >= history.begin and event.begin - before <= history.end
