"""From JSON lines in memory to decisions on one core: decode, four windows, four grades, 10,000 stations.

``python -m bench.rules_first`` prints one JSON line. The engine's own decoder and its own engine, in batches of 500.
"""

import gc
import json
import statistics
import time
from datetime import datetime

import rules as rules_package
from bench.workload import LINE_BYTES, RULES, STEP_S, batches, stations
from dispatcher.intake.catalogue import Catalogue, CatalogueEntry, catalogue
from dispatcher.intake.decode import decode
from dispatcher.ports import Item
from rules.engine import Engine
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import Plan, compile_rules

STATIONS = 10_000
STEPS = 40
BATCH = 500
RUNS = 5


def run(plan: Plan, known: Catalogue, work: list[tuple[datetime, bytes]]) -> tuple[float, float, int]:
    """Seconds for everything, seconds for decoding alone, and the changes decided, in a fresh engine."""
    engine = Engine(plan)
    engine.tick(work[0][0])
    gc.collect()
    gc.freeze()
    changes = 0
    began = time.perf_counter()
    for at, body in work:
        decoded = decode(Item(body, "bench"), known)
        changes += len(engine.observe(decoded.readings, at).changes)
    took = time.perf_counter() - began
    gc.unfreeze()
    began = time.perf_counter()
    for _, body in work:
        decode(Item(body, "bench"), known)
    return took, time.perf_counter() - began, changes


def main() -> None:
    """Run and print."""
    names = stations(STATIONS)
    known = catalogue([CatalogueEntry(station=s, variable="rain", kind="increment", interval_s=STEP_S) for s in names])
    places = [Place(s, "rain_gauge", ("rain",), STEP_S) for s in names]
    plan = compile_rules(parse_rules({"bench.yaml": RULES}), places)
    work = batches(STATIONS, STEPS, BATCH)
    count = STATIONS * STEPS
    results = [run(plan, known, work) for _ in range(RUNS)]
    speeds = [count / took for took, _, _ in results]
    changes = results[0][2]
    assert changes > 0
    decoding = statistics.median(count / took for _, took, _ in results)
    median = statistics.median(speeds)
    spread = (max(speeds) - min(speeds)) / median
    variant = "compiled loops" if rules_package.COMPILED else "pure Python"
    note = f"JSON lines of {LINE_BYTES} B to decisions, batches of {BATCH}, {variant}, 1 core, 4 windows x 4 grades, "
    note += f"{STATIONS} stations, {changes} changes; decoding alone {decoding:.0f}/s; median of {RUNS}"
    figure = {"bench": "rules.first", "value": round(median), "unit": "readings/s", "n": count, "spread": round(spread, 3), "note": note}
    print(json.dumps(figure))


if __name__ == "__main__":
    main()
