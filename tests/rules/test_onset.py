"""When what a place is warned of is expected: what the forecasts say of it, that sooner is told and later is not, and that it survives."""

from datetime import datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.change import Change
from rules.engine import Engine
from rules.forecast import Forecast
from rules.grade import Grade
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import compile_rules
from rules.sentence import sentence
from tests.rules.making import START, at, reading, short

NOW_S = int(START.timestamp())
HOUR_S = 3600
AMOUNT = """
rules:
- rule: expected
  version: 1
  hazard: rainstorm
  for_each: village
  inputs:
    r3: fc_value(rain, window=3h, lead=0h..24h)
    p: fc_prob(rain, window=3h, at_least=30, lead=0h..24h)
    wet: sum(rain, 1h, near=10km, take=highest)
  ladder:
    r3: [20, 40, 60, null]
    orange: p >= 0.7 or wet >= 20
    red: r3 >= 60 and wet >= 30
  lower: {when: r3 < 10 and wet < 5, for: 30m, to: one_step}
  no_data: {after: 8h, grade: hold}
"""
PLACES = (
    Place("S1", "village", (), 300, lat=26.3, lon=111.4),
    Place("R1", "rain_gauge", ("rain",), 300, lat=26.31, lon=111.4),
)


def engine(text: str = AMOUNT) -> Engine:
    return Engine(compile_rules(parse_rules({"r.yaml": text}), PLACES))


def hours(*amounts: float, begin_h: int = 0, issued_h: float = 0) -> list[Forecast]:
    """Amounts of one hour each."""
    return [one(begin_h + n, 1, amount, issued_h=issued_h) for n, amount in enumerate(amounts)]


def one(begin_h: int, long_h: int, amount: float | None, issued_h: float = 0, **more: object) -> Forecast:
    return Forecast(
        source="nwp", place="S1", variable="rain", valid_from_s=NOW_S + begin_h * HOUR_S, valid_to_s=NOW_S + (begin_h + long_h) * HOUR_S,
        issued_at_s=NOW_S + round(issued_h * HOUR_S), value=amount, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def told(changes: list[Change] | tuple[Change, ...]) -> list[tuple[str, datetime | None]]:
    return [(short(c), c.onset) for c in changes]


def hour(n: float) -> datetime:
    return START + timedelta(hours=n)


def test_an_amount_is_expected_from_the_hour_with_which_it_is_reached() -> None:
    found = engine().observe_forecasts(hours(0, 0, 0, 0, 0, 12, 12, 12, 0), START).changes
    assert told(found) == [("none>blue r3", hour(6)), ("blue>orange orange", hour(7))]


def test_a_chance_is_expected_from_the_beginning_of_its_period() -> None:
    text = AMOUNT.replace("r3: [20, 40, 60, null]", "r3: [900, 910, 920, null]")
    found = engine(text).observe_forecasts([one(5, 3, None, exceedance=((20, 0.9), (40, 0.6)))], START).changes
    assert told(found) == [("none>orange orange", hour(5))]


def test_what_is_observed_or_has_begun_has_no_onset() -> None:
    runs = engine()
    assert told(runs.observe([reading(22.0, 5, station="R1")], at(5)).changes) == [("none>orange orange", None)]
    begun = engine()
    assert told(begun.observe_forecasts([one(-1, 3, 25.0, issued_h=-1)], START).changes) == [("none>blue r3", None)]


def test_a_newer_run_that_says_sooner_is_told_and_one_that_says_later_is_not() -> None:
    runs = engine()
    runs.observe_forecasts([one(9, 3, 25.0)], START)
    later = runs.observe_forecasts([one(9, 3, 0.0, issued_h=1), one(12, 3, 25.0, issued_h=1)], hour(1)).changes
    sooner = runs.observe_forecasts([one(6, 3, 25.0, issued_h=2)], hour(2)).changes
    same = runs.observe_forecasts([one(6, 3, 26.0, issued_h=3)], hour(3)).changes
    assert later == same == ()
    assert told(sooner) == [("blue>blue r3", hour(6))]
    assert [s.since for s in runs.standing() if s.place == "S1"] == [START]


def test_what_was_expected_and_is_observed_now_is_told_although_the_grade_stays() -> None:
    runs = engine()
    assert told(runs.observe_forecasts([one(9, 3, 61.0)], START).changes) == [("none>orange r3,orange", hour(9))]
    found = runs.observe([reading(22.0, 60, station="R1")], at(61)).changes
    assert told(found) == [("orange>orange r3,orange", None)]
    assert told(runs.observe([reading(1.0, 65, station="R1")], at(66)).changes) == []


def test_red_is_now_since_something_observed_is_behind_it() -> None:
    runs = engine()
    runs.observe_forecasts([one(9, 3, 65.0)], START)
    found = runs.observe([reading(22.0, 60, station="R1"), reading(9.0, 65, station="R1")], at(66)).changes
    assert told(found) == [("orange>orange r3,orange", None), ("orange>red red", None)]


def test_a_late_reading_tells_it_too() -> None:
    runs = engine()
    runs.observe([reading(0.0, 50, station="R1")], at(50))
    runs.observe_forecasts([one(9, 3, 61.0)], at(60))
    assert told(runs.observe([reading(22.0, 45, station="R1")], at(61)).changes) == [("orange>orange r3,orange", None)]


def test_a_higher_grade_has_its_own_onset() -> None:
    runs = engine()
    runs.observe_forecasts([one(3, 3, 25.0)], START)
    found = runs.observe_forecasts([one(9, 3, 65.0, issued_h=1)], hour(1)).changes
    assert told(found) == [("blue>orange r3,orange", hour(9))]


def test_a_grade_that_is_held_on_the_way_down_is_expected_when_the_higher_one_was() -> None:
    runs = engine()
    runs.observe([reading(0.0, 0, station="R1")], START)
    runs.observe_forecasts([one(9, 3, 65.0)], at(1))
    changes: list[Change] = []
    runs.observe_forecasts([one(9, 3, 0.0, issued_h=1)], hour(1))
    for n in range(13, 40):
        changes += runs.observe([reading(0.0, 5 * n, station="R1")], at(5 * n)).changes
    assert told(changes)[0] == ("orange>yellow lower", hour(9))


def test_a_change_says_when_in_both_languages() -> None:
    runs = engine()
    first = runs.observe_forecasts([one(9, 3, 25.0)], at(30)).changes[0]
    second = runs.observe_forecasts([one(6, 3, 25.0, issued_h=1)], hour(1)).changes[0]
    assert sentence(first, "zh", "上寨") == (
        "上寨：预报3小时雨量25mm，达到蓝色（Ⅳ级）阈值20mm，暴雨预警由无预警升为蓝色（Ⅳ级）（预计8小时30分钟后达到）（部分数据缺失）。"
    )
    assert "raised from none to blue (expected in 8 h 30 min)" in sentence(first, "en", "Upper Ford")
    assert "暴雨预警维持蓝色（Ⅳ级），比原先预计来得早（预计5小时后达到）" in sentence(second, "zh", "上寨")
    assert "rainstorm warning stays blue, it is expected sooner (expected in 5 h)" in sentence(second, "en", "Upper Ford")


# ------------------------------------------------------------------------------------------------ properties

AMOUNTS = st.dictionaries(st.integers(0, 23), st.sampled_from([5.0, 15.0, 20.0, 30.0]), max_size=4).map(
    lambda wet: [wet.get(n, 0.0) for n in range(24)]
)
RUNS = st.lists(AMOUNTS, min_size=1, max_size=4)


def first_hour(amounts: list[float], now_h: int, grade: Grade) -> int | None:
    """By hand: the hour with which any three hours in a row, or fewer, first hold so much."""
    least = {Grade.BLUE: 20, Grade.YELLOW: 40, Grade.ORANGE: 30}[grade]
    for last in range(now_h, 24):
        if any(sum(amounts[max(now_h, begin) : last + 1]) >= least for begin in range(last - 2, last + 1)):
            return last
    return None


@settings(max_examples=60)
@given(runs=RUNS)
def test_what_was_said_is_never_later_than_what_the_newest_run_says(runs: list[list[float]]) -> None:
    expected, said = engine(), dict[str, datetime | None]()
    grade = Grade.NONE
    for n, amounts in enumerate(runs):
        for change in expected.observe_forecasts(hours(*amounts[n:], begin_h=n, issued_h=n), hour(n)).changes:
            if change.before is change.after:
                before = said["S1"]
                assert before is not None
                assert change.onset is None or change.onset < before
            said["S1"], grade = change.onset, change.after
        held = first_hour(amounts, n, grade) if grade else None
        if held is not None:
            assert said["S1"] is None or said["S1"] <= max(hour(held), hour(n))


@settings(max_examples=60)
@given(amounts=AMOUNTS)
def test_what_is_said_at_last_is_the_hour_that_is_found_by_hand(amounts: list[float]) -> None:
    found = engine().observe_forecasts(hours(*amounts)[::-1], START).changes
    for change in found[-1:]:
        held = first_hour(amounts, 0, change.after)
        assert held is not None
        assert change.onset == (hour(held) if held else None)


@settings(max_examples=40)
@given(runs=RUNS, cut=st.integers(0, 3))
def test_a_restart_in_between_changes_nothing_of_it(runs: list[list[float]], cut: int) -> None:
    whole, first = engine(), engine()
    for n, amounts in enumerate(runs):
        if n == cut:
            second = engine()
            second.restore(first.snapshot())
            first = second
        batch = hours(*amounts[n:], begin_h=n, issued_h=n)
        assert whole.observe_forecasts(batch, hour(n)) == first.observe_forecasts(batch, hour(n))
        wet = [reading(amounts[n], 60 * n + 30, station="R1")]
        assert whole.observe(wet, at(60 * n + 31)) == first.observe(wet, at(60 * n + 31))


def test_what_was_said_survives_a_restart() -> None:
    first, second = engine(), engine()
    first.observe_forecasts([one(9, 3, 25.0)], START)
    second.restore(first.snapshot())
    assert told(second.observe_forecasts([one(12, 3, 25.0, issued_h=1)], hour(1)).changes) == []
    assert told(second.observe_forecasts([one(6, 3, 25.0, issued_h=2)], hour(2)).changes) == [("blue>blue r3", hour(6))]


def test_a_snapshot_of_before_there_were_onsets_is_read() -> None:
    runs = engine()
    runs.observe_forecasts([one(9, 3, 25.0)], START)
    raw = msgspec.msgpack.decode(runs.snapshot())
    raw["ladders"] = [ladder[:-1] for ladder in raw["ladders"]]
    old = engine()
    old.restore(msgspec.msgpack.encode(raw))
    assert told(old.observe_forecasts([one(6, 3, 25.0, issued_h=1)], hour(1)).changes) == []


def test_rain_that_has_fallen_brings_what_is_expected_nearer() -> None:
    filled = "p: sum(rain, 3h, near=10km, take=highest, plus=forecast)"
    text = AMOUNT.replace("p: fc_prob(rain, window=3h, at_least=30, lead=0h..24h)", filled)
    text = text.replace("p >= 0.7 or wet >= 20", "p >= 40").replace("r3: [20, 40, 60, null]", "r3: [900, 910, 920, null]")
    runs = engine(text)
    runs.observe([reading(0.0, 0, station="R1")], START)
    assert told(runs.observe_forecasts(hours(0, 20, 20, 20, 20), at(1)).changes) == [("none>orange orange", hour(2))]
    assert told(runs.observe([reading(22.0, 5, station="R1")], at(5)).changes) == [("orange>orange orange", hour(1))]
