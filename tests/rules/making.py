"""Engines and readings for the tests of the rules."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from rules.change import Change, Remark
from rules.engine import Engine
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import compile_rules
from rules.reading import Reading

START = datetime(2024, 6, 30, 16, 0, tzinfo=UTC)
STEP = timedelta(minutes=5)
S1 = Place("S1", "rain_gauge", ("rain",), 300)
Z1 = Place("Z1", "river_gauge", ("level",), 300)

RAIN = """
grades: [blue, yellow, orange, red]

rules:
- rule: flash-flood-rain
  version: 7
  title: 山洪雨量预警
  hazard: flash-flood
  for_each: rain_gauge                       # one independent grade per gauge; the registry links gauges to villages
  issued_by: township
  mode: live
  season: 04-01..10-15
  inputs:
    r1h:  sum(rain, 1h)
    r3h:  sum(rain, 3h)
    r6h:  sum(rain, 6h)
    r24h: sum(rain, 24h)
  ladder:
    r1h:  [ 35,  45,  60,  80]               # mm
    r3h:  [ 55,  75, 100, 120]
    r6h:  [ 70,  95, 120, 150]
    r24h: [100, 130, 160, 200]
  raise: at_once
  lower: {when: r3h < 30, for: 1h, to: computed}
  no_data: {after: 20m, grade: hold, tell: duty-room}
  quality: {range: [0, 30]}
"""

LEVEL = """
rules:
- rule: river-level
  version: 3
  title: 河道水位预警
  hazard: river-flood
  for_each: river_gauge
  columns: thresholds/river_levels.csv
  inputs:
    z:    latest(level)
    rise: change(level, 1h)
  ladder:
    blue:   z >= warn - 0.5 and rise >= 0.3
    yellow: z >= warn
    orange: z >= guard or (z >= warn and rise >= 0.8)
    red:    z >= bank or (z >= guard and rise >= 1.0)
  raise: {blue: 2 in a row, yellow: 2 in a row, orange: at_once, red: at_once}
  lower: {when: z < warn - 0.2 and rise <= 0, for: 30m, to: one_step}
  no_data: {after: 30m, grade: hold, tell: duty-room}
  quality: {range: [-2, 60]}
"""
LEVELS = "station,warn,guard,bank\nZ1,12.3,13.5,15\n"


def rain_engine(text: str = RAIN, places: Sequence[Place] = (S1,), tables: Mapping[str, str] | None = None) -> Engine:
    """An engine of one rule file."""
    return Engine(compile_rules(parse_rules({"rules.yaml": text, **(tables or {})}), places))


def level_engine(text: str = LEVEL) -> Engine:
    """An engine of the river rule at one gauge."""
    return rain_engine(text, (Z1,), {"thresholds/river_levels.csv": LEVELS})


def at(minutes: float) -> datetime:
    """So many minutes after the start."""
    return START + timedelta(minutes=minutes)


def reading(value: float, minutes: float, station: str = "S1", variable: str = "rain", quality: str = "good") -> Reading:
    """A reading so many minutes after the start."""
    return Reading(station, variable, value, int(at(minutes).timestamp()), quality)


def feed(engine: Engine, values: Sequence[float | None], first: float = 5, station: str = "S1", variable: str = "rain") -> list[Change]:
    """One value every five minutes, each arriving when it was measured; None is missing. Ticks are given, too."""
    changes: list[Change] = []
    for n, value in enumerate(values):
        minutes = first + 5 * n
        changes.extend(engine.tick(at(minutes)).changes)
        if value is not None:
            changes.extend(engine.observe([reading(value, minutes, station, variable)], at(minutes)).changes)
    return changes


def short(change: Change) -> str:
    """A change in a few signs, such as ``none>blue r3h``."""
    return f"{change.before.word}>{change.after.word} {','.join(e.row for e in change.because)}"


def kinds(remarks: Sequence[Remark]) -> list[str]:
    """What remarks are about."""
    return [r.kind.value for r in remarks]


def grade_of(engine: Engine, place: str = "S1") -> str:
    """The grade of a place under its only rule."""
    return next(s.grade.word for s in engine.standing() if s.place == place)
