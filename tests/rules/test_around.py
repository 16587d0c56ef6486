"""Stations around a place, and what cannot be compiled; a person's word; the least time in force."""

from collections.abc import Sequence

import pytest

from rules.change import RemarkKind
from rules.engine import Engine
from rules.errors import RuleErrors
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import compile_rules
from tests.rules.making import LEVEL, RAIN, at, feed, grade_of, level_engine, rain_engine, reading, short

VILLAGE = """
rules:
- rule: around
  version: 1
  hazard: flash-flood
  for_each: village
  inputs:
    near: sum(rain, 1h, near=5km)
    wet: sum(rain, 1h, near=10km, take=second_highest)
    mean: sum(rain, 1h, near=catchment, take=mean)
    low: sum(rain, 1h, near=catchment, take=lowest)
    k: count(sum(rain, 1h, near=10km) >= 20)
  ladder: {blue: near >= 10, yellow: wet >= 20, orange: k >= 2 and mean >= 30, red: low >= 50}
  lower: {when: wet < 5, for: 30m, to: computed}
  no_data: {after: 30m, grade: hold}
"""
V1 = Place("V1", "village", (), 300, lat=26.0, lon=111.0, catchment="upper")


def gauge(name: str, lat: float, catchment: str = "upper") -> Place:
    return Place(name, "rain_gauge", ("rain",), 300, lat=lat, lon=111.0, catchment=catchment)


GAUGES = (gauge("A", 26.01), gauge("B", 26.05), gauge("C", 26.2), gauge("D", 26.0, "lower"))


def around(places: Sequence[Place], text: str = VILLAGE) -> Engine:
    return Engine(compile_rules(parse_rules({"r.yaml": text}), places))


def refusal(places: Sequence[Place], text: str = VILLAGE) -> str:
    with pytest.raises(RuleErrors) as caught:
        around(places, text)
    return str(caught.value)


def test_each_way_to_take_gives_its_own_value() -> None:
    engine = around((V1, *GAUGES))
    engine.observe([reading(v, 5, s) for s, v in (("A", 8), ("B", 24), ("C", 30), ("D", 22))], at(5))
    assert engine.values("V1") == {"near": 22, "wet": 22, "mean": pytest.approx(62 / 3, abs=1e-4), "low": 8, "k": 2}


def test_the_nearest_station_that_has_a_value_is_taken() -> None:
    engine = around((V1, *GAUGES))
    engine.observe([reading(8, 5, "A")], at(5))
    assert engine.values("V1")["near"] == 8
    assert "wet" not in engine.values("V1"), "one gauge is not two"


@pytest.mark.parametrize(
    ("places", "old", "new", "message"),
    [
        ((V1, gauge("A", 26.01)), "", "", "'V1': 'wet' needs 2 stations that measure rain within 10 km; there are 1"),
        ((V1, gauge("A", 26.3), gauge("B", 26.3)), "", "", "'V1': 'near' needs 1 stations that measure rain within 5 km; there are 0"),
        ((V1, *GAUGES), "sum(rain, 1h, near=5km)", "sum(rain, 1h)", "'V1' does not measure rain; it measures nothing"),
        (
            (Place("V1", "village", (), 300, lat=26.0, lon=111.0, catchment="upper", members=("A", "B")), *GAUGES),
            "sum(rain, 1h, near=5km)",
            "sum(rain, 1h)",
            "'V1' has 2 stations that measure rain: input 'near' must say take=",
        ),
    ],
)
def test_a_place_without_the_stations_it_needs_is_refused(places: tuple[Place, ...], old: str, new: str, message: str) -> None:
    assert message in refusal(places, VILLAGE.replace(old, new) if old else VILLAGE)


def test_a_station_that_only_scales_may_be_missing_somewhere() -> None:
    text = RAIN.replace("    r24h:", "    soil: latest(soil_moisture, max_age=24h, near=catchment)\n    r24h:", 1)
    text = text.replace("  raise:", "  scale: [{when: soil >= 0.85, by: 0.8}]\n  raise:")
    engine = rain_engine(text, (Place("S1", "rain_gauge", ("rain",), 300),))
    assert [short(c) for c in feed(engine, [3.0] * 12)] == ["none>blue r1h"]


def test_what_a_rule_says_of_its_gauges_holds_for_those_who_look_from_afar() -> None:
    rain = RAIN.split("rules:\n", 1)[1]
    engine = around((V1, *GAUGES), VILLAGE + rain)
    engine.observe([reading(99, 5, "A"), reading(2, 5, "B")], at(5))
    assert engine.values("V1")["low"] == 2


def test_a_dead_station_around_a_place_blocks_the_way_down_as_long_as_it_could_matter() -> None:
    engine = around((V1, *GAUGES))
    for n in range(1, 13):
        engine.observe([reading(2, 5 * n, s) for s in "ABCD"], at(5 * n))
    assert grade_of(engine, "V1") == "yellow"
    changes = [c for n in range(13, 60) for c in engine.observe([reading(0, 5 * n, s) for s in "ABC"], at(5 * n)).changes]
    assert [(short(c), c.at) for c in changes] == [("yellow>none lower", at(180))], (
        "the last of the dead one, an hour and a half, and half an hour to hold"
    )


ASKING = LEVEL.replace("to: one_step}", "to: one_step, ask: duty-room}")


def test_a_person_is_asked_once_and_again_after_the_water_has_risen() -> None:
    engine = level_engine(ASKING)
    asked = []
    for n, value in enumerate([12.0, *[13.6] * 3, *[12.0] * 12, 13.6, *[12.0] * 12]):
        asked += [r for r in engine.observe([reading(value, 5 * n, "Z1", "level")], at(5 * n)).remarks if r.kind is RemarkKind.ASK]
    assert len({r.key for r in asked}) == len(asked) == 2
    assert [r.grade.word for r in asked if r.grade] == ["orange", "orange"]
    before = grade_of(engine, "Z1")
    changes = engine.confirm("river-level", "Z1", at(200)).changes
    assert [c.before.word for c in changes] == [before]
    assert [e.row for e in changes[0].because] == ["lower", "confirm"]
    with pytest.raises(LookupError, match="does not propose"):
        engine.confirm("river-level", "Z1", at(201))


def test_confirming_for_an_unknown_place_names_what_is_there() -> None:
    with pytest.raises(LookupError, match="rules there: none"):
        level_engine(ASKING).confirm("river-level", "Z9", at(0))


def test_a_grade_stands_its_least_time() -> None:
    text = RAIN.replace("to: computed}", "to: computed, min_in_force: 8h}")
    storm = [10.0] * 8 + [0.0] * 400
    plain = next(c for c in feed(rain_engine(), storm) if c.after < c.before)
    held = next(c for c in feed(rain_engine(text), storm) if c.after < c.before)
    assert (plain.at, held.at) == (at(270), at(40 + 8 * 60))
