"""What depends on the date: seasons, numbers that change in the year, the hydrologists' day, days in a row; and wind by force."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rules.change import Change
from rules.engine import Engine
from rules.errors import RuleErrors
from rules.fused import beaufort
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import compile_rules
from rules.reading import Reading
from rules.season import day_start
from rules.sentence import sentence
from tests.rules.making import short

SHANGHAI = ZoneInfo("Asia/Shanghai")
RESERVOIR = """
rules:
- rule: reservoir
  version: 1
  hazard: river-flood
  for_each: reservoir
  columns: limits.csv
  inputs: {z: latest(level)}
  ladder: {yellow: z >= limit}
  lower: {when: z < limit - 0.5, for: 1h, to: computed}
  no_data: {after: 1h, grade: hold}
"""
LIMITS = "station,from,to,limit\nR1,07-01,09-30,145\nR1,10-01,06-30,175\n"
HEAT = """
rules:
- rule: heat
  version: 1
  hazard: heat
  for_each: weather
  inputs:
    hot: days(max(temperature, day) >= 35)
    top: max(temperature, day)
  ladder: {yellow: hot >= 3, orange: top >= 37, red: top >= 40}
  lower: {when: hot < 1, for: 1h, to: computed}
  no_data: {after: 3h, grade: hold}
"""
RAIN_DAY = """
rules:
- rule: day
  version: 1
  hazard: rainstorm
  for_each: rain_gauge
  season: [04-01..06-30, 08-15..10-15]
  inputs: {d: "sum(rain, day)"}
  ladder: {d: [10, 25, 50, 100]}
  lower: {when: d < 1, for: 1h, to: computed}
  no_data: {after: 3h, grade: hold}
"""


def engine_of(text: str, place: Place, **tables: str) -> Engine:
    return Engine(compile_rules(parse_rules({"r.yaml": text, **tables}), [place], SHANGHAI))


def run(engine: Engine, variable: str, values: list[tuple[datetime, float]], place: str = "R1") -> list[Change]:
    return [c for at, v in values for c in engine.observe([Reading(place, variable, v, int(at.timestamp()))], at).changes]


def local(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


def test_the_flood_limit_of_the_day_counts() -> None:
    place = Place("R1", "reservoir", ("level",), 3600)
    engine = engine_of(RESERVOIR, place, **{"limits.csv": LIMITS})
    assert run(engine, "level", [(local(6, 30, 22), 146)]) == []
    changes = run(engine, "level", [(local(7, 1, 1), 146)])
    assert [short(c) for c in changes] == ["none>yellow yellow"]
    assert dict(changes[0].because[0].values)["limit"] == 145


@pytest.mark.parametrize(
    ("table", "line", "message"),
    [
        (LIMITS.replace("07-01", "07-02"), 2, "07-01 stands in no row of station 'R1'"),
        (LIMITS.replace("06-30", "07-03"), 3, "07-01 stands in two rows of station 'R1'"),
        (LIMITS.replace("06-30", "06-31"), 3, "'06-31' is not a day of the year"),
    ],
)
def test_each_day_of_the_year_has_one_number(table: str, line: int, message: str) -> None:
    with pytest.raises(RuleErrors) as caught:
        parse_rules({"r.yaml": RESERVOIR, "limits.csv": table})
    first = caught.value.errors[0]
    assert (first.file, first.line) == ("limits.csv", line)
    assert message in first.message


def test_three_hot_days_in_a_row_are_needed_and_the_third_counts_as_soon_as_it_is_hot() -> None:
    engine = engine_of(HEAT, Place("R1", "weather", ("temperature",), 3600))
    hours = [local(7, 1, 8) + timedelta(hours=n) for n in range(1, 120)]
    changes = run(engine, "temperature", [(t, 36.0 if t.hour == 15 else 28.0) for t in hours])
    assert [(short(c), c.at.astimezone(SHANGHAI)) for c in changes] == [("none>yellow yellow", local(7, 3, 15))]
    assert sentence(changes[0], "zh", "站") == "站：当日最高气温>=35连续3天，达到黄色（Ⅲ级）条件，高温预警由无预警升为黄色（Ⅲ级）。"
    later = [local(7, 6, 8) + timedelta(hours=n) for n in range(60)]
    assert [short(c) for c in run(engine, "temperature", [(t, 28.0) for t in later])] == ["yellow>none lower"]


def test_a_day_without_readings_is_not_known_and_lowers_nothing() -> None:
    engine = engine_of(HEAT, Place("R1", "weather", ("temperature",), 3600))
    run(engine, "temperature", [(local(7, 1, 9) + timedelta(hours=n), 36.0) for n in range(60)])
    assert run(engine, "temperature", [(local(7, 5, 9) + timedelta(hours=n), 28.0) for n in range(12)]) == []


def test_the_day_begins_after_eight_and_a_reading_at_eight_is_of_the_day_before() -> None:
    engine = engine_of(RAIN_DAY, Place("R1", "rain_gauge", ("rain",), 3600))
    run(engine, "rain", [(local(5, 1, 7), 4.0), (local(5, 1, 8), 3.0)])
    assert engine.values("R1") == {"d": 7}
    run(engine, "rain", [(local(5, 1, 9), 1.0)])
    assert engine.values("R1") == {"d": 1}
    night = engine_of(RAIN_DAY.replace("  season", '  day: "20:00"\n  season'), Place("R1", "rain_gauge", ("rain",), 3600))
    run(night, "rain", [(local(5, 1, 7), 4.0), (local(5, 1, 9), 1.0)])
    assert night.values("R1") == {"d": 5}


def test_a_season_may_have_several_parts() -> None:
    engine = engine_of(RAIN_DAY, Place("R1", "rain_gauge", ("rain",), 3600))
    assert run(engine, "rain", [(local(7, 20, 10), 80.0)]) == []
    assert [short(c) for c in run(engine, "rain", [(local(8, 20, 10), 80.0)])] == ["none>orange d"]


def test_the_day_is_that_of_the_place_also_when_clocks_change() -> None:
    zone = ZoneInfo("Europe/Madrid")
    at = datetime(2026, 10, 25, 12, tzinfo=zone)
    assert datetime.fromtimestamp(day_start(int(at.timestamp()), 8 * 3600, zone), zone) == datetime(2026, 10, 25, 8, tzinfo=zone)
    at = datetime(2026, 10, 25, 3, tzinfo=zone)
    assert datetime.fromtimestamp(day_start(int(at.timestamp()), 8 * 3600, UTC), UTC).hour == 8


@pytest.mark.parametrize(
    ("speed", "force"), [(0, 0), (0.3, 1), (10.7, 5), (10.8, 6), (13.8, 6), (13.9, 7), (32.7, 12), (56.1, 17), (90, 17)]
)
def test_the_force_of_the_wind(speed: float, force: int) -> None:
    assert beaufort(speed) == force


def test_a_gale_is_graded_by_its_force() -> None:
    text = HEAT.replace("hot: days(max(temperature, day) >= 35)", "w: max(wind_speed, 10m)\n    f: beaufort(w)")
    text = text.replace("    top: max(temperature, day)\n", "").replace(
        "{yellow: hot >= 3, orange: top >= 37, red: top >= 40}", "{f: [6, 8, 10, 12]}"
    )
    engine = engine_of(text.replace("hot < 1", "beaufort(w) < 5"), Place("R1", "weather", ("wind_speed",), 600))
    changes = run(engine, "wind_speed", [(local(5, 1, 9), 10.7), (local(5, 1, 9, 10), 17.2)])
    assert [(short(c), c.because[0].value) for c in changes] == [("none>yellow f", 8)]
