"""Recovery after kill -9 with 24 h of journal for 10,000 stations: ``recovery.ready_s`` and ``recovery.cpu_s``.

Both are from the start of the process to readiness. One process fills the journal through the real pipeline and is killed a minute of
readings after its last snapshot, which is the most that can lie between two. Then a fresh one is started on what was left, several times.
"""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.county import Size, station, write_county
from bench.figure import figure

STATIONS = 10_000
STEP = timedelta(minutes=5)
HOURS = 24
RUNS = 3
_LINES = 1_000


def readings(step: int, first: int, at: datetime) -> bytes:
    """JSON lines of a thousand gauges; showers that pass, so that windows have something in them."""
    stamp = at.isoformat()
    rows = []
    for n in range(first, min(first + _LINES, STATIONS)):
        value = 0.2 * ((n + step) % 7 == 0) + 1.4 * ((n // 50 + step) % 40 == 0)
        rows.append(f'{{"station":"{station(n)}","variable":"rain","value":{value:.1f},"unit":"mm","time":"{stamp}"}}\n')
    return "".join(rows).encode()


async def fill(folder: Path) -> None:
    """Fill the journal with a day that ends now, and die as a power cut would."""
    from dispatcher.clock import ManualClock  # noqa: PLC0415 - the parent does not need the engine
    from dispatcher.intake.http_intake import HttpIntake  # noqa: PLC0415
    from dispatcher.ports import Batch, Item  # noqa: PLC0415

    now = datetime.now(UTC).replace(second=0, microsecond=0)
    clock = ManualClock(now - timedelta(hours=HOURS))
    app = await _application(folder, clock)
    await app.open()
    source = HttpIntake()
    running = asyncio.create_task(app.pipeline.run())
    for step in range(HOURS * 12 + 1):
        if step == HOURS * 12:
            await app.pipeline.stop()
            await running
            await app.pipeline.snapshot()
            running = asyncio.create_task(app.pipeline.run())
        for first in range(0, STATIONS, _LINES):
            await app.pipeline.offer(source, Batch("http", (Item(readings(step, first, clock.now()), "bench"),)))
        while not app.pipeline._queue.empty():  # noqa: SLF001, ASYNC110 - the clock may not run ahead of what is decided
            await asyncio.sleep(0.001)
        clock.advance(STEP)
    await app.pipeline.stop()
    await running
    os.kill(os.getpid(), signal.SIGKILL)


async def start(folder: Path) -> None:
    """Start once on what was left, say when it was ready and what was replayed, and leave all as it was."""
    from dispatcher.clock import SystemClock  # noqa: PLC0415 - the imports are part of what is measured

    app = await _application(folder, SystemClock())
    await app.open()
    ready = time.time()
    print(ready, time.process_time(), int(app.metrics.replayed._value.get()), flush=True)  # noqa: SLF001 - the figure itself, without a scrape
    os._exit(0)


async def _application(folder: Path, clock: object):  # type: ignore[no-untyped-def]  # noqa: ANN202 - imported below
    from dispatcher.application import Application, load, open_store  # noqa: PLC0415 - see above
    from dispatcher.settings import AdapterChoice, Deployment, WebSettings  # noqa: PLC0415
    from dispatcher.upkeep.log import make_log  # noqa: PLC0415

    store = AdapterChoice.model_validate({"adapter": "sqlite", "path": folder / "state" / "bench.db"})
    deployment = Deployment(county=folder, state_dir=folder / "state", web=WebSettings(port=0), store=store)
    return Application(deployment, load(deployment), await open_store(deployment), clock, make_log(as_json=True))  # type: ignore[arg-type]


def main() -> None:
    """Fill once, start several times."""
    seconds, busy, replayed = list[float](), list[float](), 0
    with tempfile.TemporaryDirectory() as made:
        folder = write_county(Path(made) / "county", Size(villages=1_000, stations=STATIONS, linked=50))
        subprocess.run([sys.executable, "-m", "bench.recovery", "fill", str(folder)], check=False)
        database = folder / "state" / "bench.db"
        with closing(sqlite3.connect(database)) as connection:
            rows, size = connection.execute("SELECT count(*), sum(length(payload)) FROM journal").fetchone()
        for _ in range(RUNS):
            began = time.time()
            ran = subprocess.run(
                [sys.executable, "-m", "bench.recovery", "start", str(folder)], stdout=subprocess.PIPE, text=True, check=True
            )
            ready, cpu, found = ran.stdout.split()
            seconds.append(float(ready) - began)
            busy.append(float(cpu))
            replayed = int(found)
    note = (
        f"kill -9, then process start to readiness: {STATIONS} stations, {HOURS} h of journal ({rows} rows, {size / 1e6:.0f} MB), "
        f"{replayed} rows behind the last snapshot; 1,000 villages; CSV read, rules compiled, snapshot restored, rows replayed"
    )
    figure("recovery.ready_s", seconds, "s", STATIONS, note)
    figure("recovery.cpu_s", busy, "s", STATIONS, "the same in seconds of processor time, which a busy machine does not stretch as much")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fill", folder]:
            asyncio.run(fill(Path(folder)))
        case ["start", folder]:
            asyncio.run(start(Path(folder)))
        case _:
            main()
