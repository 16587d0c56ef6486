"""A sensor on a real Mosquitto, a real engine, a red warning on the phones; and a power cut before the commit."""

import asyncio
import json
import signal
from collections.abc import Callable

import aiomqtt
import pytest

from tests.integration.installation import IN_ITS_BED_M, OVER_THE_BANK_M, RIVER, Installation, reading
from tests.integration.programs import Programs, count, ledger, rows
from tests.services.mosquitto import Mosquitto

STOPS_WITHIN_S = 5.0


@pytest.fixture
def installed(programs: Programs, mosquitto_with: Callable[..., Mosquitto]) -> Installation:
    return installation(programs, mosquitto_with())


def installation(programs: Programs, mosquitto: Mosquitto) -> Installation:
    broker = {"port": mosquitto.port}
    return Installation(programs, sources={"mqtt": {"adapter": "mqtt"} | broker}, speakers=broker)


def publish(installed: Installation, value: float, **other: object) -> None:
    """As a sensor does: QoS 1, gone once the broker has it."""

    async def work() -> None:
        async with aiomqtt.Client("127.0.0.1", installed.sources["mqtt"]["port"], identifier="sensor") as client:
            await client.publish(f"readings/{RIVER}", json.dumps(reading(value, **other)), qos=1)

    asyncio.run(work())


def test_a_reading_over_the_bank_becomes_a_red_text_on_the_phones_and_a_command_at_the_speakers(installed: Installation) -> None:
    installed.start_town()
    engine = installed.start()
    publish(installed, IN_ITS_BED_M)
    publish(installed, OVER_THE_BANK_M)
    installed.until_settled(engine, 10)
    change = rows(installed.database, "SELECT rule, place, after FROM changes")
    assert [tuple(row) for row in change] == [("river-level", RIVER, 4)]
    told = installed.told()
    owed = {row["id"] for row in rows(installed.database, "SELECT id FROM deliveries WHERE channel <> 'duty_room'")}
    assert owed
    assert told == dict.fromkeys(owed, 1)
    entries = list(ledger(installed.ledger))
    texts = [entry["body"] for entry in entries if entry["kind"] == "sms.accepted"]
    assert texts
    assert all("红色" in text or "red" in text.lower() for text in texts)
    assert any(entry["kind"] == "speaker.command" for entry in entries)
    assert installed.metrics()['dispatcher_readings_total{source="mqtt"}'] == 2


def test_a_reading_that_the_engine_had_not_committed_when_it_died_is_decided_after_the_restart(installed: Installation) -> None:
    installed.start_town()
    engine = installed.start()
    publish(installed, IN_ITS_BED_M)
    engine.until(lambda: count(installed.database, "journal", "kind = 'batch'") == 1, "the first reading in the journal")
    engine.signal(signal.SIGSTOP)
    publish(installed, OVER_THE_BANK_M)  # the broker has it, the engine cannot have committed it
    engine.kill()
    assert count(installed.database, "changes") == 0

    engine = installed.start()
    installed.until_settled(engine, 10)
    assert [row["after"] for row in rows(installed.database, "SELECT after FROM changes")] == [4]
    assert set(installed.told().values()) == {1}


def test_an_engine_that_dies_while_it_sends_tells_everybody_and_says_what_may_have_come_twice(installed: Installation) -> None:
    installed.start_town()
    engine = installed.start()
    publish(installed, OVER_THE_BANK_M)
    engine.until(lambda: len(installed.told()) >= 1, "the first text on a phone")
    engine.kill()

    engine = installed.start()
    installed.until_settled(engine, 10)
    marked = {row["id"] for row in rows(installed.database, "SELECT id FROM deliveries WHERE possible_duplicate")}
    told = installed.told()
    owed = {row["id"] for row in rows(installed.database, "SELECT id FROM deliveries WHERE channel <> 'duty_room'")}
    assert owed == set(told)
    assert {delivery for delivery, times in told.items() if times > 1} <= marked


@pytest.mark.parametrize("gone", [False, True], ids=["there", "gone"])
def test_an_engine_on_mqtt_stops_in_time_whether_the_broker_is_there_or_gone(
    programs: Programs,
    mosquitto_with: Callable[..., Mosquitto],
    gone: bool,  # noqa: FBT001
) -> None:
    mosquitto = mosquitto_with()
    installed = installation(programs, mosquitto)
    engine = installed.start()
    publish(installed, IN_ITS_BED_M)
    engine.until(lambda: count(installed.database, "journal", "kind = 'batch'") == 1, "the reading in the journal")
    if gone:
        mosquitto.pause()
    engine.signal(signal.SIGINT)
    assert engine.wait(STOPS_WITHIN_S).code == 0
