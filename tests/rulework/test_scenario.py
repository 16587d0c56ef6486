"""Scenarios: the two of the design as they stand, what they say when they fail, and mistakes with their places."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.errors import RuleErrors
from rules.scenario import Difference
from rules.scenario_run import run_scenario
from rules.scenario_text import read_scenarios, written
from tests.rules.making import LEVEL, LEVELS, RAIN

#: design: rules.md, "Tests beside the rule", to the letter.
DESIGN = """
tests:
- name: storm then dry, lowers after one hour
  rule: flash-flood-rain
  step: 5m
  start: 2024-07-01T00:05+08:00
  feed: {S1.rain: 2x24 4x12 0x72}          # _ = missing, "4@+40m" = arrives 40 min late, "!" = sent twice
  expect:                                    # times and grades computed with the prototype
  - {at: 2h15m, S1: blue,   because: r3h}    # 58.0 mm
  - {at: 2h40m, S1: yellow, because: r3h}    # 78.0 mm
  - {at: 7h20m, S1: blue}                    # r3h < 30 for 1 h; r6h 70 and r24h 102 still reach blue
  - {never: orange}                          # r3h peaks at 98: guards the (t-w, t] rule
- name: gauge dies in the storm
  rule: flash-flood-rain
  step: 5m
  start: 2024-07-01T00:05+08:00
  feed: {S1.rain: 2x24 4x12 _x72}
  expect: [{at: 8h, S1: {grade: yellow, no_data: true, told: duty-room}}]
"""
HEAD = "tests:\n- name: n\n  rule: flash-flood-rain\n  step: 5m\n  start: 2024-07-01T00:05+08:00\n"


def _mistakes(text: str) -> list[str]:
    try:
        read_scenarios("x.scenario.yaml", text)
    except RuleErrors as errors:
        return [str(e) for e in errors.errors]
    return []


def _run(text: str, sources: Mapping[str, str] | None = None) -> list[Difference]:
    found = sources or {"rain.yaml": RAIN}
    return [d for s in read_scenarios("x.scenario.yaml", text) for d in run_scenario(s, found)]


def _expect(feed: str, expect: str) -> list[tuple[str, str]]:
    return [(d.expected, d.found) for d in _run(f"{HEAD}  feed: {feed}\n  expect: {expect}\n")]


def test_the_two_tests_of_the_design_pass_as_they_stand() -> None:
    assert _run(DESIGN) == []


def test_the_numbers_in_the_comments_of_the_design_are_those_of_the_engine() -> None:
    feed = "{S1.rain: 2x24 4x12 0x72}"
    values = "[{at: 2h15m, S1: {values: {r3h: 58}}}, {at: 2h40m, S1: {values: {r3h: 78}}}, {at: 3h10m, S1: {values: {r3h: 98}}}"
    assert _expect(feed, f"{values}, {{at: 7h20m, S1: {{values: {{r6h: 70, r24h: 102}}}}}}]") == []


def test_with_one_value_fewer_the_times_of_the_design_would_not_hold() -> None:
    assert _expect("{S1.rain: 2x23 4x13 0x72}", "[{at: 2h10m, S1: none}]") == [("none", "blue")]


def test_a_difference_says_what_was_expected_what_was_and_how_it_came_about() -> None:
    (d,) = _run(f"{HEAD}  feed: {{S1.rain: 2x24 4x12 0x72}}\n  expect: [{{at: 2h40m, S1: orange}}]\n")
    assert (d.expected, d.found, d.place, d.after and written(d.after)) == ("orange", "yellow", "S1", "2h40m")
    assert d.values == {"r1h": 38.0, "r3h": 78.0, "r6h": 78.0, "r24h": 78.0}
    assert d.history == ("2h15m none → blue (r3h 58 mm)", "2h40m blue → yellow (r3h 78 mm)")
    assert (d.file, d.line, d.column) == ("x.scenario.yaml", 7, 12)


@pytest.mark.parametrize(
    ("expect", "found"),
    [
        pytest.param("[{at: 2h40m, S1: yellow, because: r1h}]", [("because r1h", "because r3h")], id="because"),
        pytest.param("[{at: 1h, S1: none, because: r1h}]", [("because r1h", "no change yet")], id="because of nothing"),
        pytest.param("[{at: 1h, S1: {no_data: true}}]", [("no_data: true", "no_data: false")], id="no_data"),
        pytest.param("[{at: 1h, S1: {told: duty-room}}]", [("told: duty-room", "told: nobody")], id="told"),
        pytest.param("[{at: 1h, S1: {values: {r1h: 25}}}]", [("r1h = 25", "r1h = 24")], id="value"),
        pytest.param("[{at: 1h, S1: {values: {r9h: 25}}}]", [("r9h = 25", "r9h is missing")], id="unknown value"),
        pytest.param("[{never: yellow}]", [("never yellow", "2h40m blue → yellow (r3h 78 mm)")], id="never"),
        pytest.param("[{never: yellow, place: S2}]", [], id="never at another place"),
        pytest.param("[{at: 2024-07-01T02:15+08:00, S1: none}]", [("none", "blue")], id="a time of day"),
        pytest.param("[{at: 0m, S1: none}]", [], id="at the beginning"),
    ],
)
def test_each_thing_that_can_be_expected_is_looked_at(expect: str, found: list[tuple[str, str]]) -> None:
    assert _expect("{S1.rain: 2x24 4x12 0x72, S2.rain: 0x100}", expect) == found


def test_a_difference_says_what_was_told_of_values_that_are_not_used() -> None:
    (d,) = _run(f"{HEAD}  feed: {{S1.rain: 2 900x2 2}}\n  expect: [{{at: 20m, S1: blue}}]\n")
    (said,) = d.told
    assert said.startswith("10m suspect: rain 900 mm of S1 lies outside what can be, 0 – 30; it is not used.")


def test_a_test_whose_places_do_not_fit_to_the_rule_is_named_with_what_they_lack() -> None:
    near = RAIN.replace("sum(rain, 1h)", "sum(rain, 1h, near=catchment, take=highest)")
    with pytest.raises(RuleErrors, match=r"in its catchment, and it has none \(column 'catchment'\); there are 0; in the test 'n'"):
        _run(f"{HEAD}  feed: {{S1.rain: 2}}\n  expect: [{{at: 5m, S1: none}}]\n", {"rain.yaml": near})


def test_a_late_value_counts_when_it_arrives_and_a_doubled_one_once() -> None:
    expect = "[{at: 30m, S1: {values: {r1h: 20}}}, {at: 55m, S1: {values: {r1h: 46}}}]"
    assert _expect("{S1.rain: 4 4! 6@+40m 4x8}", expect) == []


def test_a_corrected_value_replaces_the_first_one() -> None:
    expect = "[{at: 10m, S1: {values: {r1h: 8}}}, {at: 20m, S1: {values: {r1h: 14}}}]"
    assert _expect("{S1.rain: 4 4>6@+10m 4 0}", expect) == []


def test_a_station_two_days_ahead_is_told_and_hurts_nobody() -> None:
    expect = "[{at: 15m, S1: {grade: none, told: clock}, S2: none}, {at: 1h, S2: {grade: blue}}]"
    assert _expect("{S1.rain: 0 9^+2d 0 0x9, S2.rain: 3x11}", expect) == []


def test_tables_are_taken_from_a_station_that_is_alike_or_from_the_scenario() -> None:
    head = HEAD.replace("flash-flood-rain", "river-level")
    sources = {"river.yaml": LEVEL, "thresholds/river_levels.csv": LEVELS}
    like = f"{head}  stations: {{Z9: {{like: Z1}}}}\n  feed: {{Z9.level: 10 12.4x3}}\n  expect: [{{at: 20m, Z9: orange}}]\n"
    assert _run(like, sources) == []
    own = (
        f"{head}  stations: {{Z9: {{columns: {{warn: 1, guard: 2, bank: 3}}}}}}\n  feed: {{Z9.level: 4}}\n  expect: [{{at: 5m, Z9: red}}]\n"
    )
    assert _run(own, sources) == []
    missing = f"{head}  feed: {{Z9.level: 4}}\n  expect: [{{at: 5m, Z9: red}}]\n"
    with pytest.raises(RuleErrors, match="there is no row for 'Z9'"):
        _run(missing, sources)


def test_a_mistake_in_another_rule_does_not_stop_a_test() -> None:
    assert _run(DESIGN, {"rain.yaml": RAIN, "broken.yaml": "rules:\n- rule: broken\n  version: no\n"}) == []


def test_a_stopped_rule_can_be_tested() -> None:
    assert _run(DESIGN, {"rain.yaml": RAIN.replace("mode: live", "mode: stopped")}) == []


def test_a_test_of_an_unknown_rule_is_a_mistake_with_its_place() -> None:
    with pytest.raises(RuleErrors, match=r"x\.scenario\.yaml:3:3: there is no rule 'flash-flood-rain'; rules there are: other"):
        _run(DESIGN, {"rain.yaml": RAIN.replace("rule: flash-flood-rain", "rule: other")})


FEED = "  feed: {S1.rain: 1}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "1:1: the file is empty", id="empty"),
        pytest.param("tests: 3\n", "1:8: tests must be a list", id="no list"),
        pytest.param("test: []\n", "1:1: unknown key 'test' in a scenario file; allowed: tests", id="unknown key"),
        pytest.param("tests: [{name: n}]\n", "1:9: a test needs 'rule'", id="needs"),
        pytest.param(HEAD + FEED + "  expect: []\n", "7:11: a test must expect something", id="expects nothing"),
        pytest.param(HEAD + FEED + "  expect: [{S1: blue}]\n", "7:12: an expectation needs 'at' or 'never'", id="no at"),
        pytest.param(HEAD + FEED + "  expect: [{at: 5m}]\n", "7:12: the expectation names no place; allowed: S1", id="no place"),
        pytest.param(HEAD + FEED + "  expect: [{at: 5m, S2: blue}]\n", "7:21: unknown key 'S2'; allowed: at, never", id="unknown place"),
        pytest.param(HEAD + FEED + "  expect: [{at: 5m, S1: green}]\n", "7:25: the grade of S1 'green' is unknown; allowed", id="grade"),
        pytest.param(HEAD + FEED + "  expect: [{at: soon, S1: blue}]\n", "7:17: at: 'soon' is not a duration", id="at"),
        pytest.param(
            HEAD + "  feed: {rain: 1}\n  expect: [{never: red}]\n", "6:10: 'rain' is no series; allowed: STATION.variable", id="feed"
        ),
        pytest.param(HEAD + "  feed: {S1.rain: 1y}\n  expect: [{never: red}]\n", "6:19: S1.rain: '1y' is not understood", id="value"),
        pytest.param(
            HEAD.replace("+08:00", "") + FEED + "  expect: [{never: red}]\n", "5:10: start '2024-07-01T00:05' is not a time", id="start"
        ),
        pytest.param(HEAD + FEED + "  expect: [{never: none}]\n", "7:20: never 'none' is unknown; allowed: one of blue", id="never none"),
        pytest.param(HEAD + FEED + "  expect: [{at: 5m, S1: {no_data: maybe}}]\n", "7:35: no_data must be true or false", id="no_data"),
        pytest.param(
            DESIGN + DESIGN.split("tests:\n", 1)[1], "19:3: test 'storm then dry, lowers after one hour' is given twice", id="twice"
        ),
    ],
)
def test_a_mistake_in_a_scenario_is_named_with_line_and_column(text: str, said: str) -> None:
    assert [e for e in _mistakes(text) if f"x.scenario.yaml:{said}" in e], _mistakes(text)


def test_a_scenario_without_mistakes_has_none() -> None:
    assert _mistakes(DESIGN) == []


FORECASTS = HEAD + FEED + "  expect: [{never: red}]\n  forecasts: "


@pytest.mark.parametrize(
    ("forecast", "said"),
    [
        pytest.param("{at: 0h}", "a forecast needs 'place'", id="needs"),
        pytest.param("{at: 0h, place: V, variable: rain, lead: 6h, value: 1}", "lead '6h' is no range; allowed: such as 0h..6h", id="lead"),
        pytest.param("{at: 0h, place: V, variable: rain, lead: 6h..x, value: 1}", "lead: 'x' is not a duration", id="end"),
        pytest.param("{at: 0h, place: V, variable: rain, lead: 6h..1h, value: 1}", "valid_to must be later", id="order"),
        pytest.param("{at: 0h, place: V, variable: rain, lead: 0h..1h}", "a forecast needs a value, quantiles or exceedance", id="empty"),
        pytest.param("{at: 0h, place: V, variable: rain, lead: 0h..1h, exceedance: [[1]]}", "exceedance are pairs", id="pairs"),
    ],
)
def test_a_mistake_in_a_forecast_is_named(forecast: str, said: str) -> None:
    assert [e for e in _mistakes(f"{FORECASTS}[{forecast}]\n") if said in e], _mistakes(f"{FORECASTS}[{forecast}]\n")


@settings(max_examples=150, deadline=None)
@given(cut=st.integers(0, len(DESIGN)), what=st.text(st.sampled_from(list("{}[]:,-x_@!?^>+# \n'\"&*09.日")), max_size=12))
def test_no_file_however_broken_is_more_than_a_mistake(cut: int, what: str) -> None:
    for error in _mistakes(DESIGN[:cut] + what + DESIGN[cut + len(what) :]):
        assert error.startswith("x.scenario.yaml:")


def test_the_same_scenario_always_ends_the_same_way() -> None:
    text = f"{HEAD}  feed: {{S1.rain: 2x24 4x12 0x72}}\n  expect: [{{at: 2h40m, S1: red}}, {{never: blue}}]\n"
    assert _run(text) == _run(text)
    assert timedelta(hours=2, minutes=40) in {d.after for d in _run(text)}
