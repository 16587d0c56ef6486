"""W1, from JSON lines in memory to decisions: 2,000 gauges for 24 hours, a reading every five minutes, four windows, four grades.

``rules.w1.pure`` and ``rules.w1.compiled``, each in a process of its own.
"""

import json
import sys
from functools import partial

from bench.figure import figure
from bench.variants import decided, frozen, in_variant
from bench.workload import LINE_BYTES, RULES, STEP_S, batches, rain_of_a_day, stations
from dispatcher.intake.catalogue import CatalogueEntry, catalogue
from rules.engine import Engine
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import compile_rules

GAUGES = 2_000
STEPS = 288
BATCH = 500
RUNS = 5


def measure() -> list[float]:
    """Readings a second of each run, and last how many changes there were per thousand readings."""
    names = stations(GAUGES)
    known = catalogue([CatalogueEntry(station=s, variable="rain", kind="increment", interval_s=STEP_S) for s in names])
    plan = compile_rules(parse_rules({"w1.yaml": RULES}), [Place(s, "rain_gauge", ("rain",), STEP_S) for s in names])
    work = batches(GAUGES, STEPS, BATCH, rain_of_a_day)
    speeds, changes = list[float](), 0
    for _ in range(RUNS):
        engine = Engine(plan)
        engine.tick(work[0][0])
        took, changes = frozen(partial(decided, engine, known, work))
        speeds.append(GAUGES * STEPS / took)
    assert changes > 0
    return [*speeds, changes / GAUGES / STEPS * 1000]


def main() -> None:
    """Measure both variants and print."""
    for name, pure in (("pure", True), ("compiled", False)):
        found = in_variant("bench.rules_w1", pure=pure)
        if found:
            *speeds, changes = found
            note = f"JSON lines of {LINE_BYTES} B to decisions, batches of {BATCH}, one core, processor time, {GAUGES} gauges x 24 h, "
            note += f"4 windows x 4 grades, {changes:.1f} changes per 1,000 readings; median of {RUNS}"
            figure(f"rules.w1.{name}", [round(s) for s in speeds], "readings/s", GAUGES * STEPS, note)


if __name__ == "__main__":
    if sys.argv[1:] == ["measure"]:
        print(json.dumps(measure()))
    else:
        main()
