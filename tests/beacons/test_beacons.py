"""Each beacon against a real far side on the loopback."""

import asyncio
import json
from datetime import UTC, datetime

import aiomqtt
import pytest

from adapters.beacons.mqtt import MqttBeaconSettings
from adapters.beacons.mqtt import build as build_mqtt
from adapters.beacons.url import UrlBeacon, UrlSettings
from adapters.beacons.url import build as build_url
from dispatcher.clock import ManualClock
from dispatcher.errors import BeatFailed, ConfigurationError
from dispatcher.ports import Beat, Status, World
from tests.services import server
from tests.services.mosquitto import Mosquitto

AT = datetime(2026, 7, 20, 8, 0, tzinfo=UTC)
WORLD = World(clock=ManualClock(AT), county="990121000000", public_url="http://127.0.0.1")
BEAT = Beat(county="990121000000", status=Status.ACTUAL, at=AT)
SAID = {"county": "990121000000", "status": "Actual", "at": "2026-07-20T08:00:00+00:00"}


async def answering(status: str, heard: list[bytes]) -> asyncio.Server:
    """A switch that keeps what is posted to it and answers with a status line."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        heard.append(await reader.readexactly(length))
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    return await asyncio.start_server(one, "127.0.0.1", 0)


async def test_a_beat_is_posted_to_the_address_of_the_environment() -> None:
    heard: list[bytes] = []
    switch = await answering("200 OK", heard)
    port = switch.sockets[0].getsockname()[1]
    beacon = build_url(UrlSettings(), WORLD, {"DISPATCHER_BEACON_URL": f"http://127.0.0.1:{port}/ping/secret"})
    async with switch:
        await beacon.beat(BEAT)
    assert [json.loads(body) for body in heard] == [SAID]


async def test_a_refused_and_an_unreachable_beat_are_said_without_the_address() -> None:
    switch = await answering("503 Service Unavailable", [])
    port = switch.sockets[0].getsockname()[1]
    async with switch:
        with pytest.raises(BeatFailed, match="answered 503") as refused:
            await UrlBeacon(f"http://127.0.0.1:{port}/secret", 5).beat(BEAT)
    with pytest.raises(BeatFailed, match="cannot be reached") as away:
        await UrlBeacon(f"http://127.0.0.1:{server.free_port()}/secret", 5).beat(BEAT)
    assert "secret" not in str(refused.value) + str(away.value)


@pytest.mark.parametrize("url", ["", "ftp://127.0.0.1/x", "file:///etc/passwd"])
def test_only_web_addresses_are_beacons(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DISPATCHER_BEACON_URL must hold an address"):
        build_url(UrlSettings(), WORLD, {"DISPATCHER_BEACON_URL": url})


async def test_a_beat_is_heard_on_its_topic_and_not_kept_there(mosquitto: Mosquitto) -> None:
    settings = MqttBeaconSettings(host=mosquitto.host, port=mosquitto.port, topic="beats/{county}/one")
    async with asyncio.timeout(10), aiomqtt.Client(mosquitto.host, mosquitto.port) as monitor:
        await monitor.subscribe("beats/#", qos=1)
        await build_mqtt(settings, WORLD, {}).beat(BEAT)
        message = await anext(aiter(monitor.messages))
    assert (str(message.topic), message.retain, json.loads(message.payload)) == ("beats/990121000000/one", False, SAID)


async def test_a_broker_that_is_away_and_a_password_that_is_missing_are_said() -> None:
    settings = MqttBeaconSettings(port=server.free_port(), timeout_s=1)
    with pytest.raises(BeatFailed, match="did not take it"):
        await build_mqtt(settings, WORLD, {}).beat(BEAT)
    with pytest.raises(ConfigurationError, match="WATCH_PASSWORD is not set"):
        build_mqtt(MqttBeaconSettings(password_env="WATCH_PASSWORD"), WORLD, {})
