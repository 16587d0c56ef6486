"""The nation at once: ``dispatch.nation.planned_s``, ``dispatch.nation.mib`` and how both grow.

Every village of the nation becomes red: county by county in one process and one database, each with its contacts, speakers and
duty room, planned and committed as one alert. Codes are generated, shaped like those of the nation (240 villages a county).
Counted: the seconds of planning and committing (not of writing and reading the invented county), and the most memory the process had.
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


async def county(made: Path) -> float:
    """Seconds to plan and commit one red alert for all villages of a county."""
    deployment = deployment_in(made)
    app = Application(deployment, load(deployment), await open_store(deployment), SystemClock(), make_log(as_json=True))
    await app.open()
    try:
        app.lifetime.run("pipeline", app.pipeline.run(), app.pipeline.stop)
        app.read(app.intake)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        body = {"station": station(0), "variable": "rain", "value": 90, "unit": "mm", "time": stamp}
        began = time.perf_counter()
        await app.intake.submit(json.dumps(body).encode(), Kind.READINGS, "bench")
        return time.perf_counter() - began
    finally:
        await app.stop()
        gc.collect()


def main(villages: int = VILLAGES) -> None:
    """Measure and print: the whole, and each tenth of it as the spread."""
    parts: list[float] = []
    rounds = max(1, villages // PER_COUNTY)
    for n in range(rounds):
        with tempfile.TemporaryDirectory() as made:
            folder = write_county(Path(made) / f"county-{n}", Size(villages=PER_COUNTY, stations=2, linked=PER_COUNTY))
            parts.append(run_async(county(folder)))
            asyncio.set_event_loop(None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB_KIB
    note = f"{rounds} counties of {PER_COUNTY} villages, one after the other in one process; generated codes"
    figure("dispatch.nation.planned_s", [sum(parts)], "s", rounds * PER_COUNTY, note)
    figure("dispatch.nation.county_s", parts, "s", PER_COUNTY, "each county of it: the same time first and last means linear growth")
    figure("dispatch.nation.mib", [peak], "MiB", rounds * PER_COUNTY, "most memory of the process, registry of one county at a time")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else VILLAGES)
