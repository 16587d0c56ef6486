"""Real sensors with their real faults, through rules: a spike is no flood, silence is no dry weather, a peak is never missed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dispatcher.rulework.packs import shipped
from rules.change import Change
from rules.grade import Grade
from rules.place import Place
from tests.recordings.playing import Rows, play, recorded, unpacked
from tests.shared_data import shared_data

LEVELS = """
rules:
- rule: level
  version: 1
  title: 水位
  hazard: river-flood
  for_each: gauge
  inputs: {z: "median(level, 3h)"}
  ladder: {blue: z >= 1.3, yellow: z >= 2, orange: z >= 3, red: z >= 4}
  lower: {when: z < 1.25, for: 2h, to: computed}
  no_data: {after: 3h, grade: hold}
"""
NEWEST = LEVELS.replace("median(level, 3h)", "latest(level, max_age=3h)")
GIRIULLA = Place("Giriulla", "gauge", ("level",), 3600)


def pack(name: str, *changed: tuple[str, str]) -> str:
    """A rule that is shipped, with what a county has to set."""
    text = (shipped() / name).read_text(encoding="utf-8")
    for old, new in changed:
        assert old in text
        text = text.replace(old, new)
    return text


def lead(changes: tuple[Change, ...], grade: Grade, event: datetime) -> timedelta:
    """How long before an event a grade was decided for good: its last raise before it."""
    return event - max(c.decided_at for c in changes if c.after >= grade > c.before and c.decided_at <= event)


# ---------------------------------------------------------------------------------- Giriulla: one gauge, two spikes, two floods


@pytest.fixture(scope="module")
def giriulla() -> Rows:
    return recorded("giriulla", shared_data("sensors/giriulla-2026/giriulla_level_20260731_20260809.csv"))


FLOODS = ["08-01 12:01 blue", "08-01 13:02 yellow", "08-01 15:03 orange", "08-02 14:03 none"]
FLOODS += ["08-03 12:03 yellow", "08-03 21:04 orange", "08-03 23:03 red", "08-05 22:13 none"]


def test_both_peaks_reach_their_grades_and_neither_spike_does_anything(giriulla: Rows) -> None:
    assert play(giriulla, "giriulla", LEVELS, GIRIULLA).grades() == FLOODS
    without = [row for row in giriulla if row["value"] not in (0.7, 2.09)]
    assert len(without) == len(giriulla) - 2
    assert play(without, "giriulla", LEVELS, GIRIULLA).grades() == FLOODS


def test_the_check_of_spikes_does_the_same_for_the_newest_value(giriulla: Rows) -> None:
    checked = play(giriulla, "giriulla", NEWEST + "  quality: {range: [-1, 20], spike: 1.0}\n", GIRIULLA)
    assert max(c.after for c in checked.changes) is Grade.RED
    assert [g for g in checked.grades() if g.startswith("08-09")] == []
    assert checked.told("suspect") == 3  # the spike, and two floods that the next reading confirms
    naked = play(giriulla, "giriulla", NEWEST, GIRIULLA)
    assert "08-09 02:02 yellow" in naked.grades()  # what it would have been without


def test_the_night_without_readings_is_told(giriulla: Rows) -> None:
    played = play(giriulla, "giriulla", LEVELS, GIRIULLA)
    assert (played.told("no_data"), played.told("data_back")) == (1, 1)


# ------------------------------------------------------------------------------------------- Yangtze: GBK, hourly, June 2020

HOURLY = (
    ("median(level, 15m)", "median(level, 1h)"), ("change(level, 1h)", "change(level, 2h)"), ("after: 30m", "after: 3h"),
    ("for: 30m", "for: 3h"), ("max_step: 1.5 per 5m, ", ""),
)  # fmt: skip
PEAK = datetime(2020, 6, 28, 8, tzinfo=UTC)
LIMIT_PEAK = datetime(2020, 6, 29, 16, tzinfo=UTC)
OUT = "三峡水库(出库)"


@pytest.fixture(scope="module")
def yangtze() -> Rows:
    return recorded("yangtze", shared_data("sensors/yangtze-2020/waterLevel.csv"))


def test_the_wujiang_is_orange_and_red_most_of_a_day_before_its_peak(yangtze: Rows) -> None:
    table = {"thresholds/river_banks.csv": "station,warn,guard,bank\n武隆,182,186,190\n"}
    place = Place("武隆", "river_gauge", ("level",), 3600)
    played = play(yangtze, "yangtze", pack("river/river-level.yaml", *HOURLY), place, table)
    assert [g for g in played.grades() if g.startswith(("06-27", "06-28"))] == ["06-27 17:00 orange", "06-27 22:00 red"]
    assert lead(played.changes, Grade.ORANGE, PEAK) > timedelta(hours=22)
    assert lead(played.changes, Grade.RED, PEAK) > timedelta(hours=17)


@pytest.mark.parametrize(
    ("limit", "grades"),
    [
        pytest.param("145", ["06-23 12:00 blue"], id="the limit of the flood season: above it all the week"),
        pytest.param(
            "147.5", ["06-24 03:00 blue", "06-24 09:00 none", "06-29 17:00 blue", "06-30 11:00 none"], id="a higher one: twice above it"
        ),
    ],
)
def test_the_three_gorges_stand_above_their_limit_of_the_season(yangtze: Rows, limit: str, grades: list[str]) -> None:
    rows = f"{OUT},06-10,09-30,{limit},175,180.4\n{OUT},10-01,06-09,175,175,180.4\n"
    table = {"thresholds/reservoir_seasons.csv": "station,from,to,limit,design,check\n" + rows}
    played = play(yangtze, "yangtze", pack("river/reservoir-season.yaml"), Place(OUT, "reservoir", ("level",), 3600), table)
    assert played.grades() == grades
    assert lead(played.changes, Grade.BLUE, LIMIT_PEAK) > timedelta(hours=6)


# ----------------------------------------------------------------------------------- Cemaden: silent when dry, rows sent twice

RAIN = pack(
    "flash-flood/flash-flood-rain.yaml", ("  season: 04-01..10-15\n", ""), ("after: 20m", "after: 3h"),
    ("range: [0, 30]", "range: [0, 60]"),
    ("  override: thresholds/rain_by_station.csv   # station, input, blue, yellow, orange, red; blank keeps the row above\n", ""),
)  # fmt: skip
NORTH = "354890603A"


@pytest.fixture(scope="module")
def cemaden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = shared_data("sensors/cemaden-saocarlos/cemaden_raw_86_files.tar.zst")
    return unpacked(archive, tmp_path_factory.mktemp("cemaden")) / "CEMADEN"


def gauge(interval_s: int) -> Place:
    return Place("354890601A", "rain_gauge", ("rain",), interval_s)


def test_every_file_is_read_those_with_a_heading_alone_too_and_what_is_there_twice_decides_nothing_twice(cemaden: Path) -> None:
    rows = recorded("cemaden", *sorted(cemaden.glob("*.csv")))
    keys = [(row["station"], row["time"]) for row in rows]
    assert (len(keys), len(keys) - len(set(keys))) == (150_832, 2_506)
    year = [row for row in rows if row["time"].startswith("2015-11") and row["station"] == "354890602A"]
    once = list({row["time"]: row for row in year}.values())
    place = Place("354890602A", "rain_gauge", ("rain",), 3600)
    first = play(once, "cemaden", RAIN, place)
    assert [c.id for c in play([*year, *once], "cemaden", RAIN, place).changes] == [c.id for c in first.changes] != []


def test_a_gauge_that_is_silent_when_dry_is_registered_with_its_longest_interval(cemaden: Path) -> None:
    january = recorded("cemaden", cemaden / "data (12).csv")
    played = play(january, "cemaden", RAIN, gauge(3600))
    assert [g for g in played.grades() if g > "01-12"] == [
        "01-12 21:10 blue", "01-12 21:20 yellow", "01-12 21:30 orange", "01-13 02:10 blue", "01-13 03:10 none",
    ]  # fmt: skip
    # As if it reported every ten minutes: the dry hours prove nothing, so nothing is lowered, and somebody is told all the time.
    wrong = play(january, "cemaden", RAIN.replace("after: 3h", "after: 20m"), gauge(600))
    assert [c.after < c.before for c in wrong.changes].count(True) == 0
    assert wrong.told("no_data") > 10 * played.told("no_data")


# --------------------------------------------------------------------------------- Taiwan: hour 24, traces, faults, 108 mm in an hour


@pytest.fixture(scope="module")
def taiwan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = shared_data("sensors/taiwan-hourly-2020-2022/cwb_hourly_33_files.tar.zst")
    return unpacked(archive, tmp_path_factory.mktemp("taiwan")) / "tw"


def test_the_hour_24_is_midnight_a_trace_is_a_dry_hour_and_a_fault_is_no_value(taiwan: Path) -> None:
    rows = recorded("taiwan", taiwan / "466900.csv")
    rain = {row["time"]: row["value"] for row in rows if row["variable"] == "rain"}
    heat = {row["time"] for row in rows if row["variable"] == "temperature"}
    assert "2020-06-02T00:00:00+08:00" in rain  # the hour 24 of the first of June
    assert "2020-07-02T01:00:00+08:00" not in heat  # X
    assert "2020-07-02T01:00:00+08:00" in rain
    assert min(rain.values()) == 0.0


def test_the_hardest_hour_is_red_at_once_and_stays_while_three_hours_are_wet(taiwan: Path) -> None:
    rows = [row for row in recorded("taiwan", taiwan / "467440.csv") if row["time"].startswith("2021-06-0")]
    rule = RAIN.replace("range: [0, 60]", "range: [0, 200]")
    played = play(rows, "taiwan", rule, Place("467440", "rain_gauge", ("rain",), 3600))
    assert played.grades() == ["06-06 08:00 red", "06-07 08:00 blue", "06-07 09:00 none"]
    assert played.changes[0].because[0].value == 108.0


# ---------------------------------------------------------------------------------------------- a tide gauge with holes and spikes


def test_a_tide_gauge_keeps_its_grade_over_half_a_year_of_silence_and_four_metres_are_no_tide() -> None:
    rows = recorded("tide", shared_data("sensors/tide-level/water_level_example.csv"))
    rule = NEWEST.replace("z >= 1.3", "z >= 0.9").replace("z >= 2", "z >= 1.1").replace("z < 1.25", "z < 0.7")
    played = play(rows, "tide", rule + "  quality: {range: [-1.5, 2], spike: 0.5}\n", Place("TIDE", "gauge", ("level",), 3600))
    assert max(row["value"] for row in rows) > 4
    assert played.grades()[-2:] == ["12-13 20:00 blue", "06-10 20:15 none"]  # lowered by readings, half a year later
    assert max(c.after for c in played.changes) is Grade.BLUE
    assert played.told("no_data") == played.told("data_back") > 30
