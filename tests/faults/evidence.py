"""What a run left behind, gathered: the sensors' and the town's ledgers, what the brokers still know, and the rows that lie in the store.

The store is read as the place where things are or are not; what the engine says of itself (states, logs, figures) is not asked.
"""

import asyncio
import contextlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import aiomqtt
from aiokafka import AIOKafkaConsumer, TopicPartition

from adapters.stores.sqlite import open_store
from dispatcher.intake.journal import unpack
from dispatcher.upkeep.audit import verify_audit
from simulators import ledger
from simulators.ledger import Entry
from tests.faults.deployment import SESSION, participants, people
from tests.faults.owners import with_owners
from tests.faults.releasers import Word
from tests.faults.storm import Route
from tests.integration import programs

CHANGES = "SELECT rule, place, before, after, at FROM changes WHERE status = '{status}'"
BATCHES = "SELECT payload FROM journal WHERE kind = 'batch'"
#: Hazards of which a place rose and fell again in one decision, because the readings of an hour came at once.
HURRIED = """SELECT DISTINCT hazard FROM changes WHERE status = '{status}' GROUP BY rule, place, decided_at
    HAVING min(after - before) < 0 AND max(after - before) > 0"""
ACTS = "SELECT actor, act, subject, detail FROM audit WHERE act IN ('approve', 'refuse') OR act LIKE '%_release' ORDER BY seq"
SAID = "SELECT note AS text FROM answers UNION ALL SELECT title AS text FROM incidents"
WORD = re.compile(r"word-\d+")
ID = re.compile(rb'"id": ?"([^"]+)"')
#: Of a message to the engine: its number and the reading; or the number that the engine has acknowledged.
SENT_ON = re.compile(
    rf"Sending PUBLISH to {SESSION} \(.*m(\d+), 'readings/[^/']+/([^']+)'|Received PUBACK from {SESSION} \(Mid: (\d+)".encode()
)
QUIET_S = 0.5

Change = tuple[Any, ...]
Rows = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """``accepted``: reading → the way it was accepted on.

    ``acknowledged``: readings for which Mosquitto, by its own log, got the engine's word; ``held``: those that it would still send to it.

    ``in_topic``: how often each reading lies in Kafka at the end: a sensor that got no answer has sent it again.

    ``published``: the ids of notices that lie in the topic of real changes and in that of exercises, which other programs read.
    ``words``: what the duty officer said and was told that it is on disk; ``said`` is all that the store has of such words.
    ``audit_breaks``: where the chain of the audit log is broken; ``acts`` are its entries about releases.

    ``approvals``: what the two releasing officers noted; ``roll_calls``: those that they were told are on disk.
    ``people``: contact → number and name;
    ``participants`` are the addresses of those who take part in the exercise that is played while it is calm.

    ``hurried``: hazards whose worst grade may have passed before anybody could be told of it.
    ``journalled``: how often each reading stands in the journal. ``world``: the town's ledger. The rest are rows.
    """

    accepted: Mapping[str, Route]
    acknowledged: frozenset[str]
    held: frozenset[str]
    in_topic: Counter[str]
    journalled: Counter[str]
    changes: Counter[Change]
    hurried: frozenset[str]
    world: tuple[Entry, ...]
    notices: Rows
    deliveries: Rows
    answers: Rows
    tasks: Rows
    rejects: frozenset[str]
    published: frozenset[str]
    exercised: frozenset[str]
    status: str
    proposals: Rows = ()
    acts: Rows = ()
    people: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    participants: frozenset[str] = frozenset()
    approvals: tuple[Word, ...] = ()
    roll_calls: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    said: frozenset[str] = frozenset()
    audit_breaks: int | None = None
    garbage: frozenset[str] = frozenset()
    ended: str = ""

    @cached_property
    def by_id(self) -> tuple[Mapping[str, Mapping[str, Any]], Mapping[str, Mapping[str, Any]]]:
        """Notices and deliveries by their names."""
        return {n["id"]: n for n in self.notices}, {d["id"]: d for d in self.deliveries}


class Broker(NamedTuple):
    """The Mosquitto of a site."""

    port: int
    log: Path


class Topics(NamedTuple):
    """The Kafka of a site: its address, the topic of readings, and those of what the engine published."""

    bootstrap: str
    readings: str
    changes: str
    exercises: str


def gather(
    accepted: Mapping[str, Route],
    *,
    database: Path,
    town: Path,
    chat: Path,
    county: Path,
    mosquitto: Broker,
    kafka: Topics,
    status: str,
    garbage: Iterable[str] = (),
    words: Iterable[str] = (),
    approvals: Iterable[Word] = (),
    roll_calls: Iterable[str] = (),
    ended: str = "",
) -> Evidence:
    """Read everything. The engine has been stopped."""
    in_topic, published, exercised = (asyncio.run(_in_topic(kafka.bootstrap, topic)) for topic in kafka[1:])
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as store:
        store.row_factory = sqlite3.Row

        def rows(query: str) -> Rows:
            return tuple(dict(row) for row in store.execute(query))

        deliveries = rows("SELECT * FROM deliveries ORDER BY seq")
        payloads = [row["payload"] for row in rows(BATCHES)]
        return Evidence(
            accepted=dict(accepted),
            acknowledged=frozenset(_acknowledged(mosquitto.log)),
            held=frozenset(asyncio.run(_held(mosquitto))),
            in_topic=Counter(in_topic),
            journalled=Counter(_ids(payloads)),
            changes=Counter(tuple(row.values()) for row in rows(CHANGES.format(status=status))),
            hurried=frozenset(row["hazard"] for row in rows(HURRIED.format(status=status))),
            world=with_owners([*ledger.read(town), *ledger.read(chat)], deliveries),
            notices=rows("SELECT * FROM notices ORDER BY seq"),
            deliveries=deliveries,
            answers=rows("SELECT * FROM answers ORDER BY seq"),
            tasks=rows("SELECT * FROM tasks ORDER BY seq"),
            rejects=frozenset(row["sha256"] for row in rows("SELECT sha256 FROM rejects")),
            published=frozenset(published),
            exercised=frozenset(exercised),
            status=status,
            garbage=frozenset(garbage),
            proposals=rows("SELECT id, hazard, status, state FROM proposals ORDER BY seq"),
            acts=rows(ACTS),
            people=people(county),
            participants=participants(county),
            approvals=tuple(approvals),
            roll_calls=frozenset(roll_calls),
            words=frozenset(words),
            said=frozenset(word for row in rows(SAID) for word in WORD.findall(row["text"])),
            audit_breaks=asyncio.run(_audit_breaks(database)),
            ended=ended,
        )


def journalled(database: Path) -> frozenset[str]:
    """The readings that stand in the journal by now."""
    return frozenset(_ids(row["payload"] for row in programs.rows(database, BATCHES)))


def _ids(payloads: Iterable[bytes]) -> Iterable[str]:
    for payload in payloads:
        for item in unpack(payload):
            for line in item.body.splitlines():
                with contextlib.suppress(ValueError, TypeError, KeyError):
                    yield str(json.loads(line)["id"])


def _acknowledged(log: Path) -> Iterable[str]:
    """Until then a message is the broker's, sent or not: what it writes into a socket of ours may never be read."""
    sent: dict[bytes, bytes] = {}
    for number, reading, answered in SENT_ON.findall(log.read_bytes()):
        if reading:
            sent[number] = reading
        elif answered in sent:
            yield sent.pop(answered).decode()


async def _held(broker: Broker) -> list[str]:
    """What comes to one who goes on with the engine's session."""
    found: list[str] = []
    async with aiomqtt.Client(
        "127.0.0.1", broker.port, identifier=SESSION, protocol=aiomqtt.ProtocolVersion.V5, clean_start=False
    ) as client:
        with contextlib.suppress(TimeoutError):
            while True:
                message = await asyncio.wait_for(anext(client.messages), QUIET_S)
                found.append(message.topic.value.rpartition("/")[2])
    return found


async def _audit_breaks(database: Path) -> int | None:
    """The first entry of the audit log that does not fit to the one before it."""
    store = await open_store(database)
    try:
        async with store.read() as reader:
            return await verify_audit(reader)
    finally:
        await store.close()


async def _in_topic(bootstrap: str, topic: str) -> list[str]:
    """The ids in the records that lie in Kafka at the end, read by somebody else than the engine."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        consumer.seek(partition, 0)
        found: list[str] = []
        while await consumer.position(partition) < end:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                found += [match[1].decode() for record in records if (match := ID.search(record.value or b""))]
        return found
    finally:
        await consumer.stop()
