"""The servers that other tests stand on."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import aiomqtt
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.services import server
from tests.services.kafka import Kafka
from tests.services.mosquitto import Mosquitto


async def _echo(broker: Mosquitto, topic: str) -> bytes:
    async with aiomqtt.Client(broker.host, broker.port) as client:
        await client.subscribe(topic, qos=1)
        await client.publish(topic, b"12.4 mm", qos=1)
        message = await anext(aiter(client.messages))
    assert isinstance(message.payload, bytes)
    return message.payload


async def test_mosquitto_hands_on_what_is_published(mosquitto: Mosquitto) -> None:
    assert await asyncio.wait_for(_echo(mosquitto, "services/echo"), 10) == b"12.4 mm"


async def test_mosquitto_that_was_killed_comes_back_on_the_same_port(mosquitto: Mosquitto) -> None:
    port = mosquitto.port
    mosquitto.kill()
    assert not mosquitto.pid
    mosquitto.restart()
    assert mosquitto.port == port
    assert await asyncio.wait_for(_echo(mosquitto, "services/again"), 10) == b"12.4 mm"


async def test_mosquitto_keeps_a_retained_message_over_a_restart(mosquitto: Mosquitto) -> None:
    async with aiomqtt.Client(mosquitto.host, mosquitto.port) as client:
        await client.publish("services/kept", b"red", qos=1, retain=True)
    mosquitto.restart()
    async with aiomqtt.Client(mosquitto.host, mosquitto.port) as client:
        await client.subscribe("services/kept", qos=1)
        message = await asyncio.wait_for(anext(aiter(client.messages)), 10)
    assert message.payload == b"red"


async def test_mosquitto_that_is_paused_accepts_and_does_not_answer(mosquitto: Mosquitto) -> None:
    with mosquitto.paused():
        reader, writer = await asyncio.open_connection(mosquitto.host, mosquitto.port)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        writer.close()
    assert await asyncio.wait_for(_echo(mosquitto, "services/resumed"), 10) == b"12.4 mm"


def test_a_server_that_a_test_kills_is_back_for_the_next_test(mosquitto: Mosquitto) -> None:
    mosquitto.kill()


def test_a_server_that_a_test_pauses_is_back_for_the_next_test(mosquitto: Mosquitto) -> None:
    assert mosquitto.pid
    mosquitto.pause()


async def test_a_server_that_was_paused_answers_again(mosquitto: Mosquitto) -> None:
    assert await asyncio.wait_for(_echo(mosquitto, "services/back"), 10) == b"12.4 mm"


async def test_a_broker_of_its_own_takes_further_lines(mosquitto_with: Callable[..., Mosquitto]) -> None:
    closed = mosquitto_with("allow_anonymous false")
    with pytest.raises(aiomqtt.MqttError, match=r"(?i)not auth"):
        await _echo(closed, "services/closed")


def test_a_server_that_ends_at_once_is_an_error_with_its_log(tmp_path: Path) -> None:
    broken = server.Server(["sh", "-c", "echo no such option >&2; exit 3"], server.free_port(), tmp_path / "log")
    with pytest.raises(RuntimeError, match="no such option"):
        broken.start()


async def test_kafka_hands_on_in_order_what_is_produced(kafka: Kafka) -> None:
    kafka.create_topic("services-echo", 2)
    values = [f"{n} mm".encode() for n in range(100)]
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all")
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait("services-echo", value, key=b"431129")
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer("services-echo", bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest", group_id="services")
    await consumer.start()
    try:
        got = [(await asyncio.wait_for(consumer.getone(), 30)).value for _ in values]
    finally:
        await consumer.stop()
    assert got == values


async def test_kafka_that_was_killed_comes_back_with_what_it_had(kafka: Kafka) -> None:
    kafka.create_topic("services-kept")
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all")
    await producer.start()
    await producer.send_and_wait("services-kept", b"red")
    await producer.stop()
    kafka.kill()
    kafka.restart()
    consumer = AIOKafkaConsumer("services-kept", bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        assert (await asyncio.wait_for(consumer.getone(), 30)).value == b"red"
    finally:
        await consumer.stop()


def test_chromium_is_a_program(chromium: str) -> None:
    assert Path(chromium).is_file()
