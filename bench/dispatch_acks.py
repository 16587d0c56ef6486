"""Answers recorded a second: ``dispatch.acks_per_s``.

A red alert for many villages is out; one person of each replies by SMS with the code, all at once. Counted from the first reply
handed to the desk until the last is durable, with its notice's state, the audit log and the live stream.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from bench.county import Size, station, write_county
from bench.figure import figure
from dispatcher.answers.desk import Desk
from dispatcher.application import Application, load, open_store
from dispatcher.cli.running import run_async
from dispatcher.clock import SystemClock
from dispatcher.ports import Heard, Kind, Reply
from dispatcher.settings import AdapterChoice, Deployment, WebSettings
from dispatcher.timestamps import to_ms
from dispatcher.upkeep.log import make_log

VILLAGES = 5_000
COUNTY = "990121000000"


def deployment_in(folder: Path) -> Deployment:
    """An engine without channels: nothing leaves."""
    store = AdapterChoice.model_validate({"adapter": "sqlite", "path": folder / "state" / "bench.db"})
    return Deployment(county=folder, state_dir=folder / "state", web=WebSettings(port=0), store=store, channels={})


async def released(folder: Path) -> Application:
    """An engine that has released one red alert and sends nothing."""
    deployment = deployment_in(folder)
    app = Application(deployment, load(deployment), await open_store(deployment), SystemClock(), make_log(as_json=True))
    await app.open()
    app.lifetime.run("pipeline", app.pipeline.run(), app.pipeline.stop)
    app.read(app.intake)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    body = {"station": station(0), "variable": "rain", "value": 90, "unit": "mm", "time": stamp}
    await app.intake.submit(json.dumps(body).encode(), Kind.READINGS, "bench")
    return app


async def once(folder: Path) -> float:
    """Answers a second."""
    app = await released(folder)
    try:
        async with app.store.write() as tx:
            rows = await tx.fetch("deliveries.all", {"county": COUNTY})
            notices = {row["id"]: row for row in await tx.fetch("notices.all", {"county": COUNTY})}
            sent = [row for row in rows if row["channel"] == "sms" and row["role"] == "village.warden"]
            await tx.run_many("deliveries.settle", [{**row, "state": "accepted", "accepted_at": to_ms(app.clock.now())} for row in sent])
        replies = [Reply(channel="sms", address=row["address"], text=f"1 {notices[row['notice']]['code']}") for row in sent]
        desk = Desk(app.place, {}, lambda: None)
        working = asyncio.create_task(desk.run())
        began = time.perf_counter()
        await asyncio.gather(*(desk.take(Heard(replies=(reply,))) for reply in replies))
        took = time.perf_counter() - began
        await desk.stop()
        await working
        async with app.store.read() as reader:
            recorded = (await reader.fetch("warnings.totals", {"county": COUNTY}))[0]["answers"]
        assert recorded == len(replies) == VILLAGES, recorded
        return len(replies) / took
    finally:
        await app.stop()


def main(runs: int = 3) -> None:
    """Measure and print."""
    results = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as made:
            folder = write_county(Path(made) / "county", Size(villages=VILLAGES, stations=2, linked=VILLAGES))
            results.append(run_async(once(folder)))
    figure(
        "dispatch.acks_per_s", results, "1/s", VILLAGES, "SMS replies with code, one for each village at once, until the last is durable"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
