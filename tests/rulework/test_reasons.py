"""What an explanation of a change says, line by line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from dispatcher.registry.load import load_registry
from dispatcher.rulework.reasons import Reason, paragraphs, places_behind
from dispatcher.warnings.explain import change_record
from rules.change import Change, Evidence, Mode, Scaling
from rules.grade import Grade

REGISTRY = load_registry(Path(__file__).resolve().parents[2] / "config" / "sample")
AT = datetime(2026, 7, 20, 6, 15, tzinfo=UTC)


def _lines(because: Evidence, scale: Scaling | None = None, onset: datetime | None = None) -> list[str]:
    change = Change(
        id="r/990121R14/1/1", rule="r", version=3, table="sha256:0123456789abcdef", hazard="flash-flood", place="990121R14",
        before=Grade.NONE, after=Grade.ORANGE, at=AT, decided_at=AT + timedelta(minutes=40), because=(because,), mode=Mode.SHADOW,
        late_by=timedelta(minutes=40), incomplete=True, scale=scale, onset=onset,
    )  # fmt: skip
    return list(paragraphs(Reason(record=change_record(change), zh="中文。", en="English."), REGISTRY))


def test_a_table_row_shows_its_thresholds_readings_and_what_was_not_used() -> None:
    row = Evidence(
        row="r1h", value=61.2, unit="mm", met=Grade.ORANGE, thresholds=(35, 45, 60), readings=11, expected=12, late=1, suspect=1,
        doubts=("spike",),
    )  # fmt: skip
    lines = _lines(row, Scaling(by=0.8, text="soil >= 0.85", values=(("soil", 0.9),)))
    limits = "blue 35, yellow 45, orange 60"
    clocks = "测得 measured 2026-07-20T14:15:00+08:00, 判定 decided 2026-07-20T14:55:00+08:00 (+2400 s)"
    assert lines == [
        "2026-07-20 14:15:00  r/990121R14/1/1  none → orange  [shadow]",
        "  中文。",
        "  English.",
        "  规则 rule       r version 3, sha256:0123456789ab…",
        f"  依据 because    r1h = 61.2 mm → orange; {limits}; 数据 readings 11/12, 迟到 late 1, 可疑未用 suspect 1 (spike)",
        "  系数 scale      × 0.8; soil >= 0.85 [soil 0.9]",
        f"  时钟 clock      {clocks}, 迟到 late 40 min, 数据不全 incomplete",
    ]


def test_a_condition_shows_what_it_saw() -> None:
    row = Evidence(row="orange", value=13.6, unit="m", met=Grade.ORANGE, text="z >= guard", values=(("z", 13.6), ("guard", 13.5)))
    assert "  依据 because    orange = 13.6 m → orange; z >= guard [z 13.6, guard 13.5]" in _lines(row)


def test_what_is_expected_for_later_shows_when() -> None:
    row = Evidence(row="orange", value=0.8, unit="", met=Grade.ORANGE, text="p >= 0.7", values=(("p", 0.8),))
    assert "  预计 expected   2026-07-20 17:00:00 (+9900 s)" in _lines(row, onset=AT + timedelta(minutes=165))


def test_an_area_is_spoken_for_by_the_stations_of_its_villages() -> None:
    township = places_behind(REGISTRY, "990121101000")
    assert set(places_behind(REGISTRY, "990121101201")) <= {*township}
    assert {*township} < {*places_behind(REGISTRY, "990121000000")}
    assert places_behind(REGISTRY, "990121R14") == ["990121R14"]
    assert places_behind(REGISTRY, "nowhere") == []
