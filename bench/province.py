"""A province for benchmarks: W2 is 200,000 gauges under a rule of five windows and four grades, W3 the same under 1,000 rules.

Of the 1,000 rules each gauge concerns three. The rain is that of W1's 2,000 gauges, a hundred times over.
"""

from array import array
from collections.abc import Sequence
from datetime import timedelta
from itertools import accumulate

import msgspec

from bench.workload import START, STEP_S, line, rain_of_a_day, stations
from dispatcher.intake.catalogue import Catalogue, CatalogueEntry, catalogue
from rules.engine import Engine
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import Plan, compile_rules
from rules.saved import FORMAT, Saved, SavedSeries
from rules.scaled import NEVER_S, SCALE

STATIONS = 200_000
PATTERNS = 2_000
SIDE = 44
HISTORY = 288
BATCH = 500
_PER_FILE = 999
"""A file of rules may not be larger than a megabyte."""
_RULE = """
- rule: rain-{n}
  version: 1
  hazard: flash-flood
  for_each: {kind}
  inputs: {{{inputs}}}
  ladder: {{{rows}}}
  lower: {{when: {first} < 30, for: 1h, to: computed}}
  no_data: {{after: 20m, grade: hold, tell: duty-room}}
  quality: {{range: [0, 30]}}
"""
WINDOWS = {
    "1h": (35, 45, 60, 80), "3h": (55, 75, 100, 120), "6h": (70, 95, 120, 150), "12h": (85, 110, 140, 175), "24h": (100, 130, 160, 200),
}  # fmt: skip
ALL = ("3h", "1h", "6h", "12h", "24h")
PARTS = (("3h", "1h"), ("6h", "12h"), ("24h",))
"""The five windows in one rule, and the same in three."""


def rule(n: int, kind: str, windows: Sequence[str]) -> str:
    """One rule of some windows over the gauges of a kind."""
    inputs = ", ".join(f'r{w}: "sum(rain, {w})"' for w in windows)
    rows = ", ".join(f"r{w}: {list(WINDOWS[w])}" for w in windows)
    return _RULE.format(n=n, kind=kind, inputs=inputs, rows=rows, first=f"r{windows[0]}")


def rules(count: int, parts: Sequence[Sequence[str]]) -> dict[str, str]:
    """Files of ``count`` rules, as many of which concern each gauge as there are parts; gauges are of as many kinds as that needs."""
    kinds = max(1, count // len(parts))
    written = [rule(k * len(parts) + p, f"kind_{k}", windows) for k in range(kinds) for p, windows in enumerate(parts)]
    return {f"rules_{n}.yaml": "rules:" + "".join(written[n : n + _PER_FILE]) for n in range(0, len(written), _PER_FILE)}


def places(count: int, kinds: int) -> list[Place]:
    """Gauges of the kinds in turn."""
    return [Place(name, f"kind_{n % kinds}", ("rain",), STEP_S) for n, name in enumerate(stations(count))]


def plan_of(count: int, files: dict[str, str], kinds: int) -> Plan:
    """Compiled for that many gauges."""
    return compile_rules(parse_rules(files), places(count, kinds))


def known(count: int) -> Catalogue:
    """What they send."""
    return catalogue([CatalogueEntry(station=s, variable="rain", kind="increment", interval_s=STEP_S) for s in stations(count)])


def past(plan: Plan) -> bytes:
    """A snapshot in which every gauge has sent for a day."""
    totals = []
    for n in range(PATTERNS):
        values = (round(rain_of_a_day(n, SIDE, step) * SCALE) for step in range(HISTORY))
        totals.append(array("i", accumulate(values, initial=0)).tobytes())
    first_s = int(START.timestamp()) + STEP_S
    arrived_us = (first_s + (HISTORY - 1) * STEP_S) * 1_000_000
    series = [
        SavedSeries(
            station=s.station, variable=s.variable, checks=str(s.checks), step_s=STEP_S, first_s=first_s, times=b"",
            totals=totals[n % PATTERNS], wide=False, arrived_us=arrived_us, doubt=False, spell=0, late=(), suspects=(), held=None,
            run=(NEVER_S, None), counter_times=b"", counter_values=b"",
        )
        for n, s in enumerate(plan.series)
    ]  # fmt: skip
    return msgspec.msgpack.encode(Saved(FORMAT, plan.digest, series, [], []))


def engine_of(plan: Plan) -> Engine:
    """An engine that has seen a day."""
    engine = Engine(plan)
    engine.restore(past(plan))
    return engine


def bodies(count: int, step: int) -> list[bytes]:
    """The JSON lines of one step, in batches."""
    at = START + timedelta(seconds=STEP_S * (step + 1))
    rain = [rain_of_a_day(n, SIDE, step) for n in range(PATTERNS)]
    lines = [line(name, rain[n % PATTERNS], at) for n, name in enumerate(stations(count))]
    return [b"".join(lines[n : n + BATCH]) for n in range(0, count, BATCH)]
