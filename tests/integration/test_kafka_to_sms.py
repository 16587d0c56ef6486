"""Readings from a real Kafka: decided once each, whatever happens to the engine."""

import asyncio
import json

import pytest
from aiokafka import AIOKafkaProducer

from tests.integration.installation import IN_ITS_BED_M, OVER_THE_BANK_M, RIVER, Installation, reading
from tests.integration.programs import Programs, count, rows
from tests.services.kafka import Kafka

TOPIC = "readings.integration"


@pytest.fixture
def installed(programs: Programs, kafka: Kafka) -> Installation:
    kafka.create_topic(TOPIC)
    source = {"adapter": "kafka", "bootstrap": [kafka.bootstrap], "readings": [TOPIC], "group": "integration"}
    return Installation(programs, sources={"kafka": source})


def produce(kafka: Kafka, *values: float) -> None:
    """One record for each value, in this order."""

    async def work() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
        await producer.start()
        try:
            for value in values:
                await producer.send_and_wait(TOPIC, json.dumps(reading(value)).encode(), key=RIVER.encode())
        finally:
            await producer.stop()

    asyncio.run(work())


def position(installed: Installation) -> int:
    found = rows(installed.database, "SELECT position FROM positions WHERE source = 'kafka' AND name = ?", f"{TOPIC}/0")
    return int(found[0]["position"]) if found else 0


def test_readings_become_a_warning_and_a_killed_engine_goes_on_at_its_committed_position(installed: Installation, kafka: Kafka) -> None:
    installed.start_town()
    engine = installed.start()
    produce(kafka, IN_ITS_BED_M, OVER_THE_BANK_M)
    installed.until_settled(engine, 5)
    assert position(installed) == 2
    assert [row["after"] for row in rows(installed.database, "SELECT after FROM changes")] == [4]
    told = installed.told()
    notices = count(installed.database, "notices")
    assert set(told.values()) == {1}
    engine.kill()

    produce(kafka, OVER_THE_BANK_M, OVER_THE_BANK_M + 0.1, OVER_THE_BANK_M + 0.2)
    engine = installed.start()
    engine.until(lambda: position(installed) == 5, "the records that came while it was away")
    assert installed.metrics()['dispatcher_readings_total{source="kafka"}'] == 3
    assert count(installed.database, "changes") == 1
    assert count(installed.database, "notices") == notices
    first = rows(installed.database, "SELECT id FROM deliveries WHERE step = 0 AND repeat = 0 AND channel = 'sms'")
    assert all(installed.told()[row["id"]] == 1 for row in first)
