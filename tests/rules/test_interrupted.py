"""Stopped anywhere and gone on with from a snapshot, an engine decides as one that was never stopped.

With running totals, several stations, forecasts, jumps that wait for a second word, lowerings that wait for a person's, and silence.
"""

import secrets
from datetime import timedelta
from random import Random

import pytest

from rules.change import Decisions
from rules.engine import Engine
from rules.forecast import Forecast
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import compile_rules
from rules.reading import Reading
from tests.rules.making import START

RULES = """
rules:
- rule: rain
  version: 1
  hazard: flash-flood
  for_each: rain_gauge
  inputs: {r1h: "sum(rain, 1h)", near: "sum(rain, 30m, near=10km, take=second_highest)"}
  ladder: {r1h: [4, 8, 12, 20], near: [3, null, 9, 16]}
  raise: {blue: 2 in a row, red: for 10m}
  lower: {when: r1h < 5, for: 5m, to: one_step, ask: duty-room}
  no_data: {after: 20m, grade: expire}
  quality: {range: [0, 9], spike: 6, neighbours: {within: 10km, apart: 5, least: 1}}
- rule: expected
  version: 1
  hazard: rainstorm
  for_each: village
  inputs: {p: "fc_prob(rain, window=2h, at_least=20, lead=0h..6h)", both: "sum(rain, 2h, near=10km, take=highest, plus=forecast)"}
  ladder: {blue: p >= 0.3, yellow: p >= 0.6 and both >= 8}
  lower: {when: p < 0.3, for: 2 runs, to: computed}
  no_data: {after: 1h, grade: hold}
- rule: total
  version: 1
  hazard: rainstorm
  for_each: counting_gauge
  inputs: {r30: "sum(rain, 30m)"}
  ladder: {r30: [3, 5, 7, 9]}
  lower: {when: r30 < 2, for: 10m, to: computed, min_in_force: 20m}
  no_data: {after: 25m, grade: raise}
  quality: {range: [0, 9], rollover: 100}
"""
GAUGES = ("G1", "G2", "G3")
PLACES = (
    *(Place(g, "rain_gauge", ("rain",), 300, lat=26.0 + n / 100, lon=111.0) for n, g in enumerate(GAUGES)),
    Place("C1", "counting_gauge", ("rain",), 300, counters=("rain",)),
    Place("V1", "village", (), 300, lat=26.0, lon=111.0),
)
PLAN = compile_rules(parse_rules({"r.yaml": RULES}), PLACES)
CASES = 60
STEPS = 60
BASE_S = int(START.timestamp())


class World:
    """What comes in, step by step; the same seed gives the same."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.total = 95.0

    def step(self, engine: Engine, n: int) -> Decisions:
        """One thing that happens at the ``n``-th five minutes."""
        chance, now = self.chance, START + timedelta(seconds=300 * n)
        kind = chance.choice(("rain",) * 12 + ("late", "total", "total", "forecast", "word", "tick"))
        if any(s.proposed is not None for s in engine.standing()) and chance.random() < 0.5:
            kind = "word"
        gauge, value, late = (
            chance.choice(GAUGES),
            float(chance.choice((0, 0, 0, 1, 2, 3, 8))) if n % 30 < 14 else 0.0,
            chance.randint(1, 9),
        )
        self.total = (self.total + value) % 100 if chance.random() < 0.9 else 0.0
        if kind in ("rain", "late"):
            readings = [
                Reading(g, "rain", value if g == gauge else 0.0, BASE_S + 300 * n - (300 * late if kind == "late" else 0)) for g in GAUGES
            ]
            return engine.observe(readings if chance.random() < 0.7 else readings[:1], now)
        if kind == "total":
            return engine.observe([Reading("C1", "rain", self.total, BASE_S + 300 * n)], now)
        if kind == "forecast":
            begin_s = BASE_S + 300 * n // 3600 * 3600 + 3600
            issued_s, amount = BASE_S + 300 * n - 60, float(chance.choice((0, 5, 30)))
            one = Forecast(
                source="m", place="V1", variable="rain", valid_from_s=begin_s, valid_to_s=begin_s + 7200, issued_at_s=issued_s, value=amount
            )  # fmt: skip
            return engine.observe_forecasts([one], now)
        if kind == "word":
            return self.word(engine, gauge, now)
        return engine.tick(now)

    def word(self, engine: Engine, gauge: str, now: object) -> Decisions:
        asked = [s.place for s in engine.standing() if s.proposed is not None]
        gauge = asked[0] if asked else gauge
        say = self.chance.choice((engine.confirm, engine.confirm, engine.refuse) if asked else (engine.lift,))
        try:
            return say("rain", gauge, now)  # type: ignore[arg-type]
        except LookupError:
            return Decisions()


TROUBLES = {"confirm", "lift", "no_data", "ask", "suspect", "r1h", "near", "r30"}


@pytest.mark.parametrize("part", range(3))
def test_stopped_anywhere_it_decides_as_if_never_stopped(part: int) -> None:
    seed = secrets.randbits(32)
    seen: set[str] = set()
    for number in range(CASES):  # a third for each part, and more until everything has happened: a lift is rare
        if number >= CASES // 3 and seen >= TROUBLES:
            break
        whole, world = Engine(PLAN), World(seed + number)
        expected = [world.step(whole, n) for n in range(1, STEPS)]
        seen |= {e.row for d in expected for c in d.changes for e in c.because} | {r.kind.value for d in expected for r in d.remarks}
        engine, world, cuts = Engine(PLAN), World(seed + number), Random(part + number)
        for n, decided in enumerate(expected, start=1):
            if cuts.random() < 0.1:
                engine, before = Engine(PLAN), engine
                engine.restore(before.snapshot())
            assert world.step(engine, n) == decided, f"seed {seed + number}, step {n}"
        assert engine.standing() == whole.standing(), f"seed {seed + number}"
    assert seen >= TROUBLES, "each trouble was among them"
