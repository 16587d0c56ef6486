"""The kinds of faults: what each strike does to a site. A strike takes its chance from the seed of its storm and nothing else."""

import asyncio
import hashlib
import json
import random
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

import aiomqtt
import httpx
from aiokafka import AIOKafkaProducer

from dispatcher.upkeep.commit_points import Point
from tests.faults.disk import SmallDisk
from tests.faults.engine import LOCK_PATIENCE_MS
from tests.faults.site import SPEED, Site
from tests.faults.storm import START, storm
from tests.integration.programs import rows

DIES_WITHIN_S = 4.0
LIVES_S = 1.6
#: Longer than the store waits for a lock.
LOCKED_S = (LOCK_PATIENCE_MS / 1000 + 0.3, LOCK_PATIENCE_MS / 1000 + 1.3)
#: More than what the group was told of, which is the first batch of a life.
BATCHES = 3
STARTS_WITHIN_S = 4.0
SOURCES = ("mqtt", "kafka")
GARBAGE = 150
GATEWAY = ("refuse=0.08", "hang=0.02", "answer-late=0.05", "lose-answer=0.08", "repeat=0.1", "reorder=0.1")


@dataclass
class Struck:
    """One site under faults. ``garbage`` are the SHA-256 of bytes that were accepted and cannot be read."""

    site: Site
    chance: random.Random
    garbage: set[str]
    disk: SmallDisk | None = None

    def pause(self, least_s: float, most_s: float) -> None:
        """Let it work for a while."""
        time.sleep(self.chance.uniform(least_s, most_s))


def kill(struck: Struck) -> None:
    """Start the engine unless it runs, and kill it: half of the times at a named point, else at any moment, also while it starts."""
    if struck.site.runs():
        pass
    elif struck.chance.random() < 0.5:
        kill_at(struck, struck.chance.choice(list(Point)))
        return
    else:
        struck.site.start_engine()
        if struck.chance.random() < 0.8:
            struck.site.await_answer("healthz")
    struck.pause(0.0, LIVES_S)
    struck.site.kill_engine()


def kill_at(struck: Struck, point: Point) -> None:
    """Start the engine so that it dies at a point; killed all the same when it does not get there."""
    if struck.site.runs():
        struck.pause(2.0, 5.0)
        struck.site.kill_engine()
    struck.site.start_engine(f"{point}:{struck.chance.choice((1, 1, 2, 4, 9))}")
    if not struck.site.await_death(DIES_WITHIN_S):
        struck.site.kill_engine()


def kill_after(struck: Struck, source: str) -> None:
    """Kill the engine once it has committed several batches of one source in this life; killed all the same when none come."""
    if not struck.site.runs():
        struck.site.start_engine()
    before, end = _batches(struck.site, source), time.monotonic() + DIES_WITHIN_S + STARTS_WITHIN_S
    while _batches(struck.site, source) < before + BATCHES and time.monotonic() < end:
        time.sleep(0.1)
    struck.site.kill_engine()


def _batches(site: Site, source: str) -> int:
    found = rows(site.database, f"SELECT count(*) AS n FROM journal WHERE source = '{source}'")  # noqa: S608 - one of SOURCES
    return int(found[0]["n"]) if found else 0


def kill_mosquitto(struck: Struck) -> None:
    """The broker of sensors and speakers is gone for a moment."""
    struck.site.mosquitto.kill()
    struck.pause(0.1, 1.5)
    struck.site.mosquitto.start()


def pause_mosquitto(struck: Struck) -> None:
    """Connections stay open and nothing answers, for shorter or longer than the keepalive."""
    with struck.site.mosquitto.paused():
        struck.pause(1.0, 9.0)


def kill_kafka(struck: Struck) -> None:
    """The cluster is gone until it has recovered its logs."""
    struck.site.on.kafka.kill()
    struck.pause(0.1, 1.0)
    struck.site.on.kafka.start()


def pause_kafka(struck: Struck) -> None:
    """Connections stay open and nothing answers, for shorter or longer than the time-outs of the clients."""
    with struck.site.on.kafka.paused():
        struck.pause(1.0, 7.0)


def kill_gateway(struck: Struck) -> None:
    """The gateway, which also answers badly the whole time, breaks down: texts are taken whose answers never come."""
    struck.site.kill_town()
    struck.pause(0.1, 1.0)
    struck.site.start_town()


def fill_disk(struck: Struck) -> None:
    """No room for the store."""
    assert struck.disk is not None
    assert struck.site.engine is not None
    struck.disk.fill(struck.site.engine.pid)
    struck.pause(0.8, 2.5)
    struck.disk.free(struck.site.engine.pid)


def lock_store(struck: Struck) -> None:
    """Somebody else writes into the store and does not stop in time."""
    with closing(sqlite3.connect(struck.site.database, timeout=10, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        struck.pause(*LOCKED_S)
        other.execute("ROLLBACK")


def step_clock(struck: Struck) -> None:
    """The wall clock is stepped forwards by up to 15 minutes of the recording, then behind the truth, then right again."""
    for minutes in (struck.chance.uniform(1, 15), -struck.chance.uniform(1, 10), 0):
        struck.site.wrong_by.write_text(str(60 * minutes / SPEED), "ascii")
        struck.pause(0.5, 1.5)


def flood(struck: Struck) -> None:
    """Bytes that nobody can read, by every way in; what is accepted must be found among the rejects."""
    pieces = {garbage(struck.chance, number) for number in range(GARBAGE)}
    by_mqtt, by_kafka, by_http = (set(list(pieces)[n::3]) for n in range(3))
    asyncio.run(_publish(struck.site, by_mqtt, by_kafka))
    struck.garbage.update(hashlib.sha256(piece).hexdigest() for piece in by_mqtt | by_kafka)
    for piece in by_http:
        answer = httpx.post(f"{struck.site.url}/api/v1/readings", content=piece, headers=struck.site.publisher.doors.headers, timeout=60)
        assert 400 <= answer.status_code < 500, (answer.status_code, piece)
    for hook in ("inbound", "status?d=1"):
        forged = httpx.post(f"{struck.site.url}/hooks/sms/{hook}", data={"From": "+447700900001", "Body": "1 4821"}, timeout=60)
        assert forged.status_code == httpx.codes.FORBIDDEN, forged.status_code


def garbage(chance: random.Random, number: int) -> bytes:
    """Random bytes, cut readings, readings of nothing, and lies; none of them is a reading."""
    whole = chance.choice(storm()).body
    made: tuple[Callable[[], bytes], ...] = (
        lambda: chance.randbytes(chance.randrange(1, 2000)),
        lambda: whole[: chance.randrange(1, len(whole) - 1)],
        lambda: json.dumps(
            {"station": f"nobody-{number}", "variable": "rain", "value": 1, "unit": "mm", "time": START.isoformat()}
        ).encode(),
        lambda: whole.replace(b"value", b"worth"),
        lambda: b"[" * chance.randrange(10, 5000),
    )
    return b"%d!" % number + chance.choice(made)()


async def _publish(site: Site, by_mqtt: set[bytes], by_kafka: set[bytes]) -> None:
    async with aiomqtt.Client("127.0.0.1", site.mosquitto.port, identifier="vandal", timeout=30) as client:
        for piece in by_mqtt:
            await client.publish("readings/garbage", piece, qos=1, timeout=30)
    producer = AIOKafkaProducer(bootstrap_servers=site.on.kafka.bootstrap, acks="all")
    await producer.start()
    try:
        for piece in by_kafka:
            await producer.send_and_wait(site.topic, piece)
    finally:
        await producer.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """Kinds of one ``group`` strike the same storms. ``takes_s``: about how long one strike and the rest before it take.

    ``shared``: it strikes what all storms share, so no other storm runs meanwhile.
    """

    group: str
    strike: Callable[[Struck], None]
    takes_s: float
    rest_s: tuple[float, float] = (0.3, 1.5)
    shared: bool = False


KINDS: Mapping[str, FaultKind] = {
    "kill": FaultKind(group="kill", strike=kill, takes_s=3.4, rest_s=(0, 0)),
    "mqtt-kill": FaultKind(group="mqtt", strike=kill_mosquitto, takes_s=3),
    "mqtt-pause": FaultKind(group="mqtt", strike=pause_mosquitto, takes_s=6),
    "kafka-kill": FaultKind(group="kafka", strike=kill_kafka, takes_s=6, shared=True),
    "kafka-pause": FaultKind(group="kafka", strike=pause_kafka, takes_s=5, shared=True),
    "gateway": FaultKind(group="gateway", strike=kill_gateway, takes_s=10, rest_s=(3, 6)),
    "disk": FaultKind(group="machine", strike=fill_disk, takes_s=3),
    "lock": FaultKind(group="machine", strike=lock_store, takes_s=4),
    "clock": FaultKind(group="machine", strike=step_clock, takes_s=4),
    "garbage": FaultKind(group="machine", strike=flood, takes_s=5),
    "drill": FaultKind(group="drill", strike=kill, takes_s=3.4, rest_s=(0, 0)),
}
#: Names for several groups.
FAMILIES: Mapping[str, frozenset[str]] = {"broker": frozenset({"mqtt", "kafka"})}


def kind_of(name: str) -> FaultKind:
    """The kind of this name; ``kill@lease.kept`` is a kill at that point, ``kill@kafka`` one after batches of that source.

    KeyError or ValueError when there is none.
    """
    kind, _, point = name.partition("@")
    if point in SOURCES:
        return replace(KINDS[kind], strike=partial(kill_after, source=point))
    return replace(KINDS[kind], strike=partial(kill_at, point=Point(point))) if point else KINDS[kind]
