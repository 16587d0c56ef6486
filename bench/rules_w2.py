"""W2, from JSON lines in memory to decisions: 200,000 gauges that have sent for a day, five windows, four grades: ``rules.w2.compiled``."""

import json
import sys
from datetime import timedelta
from functools import partial

from bench.figure import figure
from bench.province import ALL, BATCH, HISTORY, STATIONS, bodies, engine_of, known, plan_of, rules
from bench.variants import decided, frozen, in_variant
from bench.workload import LINE_BYTES, START, STEP_S

STEPS = 4


def measure(count: int = STATIONS) -> list[float]:
    """Readings a second of each step, and last the changes per thousand readings."""
    engine, catalogue = engine_of(plan_of(count, rules(1, (ALL,)), 1)), known(count)
    speeds, changes = list[float](), 0
    for step in range(HISTORY, HISTORY + STEPS + 1):
        at = START + timedelta(seconds=STEP_S * (step + 1))
        work = [(at, body) for body in bodies(count, step)]
        took, found = frozen(partial(decided, engine, catalogue, work))
        if step > HISTORY:  # at the first step all places find out at once what the day before means for them
            speeds.append(count / took)
            changes += found
    return [*speeds, changes / count / STEPS * 1000]


def main() -> None:
    """Measure and print."""
    found = in_variant("bench.rules_w2", pure=False)
    if not found:
        sys.exit(3)
    *speeds, changes = found
    note = f"JSON lines of {LINE_BYTES} B to decisions, batches of {BATCH}, one core, processor time, {STATIONS} gauges with a day behind "
    note += f"them, 5 windows x 4 grades, {changes:.1f} changes per 1,000 readings; median of {STEPS} steps"
    figure("rules.w2.compiled", [round(s) for s in speeds], "readings/s", STATIONS, note)


if __name__ == "__main__":
    if sys.argv[1:] == ["measure"]:
        print(json.dumps(measure()))
    else:
        main()
