"""Hits, misses, false alarms and lead times, from grades over time and events that are known."""

from datetime import UTC, datetime, timedelta

import pytest

from rules.apart import apart
from rules.change import Change
from rules.grade import Grade
from rules.skill import Alarm, Event, Line, Score, highest, lines, score, spells

START = datetime(2024, 6, 1, tzinfo=UTC)
DAY = timedelta(hours=24)
NONE, BLUE, YELLOW, ORANGE, RED = Grade


def _at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def _line(*steps: tuple[float, Grade]) -> Line:
    return tuple((_at(hours), grade) for hours, grade in steps)


def _change(hours: float, after: Grade, place: str = "S1", rule: str = "rain") -> Change:
    return Change(
        id=f"{rule}/{place}/1/{hours}", rule=rule, version=1, table="", hazard="flash-flood", place=place, before=NONE, after=after,
        at=_at(hours), decided_at=_at(hours), because=(),
    )  # fmt: skip


def _event(begin: float, end: float, grade: Grade, unit: str = "V1") -> Event:
    return Event(unit=unit, begin=_at(begin), end=_at(end), grade=grade)


def _score(grade: Grade, events: list[Event], graded: dict[str, Line], before: timedelta = DAY) -> Score:
    return score(grade, events, graded, before)


def test_a_warning_before_an_event_is_a_hit_with_its_lead() -> None:
    found = _score(ORANGE, [_event(10, 12, RED)], {"V1": _line((8, ORANGE), (13, NONE))})
    assert (found.hits, found.misses, found.false_alarms, found.leads, found.late) == (1, 0, (), (timedelta(hours=2),), 0)
    assert (found.detection, found.false_ratio, found.success) == (1, 0, 1)


def test_a_warning_during_the_event_is_a_late_hit_with_a_negative_lead() -> None:
    found = _score(BLUE, [_event(10, 12, RED)], {"V1": _line((11, BLUE))})
    assert (found.hits, found.late, found.median_lead) == (1, 1, -timedelta(hours=1))


def test_a_warning_after_the_event_is_a_miss_and_a_false_alarm() -> None:
    found = _score(BLUE, [_event(10, 12, RED)], {"V1": _line((13, BLUE), (14, NONE))})
    assert (found.hits, found.misses) == (0, 1)
    assert found.false_alarms == (Alarm(unit="V1", begin=_at(13), end=_at(14)),)
    assert (found.detection, found.false_ratio, found.success, found.median_lead) == (0, 1, 0, None)


def test_a_warning_that_ended_long_before_is_about_something_else() -> None:
    graded = {"V1": _line((1, BLUE), (2, NONE))}
    assert _score(BLUE, [_event(30, 31, RED)], graded).hits == 0
    assert _score(BLUE, [_event(30, 31, RED)], graded, timedelta(hours=29)).hits == 1


def test_a_warning_that_has_stood_for_days_has_no_more_lead_than_can_be_about_the_event() -> None:
    assert _score(BLUE, [_event(72, 73, RED)], {"V1": _line((0, BLUE))}).leads == (DAY,)


def test_the_lead_is_that_of_the_last_raise_before_the_event_not_of_an_earlier_warning_that_was_lifted() -> None:
    found = _score(RED, [_event(20, 22, RED)], {"V1": _line((12, RED), (14, BLUE), (19, RED), (21, NONE))})
    assert (found.hits, found.leads, found.false_alarms) == (1, (timedelta(hours=1),), ())


def test_a_grade_is_asked_only_of_events_that_deserve_it() -> None:
    graded = {"V1": _line((8, RED), (13, NONE))}
    found = _score(RED, [_event(10, 12, YELLOW)], graded)
    assert (found.outcomes, len(found.false_alarms)) == ((), 1)
    assert _score(YELLOW, [_event(10, 12, YELLOW)], graded).hits == 1


def test_an_event_at_a_place_that_nothing_grades_is_a_miss() -> None:
    assert _score(BLUE, [_event(10, 12, RED, "V9")], {"V1": ()}).misses == 1


def test_what_other_places_show_without_an_event_is_a_false_alarm_for_each_of_them() -> None:
    graded = {unit: _line((8, BLUE), (9, NONE)) for unit in ("V1", "V2", "V3")}
    found = _score(BLUE, [_event(8, 9, BLUE)], graded)
    assert [a.unit for a in found.false_alarms] == ["V2", "V3"]
    assert found.false_ratio == pytest.approx(2 / 3)


def test_without_events_or_alarms_there_is_no_share() -> None:
    found = _score(BLUE, [], {})
    assert (found.detection, found.false_ratio, found.success) == (None, None, None)


def test_several_stations_give_the_highest_of_their_grades() -> None:
    a, b = _line((1, BLUE), (4, NONE)), _line((2, RED), (3, BLUE), (5, NONE))
    assert highest([a, b]) == _line((1, BLUE), (2, RED), (3, BLUE), (5, NONE))
    assert highest([]) == ()


def test_steps_at_the_same_moment_leave_no_trace_of_their_order() -> None:
    assert highest([_line((1, RED), (1, NONE)), _line((1, BLUE))]) == _line((1, BLUE))


def test_several_rules_at_one_place_give_one_line() -> None:
    changes = [_change(1, BLUE), _change(2, ORANGE, rule="level"), _change(3, NONE), _change(4, NONE, rule="level")]
    assert lines(changes) == {"S1": _line((1, BLUE), (2, ORANGE), (4, NONE))}


def test_a_spell_lasts_while_the_grade_is_reached_or_passed() -> None:
    line = _line((1, YELLOW), (2, RED), (3, YELLOW), (4, BLUE), (5, YELLOW))
    first, last = spells(line, YELLOW)
    assert first == (_at(1), _at(4))
    assert last[0] == _at(5)
    assert spells(line, RED) == ((_at(2), _at(3)),)


@pytest.mark.parametrize(("begin", "end", "grade"), [(2, 1, RED), (1, 2, NONE)])
def test_an_event_that_cannot_be_is_refused(begin: float, end: float, grade: Grade) -> None:
    with pytest.raises(ValueError, match="the event at 'V1'"):
        _event(begin, end, grade)


def test_two_versions_differ_from_to_and_how() -> None:
    old = [_change(1, BLUE), _change(5, NONE)]
    new = [_change(1, BLUE), _change(2, ORANGE), _change(3, BLUE), _change(6, NONE)]
    found = [(a.begin, a.end, a.old, a.new) for a in apart(old, new)]
    assert found == [(_at(2), _at(3), BLUE, ORANGE), (_at(5), _at(6), NONE, BLUE)]


def test_a_difference_that_lasts_has_no_end_and_equal_versions_have_none() -> None:
    (found,) = apart([], [_change(1, BLUE)])
    assert (found.begin, found.end, found.old, found.new, found.place, found.rule) == (_at(1), None, NONE, BLUE, "S1", "rain")
    assert apart([_change(1, BLUE)], [_change(1, BLUE)]) == ()
