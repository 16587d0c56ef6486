"""W3 against W2: what rules cost that do not concern a gauge: ``rules.w3_over_w2``, and the same from 100 to 10,000 rules.

Each gauge is concerned by three rules, which share W2's five windows among them; there are these three, or as many more as it takes.
"""

import json
import sys
from datetime import timedelta
from functools import partial

from bench.figure import figure
from bench.province import HISTORY, PARTS, STATIONS, bodies, engine_of, known, plan_of, rules
from bench.variants import decided, frozen, in_variant
from bench.workload import START, STEP_S

STEPS = 3
COUNTS = (3, 999, 99, 9_999)


def seconds(count: int, rules_there: int) -> list[float]:
    """Processor time per reading, of each step."""
    kinds = rules_there // len(PARTS)
    engine, catalogue = engine_of(plan_of(count, rules(rules_there, PARTS), kinds)), known(count)
    found = []
    for step in range(HISTORY, HISTORY + STEPS + 1):
        at = START + timedelta(seconds=STEP_S * (step + 1))
        took, _ = frozen(partial(decided, engine, catalogue, [(at, body) for body in bodies(count, step)]))
        found.append(took / count)
    return found[1:]


def measure() -> list[float]:
    """The best step of each number of rules: what disturbs only ever adds."""
    few, many = seconds(STATIONS, COUNTS[0]), seconds(STATIONS, COUNTS[1])
    hundred, ten_thousand = (min(seconds(STATIONS // 5, n)) for n in COUNTS[2:])
    return [*(m / f for f, m in zip(few, many, strict=True)), ten_thousand / hundred]


def main() -> None:
    """Measure and print."""
    found = in_variant("bench.rules_w3", pure=False)
    if not found:
        sys.exit(3)
    *ratios, flat = found
    note = f"time per reading with 999 rules over that with 3; {STATIONS} gauges, 3 rules concern each; compiled, processor time; "
    note += f"9,999 rules over 99, {STATIONS // 5} gauges: {flat:.2f}"
    figure("rules.w3_over_w2", ratios, "ratio", STATIONS, note)


if __name__ == "__main__":
    if sys.argv[1:] == ["measure"]:
        print(json.dumps(measure()))
    else:
        main()
