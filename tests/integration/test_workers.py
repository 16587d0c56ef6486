"""Two real workers of one consumer group on one PostgreSQL: they take over from each other, and no effect is lost or doubled."""

import asyncio
import json
import signal
from dataclasses import replace
from uuid import uuid4

import httpx
import psycopg
import pytest
from aiokafka import AIOKafkaProducer

from tests.integration.installation import IN_ITS_BED_M, OVER_THE_BANK_M, RIVER, Installation, body, reading
from tests.integration.programs import Programs
from tests.services.kafka import Kafka
from tests.services.postgres import Postgres

STORE = {"adapter": "postgres", "lock_s": 5}
WAITING = "SELECT count(*) FROM deliveries WHERE state IN ('planned', 'sending', 'unknown')"


class Pair:
    """Two installations that differ in their worker's name and page, and one town."""

    def __init__(self, programs: Programs, dsn: str, kafka: Kafka) -> None:
        self.dsn, self.kafka = dsn, kafka
        self.topic = f"readings.{uuid4().hex}"
        kafka.create_topic(self.topic, 2)
        source = {"adapter": "kafka", "bootstrap": [kafka.bootstrap], "readings": [self.topic], "group": self.topic}
        self.one = Installation(programs, sources={"kafka": source}, store=STORE, worker="one")
        self.two = Installation(programs, sources={"kafka": source}, store=STORE, worker="two", town_port=self.one.town_port)

    def produce(self, *values: float) -> None:
        async def work() -> None:
            producer = AIOKafkaProducer(bootstrap_servers=[self.kafka.bootstrap], enable_idempotence=True)
            await producer.start()
            try:
                for value in values:
                    await producer.send_and_wait(self.topic, json.dumps(reading(value)).encode(), key=RIVER.encode())
            finally:
                await producer.stop()

        asyncio.run(work())

    def number(self, query: str) -> int:
        with psycopg.connect(self.dsn) as connection:
            return int((connection.execute(query.encode()).fetchone() or (0,))[0] or 0)

    def taken(self) -> int:
        return self.number("SELECT sum(CAST(position AS BIGINT)) FROM positions WHERE source = 'kafka'")

    def all_out(self, least: int) -> bool:
        return self.number("SELECT count(*) FROM deliveries") >= least and not self.number(WAITING)


@pytest.fixture
def pair(programs: Programs, postgres: Postgres, kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> Pair:
    dsn = postgres.new_schema()
    monkeypatch.setenv("DISPATCHER_POSTGRES_DSN", dsn)
    return Pair(programs, dsn, kafka)


def test_two_workers_take_over_from_each_other_without_losing_or_doubling(pair: Pair) -> None:
    gauge = pair.one.token()
    pair.one.start_town()
    one = pair.one.start()
    two = pair.two.start()
    assert [site.metrics()["dispatcher_deciding"] for site in (pair.one, pair.two)] == [1, 0]
    pair.produce(IN_ITS_BED_M, IN_ITS_BED_M)
    one.until(lambda: pair.taken() == 2, "both records of the worker that decides")
    refused = httpx.post(f"{pair.two.url}/api/v1/readings", content=body(reading()), headers=gauge, timeout=30)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert "worker two stands by" in refused.json()["detail"]

    pair.produce(OVER_THE_BANK_M)
    one.until(lambda: pair.number("SELECT count(*) FROM deliveries") > 0, "the first deliveries")
    one.kill()
    pair.produce(OVER_THE_BANK_M + 0.1)
    two.until(lambda: pair.taken() == 4, "what came while nobody decided")
    assert pair.two.metrics()["dispatcher_deciding"] == 1
    taken = httpx.post(f"{pair.two.url}/api/v1/readings", content=body(reading(OVER_THE_BANK_M)), headers=gauge, timeout=30)
    assert taken.status_code == 202

    one = pair.one.start()
    assert pair.one.metrics()["dispatcher_deciding"] == 0
    two.signal(signal.SIGTERM)
    assert two.wait(30).code == 0
    pair.produce(OVER_THE_BANK_M)
    one.until(lambda: pair.taken() == 5, "the record after a take-over in peace")
    one.until(lambda: pair.all_out(10), "everything said")

    assert pair.number("SELECT count(*) FROM changes") == 1
    told = pair.one.told()
    with psycopg.connect(pair.dsn) as connection:
        owed = {row[0] for row in connection.execute("SELECT id FROM deliveries WHERE channel = 'sms'")}
        marked = {row[0] for row in connection.execute("SELECT id FROM deliveries WHERE possible_duplicate = 1")}
    assert set(told) == owed
    assert {delivery for delivery, times in told.items() if times > 1} <= marked
    one.signal(signal.SIGTERM)
    assert one.wait(30).code == 0


def test_a_second_engine_without_a_name_is_refused_with_3_and_one_sentence(pair: Pair, programs: Programs) -> None:
    alone = replace(pair.one, worker="", sources={}, web_port=pair.one.web_port)
    engine = alone.start()
    second = replace(alone, web_port=pair.two.web_port)
    ran = programs.run("run", "-c", str(second.config))
    assert ran.code == 3
    assert "another engine runs for county" in ran.err
    assert "Traceback" not in ran.err
    assert engine.process.poll() is None
    engine.signal(signal.SIGTERM)
    assert engine.wait(30).code == 0
