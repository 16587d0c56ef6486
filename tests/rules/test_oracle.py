"""The engine against a second one that does everything the slow way, on storms with every kind of disorder."""

from datetime import timedelta
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.engine import Engine
from rules.reading import Reading
from tests.rules.making import START, rain_engine
from tests.rules.oracle import Oracle, Spec, Values

TABLE = """
rules:
- rule: t
  version: 1
  hazard: rainstorm
  for_each: rain_gauge
  inputs: {{a: "sum(rain, 15m)", b: "sum(rain, 40m)"}}
  ladder:
    a: [4, 6, 8, 10]
    b: [7, 9, null, 16]
  raise: {up}
  lower: {{when: b < 4, for: 10m, to: {to}}}
  no_data: {{after: 20m, grade: hold}}
  quality: {{range: [0, 9]}}
"""
EXPRESSIONS = """
rules:
- rule: t
  version: 1
  hazard: river-flood
  for_each: rain_gauge
  inputs:
    z: latest(rain, max_age=20m)
    rise: change(rain, 20m)
    top: max(rain, 30m)
    low: min(rain, 15m)
    mid: mean(rain, 25m)
    n: count(rain, 25m)
  ladder:
    blue: z >= 3 or top >= 6
    yellow: mid >= 3 and not (n < 3)
    orange: z >= 5 and rise >= 2
    red: low >= 5 or rise * 2 >= 13
  raise: {up}
  lower: {{when: {when}, for: 10m, to: {to}}}
  no_data: {{after: 20m, grade: hold}}
  quality: {{range: [0, 9]}}
"""
UPS = {
    "at_once": ((1, 1, 1, 1), (0, 0, 0, 0)),
    "{blue: 2 in a row, yellow: 3 in a row}": ((2, 3, 1, 1), (0, 0, 0, 0)),
    "{yellow: for 10m, red: for 15m}": ((1, 1, 1, 1), (0, 600, 0, 900)),
}


def _at_least(value: Fraction | int | None, limit: int) -> bool:
    return value is not None and value >= limit


def _below(value: Fraction | int | None, limit: int) -> bool:
    return value is not None and value < limit


def _table_rows(v: Values) -> int:
    limits = {"a": (4, 6, 8, 10), "b": (7, 9, 16, 16)}
    return max(sum(_at_least(v[name], x) for x in row) for name, row in limits.items())


def _expression_rows(v: Values) -> int:
    if _at_least(v["low"], 5) or (v["rise"] is not None and v["rise"] * 2 >= 13):
        return 4
    if _at_least(v["z"], 5) and _at_least(v["rise"], 2):
        return 3
    if _at_least(v["mid"], 3) and _at_least(v["n"], 3):
        return 2
    return int(_at_least(v["z"], 3) or _at_least(v["top"], 6))


def _expression_eases(v: Values) -> bool:
    return _below(v["mid"], 2) and v["rise"] is not None and v["rise"] <= 0


def _expression_could(v: Values) -> int:
    """Without a rise nobody knows whether it is red."""
    return 4 if v["rise"] is None else 0


def pair(kind: str, up: str, to: str) -> tuple[Engine, Oracle]:
    """The engine and the oracle for the same rule."""
    count, for_s = UPS[up]
    if kind == "table":
        inputs = {"a": ("sum", 900), "b": ("sum", 2400)}
        spec = Spec(inputs, _table_rows, lambda v: _below(v["b"], 4), ("b",), count, for_s, one_step=to == "one_step")
        return rain_engine(TABLE.format(up=up, to=to)), Oracle(spec)
    inputs = {"z": ("latest", 1200), "rise": ("change", 1200), "top": ("max", 1800), "low": ("min", 900), "mid": ("mean", 1500)}
    inputs["n"] = ("count", 1500)
    if to == "computed":
        spec = Spec(inputs, _expression_rows, _expression_eases, ("mid", "rise"), count, for_s, could=_expression_could)
        return rain_engine(EXPRESSIONS.format(up=up, to=to, when="mid < 2 and rise <= 0")), Oracle(spec)
    spec = Spec(inputs, _expression_rows, lambda v: _below(v["z"], 2), (), count, for_s, one_step=True, could=_expression_could)
    return rain_engine(EXPRESSIONS.format(up=up, to=to, when="z < 2")), Oracle(spec)


Event = tuple[int, Reading]


@st.composite
def storms(draw: st.DrawFn) -> list[Event]:
    """(arrival in seconds after the start, reading), in order of arrival: some missing, late, sent twice, corrected, off the grid."""
    events: list[Event] = []
    base = int(START.timestamp())
    values = st.sampled_from([0, 0, 0, 0, 0.1, 0.7, 1, 2, 3, 5, 8])
    n = 0
    for _ in range(draw(st.integers(5, 45))):
        n += 1
        fate = draw(st.sampled_from(["good"] * 12 + ["missing"] * 2 + ["late", "late", "twice", "corrected", "off", "silence"]))
        n += 5 if fate == "silence" else 0
        at_s = 300 * n + (draw(st.integers(-140, 140)) if fate == "off" else 0)
        value = float(draw(values))
        one = Reading("S1", "rain", value, base + at_s)
        delay = draw(st.integers(1, 14)) * 300 + 7 if fate in ("late", "twice", "corrected") else 0
        if fate in ("good", "off", "twice", "corrected"):
            events.append((max(at_s, 300 * n), one))
        if fate in ("late", "twice", "corrected"):
            events.append((300 * n + delay, one._replace(value=float(draw(values))) if fate == "corrected" else one))
    return sorted(events, key=lambda e: e[0])


def _decisions(engine: Engine, events: list[Event]) -> list[tuple[int, int, int, int]]:
    changes = [c for arrival, reading in events for c in engine.observe([reading], START + timedelta(seconds=arrival)).changes]
    return [(int(c.before), int(c.after), int(c.at.timestamp()), int(c.late_by.total_seconds())) for c in changes]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(storms(), st.sampled_from(["table", "expressions"]), st.sampled_from(list(UPS)), st.sampled_from(["computed", "one_step"]))
def test_the_engine_decides_as_the_slow_one_does(events: list[Event], kind: str, up: str, to: str) -> None:
    engine, oracle = pair(kind, up, to)
    changes = _decisions(engine, events)
    for _, r in events:
        oracle.observe(r.at_s, Fraction(str(r.value)))
    assert changes == oracle.changes
    if oracle.data:
        expected = {k: float(v) for k, v in oracle.values(max(oracle.data)).items() if v is not None}
        found = engine.values("S1")
        assert found.keys() == expected.keys()
        assert all(abs(found[k] - v) < 1e-9 for k, v in expected.items())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(storms(), st.sampled_from(["table", "expressions"]), st.integers(0, 50), st.sampled_from(list(UPS)))
def test_a_snapshot_anywhere_changes_nothing(events: list[Event], kind: str, cut: int, up: str) -> None:
    whole, _ = pair(kind, up, "computed")
    expected = [whole.observe([r], START + timedelta(seconds=a)) for a, r in events]
    first, _ = pair(kind, up, "computed")
    found = [first.observe([r], START + timedelta(seconds=a)) for a, r in events[:cut]]
    second, _ = pair(kind, up, "computed")
    second.restore(first.snapshot())
    found += [second.observe([r], START + timedelta(seconds=a)) for a, r in events[cut:]]
    assert found == expected
    assert second.standing() == whole.standing()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(storms(), st.sampled_from(["table", "expressions"]))
def test_one_batch_decides_as_many_batches_of_one(events: list[Event], kind: str) -> None:
    one, _ = pair(kind, "at_once", "one_step")
    many, _ = pair(kind, "at_once", "one_step")
    now = START + timedelta(days=1)
    whole = one.observe([r for _, r in events], now)
    parts = [many.observe([r], now) for _, r in events]
    assert whole.changes == tuple(c for p in parts for c in p.changes)
    assert whole.remarks == tuple(r for p in parts for r in p.remarks)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(storms(), st.sampled_from(["table", "expressions"]))
def test_a_reading_sent_again_changes_nothing(events: list[Event], kind: str) -> None:
    engine, _ = pair(kind, "at_once", "computed")
    twice, _ = pair(kind, "at_once", "computed")
    once = _decisions(engine, events)
    assert _decisions(twice, [e for event in events for e in (event, event)]) == once


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(storms(), st.sampled_from(["table", "expressions"]))
def test_no_change_goes_above_the_highest_row_it_names_nor_down_without_a_condition(events: list[Event], kind: str) -> None:
    engine, _ = pair(kind, "at_once", "computed")
    for arrival, reading in events:
        for c in engine.observe([reading], START + timedelta(seconds=arrival)).changes:
            if c.after > c.before:
                assert c.because
                assert max(e.met for e in c.because) >= c.after
            else:
                assert [e.row for e in c.because] == ["lower"]
