"""One reading at a time through ``observe``, as it comes by MQTT: ``rules.one.p99_us``."""

import json
import sys
import time
from datetime import timedelta

from bench.figure import figure, percentile
from bench.variants import in_variant
from bench.workload import RULES, START, STEP_S, rain_of_a_day, stations
from rules.engine import Engine
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import compile_rules
from rules.reading import Reading

GAUGES = 500
STEPS = 200
RUNS = 3


def measure() -> list[float]:
    """The 99th percentile of each run, in microseconds of processor time."""
    names, side = stations(GAUGES), int(GAUGES**0.5)
    plan = compile_rules(parse_rules({"one.yaml": RULES}), [Place(s, "rain_gauge", ("rain",), STEP_S) for s in names])
    found = []
    for _ in range(RUNS):
        engine, times_us = Engine(plan), list[float]()
        for step in range(STEPS):
            at = START + timedelta(seconds=STEP_S * (step + 1))
            readings = [Reading(s, "rain", rain_of_a_day(n, side, step), int(at.timestamp())) for n, s in enumerate(names)]
            for one in readings:
                began = time.process_time_ns()
                engine.observe((one,), at)
                times_us.append((time.process_time_ns() - began) / 1000)
        found.append(percentile(times_us, 0.99))
    return found


def main() -> None:
    """Measure and print."""
    for name, pure in (("pure", True), ("compiled", False)):
        found = in_variant("bench.rules_one", pure=pure)
        if found:
            note = f"{name}; one Reading per call of observe, {GAUGES} gauges x {STEPS} steps of W1, changes included; processor time"
            figure("rules.one.p99_us", found, "us", GAUGES * STEPS, note)


if __name__ == "__main__":
    if sys.argv[1:] == ["measure"]:
        print(json.dumps(measure()))
    else:
        main()
