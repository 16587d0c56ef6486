"""One red alert for 10,000 villages: ``dispatch.10k.committed_s``, ``dispatch.10k.accepted_s`` and ``dispatch.10k.cpu_s``.

The last is the processor time of the engine alone, which says what an alert costs on a machine that others use as well.

A real engine on a real database; the simulated town's phone network and speakers (on Mosquitto) in processes of their own on
the same machine, calling back for every message. 30,000 texts and 10,000 speaker commands.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from bench.brokers import mosquitto
from bench.county import Size, station, write_county
from bench.figure import figure
from dispatcher.application import Application, load, open_store
from dispatcher.cli.running import run_async
from dispatcher.clock import SystemClock
from dispatcher.ports import Kind
from dispatcher.serving import free_port
from dispatcher.settings import AdapterChoice, Deployment, WebSettings
from dispatcher.upkeep.log import make_log

VILLAGES = 10_000
MOST_S = 600
_ACCOUNT = "ACbench"
_TOKEN = "bench-token"  # noqa: S105 - guards a simulated gateway on the loopback


def deployment_of(folder: Path, gateway: int, broker: int) -> Deployment:
    """The engine with SMS to the town's gateway and speakers on the broker."""
    channels = {
        "sms": AdapterChoice.model_validate({"adapter": "sms", "sender": "+99900000000", "base_url": f"http://127.0.0.1:{gateway}"}),
        "loudspeaker": AdapterChoice.model_validate({"adapter": "loudspeaker", "port": broker}),
    }
    store = AdapterChoice.model_validate({"adapter": "sqlite", "path": folder / "state" / "bench.db"})
    return Deployment(county=folder, state_dir=folder / "state", web=WebSettings(port=0), store=store, channels=channels)


async def alarm(app: Application) -> tuple[float, float, float]:
    """Seconds from a reading of 90 mm to all deliveries committed, and to all of them with the far sides; the engine's own until then."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    body = {"station": station(0), "variable": "rain", "value": 90, "unit": "mm", "time": stamp}
    began, worked = time.perf_counter(), time.process_time()
    await app.intake.submit(json.dumps(body).encode(), Kind.READINGS, "bench")
    committed = time.perf_counter() - began
    async with asyncio.timeout(MOST_S):  # what did not end has no figure
        while await _waiting(app):  # noqa: ASYNC110 - the state is in the store
            await asyncio.sleep(0.1)
    accepted, worked = time.perf_counter() - began, time.process_time() - worked
    async with app.store.read() as reader:
        rows = await reader.fetch("deliveries.states", {"county": "990121000000"})
    counts = {f"{row['channel']}/{row['state']}": row["n"] for row in rows}
    print(counts, file=sys.stderr)
    assert sum(row["n"] for row in rows) >= 4 * VILLAGES
    return committed, accepted, worked


async def _waiting(app: Application) -> bool:
    async with app.store.read() as reader:
        return bool((await reader.fetch("deliveries.to_send", {"county": "990121000000"}))[0]["n"])


async def once(folder: Path, broker: int) -> tuple[float, float, float]:
    """One alarm in a fresh engine and town."""
    gateway = free_port()
    deployment = deployment_of(folder, gateway, broker)
    app = Application(deployment, load(deployment), await open_store(deployment), SystemClock(), make_log(as_json=True))
    await app.start()
    hooks = f"{app.url}/hooks/sms/inbound"
    town = ["--registry", str(folder), "--ledger", str(folder / "state" / "town.jsonl"), "--port", str(gateway)]
    doors = ["--mqtt", f"127.0.0.1:{broker}", "--inbound-url", hooks]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "simulators.town", *town, *doors, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline()
        return await alarm(app)
    finally:
        await app.stop()
        process.terminate()
        await process.wait()


def main(runs: int = 3) -> None:
    """Measure and print both figures."""
    os.environ.update(TWILIO_ACCOUNT_SID=_ACCOUNT, TWILIO_AUTH_TOKEN=_TOKEN)
    results = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as made, mosquitto(Path(made)) as broker:
            folder = write_county(Path(made) / "county", Size(villages=VILLAGES, stations=2, linked=VILLAGES))
            results.append(run_async(once(folder, broker)))
    note = "one red alert, 30,000 SMS through twilio's client + 10,000 speaker commands over Mosquitto; town on the same machine"
    figure("dispatch.10k.committed_s", [r[0] for r in results], "s", VILLAGES, "reading in to 40,000 deliveries committed; " + note)
    figure("dispatch.10k.accepted_s", [r[1] for r in results], "s", VILLAGES, "reading in to the last one accepted; " + note)
    figure("dispatch.10k.cpu_s", [r[2] for r in results], "s", VILLAGES, "processor time of the engine until then; " + note)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
