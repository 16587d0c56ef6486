"""The state of W2 from bytes into an engine: ``rules.restore_s``."""

import json
import sys
from functools import partial

from bench.figure import figure
from bench.province import ALL, STATIONS, engine_of, plan_of, rules
from bench.variants import frozen, in_variant
from rules.engine import Engine


def measure() -> list[float]:
    """Seconds, three times."""
    plan = plan_of(STATIONS, rules(1, (ALL,)), 1)
    data = engine_of(plan).snapshot()
    return [frozen(partial(Engine(plan).restore, data))[0] for _ in range(3)]


def main() -> None:
    """Measure and print."""
    for name, pure in (("compiled", False), ("pure", True)):
        found = in_variant("bench.rules_restore", pure=pure)
        if found:
            note = f"{name}, processor time; {STATIONS} series and places with a day of readings"
            figure("rules.restore_s", found, "s", STATIONS, note)


if __name__ == "__main__":
    if sys.argv[1:] == ["measure"]:
        print(json.dumps(measure()))
    else:
        main()
