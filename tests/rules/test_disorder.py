"""What other engines get wrong: late, corrected, doubled readings, a restart and an edit of the rules in mid-storm."""

from datetime import timedelta

import pytest

from rules.engine import Engine
from rules.errors import SnapshotError
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import Plan, compile_rules
from tests.rules.making import RAIN, S1, at, feed, grade_of, kinds, rain_engine, reading, short


def test_a_reading_forty_minutes_late_lands_in_its_window_and_raises() -> None:
    engine = rain_engine()
    feed(engine, [5, 5, None, 5, 5, *[0.0] * 6])
    decisions = engine.observe([reading(16, 15)], at(55))
    assert [(short(c), c.late_by) for c in decisions.changes] == [("none>blue r1h", timedelta(minutes=40))]
    assert decisions.changes[0].because[0].late == 1
    assert decisions.changes[0].at == at(55)


def test_a_late_reading_never_lowers() -> None:
    engine = rain_engine()
    feed(engine, [10.0] * 8)
    corrected = [reading(0, 5 * n) for n in range(1, 9)]
    assert engine.observe(corrected, at(41)).changes == ()
    assert grade_of(engine) == "red"
    assert engine.values("S1")["r1h"] == 0


def test_a_late_peak_that_has_long_been_lowered_again_raises_nothing() -> None:
    engine = rain_engine()
    feed(engine, [*[0.0] * 3, *[None] * 4, *[0.0] * 80])
    late = [reading(10, 20 + 5 * n) for n in range(4)]
    assert engine.observe(late, at(435)).changes == ()


def test_a_correction_replaces_and_may_raise() -> None:
    engine = rain_engine()
    feed(engine, [5.0] * 5)
    decisions = engine.observe([reading(16, 25)], at(26))
    assert engine.values("S1")["r1h"] == 36
    assert [short(c) for c in decisions.changes] == ["none>blue r1h"]


def test_a_reading_beyond_the_horizon_is_refused_and_reported() -> None:
    engine = rain_engine()
    feed(engine, [0.0] * 2)
    decisions = engine.observe([reading(30, 10 - 25 * 60)], at(10))
    assert kinds(decisions.remarks) == ["late"]
    assert engine.values("S1")["r24h"] == 0


def test_sums_of_tenths_stay_exact() -> None:
    engine = rain_engine()
    feed(engine, [0.1] * 288)
    assert engine.values("S1")["r24h"] == 28.8


def test_an_edit_of_the_rules_in_mid_storm_keeps_series_and_grade() -> None:
    engine = rain_engine()
    feed(engine, [3.0] * 12)
    edited = Engine(_plan(RAIN.replace("version: 7", "version: 8").replace("[ 35,  45,", "[ 30,  38,").replace("[0, 30]", "[0, 50]")))
    edited.restore(engine.snapshot())
    assert grade_of(edited) == "blue"
    assert edited.values("S1")["r1h"] == 36
    change = edited.observe([reading(5, 65)], at(65)).changes[0]
    assert (change.id, change.version, short(change)) == ("flash-flood-rain/S1/1/2", 8, "blue>yellow r1h")


def test_a_new_place_starts_empty_and_one_that_is_gone_is_forgotten() -> None:
    engine = rain_engine()
    feed(engine, [3.0] * 12)
    other = Engine(compile_rules(parse_rules({"rules.yaml": RAIN}), [Place("S2", "rain_gauge", ("rain",), 300)]))
    other.restore(engine.snapshot())
    assert [(s.place, s.grade.word, s.last_reading) for s in other.standing()] == [("S2", "none", None)]


def test_a_restored_engine_knows_its_next_deadline_and_fires_it_once() -> None:
    engine = rain_engine()
    feed(engine, [3.0] * 12)
    restored = Engine(engine.plan)
    restored.restore(engine.snapshot())
    assert restored.next_tick() == engine.next_tick() == at(80)
    assert restored.tick(at(80)) == engine.tick(at(80))
    again = Engine(engine.plan)
    again.restore(restored.snapshot())
    assert again.tick(at(600)).remarks == ()


@pytest.mark.parametrize("data", [b"", b"\xc1", b"{}", b"\x80", b"\x84\xa6format\x09\xa6digest\xa0\xa6series\x90\xa7ladders\x90"])
def test_bytes_that_are_no_snapshot_are_refused_and_change_nothing(data: bytes) -> None:
    engine = rain_engine()
    feed(engine, [3.0] * 12)
    with pytest.raises(SnapshotError):
        engine.restore(data)
    assert grade_of(engine) == "blue"


def _plan(text: str) -> Plan:
    return compile_rules(parse_rules({"rules.yaml": text}), [S1])
