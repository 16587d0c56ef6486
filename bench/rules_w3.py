"""W3 against W2: what rules cost that do not concern a gauge: ``rules.w3_over_w2``, and the same from 100 to 10,000 rules.

Each gauge is concerned by three rules, which share W2's five windows among them; there are these three, or as many more as it takes.
"""

import json
import sys
from datetime import timedelta
from functools import partial

import rules as rules_package
from bench.figure import figure
from bench.province import HISTORY, PARTS, STATIONS, bodies, engine_of, known, plan_of, rules
from bench.variants import decided, frozen, in_variant
from bench.workload import START, STEP_S

STEPS = 3
ROUNDS = 3
_FEW, _MANY, _HUNDRED, _TEN_THOUSAND = 3, 999, 99, 9_999


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


def ratios(count: int, many: int, few: int) -> list[float]:
    """Best step against best step, in turn; each in a process of its own, whose memory nobody has used before."""

    def best(rules_there: int) -> float:
        return min(in_variant("bench.rules_w3", str(count), str(rules_there), pure=False))

    return [best(many) / best(few) for _ in range(ROUNDS)]


def main() -> None:
    """Measure and print."""
    if not rules_package.COMPILED:
        sys.exit(3)
    flat = ", ".join(f"{r:.2f}" for r in ratios(STATIONS // 5, _TEN_THOUSAND, _HUNDRED))
    note = f"time per reading with {_MANY} rules over that with {_FEW}; {STATIONS} gauges, 3 rules concern each; compiled, processor time; "
    note += f"{_TEN_THOUSAND:,} rules over {_HUNDRED}, {STATIONS // 5} gauges: {flat}"
    figure("rules.w3_over_w2", ratios(STATIONS, _MANY, _FEW), "ratio", STATIONS, note)


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(seconds(int(sys.argv[2]), int(sys.argv[3]))))
    else:
        main()
