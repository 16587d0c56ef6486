"""The state of W2 to bytes: ``rules.snapshot_s``; and what changes of a minute at 50,000 readings/s cost: ``rules.snapshot_share``."""

import json
import sys
from datetime import timedelta

from bench.figure import figure
from bench.province import ALL, HISTORY, STATIONS, engine_of, known, plan_of, rules
from bench.variants import cpu_s, frozen, in_variant
from bench.workload import START, STEP_S
from rules.reading import Columns

PER_SECOND = 50_000
MINUTE_S = 60


def measure() -> list[float]:
    """Seconds for a whole snapshot (three times), seconds for the changes of a minute, and the megabytes of both."""
    engine, own = engine_of(plan_of(STATIONS, rules(1, (ALL,)), 1)), known(STATIONS).known
    engine.tick(START + timedelta(seconds=STEP_S * HISTORY))
    whole = [frozen(engine.checkpoint) for _ in range(3)]
    # 3,000,000 readings: each of the 200,000 gauges sends fifteen, one in five minutes of event time (a backlog, let us say).
    for n in range(PER_SECOND * MINUTE_S // STATIONS):
        at = START + timedelta(seconds=STEP_S * (HISTORY + n + 1))
        numbers, times_s = list(range(STATIONS)), [int(at.timestamp())] * STATIONS
        engine.observe(Columns(own, numbers, [0.1] * STATIONS, times_s, {}), at)
    took, more = cpu_s(engine.increment)
    assert more is not None
    return [*(w for w, _ in whole), took, len(whole[0][1]) / 1e6, len(more) / 1e6]


def main() -> None:
    """Measure and print."""
    for name, pure in (("compiled", False), ("pure", True)):
        found = in_variant("bench.rules_snapshot", pure=pure)
        if found:
            *whole, more, whole_mb, more_mb = found
            note = f"{name}, processor time; {STATIONS} series and places with a day of readings, {whole_mb:.0f} MB"
            figure("rules.snapshot_s", whole, "s", STATIONS, note)
            note = f"{name}; {more:.2f} s of processor time, once a minute, for what {PER_SECOND * MINUTE_S} readings have changed, "
            note += f"{more_mb:.0f} MB"
            figure("rules.snapshot_share", [more / MINUTE_S], "share", STATIONS, note)


if __name__ == "__main__":
    if sys.argv[1:] == ["measure"]:
        print(json.dumps(measure()))
    else:
        main()
