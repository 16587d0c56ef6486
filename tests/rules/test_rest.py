"""A place that is not judged at each reading decides as one that is."""

from datetime import datetime, timedelta
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules import ladder as ladders
from rules.change import Change, Remark
from rules.engine import Engine
from rules.grade import Grade
from rules.reading import Columns, Reading
from rules.rest import AWAKE
from rules.scaled import NEVER_S
from tests.rules.making import START, rain_engine

RULES = """
rules:
- rule: first
  version: 1
  hazard: rainstorm
  for_each: rain_gauge
  {season}
  inputs: {{a: "sum(rain, 15m)", b: "sum(rain, 40m)", c: "sum(rain, 2h)"}}
  ladder:
    a: [4, 6, 8, 10]
    b: [7, 9, null, 16]
    c: [9, 12, 18, 30]
  lower: {{when: {when}, for: {hold}, to: {to}{force}}}
  no_data: {{after: 20m, grade: {silence}}}
  quality: {{range: [0, 9]}}
- rule: second
  version: 1
  hazard: rainstorm
  for_each: rain_gauge
  inputs: {{d: "sum(rain, 30m)", e: "sum(rain, 1h)"}}
  ladder: {{d: [5, 8, 11, 14]}}
  lower: {{when: d < 2, for: 10m, to: computed}}
  no_data: {{after: 20m, grade: hold}}
  quality: {{range: [0, 9]}}
"""
VARIANTS = st.fixed_dictionaries(
    {
        "season": st.sampled_from(["", "season: 04-01..06-30", "season: 07-01..09-30"]),
        "when": st.sampled_from(["b < 3", "a <= 2", "c < 6", "b < 3 and a < 2", "2 > a"]),
        "hold": st.sampled_from(["0m", "10m", "30m"]),
        "to": st.sampled_from(["computed", "one_step"]),
        "force": st.sampled_from(["", ", min_in_force: 45m", ", ask: duty-room"]),
        "silence": st.sampled_from(["hold", "raise", "expire"]),
    }
)
Step = tuple[int, str, float]


@st.composite
def storms(draw: st.DrawFn) -> list[Step]:
    """(minute of arrival, what happens, value): long even stretches, as gauges send them, and every kind of disorder in between."""
    steps: list[Step] = []
    n = 0
    for _ in range(draw(st.integers(2, 9))):
        kind = draw(st.sampled_from(["rain", "rain", "rain", "dry", "dry", "gap", "late", "corrected", "off", "bad", "lift", "confirm"]))
        if kind in ("rain", "dry"):
            wet = [0.1, 0.5, 1.0, 2.0, 3.0, 5.0] if kind == "rain" else [0.0, 0.0, 0.1]
            values = draw(st.lists(st.sampled_from(wet), min_size=1, max_size=18))
            steps += [(5 * (n + k), "even", v) for k, v in enumerate(values)]
            n += len(values)
        elif kind == "gap":
            n += draw(st.integers(1, 9))
        else:
            steps.append((5 * n, kind, draw(st.sampled_from([0.0, 1.0, 4.0, 8.0]))))
    return steps


def _played(engine: Engine, steps: list[Step], *, restored: int = -1) -> tuple[list[Change], list[Remark]]:
    """Everything it decides; after step ``restored`` another engine goes on from a snapshot."""
    changes: list[Change] = []
    remarks: list[Remark] = []
    for k, (minute, kind, value) in enumerate(steps):
        now = START + timedelta(minutes=minute, seconds=90 if kind == "off" else 0)
        done = [engine.tick(now - timedelta(seconds=1))]
        if kind == "lift":
            done.append(engine.lift("first", "S1", now))
        elif kind == "confirm":
            if any(s.proposed is not None and s.rule == "first" for s in engine.standing()):
                done.append(engine.confirm("first", "S1", now))
        else:
            back = {"late": 12, "corrected": 15}.get(kind, 0)
            at_s = int((now - timedelta(minutes=back)).timestamp())
            reading = Reading("S1", "rain", value, at_s, "bad" if kind == "bad" else "good")
            done.append(engine.observe([reading], now))
        changes += [c for d in done for c in d.changes]
        remarks += [r for d in done for r in d.remarks]
        if k == restored:
            engine, before = Engine(engine.plan), engine
            engine.restore(before.snapshot())
    return changes, remarks


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(storms(), VARIANTS, st.integers(-1, 60))
def test_resting_changes_no_decision(steps: list[Step], variant: dict[str, str], restored: int) -> None:
    text = RULES.format(**variant)
    with patch.object(ladders, "dry", return_value=AWAKE), patch.object(ladders, "graded", return_value=AWAKE):
        awake = _played(rain_engine(text), steps)
    assert _played(rain_engine(text), steps, restored=restored) == awake


def test_a_quiet_gauge_and_one_that_holds_its_grade_are_not_judged_at_each_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[int] = []
    values_of = ladders.Ladder.values

    def counted(self: ladders.Ladder, at_s: int, edge_s: int = NEVER_S) -> list[float]:
        judged.append(at_s)
        return values_of(self, at_s, edge_s)

    monkeypatch.setattr(ladders.Ladder, "values", counted)
    engine = rain_engine()
    values = [0.1] * 20 + [10.0] * 6 + [0.0] * 200
    changes: list[Change] = []
    for n, value in enumerate(values):
        now = START + timedelta(minutes=5 * n)
        changes += engine.observe([Reading("S1", "rain", value, int(now.timestamp()))], now).changes
    assert max(c.after for c in changes) == Grade.ORANGE
    assert len(judged) < len(values) / 4
    assert engine.values("S1")["r24h"] == 62


def _column(values: list[tuple[float, datetime]]) -> Columns:
    return Columns((("S1", "rain"), ("S2", "rain")), [0] * len(values), [v for v, _ in values], [int(t.timestamp()) for _, t in values], {})


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 3.0, 8.0, 40.0]), st.integers(0, 200)), max_size=40))
def test_columns_decide_as_readings_one_by_one(values: list[tuple[float, int]]) -> None:
    one, other = rain_engine(), rain_engine()
    columns = _column([(v, START + timedelta(minutes=5 * n)) for v, n in values])
    now = START + timedelta(minutes=500)
    assert one.observe(columns, now) == other.observe(list(columns), now)
    assert one.standing() == other.standing()
