"""The nation at once: ``dispatch.nation.planned_s``, ``dispatch.nation.mib`` and how both grow.

Every village of the nation becomes red: county by county in one process, each with its contacts, speakers, duty room and a database of
its own as a county has, planned and committed as one alert of 10,000 villages (a county of the nation has 240, the largest 1,500).
Codes are generated. Counted: the seconds of planning and committing (not of writing and reading the invented county), the engine's
processor time of it, which says the same on a machine that others use as well, and the most memory the process had.
"""

import asyncio
import gc
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from bench.county import Size, station, write_county
from bench.dispatch_acks import deployment_in
from bench.figure import figure
from dispatcher.application import Application, load, open_store
from dispatcher.cli.running import run_async
from dispatcher.clock import SystemClock
from dispatcher.ports import Kind
from dispatcher.upkeep.log import make_log

VILLAGES = 600_000
PER_COUNTY = 10_000
_MIB_KIB = 1024


async def county(made: Path) -> tuple[float, float]:
    """Seconds to plan and commit one red alert for all villages of a county, and seconds of processor time."""
    deployment = deployment_in(made)
    app = Application(deployment, load(deployment), await open_store(deployment), SystemClock(), make_log(as_json=True))
    await app.open()
    try:
        app.lifetime.run("pipeline", app.pipeline.run(), app.pipeline.stop)
        app.read(app.intake)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        body = {"station": station(0), "variable": "rain", "value": 90, "unit": "mm", "time": stamp}
        began, worked = time.perf_counter(), time.process_time()
        await app.intake.submit(json.dumps(body).encode(), Kind.READINGS, "bench")
        return time.perf_counter() - began, time.process_time() - worked
    finally:
        await app.stop()
        gc.collect()


def main(villages: int = VILLAGES) -> None:
    """Measure and print: the whole, each county of it, and how the second half compares with the first."""
    parts: list[tuple[float, float]] = []
    rounds = max(1, villages // PER_COUNTY)
    for n in range(rounds):
        with tempfile.TemporaryDirectory() as made:
            folder = write_county(Path(made) / f"county-{n}", Size(villages=PER_COUNTY, stations=2, linked=PER_COUNTY))
            parts.append(run_async(county(folder)))
            asyncio.set_event_loop(None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB_KIB
    note = f"{rounds} counties of {PER_COUNTY} villages, one after the other in one process; generated codes"
    seconds, worked = [p[0] for p in parts], [p[1] for p in parts]
    figure("dispatch.nation.planned_s", [sum(seconds)], "s", rounds * PER_COUNTY, note)
    figure("dispatch.nation.cpu_s", [sum(worked)], "s", rounds * PER_COUNTY, "processor time of it; " + note)
    figure("dispatch.nation.county_s", seconds, "s", PER_COUNTY, "each county of it")
    half = rounds // 2
    if half:
        growth = sum(worked[half : 2 * half]) / sum(worked[:half])
        figure("dispatch.nation.growth", [growth], "", rounds * PER_COUNTY, "second half to first half in processor time: 1 is linear")
    figure("dispatch.nation.mib", [peak], "MiB", rounds * PER_COUNTY, "most memory of the process, registry of one county at a time")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else VILLAGES)
