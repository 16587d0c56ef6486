"""Readings through a real Mosquitto, QoS 1, one per message, until committed (SQLite, synced) and acknowledged.

``ingest.mqtt`` is the rate at which a backlog is taken in while publishers keep publishing; ``ingest.mqtt.p50_ms`` and
``.p99_ms`` are from publish to commit at about half that rate. One reading in a hundred makes a grade change (shadow mode, so
that nothing is dispatched). Publishers run in a process of their own.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from bench.brokers import mosquitto
from bench.county import Size, write_county
from bench.figure import figure, percentile
from bench.gauges import STATIONS
from dispatcher.application import Application, load, open_store
from dispatcher.cli.running import run_async
from dispatcher.clock import SystemClock
from dispatcher.ports import Batch, Source, World
from dispatcher.settings import AdapterChoice, Deployment, WebSettings, find_adapter
from dispatcher.upkeep.log import make_log

PUBLISHERS = 50
COUNT = 60_000
PACED = 20_000
RUNS = 3
MOST_S = 120
PROTOCOL = 5


class Timed:
    """A source that notes how long each of its readings took from publish to acknowledgement (which follows the commit)."""

    def __init__(self, source: Source) -> None:
        """Wrap a source."""
        self.name = source.name
        self._source = source
        self.taken: list[tuple[float, float]] = []
        self.more = asyncio.Event()

    async def batches(self, positions: Mapping[str, str]) -> AsyncIterator[Batch]:
        """As they come."""
        async for batch in self._source.batches(positions):
            yield batch

    async def ack(self, batch: Batch) -> None:
        """Note the time; the publisher wrote its own into the reading's id."""
        now = time.time()
        self.taken += [(now, now - float(item.body.rpartition(b'"id":"')[2][:-2])) for item in batch.items]
        self.more.set()
        await self._source.ack(batch)


async def take(folder: Path, port: int, count: int, per_second: float) -> list[tuple[float, float]]:
    """Run an engine until it has committed so many readings; gives (commit time, seconds since publish) of each."""
    store = AdapterChoice.model_validate({"adapter": "sqlite", "path": folder / f"{time.time_ns()}.db"})
    deployment = Deployment(county=folder / "county", state_dir=folder, web=WebSettings(port=0), store=store)
    clock = SystemClock()
    app = Application(deployment, load(deployment), await open_store(deployment), clock, make_log(as_json=True))
    await app.start()
    adapter = find_adapter("sources", "mqtt", "bench")
    settings = adapter.settings.model_validate({"port": port, "client_id": f"bench-{time.time_ns()}", "protocol": PROTOCOL})
    source = Timed(adapter.build(settings, World(clock=clock, county="990121000000", public_url="")))
    app.read(source)
    await asyncio.sleep(1)  # subscribed
    arguments = ["-m", "bench.gauges", str(port), str(count), str(per_second), str(PUBLISHERS)]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    try:
        async with asyncio.timeout(MOST_S):
            while len(source.taken) < count:
                await source.more.wait()
                source.more.clear()
    finally:
        await process.wait()
        await app.stop()
    assert len(source.taken) == count
    return source.taken


def main() -> None:
    """Measure and print."""
    rates, p50, p99 = [], [], []
    with tempfile.TemporaryDirectory() as made, mosquitto(Path(made)) as port:
        write_county(Path(made) / "county", Size(villages=50, stations=STATIONS, linked=1, mode="shadow"))
        for _ in range(RUNS):
            taken = run_async(take(Path(made), port, COUNT, 0))
            middle = taken[COUNT // 10 :]
            rates.append(len(middle) / (middle[-1][0] - middle[0][0]))
        half = statistics.median(rates) / 2
        for _ in range(RUNS):
            delays = [delay * 1000 for _, delay in run_async(take(Path(made), port, PACED, half))]
            p50.append(percentile(delays, 0.50))
            p99.append(percentile(delays, 0.99))
    note = f"Mosquitto, MQTT {PROTOCOL}, QoS 1, one reading per message, {PUBLISHERS} publishers, {STATIONS} gauges, SQLite synced"
    figure("ingest.mqtt", rates, "readings/s", COUNT, note + ", 1 % grade changes; publishers and broker on the same 2 cores")
    figure("ingest.mqtt.p50_ms", p50, "ms", PACED, f"publish to commit at {half:.0f} readings/s")
    figure("ingest.mqtt.p99_ms", p99, "ms", PACED, f"publish to commit at {half:.0f} readings/s")


if __name__ == "__main__":
    main()
