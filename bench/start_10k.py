"""Start-up with 10,000 villages and 30,000 contacts: ``start.10k_s`` and resident memory ``start.10k_mib``.

A fresh process loads, checks and compiles everything, opens the store and listens; it ends itself once ready.
"""

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.county import Size, write_county
from bench.figure import figure

VILLAGES = 10_000
RUNS = 3


async def start(folder: Path) -> None:
    """Start once and print seconds and MiB; runs in a process of its own."""
    from dispatcher.application import Application, load, open_store  # noqa: PLC0415 - the imports are part of what is measured
    from dispatcher.clock import SystemClock  # noqa: PLC0415
    from dispatcher.settings import AdapterChoice, Deployment, WebSettings  # noqa: PLC0415
    from dispatcher.upkeep.log import make_log  # noqa: PLC0415

    store_choice = AdapterChoice.model_validate({"adapter": "sqlite", "path": folder / "state" / "bench.db"})
    deployment = Deployment(county=folder, state_dir=folder / "state", web=WebSettings(port=0), store=store_choice)
    app = Application(deployment, load(deployment), await open_store(deployment), SystemClock(), make_log(as_json=True))
    await app.start()
    ready = time.time()
    print(ready, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    await app.stop()


def main() -> None:
    """Measure from the start of the process to readiness."""
    seconds, memory = [], []
    with tempfile.TemporaryDirectory() as made:
        folder = write_county(Path(made) / "county", Size(villages=VILLAGES, stations=2_000, linked=500))
        for _ in range(RUNS):
            began = time.time()
            ran = subprocess.run([sys.executable, "-m", "bench.start_10k", str(folder)], stdout=subprocess.PIPE, text=True, check=True)
            ready, mib = map(float, ran.stdout.split())
            seconds.append(ready - began)
            memory.append(mib)
    note = "process start to listening: 10,000 villages, 30,000 contacts, 10,000 speakers, 2,000 stations; CSV read, checked, compiled"
    figure("start.10k_s", seconds, "s", VILLAGES, note)
    figure("start.10k_mib", memory, "MiB", VILLAGES, "peak resident memory at that moment")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(start(Path(sys.argv[1])))
    else:
        main()
