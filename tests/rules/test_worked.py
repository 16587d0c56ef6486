"""The four worked examples of the design, as they stand."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rules.change import Change, Decisions, Remark, RemarkKind
from rules.engine import Engine
from rules.forecast import Forecast
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import compile_rules
from rules.reading import Reading
from tests.rules.making import kinds, short

WORKED = Path(__file__).parent / "worked"
FILES = {p.relative_to(WORKED).as_posix(): p.read_text(encoding="utf-8") for p in sorted(WORKED.rglob("*.*"))}
PLACES = (
    Place("S1", "rain_gauge", ("rain",), 300, lat=26.0, lon=111.0, catchment="upper"),
    Place("S2", "rain_gauge", ("rain",), 300, lat=26.02, lon=111.0, catchment="upper"),
    Place("M1", "soil_station", ("soil_moisture",), 3600, lat=26.01, lon=111.0, catchment="upper"),
    Place("Z1", "river_gauge", ("level",), 300),
    Place("V1", "village", (), 300, lat=26.01, lon=111.01, catchment="upper", areas=("990121000000",)),
    *(Place(f"D{n}", "gnss", ("displacement",), 3600) for n in (1, 2, 3)),
    Place("L1", "slope", (), 3600, lat=26.03, lon=111.0, members=("D1", "D2", "D3")),
)
START = datetime(2024, 6, 30, 16, tzinfo=UTC)


@pytest.fixture
def engine() -> Engine:
    return Engine(compile_rules(parse_rules(FILES), PLACES, ZoneInfo("Asia/Shanghai")))


class Storm:
    """Feeds an engine and keeps what it decides."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.changes: list[Change] = []
        self.kinds: list[str] = []
        self.silent: list[str] = []

    def keep(self, decided: Decisions) -> None:
        self.changes += decided.changes
        self.kinds += [k for k, r in zip(kinds(decided.remarks), decided.remarks, strict=True) if k not in ("no_data", "data_back")]
        self.silent += [r.place for r in decided.remarks if r.kind is RemarkKind.NO_DATA]

    def send(self, station: str, variable: str, value: float, minutes: float) -> None:
        at = START + timedelta(minutes=minutes)
        self.keep(self.engine.observe([Reading(station, variable, value, int(at.timestamp()))], at))

    def of(self, place: str) -> list[str]:
        return [short(c) for c in self.changes if c.place == place]


def forecast(minutes: float, chance: float, onset_h: float = 4, at_least: float = 50) -> Forecast:
    issued = int(START.timestamp() + minutes * 60)
    start = issued + int(onset_h * 3600)
    return Forecast(
        source="nwp", place="V1", variable="rain", valid_from_s=start, valid_to_s=start + 6 * 3600, issued_at_s=issued,
        exceedance=((at_least, chance),),
    )  # fmt: skip


def test_wet_ground_lowers_every_number_of_the_table(engine: Engine) -> None:
    storm = Storm(engine)
    storm.send("M1", "soil_moisture", 0.9, 0)
    for n in range(1, 11):
        storm.send("S1", "rain", 3.0, 5 * n)
    assert storm.of("S1") == ["none>blue r1h"]
    change = storm.changes[0]
    assert (change.because[0].value, change.because[0].thresholds) == (30.0, (28, 36, 48, 64))
    assert change.scale is not None
    assert (change.scale.by, change.scale.text, dict(change.scale.values)) == (0.8, "soil >= 0.85", {"soil": 0.9})


def test_soil_that_becomes_wet_raises_without_a_new_rain_reading(engine: Engine) -> None:
    storm = Storm(engine)
    for n in range(1, 11):
        storm.send("S1", "rain", 3.0, 5 * n)
    assert storm.of("S1") == []
    storm.send("M1", "soil_moisture", 0.9, 52)
    assert storm.of("S1") == ["none>blue r1h"]


def test_soil_that_still_reports_does_not_lower_a_gauge_that_died(engine: Engine) -> None:
    storm = Storm(engine)
    for n in range(1, 20):
        storm.send("S1", "rain", 4.0, 5 * n)
    before = storm.of("S1")
    for n in range(60):
        storm.send("M1", "soil_moisture", 0.5, 100 + 10 * n)
    assert storm.of("S1") == before
    assert storm.silent.count("S1") == 1


def test_one_spike_of_the_river_fires_nothing_and_two_in_a_row_are_believed(engine: Engine) -> None:
    storm = Storm(engine)
    for n in range(1, 13):
        storm.send("Z1", "level", 11.0, 5 * n)
    storm.send("Z1", "level", 14.9, 65)
    assert storm.kinds == ["suspect"]
    storm.send("Z1", "level", 11.0, 70)
    assert storm.of("Z1") == []
    for n in range(3):
        storm.send("Z1", "level", 14.9, 75 + 5 * n)
    assert storm.of("Z1") == ["none>orange orange", "orange>red red"]


def test_a_forecast_alone_is_never_red_and_observed_rain_at_two_gauges_makes_it_so(engine: Engine) -> None:
    storm = Storm(engine)
    storm.keep(engine.observe_forecasts([forecast(0, 0.9, at_least=100)], START))
    storm.keep(engine.observe_forecasts([forecast(60, 0.9, at_least=100)], START + timedelta(hours=1)))
    assert storm.of("V1") == ["none>yellow yellow", "yellow>orange orange"]
    for n in range(13, 30):
        storm.send("S1", "rain", 3.0, 5 * n)
    assert not [c for c in storm.of("V1") if "red" in c]
    for n in range(13, 30):
        storm.send("S2", "rain", 3.0, 5 * n)
    assert storm.of("V1")[-1] == "orange>red red"
    assert {c.mode.value for c in storm.changes if c.place == "V1"} == {"shadow"}


def test_two_runs_that_agree_lower_and_an_old_run_expires(engine: Engine) -> None:
    storm = Storm(engine)
    for hour, chance in enumerate((0.5, 0.2, 0.2)):
        storm.keep(engine.observe_forecasts([forecast(60 * hour, chance, onset_h=4 - hour)], START + timedelta(hours=hour)))
    assert storm.of("V1") == ["none>blue blue", "blue>none lower"]
    storm.keep(engine.observe_forecasts([forecast(180, 0.5, onset_h=1)], START + timedelta(hours=3)))
    storm.keep(engine.tick(START + timedelta(hours=12)))
    assert storm.of("V1")[2:] == ["none>blue blue", "blue>none no_data"]


def test_a_slope_needs_two_instruments_for_orange_and_a_person_to_come_down(engine: Engine) -> None:
    storm = Storm(engine)
    speed = {"D1": 1.0, "D2": 1.0, "D3": 0.0}
    for hour in range(60):
        for d, v in speed.items():
            storm.send(d, "displacement", hour * v, 60 * hour)
    assert storm.of("L1") == ["none>blue blue,yellow", "blue>orange orange"]
    top = 59.0
    for hour in range(60, 150):
        for d, v in speed.items():
            storm.send(d, "displacement", top * v, 60 * hour)
    assert "ask" in storm.kinds
    assert not [c for c in storm.of("L1") if "lower" in c]
    proposed = next(s for s in engine.standing() if s.place == "L1").proposed
    assert proposed is not None
    decided = engine.confirm("landslide-displacement", "L1", START + timedelta(hours=151))
    assert [short(c) for c in decided.changes] == [f"orange>{proposed.word} lower,confirm"]


def test_asking_names_the_grade_and_is_done_once(engine: Engine) -> None:
    remarks: list[Remark] = []
    for hour in range(150):
        for d in ("D1", "D2", "D3"):
            at = START + timedelta(hours=hour)
            value = min(hour, 40) * 1.0
            remarks += engine.observe([Reading(d, "displacement", value, int(at.timestamp()))], at).remarks
    asked = [r for r in remarks if r.kind is RemarkKind.ASK]
    assert len(asked) == 1
    assert asked[0].grade is not None
