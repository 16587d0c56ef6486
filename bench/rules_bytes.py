"""Memory for each series with windows of up to 24 hours at a reading every five minutes: ``rules.bytes_per_series``.

What the process grows by: every object, not only the readings. The ladders, of which a series may have any number, are told apart.
"""

import gc
import json
import sys

import psutil

from bench.figure import figure
from bench.province import ALL, HISTORY, PATTERNS, known, places, rules
from bench.variants import in_variant
from bench.workload import START, STEP_S, rain_of_a_day
from rules.engine import Engine
from rules.parse import parse_rules
from rules.plan import compile_rules
from rules.quality import NO_CHECKS
from rules.reading import Columns
from rules.scaled import SCALE
from rules.series import Series

SERIES = 40_000
_HORIZON_S = 25 * 3600


def _resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def series_alone() -> float:
    """A series in its index, filled reading by reading, past the point where old ones are let go of."""
    station_names = [key for key, _ in known(SERIES).known]
    before = _resident()
    index: dict[str, Series] = {}
    for name in station_names:
        index[name] = Series(name, "rain", STEP_S, NO_CHECKS, _HORIZON_S)
    first_s = int(START.timestamp())
    values = [[round(rain_of_a_day(n, 44, step) * SCALE) for step in range(HISTORY + 40)] for n in range(PATTERNS // 20)]
    between = _resident()
    for step in range(HISTORY + 40):
        at_s = first_s + step * STEP_S
        for n, s in enumerate(index.values()):
            s.append(at_s, values[n % len(values)][step])
    # The values of the patterns were made in between and are no part of a series.
    return (_resident() - before - (between - before) + _empty(station_names)) / SERIES


def _empty(names: list[str]) -> int:
    before = _resident()
    kept = {name: Series(name, "rain", STEP_S, NO_CHECKS, _HORIZON_S) for name in names}
    return _resident() - before + 0 * len(kept)


def whole_engine() -> float:
    """The same with everything: engine, index, one ladder for each series with its place in the plan, watch."""
    own = known(SERIES)
    gauges = places(SERIES, 1)
    before = _resident()
    engine = Engine(compile_rules(parse_rules(rules(1, (ALL,))), gauges))
    numbers, first_s = list(range(SERIES)), int(START.timestamp())
    for step in range(HISTORY + 40):
        at_s = first_s + step * STEP_S
        column = Columns(own.known, numbers[:], [0.1] * SERIES, [at_s] * SERIES, {})
        engine.observe(column, START.fromtimestamp(at_s, START.tzinfo))
    return (_resident() - before) / SERIES


def main() -> None:
    """Measure and print."""
    for name, pure in (("compiled", False), ("pure", True)):
        found = in_variant("bench.rules_bytes", pure=pure)
        if found:
            alone, whole = found
            note = f"{name}; growth of resident memory for each of {SERIES} series with {_HORIZON_S // 3600} h of readings, objects and "
            note += f"index included; with one ladder of 5 windows, its plan and its deadline: {whole:.0f}"
            figure("rules.bytes_per_series", [round(alone)], "bytes", SERIES, note)


if __name__ == "__main__":
    if sys.argv[1:] == ["measure"]:
        print(json.dumps([series_alone(), whole_engine()]))
    else:
        main()
