"""Promises of the language that scenarios once showed to be broken."""

from rules.scenario_run import run_scenario
from rules.scenario_text import read_scenarios

FOG = """
rules:
- rule: fog
  version: 1
  hazard: fog
  for_each: weather_station
  inputs: {vis: latest(visibility)}
  ladder: {yellow: vis < 500, red: vis < 50}
  raise: {yellow: for 30m}
  lower: {when: vis > 800, for: 0s, to: one_step}
  no_data: {after: 1h, grade: hold}
"""
FOG_TEST = """
tests:
- name: while yellow waits for its half hour nothing is raised
  rule: fog
  step: 10m
  start: 2024-07-01T00:10+08:00
  feed: {W1.visibility: 3000x5 400x5}
  expect: [{at: 1h20m, W1: none}, {at: 1h40m, W1: yellow}]
"""
COLD = """
rules:
- rule: cold
  version: 1
  hazard: cold-wave
  for_each: weather_station
  inputs: {t: latest(temperature), d: "change(temperature, 3h)", wind: "mean(wind_speed, 1h)"}
  ladder: {orange: t < -5 and wind > 5}
  lower: {when: d > -1, for: 1h, to: computed}
  no_data: {after: 3h, grade: hold}
"""
COLD_TEST = """
tests:
- name: hourly readings that arrive one after the other are one weather, not an all-clear and a warning each hour
  rule: cold
  step: 1h
  start: 2024-07-01T01:00+08:00
  feed: {W1.temperature: 5 -8x10, W1.wind_speed: 9x11}
  expect: [{at: 12h, W1: red}]
"""


def _differences(rules: str, tests: str) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(d.expected, d.found, d.history) for s in read_scenarios("x", tests) for d in run_scenario(s, {"rules.yaml": rules})]


def test_a_grade_that_a_rule_does_not_have_is_never_reached() -> None:
    assert _differences(FOG, FOG_TEST) == []


def test_a_missing_input_keeps_the_grade() -> None:
    assert _differences(COLD, COLD_TEST) == [("red", "orange", ("2h none → orange (orange: t -8, wind 9)",))]
