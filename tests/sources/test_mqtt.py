"""The MQTT source against a real Mosquitto."""

import asyncio
import logging
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import aiomqtt
import pydantic
import pytest
import uvloop
from paho.mqtt.client import Client as Paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from adapters.sources.mqtt import MqttSettings, MqttSource
from dispatcher.errors import SourceLost
from dispatcher.ports import Batch, Kind, Source
from dispatcher.testing.sources import BREAKABLE_PROMISES, PROMISES, Breakable, aclose
from tests.services.mosquitto import Mosquitto
from tests.sources.mosquitto_side import MosquittoSide, bodies


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
async def test_mqtt_keeps_the_promises_of_a_source(mosquitto: Mosquitto, promise: Callable[..., Awaitable[None]], protocol: object) -> None:
    await promise(MosquittoSide(mosquitto, protocol=protocol))


@pytest.mark.parametrize("promise", BREAKABLE_PROMISES, ids=lambda promise: promise.__name__)
async def test_mqtt_keeps_the_promises_of_a_source_with_a_connection(
    mosquitto: Mosquitto, promise: Callable[[Breakable], Awaitable[None]]
) -> None:
    await promise(MosquittoSide(mosquitto))


async def test_the_private_attribute_below_aiomqtt_is_still_there_and_acknowledges_by_hand() -> None:
    client = aiomqtt.Client("127.0.0.1")
    assert isinstance(client._client, Paho)
    assert callable(client._client._sock_recv)
    assert callable(client._client._packet_queue)


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
@pytest.mark.parametrize("ours", [1, 2])
@pytest.mark.parametrize("qos", [1, 2])
async def test_a_message_is_held_by_the_broker_until_it_is_acknowledged_whatever_its_publisher_and_we_chose(
    mosquitto: Mosquitto, qos: int, ours: int, protocol: object
) -> None:
    side = MosquittoSide(mosquitto, qos=ours, protocol=protocol)
    await side.introduce()
    await side.publish([b"1", b"2"], qos=qos)
    for _ in range(2):
        async with side.opened() as (_source, stream):
            assert await bodies(stream, 2) == [b"1", b"2"]
    async with side.opened() as (source, stream):
        assert await _drain(source, stream) == [b"1", b"2"]
    async with side.opened() as (source, stream):
        assert await _drain(source, stream) == []


async def test_more_messages_of_qos_2_than_may_be_in_flight_all_come_once(mosquitto: Mosquitto) -> None:
    side = MosquittoSide(mosquitto, qos=2, receive_maximum=10, batch_items=7)
    await side.introduce()
    sent = [str(n).encode() for n in range(100)]
    await side.publish(sent, qos=2)
    async with side.opened() as (source, stream):
        assert await _drain(source, stream) == sent


async def test_a_retained_reading_comes_with_a_new_subscription_and_not_again_when_the_session_goes_on(mosquitto: Mosquitto) -> None:
    side = MosquittoSide(mosquitto)
    async with aiomqtt.Client(mosquitto.host, mosquitto.port) as client:
        await client.publish(f"readings/{side.mark}/a", b"kept", qos=1, retain=True)
    for expected in ([b"kept"], []):
        async with side.opened() as (source, stream):
            assert await _drain(source, stream) == expected


async def test_no_more_is_unacknowledged_than_receive_maximum(mosquitto: Mosquitto) -> None:
    side = MosquittoSide(mosquitto, receive_maximum=10, batch_items=4)
    await side.introduce()
    await side.publish([str(n).encode() for n in range(30)])
    async with side.opened() as (source, stream):
        held = [await asyncio.wait_for(anext(stream), 10)]
        while sum(len(batch.items) for batch in held) < 10:
            held.append(await asyncio.wait_for(anext(stream), 10))
        waiting = asyncio.ensure_future(anext(stream))
        done, _ = await asyncio.wait([waiting], timeout=0.5)
        assert not done
        for batch in held:
            await source.ack(batch)
        await source.ack(await waiting)
        got = [item.body for batch in [*held, waiting.result()] for item in batch.items]
        while len(got) < 30:
            batch = await asyncio.wait_for(anext(stream), 10)
            got.extend(item.body for item in batch.items)
            await source.ack(batch)
    assert got == [str(n).encode() for n in range(30)]


async def test_a_flood_that_needs_no_acknowledgement_is_held_back_and_none_of_it_discarded(
    mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    side = MosquittoSide(mosquitto, receive_maximum=20, batch_items=10)
    sent = [str(n).encode().ljust(4_000) for n in range(2000)]
    most = 20 + 65_536 // 4_000 + 1  # the socket is read in pieces of this size
    caplog.set_level(logging.WARNING)
    await side.introduce()
    async with side.opened() as (source, stream):
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.3)
        await side.publish(sent, qos=0)
        got = [item.body for item in (await first).items]
        await source.ack(first.result())
        assert isinstance(source, MqttSource)
        assert source._line is not None
        assert source._line.waiting <= most
        while len(got) < 2000:
            batch = await asyncio.wait_for(anext(stream), 10)
            got.extend(item.body for item in batch.items)
            await source.ack(batch)
            assert source._line.waiting <= most
    assert got == sent
    assert "Discarding" not in caplog.text


async def test_an_acknowledgement_of_an_earlier_connection_does_not_acknowledge_another_message(mosquitto: Mosquitto) -> None:
    side = MosquittoSide(mosquitto)
    await side.introduce()
    await side.publish([b"1"])
    source = side.source()
    before = source.batches({})
    early = await asyncio.wait_for(anext(before), 10)
    await aclose(before)
    again = source.batches({})
    assert (await asyncio.wait_for(anext(again), 10)).items == early.items
    await source.ack(early)
    await aclose(again)
    async with side.opened() as (_, stream):
        assert await bodies(stream, 1) == [b"1"]


async def test_what_a_broker_sent_before_the_line_broke_is_taken(mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have told the sensor that it has the reading, and not its disk, and then nobody but we can still know of it."""
    side = MosquittoSide(mosquitto)
    await side.introduce()
    await side.publish([b"1", b"2", b"3"])

    async def killed(*_: object) -> None:
        await asyncio.sleep(0.3)  # the broker sends what it has kept as soon as we are connected
        mosquitto.kill()
        raise aiomqtt.MqttError("gone")

    monkeypatch.setattr(aiomqtt.Client, "subscribe", killed)
    async with side.opened() as (source, stream):
        batch = await anext(stream)
        await source.ack(batch)
        with pytest.raises(SourceLost):
            await anext(stream)
    assert [item.body for item in batch.items] == [b"1", b"2", b"3"]


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_connection_that_is_reset_behind_messages_is_lost_at_once(
    mosquitto: Mosquitto, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """A broker that is killed before it has read what we said resets; uvloop tells of that once, and the messages come first."""
    sent = [b"%d" % n for n in range(30)]

    async def scenario() -> None:
        side = MosquittoSide(mosquitto)
        async with side.opened() as (source, stream):
            opening = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0.5)
            assert isinstance(source, MqttSource)
            assert source._line
            line = source._line._paho.socket()
            sensor = threading.Thread(target=lambda: asyncio.run(side.publish(sent)))
            sensor.start()
            sensor.join()  # our loop stands still: what the broker sends waits in the socket
            mosquitto.pause()
            line.send(b"\xc0\x00")  # a ping that it will not read
            mosquitto.kill()
            taken = [item.body for item in (await asyncio.wait_for(opening, 5)).items]
            with pytest.raises(SourceLost):
                await _to_the_end(stream, taken)
            assert taken == sent

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(scenario())


async def test_workers_of_a_shared_subscription_divide_the_readings(mosquitto: Mosquitto) -> None:
    mark = uuid.uuid4().hex[:8]
    topics = (f"$share/engine-{mark}/readings/{mark}/#",)
    sides = [MosquittoSide(mosquitto, client_id=f"worker-{n}-{mark}", readings=topics) for n in range(2)]
    for side in sides:
        side.mark = mark
        await side.introduce()
    await sides[0].publish([str(n).encode() for n in range(20)])
    got: list[bytes] = []
    for side in sides:
        async with side.opened() as (source, stream):
            got.extend(await _drain(source, stream))
    assert sorted(got, key=int) == [str(n).encode() for n in range(20)]


async def test_topics_say_what_is_a_forecast(mosquitto: Mosquitto) -> None:
    mark = uuid.uuid4().hex[:8]
    side = MosquittoSide(mosquitto, forecasts=(f"$share/engine/forecasts/{mark}/+",), readings=(f"readings/{mark}/#",))
    side.mark = mark
    await side.introduce()
    await side.publish([b"r"])
    async with aiomqtt.Client(mosquitto.host, mosquitto.port) as client:
        await client.publish(f"forecasts/{mark}/x", b"f", qos=1)
    async with side.opened() as (source, stream):
        items = [item for batch in await _drain_batches(source, stream) for item in batch.items]
    assert {(item.kind, item.body, item.subject) for item in items} == {
        (Kind.READINGS, b"r", f"readings/{mark}/a"),
        (Kind.FORECASTS, b"f", f"forecasts/{mark}/x"),
    }


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("protocol", [5, "3.1.1"])
async def test_of_a_message_larger_than_any_reading_the_beginning_is_kept_and_what_follows_is_read(
    mosquitto: Mosquitto, protocol: object, qos: int
) -> None:
    side = MosquittoSide(mosquitto, protocol=protocol, qos=max(1, qos), message_bytes=100_000)
    await side.introduce()
    async with side.opened() as (source, stream):
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.3)
        await side.publish([b"a", b"x" * 10_000_000, b"b"], qos=qos)
        await source.ack(await asyncio.wait_for(first, 10))
        bodies = [item.body for item in first.result().items] + await _drain(source, stream)
    assert bodies == [b"a", b"x" * 100_001, b"b"]
    async with side.opened() as (source, stream):
        assert await _drain(source, stream) == []


async def test_the_session_expires_when_the_settings_say_so(mosquitto: Mosquitto) -> None:
    source = MosquittoSide(mosquitto, session_expiry_s=3600, receive_maximum=77).source()
    assert isinstance(source, MqttSource)
    properties = source._session()["properties"]
    assert properties.packetType == PacketTypes.CONNECT
    assert (properties.SessionExpiryInterval, properties.ReceiveMaximum) == (3600, 77)


async def test_a_topic_the_broker_refuses_is_source_lost_and_named(mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    # Mosquitto's access file refuses messages and not subscriptions, so its answer is put in here.
    async def refuse(*_: object) -> list[ReasonCode]:
        return [ReasonCode(PacketTypes.SUBACK, "Not authorized")]

    monkeypatch.setattr(aiomqtt.Client, "subscribe", refuse)
    async with MosquittoSide(mosquitto, readings=("secret/#",)).opened() as (_, stream):
        with pytest.raises(SourceLost, match="refused to subscribe 'secret/#': Not authorized"):
            await anext(stream)


async def test_a_broker_that_stops_answering_is_source_lost_at_the_next_opening(mosquitto: Mosquitto) -> None:
    side = MosquittoSide(mosquitto, timeout_s=0.5)
    mosquitto.pause()
    async with side.opened() as (_, stream):
        with pytest.raises(SourceLost):
            await asyncio.wait_for(anext(stream), 20)


async def test_what_a_broker_sends_to_one_who_did_not_wait_for_its_welcome_is_not_lost(mosquitto: Mosquitto) -> None:
    """It stood still for longer than our patience, and then goes on with the connection that we had given up."""
    side = MosquittoSide(mosquitto, timeout_s=0.5)
    await side.introduce()
    await side.publish([b"1", b"2", b"3"])
    with mosquitto.paused():
        async with side.opened() as (_, stream):
            with pytest.raises(SourceLost):
                await asyncio.wait_for(anext(stream), 20)
    await asyncio.sleep(1)
    async with side.opened() as (_, stream):
        assert await bodies(stream, 3) == [b"1", b"2", b"3"]


async def test_cancelling_while_waiting_is_cancelling_and_nothing_else(mosquitto: Mosquitto) -> None:
    side = MosquittoSide(mosquitto)
    async with side.opened() as (_, stream):
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.3)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param({"hots": "x"}, "Extra inputs", id="unknown key"),
        pytest.param({"readings": ()}, "at least one", id="no topics"),
        pytest.param({"password_env": "X"}, "without username", id="password without user"),
        pytest.param({"cert_file": __file__}, "tls: true", id="certificate without TLS"),
        pytest.param({"tls": True, "key_file": __file__}, "without cert_file", id="key without certificate"),
        pytest.param({"tls": True, "ca_file": "no/such/file"}, "ca_file", id="no such file"),
        pytest.param({"protocol": 4}, "3.1.1", id="unknown protocol"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=words):
        MqttSettings.model_validate(settings)


async def _to_the_end(stream: AsyncIterator[Batch], taken: list[bytes]) -> None:
    while True:
        taken += [item.body for item in (await asyncio.wait_for(anext(stream), 5)).items]


async def _drain_batches(source: Source, stream: AsyncIterator[Batch]) -> list[Batch]:
    got: list[Batch] = []
    try:
        while True:
            got.append(await asyncio.wait_for(anext(stream), 1.0))
            await source.ack(got[-1])
    except TimeoutError:
        return got


async def _drain(source: Source, stream: AsyncIterator[Batch]) -> list[bytes]:
    return [item.body for batch in await _drain_batches(source, stream) for item in batch.items]
