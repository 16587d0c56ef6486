"""How a place climbs and comes down, on the worked examples of the design."""

import pytest

from rules.change import Change, RemarkKind
from rules.grade import Grade
from tests.rules.making import LEVEL, RAIN, Z1, at, feed, grade_of, kinds, level_engine, rain_engine, reading, short

STORM = [2.0] * 25 + [4.0] * 13
RED = [10.0] * 8


def test_a_storm_raises_at_once_and_dry_hours_lower_to_what_is_still_met() -> None:
    engine = rain_engine()
    changes = feed(engine, [*STORM, *[0.0] * 73])
    assert [(short(c), (c.at - at(0)).total_seconds() / 60) for c in changes[:3]] == [
        ("none>blue r3h", 135),
        ("blue>yellow r3h", 160),
        ("yellow>blue lower", 395),
    ]
    assert changes[0].because[0].value == 58.0
    assert changes[1].because[0].value == 78.0
    assert list(changes[1].because[0].thresholds) == [55, 75, 100, 120]
    assert (changes[1].because[0].readings, changes[1].because[0].expected) == (32, 36)
    assert [c.id for c in changes[:3]] == [f"flash-flood-rain/S1/1/{n}" for n in (1, 2, 3)]


def test_a_long_window_holds_blue_after_the_short_ones_have_emptied() -> None:
    engine = rain_engine()
    feed(engine, [*STORM, *[0.0] * 50])
    assert grade_of(engine) == "blue"
    assert engine.values("S1") == {"r1h": 0, "r3h": 0, "r6h": 70, "r24h": 102}


def test_three_hours_hold_thirty_six_readings_not_thirty_seven() -> None:
    engine = rain_engine()
    changes = feed(engine, [2.75] * 60)
    assert engine.values("S1")["r3h"] == 99
    assert not [c for c in changes if any(e.row == "r3h" and e.met >= Grade.ORANGE for e in c.because)]


def test_a_gauge_that_dies_in_the_storm_keeps_its_grade_and_is_reported_once() -> None:
    engine = rain_engine()
    changes = feed(engine, STORM)
    remarks = [r for n in range(60) for r in engine.tick(at(195 + n * 10)).remarks]
    assert [short(c) for c in changes][-1] == "blue>yellow r3h"
    assert kinds(remarks) == ["no_data"]
    assert grade_of(engine) == "yellow"
    assert next(iter(engine.standing())).no_data


def test_readings_after_a_pause_do_not_prove_that_the_rain_stopped() -> None:
    engine = rain_engine()
    feed(engine, RED)
    changes = feed(engine, [0.0] * 17, first=400)
    assert changes == []
    assert [short(c) for c in feed(engine, [0.0] * 20, first=485)] == ["red>none lower"]


def test_after_lowering_it_rises_again_at_once() -> None:
    engine = rain_engine()
    changes = feed(engine, [*RED, *[0.0] * 330, *RED])
    assert [c.after.word for c in changes if c.after is Grade.RED] == ["red", "red"]
    assert changes[-1].id.split("/")[2] == "2"


@pytest.mark.parametrize(
    ("grade", "expected"), [("hold", []), ("expire", ["red>none no_data"]), ("raise", [])], ids=["hold", "expire", "raise at red"]
)
def test_silence_does_what_the_rule_says(grade: str, expected: list[str]) -> None:
    engine = rain_engine(RAIN.replace("grade: hold", f"grade: {grade}"))
    feed(engine, RED)
    decisions = engine.tick(at(61))
    assert [short(c) for c in decisions.changes] == expected
    assert kinds(decisions.remarks) == ["no_data"]


def test_silence_may_raise_by_one_and_only_once() -> None:
    engine = rain_engine(RAIN.replace("grade: hold", "grade: raise"))
    feed(engine, [3.0] * 12)
    changes = [c for n in range(9) for c in engine.tick(at(60 + 10 * n)).changes]
    assert [short(c) for c in changes] == ["blue>yellow no_data"]


def test_a_place_that_never_reported_is_reported_missing() -> None:
    engine = rain_engine()
    assert engine.next_tick() is None
    engine.tick(at(0))
    assert engine.next_tick() == at(20)
    assert kinds(engine.tick(at(20)).remarks) == ["no_data"]
    assert engine.next_tick() is None


def test_data_that_come_back_end_the_silence() -> None:
    engine = rain_engine()
    engine.tick(at(0))
    engine.tick(at(20))
    assert kinds(engine.observe([reading(0, 25)], at(25)).remarks) == ["data_back"]
    assert engine.next_tick() == at(45)


def test_a_persons_lift_holds_until_the_next_good_reading() -> None:
    engine = rain_engine(RAIN.replace("grade: hold", "grade: raise"))
    feed(engine, RED)
    assert [short(c) for c in engine.lift("flash-flood-rain", "S1", at(41)).changes] == ["red>none lift"]
    assert engine.tick(at(600)).changes == ()
    assert engine.observe([reading(20, 38)], at(601)).changes == (), "an older reading does not undo the lift"
    assert engine.observe([reading(40, 42)], at(602)).changes == (), "a doubtful reading does not undo the lift"
    assert [short(c) for c in engine.observe([reading(9, 45)], at(603)).changes] == ["none>red r1h"]


def test_a_lift_of_an_unknown_place_names_what_is_there() -> None:
    with pytest.raises(LookupError, match="rules there: flash-flood-rain"):
        rain_engine().lift("no-rule", "S1", at(0))


def test_blue_and_yellow_wait_for_two_readings_in_a_row_and_orange_does_not() -> None:
    levels = [11.5, 11.5, 12.4, 12.0, 12.4, 12.4, 13.6]
    changes = feed(level_engine(), levels, station="Z1", variable="level")
    assert [(short(c), (c.at - at(5)).total_seconds() / 300) for c in changes] == [
        ("none>orange orange", 2),
        ("orange>red red", 6),
    ]
    slow = [11.5 + 0.02 * n for n in range(50)]
    changes = feed(level_engine(), slow, station="Z1", variable="level")
    assert [(short(c), round((c.at - at(5)).total_seconds() / 300)) for c in changes] == [("none>yellow yellow", 41)]


def test_one_step_down_takes_its_full_time_for_each_step() -> None:
    levels = [12.0] * 12 + [15.0] + [12.0] * 40
    changes = feed(level_engine(), levels, station="Z1", variable="level")
    steps = [(short(c), round((c.at - at(5)).total_seconds() / 60)) for c in changes]
    assert steps == [("none>red red", 60), ("red>orange lower", 95), ("orange>yellow lower", 125), ("yellow>blue lower", 155),
                     ("blue>none lower", 185)]  # fmt: skip


def test_a_grade_may_wait_for_a_duration() -> None:
    text = LEVEL.replace("raise: {blue: 2 in a row, yellow: 2 in a row, orange: at_once, red: at_once}", "raise: for 15m")
    changes = feed(level_engine(text), [12.0] * 3 + [14.0] * 5, station="Z1", variable="level")
    assert [(short(c), round((c.at - at(5)).total_seconds() / 60)) for c in changes] == [("none>red red", 30)]


def test_a_swing_between_two_grades_does_not_delay_the_lower_of_them() -> None:
    text = LEVEL.replace("orange: at_once, red: at_once", "orange: 3 in a row, red: 3 in a row")
    changes = feed(level_engine(text), [12.4, 13.6, 12.4, 13.6], station="Z1", variable="level")
    assert [short(c) for c in changes] == ["none>yellow yellow,orange,red"]


def test_the_evidence_of_a_condition_names_the_values_it_saw() -> None:
    change = feed(level_engine(), [12.0] * 13 + [12.9], station="Z1", variable="level")[-1]
    row = change.because[0]
    assert row.text == "z >= guard or (z >= warn and rise >= 0.8)"
    assert dict(row.values) == {"z": 12.9, "guard": 13.5, "warn": 12.3, "rise": 0.9}
    assert row.inputs == (("z", "latest(level)"), ("rise", "change(level, 1h)"))
    assert [e.row for e in change.also] == ["blue", "yellow"]


def test_a_value_that_is_not_known_reaches_nothing_and_the_change_says_so() -> None:
    changes = feed(level_engine(), [13.6], station="Z1", variable="level")
    assert [short(c) for c in changes] == ["none>orange orange"]
    assert changes[0].incomplete


def test_a_clock_two_days_ahead_is_set_aside_and_hurts_no_other_reading() -> None:
    engine = rain_engine()
    decisions = engine.observe([reading(30, 2885), reading(1, 5)], at(5))
    assert kinds(decisions.remarks) == ["clock"]
    assert engine.values("S1")["r1h"] == 1
    assert engine.observe([reading(30, 10)], at(5)).remarks == (), "five minutes ahead is within what clocks do"


@pytest.mark.parametrize(("value", "quality"), [(31, "good"), (-1, "good"), (float("nan"), "good"), (1, "bad"), (1, "suspect")])
def test_a_doubtful_value_is_reported_and_not_used(value: float, quality: str) -> None:
    engine = rain_engine()
    decisions = engine.observe([reading(5, 5), reading(value, 10, quality=quality)], at(10))
    assert kinds(decisions.remarks) == ["suspect"]
    assert engine.values("S1")["r1h"] == 5


def test_one_spell_of_doubt_has_one_key_and_the_next_another() -> None:
    engine = rain_engine()
    remarks = engine.observe([reading(99, 5), reading(99, 10), reading(1, 15), reading(99, 20)], at(20)).remarks
    assert [r.key for r in remarks] == ["suspect/flash-flood-rain/S1/rain/0/red"] * 2 + ["suspect/flash-flood-rain/S1/rain/1/red"]


def test_doubtful_values_do_not_keep_a_place_from_falling_silent() -> None:
    engine = rain_engine()
    engine.tick(at(0))
    found = [r for n in range(1, 6) for r in engine.observe([reading(99, 5 * n)], at(5 * n)).remarks if r.kind is RemarkKind.NO_DATA]
    assert len(found) == 1


def test_out_of_season_nothing_rises_and_silence_is_not_reported() -> None:
    engine = rain_engine(RAIN.replace("04-01..10-15", "10-15..04-01"))
    assert feed(engine, RED) == []
    assert engine.tick(at(600)).remarks == ()


def test_a_stopped_rule_decides_nothing_and_a_shadow_rule_says_what_it_is() -> None:
    assert feed(rain_engine(RAIN.replace("mode: live", "mode: stopped")), RED) == []
    assert {c.mode.value for c in feed(rain_engine(RAIN.replace("mode: live", "mode: shadow")), RED)} == {"shadow"}


def test_a_station_of_no_rule_is_passed_over() -> None:
    assert rain_engine().observe([reading(99, 5, station="S9"), reading(9, 5, variable="wind")], at(5)).remarks == ()


def test_now_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        rain_engine().tick(at(0).replace(tzinfo=None))


def test_level_and_rain_of_one_station_are_judged_together_whichever_comes_first() -> None:
    text = LEVEL.replace("inputs:", "inputs:\n    wet: sum(rain, 1h)").replace("red:    z >= bank", "red:    z >= bank and wet >= 10")
    text = text.replace("range: [-2, 60]", "range: {level: [-2, 60], rain: [0, 30]}")
    place = type(Z1)("Z1", "river_gauge", ("level", "rain"), 300)
    for order in (("rain", "level"), ("level", "rain")):
        engine = rain_engine(text, (place,), {"thresholds/river_levels.csv": "station,warn,guard,bank\nZ1,12.3,19,15\n"})
        changes: list[Change] = []
        for n in range(4):
            for variable in order:
                changes.extend(
                    engine.observe([reading(15.5 if variable == "level" else 4, 5 + 5 * n, "Z1", variable)], at(5 + 5 * n)).changes
                )
        assert [(c.after.word, c.late_by.total_seconds()) for c in changes if c.after is Grade.RED] == [("red", 0)]
