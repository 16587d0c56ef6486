"""Checks before rules: what is doubted is shown, counted and not used; what may be a flood is told at once."""

import pytest

from rules.change import RemarkKind
from rules.engine import Engine
from rules.sentence import sentence
from tests.rules.making import LEVEL, RAIN, at, feed, grade_of, kinds, level_engine, rain_engine, reading, short

CHECKED = RAIN.replace("range: [0, 30]", "range: [0, 60], spike: 25, stuck: 2h if > 0, min_coverage: 0.8")
RIVER = LEVEL.replace("range: [-2, 60]", "range: [-2, 60], max_step: 1.5 per 5m")


def test_a_jump_is_not_used_until_the_next_value_agrees() -> None:
    engine = rain_engine(CHECKED)
    assert kinds(engine.observe([reading(1, 5), reading(40, 10)], at(10)).remarks) == ["suspect"]
    assert engine.values("S1")["r1h"] == 1
    engine.observe([reading(38, 15)], at(15))
    assert engine.values("S1")["r1h"] == 79
    assert grade_of(engine) == "orange"


def test_a_jump_that_goes_back_is_never_used() -> None:
    engine = rain_engine(CHECKED)
    for n, value in enumerate([1.0, 40.0, 1.0, 1.0]):
        engine.observe([reading(value, 5 + 5 * n)], at(5 + 5 * n))
    assert engine.values("S1")["r1h"] == 3
    assert next(iter(engine.standing())).suspect == 1


@pytest.mark.parametrize(("value", "grade"), [(59.0, "orange"), (61.0, "orange"), (90.0, "red"), (27.0, None)])
def test_a_doubtful_value_that_would_be_orange_or_red_is_told_at_once_with_its_grade(value: float, grade: str | None) -> None:
    engine = rain_engine(CHECKED)
    engine.observe([reading(1, 5)], at(5))
    remark = engine.observe([reading(value, 10)], at(10)).remarks[0]
    assert remark.kind is RemarkKind.SUSPECT
    assert (remark.grade.word if remark.grade else None) == grade
    assert ("If it is true" in remark.text_en) is (grade is not None)
    assert ("若属实" in remark.text_zh) is (grade is not None)
    assert engine.values("S1")["r1h"] == 1


def test_what_the_sender_doubts_is_told_with_its_grade_and_changes_nothing() -> None:
    engine = rain_engine()
    remark = engine.observe([reading(5, 5), reading(30, 10, quality="suspect")], at(10)).remarks[0]
    assert remark.grade is None
    remark = engine.observe([reading(29, 15), reading(30, 20, quality="bad")], at(20)).remarks[0]
    assert remark.grade is not None
    assert remark.grade.word == "orange"
    assert engine.values("S1")["r1h"] == 34


def test_a_step_is_measured_by_the_time_between() -> None:
    engine = level_engine(RIVER)
    found = engine.observe([reading(10, 0, "Z1", "level"), reading(12.5, 10, "Z1", "level"), reading(14.1, 15, "Z1", "level")], at(15))
    assert kinds(found.remarks) == ["suspect"]
    assert engine.values("Z1")["z"] == 12.5


def test_a_sensor_that_is_stuck_is_not_used_after_a_time_and_falls_silent() -> None:
    engine = rain_engine(CHECKED)
    remarks = [r for n in range(40) for r in engine.observe([reading(0.2, 5 * n)], at(5 * n)).remarks]
    assert {r.kind for r in remarks} == {RemarkKind.SUSPECT, RemarkKind.NO_DATA}
    assert engine.values("S1")["r24h"] == pytest.approx(0.2 * 24)
    engine.observe([reading(0, 200)], at(200))
    assert not next(iter(engine.standing())).no_data


def test_a_dry_gauge_is_not_stuck() -> None:
    engine = rain_engine(CHECKED)
    assert [r for n in range(60) for r in engine.observe([reading(0, 5 * n)], at(5 * n)).remarks] == []


def test_the_explanation_says_what_was_not_used_and_why() -> None:
    engine = rain_engine(CHECKED)
    changes = feed(engine, [3.4, 3.5] * 2 + [55.0] + [3.4, 3.5] * 6)
    assert short(changes[0]) == "none>blue r1h"
    row = changes[0].because[0]
    assert (row.suspect, row.doubts, row.readings, row.expected) == (1, ("spike",), 11, 12)
    assert "（1条可疑数据未采用：突跳）" in sentence(changes[0], "zh", "柳溪")
    assert "1 doubtful value" in sentence(changes[0], "en", "Willow Creek")


def test_doubts_survive_a_restart() -> None:
    whole, first = rain_engine(CHECKED), rain_engine(CHECKED)
    values = [1.0, 40.0, 38.0, 0.2] + [0.2] * 30 + [0.0, 9.0]
    expected = [whole.observe([reading(v, 5 + 5 * n)], at(5 + 5 * n)) for n, v in enumerate(values)]
    for cut in (1, 2, 3, 10, 30):
        second = Engine(first.plan)
        engine, found = Engine(first.plan), []
        for n, v in enumerate(values):
            if n == cut:
                second.restore(engine.snapshot())
                engine = second
            found.append(engine.observe([reading(v, 5 + 5 * n)], at(5 + 5 * n)))
        assert found == expected


def test_a_late_reading_that_confirms_a_newer_jump_stands_before_it() -> None:
    """Out of order, no window would be summed right any more."""
    engine = rain_engine(RAIN.replace("quality: {range: [0, 30]}", "quality: {range: [0, 30], spike: 6}"))
    for minutes, value in ((5, 0), (15, 8), (10, 7), (20, 8)):  # the one at 10 comes late, and makes the one at 15 likely
        engine.observe([reading(value, minutes)], at(20))
    assert engine.values("S1")["r1h"] == 23
    (series,) = engine._series
    assert [series.time(n) for n in range(series.size())] == sorted({series.time(n) for n in range(series.size())})


def test_a_jump_that_is_corrected_counts_once() -> None:
    engine = rain_engine(RAIN.replace("quality: {range: [0, 30]}", "quality: {range: [0, 30], spike: 6}"))
    for minutes, value in ((5, 0), (10, 20), (10, 2), (15, 2)):
        engine.observe([reading(value, minutes)], at(15))
    assert engine.values("S1")["r1h"] == 4
