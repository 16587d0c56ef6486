"""Readings from a real Kafka: decided once each, whatever happens to the engine."""

import asyncio
import json
import signal
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from tests.integration.installation import IN_ITS_BED_M, OVER_THE_BANK_M, RIVER, Installation, reading
from tests.integration.programs import Programs, count, rows
from tests.services.kafka import Kafka

#: The engine gives its parts four seconds; the rest is the end of the process on a busy machine.
STOPS_WITHIN_S = 10.0


@pytest.fixture
def installed(programs: Programs, kafka: Kafka) -> Installation:
    topic = f"readings.{uuid4().hex}"
    kafka.create_topic(topic)
    source = {"adapter": "kafka", "bootstrap": [kafka.bootstrap], "readings": [topic], "group": topic}
    return Installation(programs, sources={"kafka": source})


def topic_of(installed: Installation) -> str:
    return str(installed.sources["kafka"]["readings"][0])


def produce(installed: Installation, *values: float) -> None:
    """One record for each value, in this order."""

    async def work() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=installed.sources["kafka"]["bootstrap"])
        await producer.start()
        try:
            for value in values:
                await producer.send_and_wait(topic_of(installed), json.dumps(reading(value)).encode(), key=RIVER.encode())
        finally:
            await producer.stop()

    asyncio.run(work())


def position(installed: Installation) -> int:
    found = rows(installed.database, "SELECT position FROM positions WHERE source = 'kafka' AND name = ?", f"{topic_of(installed)}/0")
    return int(found[0]["position"]) if found else 0


def test_readings_become_a_warning_and_a_killed_engine_goes_on_at_its_committed_position(installed: Installation) -> None:
    installed.start_town()
    engine = installed.start()
    produce(installed, IN_ITS_BED_M, OVER_THE_BANK_M)
    installed.until_settled(engine, 5)
    assert position(installed) == 2
    assert [row["after"] for row in rows(installed.database, "SELECT after FROM changes")] == [4]
    told = installed.told()
    notices = count(installed.database, "notices")
    assert set(told.values()) == {1}
    engine.kill()

    produce(installed, OVER_THE_BANK_M, OVER_THE_BANK_M + 0.1, OVER_THE_BANK_M + 0.2)
    engine = installed.start()
    engine.until(lambda: position(installed) == 5, "the records that came while it was away")
    assert installed.metrics()['dispatcher_readings_total{source="kafka"}'] == 3
    assert count(installed.database, "changes") == 1
    assert count(installed.database, "notices") == notices
    first = rows(installed.database, "SELECT id FROM deliveries WHERE step = 0 AND repeat = 0 AND channel = 'sms'")
    assert all(installed.told()[row["id"]] == 1 for row in first)


@pytest.mark.parametrize("gone", [False, True], ids=["there", "gone"])
def test_an_engine_on_kafka_stops_in_time_whether_the_cluster_is_there_or_gone(installed: Installation, kafka: Kafka, gone: bool) -> None:  # noqa: FBT001
    engine = installed.start()
    produce(installed, IN_ITS_BED_M)
    engine.until(lambda: position(installed) >= 1, "a record in the journal")
    if gone:
        kafka.pause()
    engine.signal(signal.SIGINT)
    assert engine.wait(STOPS_WITHIN_S).code == 0
