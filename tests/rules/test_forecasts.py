"""Forecasts: what a chance, an amount, a lead time and runs that agree are; and rain that has fallen together with rain to come."""

import pytest

from rules.change import Change
from rules.engine import Engine
from rules.errors import RuleErrors
from rules.forecast import Feed, Forecast
from rules.inputs import Op, Outlook
from rules.outlook import answer
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import compile_rules
from tests.rules.making import START, at, kinds, reading, short

NOW_S = int(START.timestamp())
H = 3600
PLUS = """
rules:
- rule: expected
  version: 1
  hazard: rainstorm
  for_each: rain_gauge
  inputs:
    r6: sum(rain, 6h, plus=forecast)
    seen: sum(rain, 6h)
  ladder:
    r6: [30, 50, 80, null]
    red: r6 >= 100 and seen >= 20
  lower: {when: r6 < 20, for: 30m, to: computed}
  no_data: {after: 2h, grade: hold}
"""


def forecast(from_h: float, to_h: float, value: float | None = None, issued_h: float = 0, **more: object) -> Forecast:
    return Forecast(
        source=str(more.pop("source", "nwp")), place="S1", variable="rain", valid_from_s=NOW_S + round(from_h * H),
        valid_to_s=NOW_S + round(to_h * H), issued_at_s=NOW_S + round(issued_h * H), value=value, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def ask(window_h: float = 6, first_h: float = 0, last_h: float = 24, **more: float) -> Outlook:
    return Outlook(
        window_s=round(window_h * H), first_s=round(first_h * H), last_s=round(last_h * H), max_age_s=8 * H,
        at_least=more.get("at_least", 50), prob=more.get("prob", 0.5),
    )  # fmt: skip


def said(op: Op, question: Outlook, *found: Forecast, at_h: float = 0) -> float:
    feed = Feed("S1", "rain")
    for one in found:
        feed.put(one)
    return answer(op, question, (feed,), NOW_S + round(at_h * H))


def test_a_chance_lies_between_the_chances_that_are_given() -> None:
    one = forecast(2, 8, exceedance=((40, 0.8), (60, 0.4)))
    assert said(Op.FC_PROB, ask(), one) == pytest.approx(0.6)
    assert said(Op.FC_PROB, ask(at_least=20), one) == 0.8
    assert said(Op.FC_PROB, ask(at_least=70), one) == 0
    assert said(Op.FC_PROB, ask(), forecast(2, 8, quantiles=((0.5, 40), (0.9, 60)))) == pytest.approx(0.3)
    assert said(Op.FC_PROB, ask(), forecast(2, 8, 55)) == 1


def test_hours_add_up_to_the_window_and_not_to_more() -> None:
    hours = [forecast(n, n + 1, 10.0) for n in range(12)]
    assert said(Op.FC_VALUE, ask(), *hours) == 60
    assert said(Op.FC_VALUE, ask(window_h=3), *hours) == 30
    assert said(Op.FC_PROB, ask(at_least=61), *hours) == 0
    assert said(Op.FC_PROB, ask(at_least=60), *hours) == 1


def test_a_day_says_nothing_about_six_hours() -> None:
    assert str(said(Op.FC_VALUE, ask(), forecast(0, 24, 200))) == "nan"


def test_the_lead_is_the_time_until_it_begins_and_endless_when_it_does_not() -> None:
    one = forecast(7, 13, 55)
    assert said(Op.FC_LEAD, ask(), one) == 7
    assert said(Op.FC_LEAD, ask(), one, at_h=5.5) == 1.5
    assert said(Op.FC_LEAD, ask(), forecast(7, 13, 45)) == float("inf")


def test_a_newer_issue_replaces_the_same_period_and_no_other() -> None:
    old = [forecast(6, 12, 70), forecast(12, 18, 60)]
    assert said(Op.FC_VALUE, ask(), *old, forecast(6, 12, 10, issued_h=1), at_h=1) == 60
    assert said(Op.FC_VALUE, ask(), forecast(6, 12, 10, issued_h=1), *old, at_h=1) == 60


def test_a_run_counts_until_it_is_too_old() -> None:
    one = forecast(6, 18, 70)
    assert said(Op.FC_VALUE, ask(window_h=12), one, at_h=7.9) == 70
    assert str(said(Op.FC_VALUE, ask(window_h=12), one, at_h=8)) == "nan"


def test_runs_agree_in_a_row_from_the_newest_back() -> None:
    runs = [forecast(10, 16, v, issued_h=n) for n, v in enumerate((60.0, 20.0, 70.0, 80.0))]
    assert said(Op.FC_RUNS, ask(), *runs, at_h=3) == 2
    assert said(Op.FC_RUNS, ask(), *runs[:2], at_h=3) == 0


def test_of_several_sources_the_one_that_asks_for_most_care_counts() -> None:
    assert said(Op.FC_PROB, ask(), forecast(2, 8, 10), forecast(2, 8, 60, source="other")) == 1


def plus_engine() -> Engine:
    return Engine(compile_rules(parse_rules({"r.yaml": PLUS}), [Place("S1", "rain_gauge", ("rain",), 300)]))


def test_rain_that_has_fallen_and_rain_to_come_reach_a_threshold_together() -> None:
    engine = plus_engine()
    for n in range(1, 13):
        engine.observe([reading(2.0, 5 * n)], at(5 * n))
    assert engine.values("S1")["r6"] == 24
    decided = engine.observe_forecasts([forecast(1, 4, 30.0)], at(60))
    assert [short(c) for c in decided.changes] == ["none>yellow r6"]
    assert engine.values("S1")["r6"] == 54
    assert decided.changes[0].because[0].readings == 12


@pytest.mark.parametrize(("options", "reached"), [("", []), (", max_age=13h", ["none>blue r6"])])
def test_a_forecast_of_last_night_counts_as_long_as_the_sum_says(options: str, reached: list[str]) -> None:
    rules = PLUS.replace("plus=forecast", f"plus=forecast{options}")
    engine = Engine(compile_rules(parse_rules({"r.yaml": rules}), [Place("S1", "rain_gauge", ("rain",), 300)]))
    found = engine.observe_forecasts([forecast(1, 4, 30.0, issued_h=-9)], START).changes
    assert [short(c) for c in (*found, *engine.observe([reading(0.0, 5)], at(5)).changes)] == reached


NEAR = """
rules:
- rule: soon
  version: 1
  hazard: rainstorm
  for_each: village
  inputs: {p: "fc_prob(rain, window=6h, at_least=20, lead=0h..12h)", wet: "sum(rain, 1h, near=10km, take=highest)"}
  ladder: {orange: p >= 0.5, red: p >= 0.5 and wet >= 10}
  lower: {when: p < 0.3, for: 2 runs, to: computed}
  no_data: {after: 8h, grade: expire}
"""


@pytest.mark.parametrize("later_s", [0, 7], ids=["of the moment of the forecast", "measured before it came"])
def test_a_reading_around_the_place_that_comes_after_a_run_takes_back_nothing_of_it(later_s: int) -> None:
    places = [Place("S1", "village", (), 300, lat=26.3, lon=111.4), Place("R1", "rain_gauge", ("rain",), 300, lat=26.31, lon=111.4)]
    engine = Engine(compile_rules(parse_rules({"r.yaml": NEAR}), places))
    found: list[Change] = []
    for hour, amount in ((0, 60.0), (1, 5.0), (2, 5.0)):
        found += engine.observe_forecasts([forecast(3, 9, amount, issued_h=hour)], at(60 * hour + later_s / 60)).changes
        found += engine.observe([reading(0.0, 60 * hour, station="R1")], at(60 * hour + 1)).changes
    assert [short(c) for c in found] == ["none>orange orange", "orange>none lower"]


def test_rain_to_come_alone_is_never_red() -> None:
    engine = plus_engine()
    engine.observe([reading(0.0, 5)], at(5))
    assert [short(c) for c in engine.observe_forecasts([forecast(1, 4, 300.0)], at(6)).changes] == ["none>orange r6"]
    changes = [c for n in range(2, 14) for c in engine.observe([reading(3.0, 5 * n)], at(5 * n)).changes]
    assert [short(c) for c in changes] == ["orange>red red"]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("80, null]", "80, 100]", 11, "looks at a forecast, which alone is never red"),
        ("r6 >= 100 and seen >= 20", "r6 >= 100", 12, "a forecast alone (r6) is never red"),
        ("r6 >= 100 and seen >= 20", "r6 >= 100 or seen >= 20", 12, "a forecast alone (r6) is never red"),
        ("r6 >= 100 and seen >= 20", "not (r6 < 100 and seen < 20)", 12, "a forecast alone (r6) is never red"),
    ],
)
def test_a_rule_that_would_be_red_on_a_forecast_alone_is_refused(old: str, new: str, line: int, message: str) -> None:
    with pytest.raises(RuleErrors) as caught:
        parse_rules({"r.yaml": PLUS.replace(old, new)})
    assert [(e.line, message in e.message) for e in caught.value.errors] == [(line, True)]


@pytest.mark.parametrize(
    "row", ["r6 >= 100 and (seen >= 20 and r6 > 1)", "not (r6 < 100 or seen < 20)", "(r6 >= 9 or seen > 1) and seen > 2"]
)
def test_something_observed_in_every_way_to_red_is_enough(row: str) -> None:
    assert parse_rules({"r.yaml": PLUS.replace("r6 >= 100 and seen >= 20", row)}).rules


def test_a_forecast_from_the_future_is_set_aside() -> None:
    decided = plus_engine().observe_forecasts([forecast(1, 4, 300.0, issued_h=2)], at(5))
    assert kinds(decided.remarks) == ["clock"]
    assert not decided.changes


def test_forecasts_survive_a_restart() -> None:
    engine = plus_engine()
    engine.observe([reading(0.0, 5)], at(5))
    engine.observe_forecasts([forecast(1, 4, 40.0), forecast(1, 4, 60.0, source="other")], at(6))
    second = plus_engine()
    second.restore(engine.snapshot())
    assert second.values("S1") == engine.values("S1") == {"r6": 60, "seen": 0}
    assert second.observe([reading(1, 10)], at(10)) == engine.observe([reading(1, 10)], at(10))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("fc_prob(rain, window=6h, lead=0h..24h)", "needs at_least"),
        ("fc_prob(rain, window=6h, at_least=x, lead=0h..24h)", "has at_least=x, which is no number"),
        ("fc_prob(rain, window=6h, at_least=5, lead=24h)", "no range such as 0h..24h"),
        ("fc_prob(rain, window=6h, at_least=5, lead=9h..3h)", "ends before it begins"),
        ("fc_prob(level, window=6h, at_least=5, lead=0h..3h)", "level does not add up, so it has no window"),
        ("fc_runs(rain, window=6h, at_least=5, prob=2, lead=0h..3h)", "has a prob that is not above 0 and at most 1"),
        ("sum(rain, day, plus=forecast)", "not since the beginning of the day"),
        ("sum(rain, 6h, plus=hope)", "can only have plus=forecast"),
        ("sum(rain, 6h, max_age=9h)", "unknown option 'max_age'"),
    ],
)
def test_a_question_to_a_forecast_that_cannot_be_is_refused(written: str, message: str) -> None:
    with pytest.raises(RuleErrors) as caught:
        parse_rules({"r.yaml": PLUS.replace("sum(rain, 6h, plus=forecast)", f'"{written}"')})
    assert any(message in e.message for e in caught.value.errors), caught.value
