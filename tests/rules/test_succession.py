"""A new plan takes over from an old one: what still exists goes on, what is new looks back, and no id is given twice."""

import pytest

from rules.engine import Engine
from rules.parse import parse_rules
from rules.plan import compile_rules
from tests.rules.making import RAIN, S1, at, feed, grade_of, rain_engine, reading, short

SHORT = RAIN.replace("    r6h:  sum(rain, 6h)\n    r24h: sum(rain, 24h)\n", "").replace(
    "    r6h:  [ 70,  95, 120, 150]\n    r24h: [100, 130, 160, 200]\n", ""
)
OTHER = RAIN.replace("rule: flash-flood-rain", "rule: other-rain")
ASKING = RAIN.replace("to: computed}", "to: computed, ask: duty-room}")


def test_the_grade_and_the_windows_go_over_to_a_rule_with_other_numbers() -> None:
    old = rain_engine()
    feed(old, [4.0] * 10)
    assert grade_of(old) == "blue"
    new = rain_engine(RAIN.replace("[ 35,  45,  60,  80]", "[ 30,  35,  38,  50]").replace("version: 7", "version: 8"))
    new.succeed(old)
    assert grade_of(new) == "blue"
    changes = new.observe([reading(1.0, 55)], at(55)).changes
    assert [short(c) for c in changes] == ["blue>orange r1h"]
    assert changes[0].version == 8
    assert changes[0].id == "flash-flood-rain/S1/1/2", "the episode goes on"


def test_a_window_that_reaches_farther_back_is_filled_from_the_past() -> None:
    past = [1.0] * 200
    old = rain_engine(SHORT)
    feed(old, past)
    filled, empty = rain_engine(), rain_engine()
    history = rain_engine()
    feed(history, past)
    filled.succeed(old, history)
    empty.succeed(old)
    assert filled.values("S1")["r24h"] == 200.0
    assert empty.values("S1")["r24h"] < 200.0, "the old plan had not kept that far"
    assert filled.values("S1")["r1h"] == empty.values("S1")["r1h"] == 12.0


def test_a_place_that_is_graded_again_numbers_its_episodes_on() -> None:
    first = rain_engine()
    feed(first, [20.0, 20.0])
    away = rain_engine(OTHER)
    away.succeed(first)
    back = rain_engine()
    # Through a snapshot, as after a restart in between.
    between = rain_engine(OTHER)
    between.restore(away.snapshot())
    back.succeed(between)
    assert grade_of(back) == "none", "nobody grades it meanwhile, so it does not stand at what it stood at"
    changes = feed(back, [20.0, 20.0], first=500)
    assert [c.id for c in changes] == ["flash-flood-rain/S1/2/1"]


def test_two_that_succeed_from_the_same_are_the_same() -> None:
    old = rain_engine(SHORT)
    feed(old, [3.0] * 40)
    history = rain_engine()
    feed(history, [3.0] * 40)
    one, two = rain_engine(), rain_engine()
    one.succeed(old, history)
    two.succeed(old, history)
    assert one.snapshot() == two.snapshot()


def _asking() -> Engine:
    engine = rain_engine(ASKING.replace("lower: {when: r3h < 30", "lower: {when: r1h < 30"))
    feed(engine, [10.0] * 12 + [0.0] * 60)
    return engine


def test_a_person_who_refuses_keeps_the_grade_and_is_asked_again_after_an_hour() -> None:
    engine = _asking()
    before = next(iter(engine.standing()))
    assert before.proposed is not None
    minutes = 5 * 72
    assert engine.refuse("flash-flood-rain", "S1", at(minutes)).changes == ()
    kept = next(iter(engine.standing()))
    assert (kept.proposed, kept.grade) == (None, before.grade)
    asked = []
    for n in range(1, 15):
        said = engine.observe([reading(0.0, minutes + 5 * n)], at(minutes + 5 * n)).remarks
        asked += [(5 * n, r.kind.value) for r in said]
    assert asked == [(60, "ask")]
    with pytest.raises(LookupError, match="no rule 'x'"):
        engine.refuse("x", "S1", at(minutes))


def test_nothing_can_be_refused_where_nothing_is_proposed() -> None:
    with pytest.raises(LookupError, match="does not propose"):
        rain_engine().refuse("flash-flood-rain", "S1", at(5))


def test_what_silence_has_withdrawn_is_lifted_outside_too() -> None:
    engine = rain_engine(RAIN.replace("grade: hold", "grade: expire"))
    feed(engine, [20.0, 20.0])
    expired = engine.tick(at(60)).changes
    assert [short(c) for c in expired] == ["blue>none no_data"]
    lifted = engine.lift("flash-flood-rain", "S1", at(70), standing=expired[0].before).changes
    assert [short(c) for c in lifted] == ["blue>none lift"]
    assert [c.id for c in (*expired, *lifted)] == ["flash-flood-rain/S1/1/2", "flash-flood-rain/S1/1/3"]


def test_compiling_again_from_the_same_texts_gives_the_same_plan() -> None:
    one, two = (compile_rules(parse_rules({"rules.yaml": RAIN}), (S1,)) for _ in range(2))
    assert one.digest == two.digest
    assert one.series == two.series
