"""Readings through a real Kafka, one of 200 bytes per record, until committed (SQLite, synced).

``ingest.kafka`` is the rate at which a backlog is taken in; ``.pure`` and ``.compiled`` are the same per second of the engine's processor
time, in each variant of the hot loops: what one core of engine can do. ``.p50_ms`` and ``.p99_ms`` are from produce (the record's own time)
to commit, in the variant at hand, at half of what one core is to take in it. One gauge in a hundred changes its grade (shadow mode, so
that nothing is dispatched). Kafka runs on the same cores; needs Java and Maven (tests/services).
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rules
from adapters.sources.kafka import KafkaSettings, KafkaSource
from adapters.sources.kafka_bodies import Bodies
from bench.county import Size, station, write_county
from bench.figure import figure, percentile
from bench.variants import in_variant
from dispatcher.application import Application, load, open_store
from dispatcher.cli.running import run_async
from dispatcher.clock import SystemClock
from dispatcher.ports import Batch
from dispatcher.settings import AdapterChoice, Deployment, WebSettings
from dispatcher.upkeep.log import make_log
from tests.services import kafka_jars, server
from tests.services.kafka import Kafka

BACKLOG = "backlog"
STATIONS = 10_000
PARTITIONS = 4
COUNT = 400_000
PACED_S = 8
PACED_PER_S = 150_000 if rules.COMPILED else 75_000
RUNS = 3
MOST_S = 240
LINE_BYTES = 200


def line(k: int) -> bytes:
    """The ``k``-th reading, 200 bytes: its station's next five minutes, mostly drizzle, one in a hundred a cloudburst."""
    slot = int(time.time()) // 300 * 300 - 300 * (60 - k // STATIONS)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(slot))
    name, value = station(k % STATIONS), 40 if k % 100 == 0 else 0.2
    plain = f'{{"station":"{name}","variable":"rain","value":{value},"unit":"mm","time":"{stamp}","quality":"good","id":"{name}-{slot}"'
    return (plain + " " * (LINE_BYTES - len(plain) - 1) + "}").encode()


def produce(kafka: Kafka, topic: str, count: int, folder: Path) -> None:
    """Readings in order, those of one station in one partition."""
    with (folder / "lines").open("wb") as out:
        for k in range(count):
            out.write(b"%s|%s\n" % (station(k % STATIONS).encode(), line(k)))
    arguments = ["--bootstrap-server", kafka.bootstrap, "--topic", topic, "--property", "parse.key=true", "--property", "key.separator=|"]
    with (folder / "lines").open("rb") as lines:
        kafka.run("kafka.tools.ConsoleProducer", *arguments, stdin=lines)


class Timed(KafkaSource):
    """A source that notes when each of its readings was produced and when it was acknowledged (which follows the commit)."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Opens nothing."""
        super().__init__(settings, settings.group, None)
        self.taken: list[tuple[float, int]] = []
        self.delays_ms: list[float] = []
        self.count = 0
        self.more = asyncio.Event()
        self._produced: dict[int, list[int]] = {}

    def _batch(self, consumer: Any, topic: str, records: Mapping[Any, Bodies]) -> Batch:  # noqa: ANN401
        batch = super()._batch(consumer, topic, records)
        self._produced[id(batch.items)] = [end.timestamp for found in records.values() for end in (found.first, found.last)]
        return batch

    async def ack(self, batch: Batch) -> None:
        """Note the time."""
        now_ms = time.time() * 1000
        self.delays_ms += [now_ms - at for at in self._produced.pop(id(batch.items))]
        self.count += len(batch.items)
        self.taken.append((time.perf_counter(), self.count))
        self.more.set()
        await super().ack(batch)


class Engine:
    """An engine on a store of its own that reads one topic."""

    def __init__(self, folder: Path, bootstrap: str, topic: str) -> None:
        """Nothing is open."""
        self._folder = folder
        mark = f"bench-{time.time_ns()}"
        self.source = Timed(KafkaSettings(bootstrap=(bootstrap,), readings=(topic,), group=mark))

    async def take(self, count: int) -> tuple[float, float]:
        """Until so many are committed; gives seconds and seconds of processor time of the part between a tenth and the end."""
        store = AdapterChoice.model_validate({"adapter": "sqlite", "path": self._folder / f"{time.time_ns()}.db"})
        deployment = Deployment(county=self._folder / "county", state_dir=self._folder, web=WebSettings(port=0), store=store)
        app = Application(deployment, load(deployment), await open_store(deployment), SystemClock(), make_log(as_json=True))
        await app.start()
        app.read(self.source)
        began: tuple[float, float] | None = None
        try:
            async with asyncio.timeout(MOST_S):
                while self.source.count < count:
                    await self.source.more.wait()
                    self.source.more.clear()
                    if began is None and self.source.count >= count // 10:
                        began = time.perf_counter(), time.process_time()
                        self.first = self.source.count
            assert began is not None
            return time.perf_counter() - began[0], time.process_time() - began[1]
        finally:
            await app.stop()


def measure(folder: Path, bootstrap: str) -> list[float]:
    """Of each run the readings per second and those per second of processor time, one after the other."""
    found = []
    for _ in range(RUNS):
        engine = Engine(folder, bootstrap, BACKLOG)
        wall_s, cpu_s = run_async(engine.take(COUNT))
        found += [(COUNT - engine.first) / wall_s, (COUNT - engine.first) / cpu_s]
    return found


async def paced(folder: Path, kafka: Kafka, topic: str, per_second: float) -> list[float]:
    """Milliseconds from produce to commit while Kafka's own load generator produces at this rate."""
    engine = Engine(folder, kafka.bootstrap, topic)
    count = int(per_second * PACED_S)
    running = asyncio.create_task(engine.take(count))
    await asyncio.sleep(3)
    arguments = ["--topic", topic, "--num-records", str(count), "--throughput", str(int(per_second))]
    arguments += ["--payload-file", str(folder / "some"), "--producer-props", f"bootstrap.servers={kafka.bootstrap}", "linger.ms=5"]
    await asyncio.to_thread(kafka.run, "org.apache.kafka.tools.ProducerPerformance", *arguments)
    await running
    delays = engine.source.delays_ms
    return delays[len(delays) // 5 :]  # without the start of the load generator


def all_of_it(folder: Path, kafka: Kafka) -> None:
    """Both variants on the same backlog, then delays in the variant at hand; prints."""
    write_county(folder / "county", Size(villages=50, stations=STATIONS, linked=1, mode="shadow"))
    kafka.create_topic(BACKLOG, PARTITIONS)
    produce(kafka, BACKLOG, COUNT, folder)
    variants = {"pure": True, "compiled": False}
    found = {name: in_variant("bench.ingest_kafka", str(folder), kafka.bootstrap, pure=pure) for name, pure in variants.items()}
    note = f"Kafka, {LINE_BYTES} bytes of JSON in a record, {PARTITIONS} partitions, {STATIONS} gauges, SQLite synced, 1 % change grade"
    best = "compiled" if found["compiled"] else "pure"
    figure("ingest.kafka", found[best][::2], "readings/s", COUNT, f"{note}; a backlog, {best}, broker on the same 2 cores")
    for name, figures in found.items():
        if figures:
            figure(f"ingest.kafka.{name}", figures[1::2], "readings/s", COUNT, f"{name}; per second of processor time of the engine")
    (folder / "some").write_bytes(b"\n".join(line(k) for k in range(STATIONS)))
    p50, p99 = [], []
    for n in range(RUNS):
        kafka.create_topic(f"paced-{n}", PARTITIONS)
        delays = run_async(paced(folder, kafka, f"paced-{n}", PACED_PER_S))
        p50.append(percentile(delays, 0.50))
        p99.append(percentile(delays, 0.99))
    figure("ingest.kafka.p50_ms", p50, "ms", PACED_PER_S * PACED_S, f"produce to commit at {PACED_PER_S} readings/s")
    figure("ingest.kafka.p99_ms", p99, "ms", PACED_PER_S * PACED_S, f"produce to commit at {PACED_PER_S} readings/s")


def main() -> None:
    """Start a cluster, measure and print."""
    java = server.program("java")
    if java is None:
        sys.stderr.write("this benchmark needs java on the path\n")
        sys.exit(3)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "kafka").mkdir()
        kafka = Kafka(folder / "kafka", java, kafka_jars.jars())
        kafka.format()
        kafka.start()
        try:
            all_of_it(folder, kafka)
        finally:
            kafka.stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(Path(sys.argv[2]), sys.argv[3])))
    else:
        main()
