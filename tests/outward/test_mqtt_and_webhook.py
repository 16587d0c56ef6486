"""Grades of villages on retained topics of a real Mosquitto, and signed calls to a receiver on the loopback."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiomqtt
import pydantic
import pytest

from adapters.outlets.mqtt import MqttOutletSettings
from adapters.outlets.mqtt import build as build_mqtt
from adapters.outlets.webhook import WebhookSettings, signature
from adapters.outlets.webhook import build as build_webhook
from dispatcher.clock import ManualClock
from dispatcher.errors import ConfigurationError, OutletFailed
from dispatcher.ports import Outgoing, Status, Stream, World
from tests.dispatch.making import COUNTY, START, V1, V2
from tests.services import server
from tests.services.mosquitto import Mosquitto

WORLD = World(clock=ManualClock(START), county=COUNTY, public_url="http://127.0.0.1")
SECRET = {"HOOK_SECRET": "shared"}


def record(grade: str, village: str = V1, hazard: str = "flash-flood", status: Status = Status.ACTUAL) -> Outgoing:
    body = json.dumps({"village": village, "hazard": hazard, "to": grade}).encode()
    return Outgoing(village, body, (("id", f"w/{village}/{hazard}/{grade}"), ("status", status.value), ("hazard", hazard)), status)


async def kept(broker: Mosquitto, root: str) -> dict[str, str]:
    """What somebody who comes now finds on the topics: the grade by topic."""
    found = {}
    async with aiomqtt.Client(broker.host, broker.port) as client:
        await client.subscribe(f"{root}/#", qos=1)
        try:
            async with asyncio.timeout(1):
                async for message in client.messages:
                    assert message.retain
                    found[str(message.topic).removeprefix(f"{root}/{COUNTY}/")] = json.loads(message.payload)["to"]
        except TimeoutError:
            return found
    return found


async def test_whoever_comes_later_finds_the_grade_of_each_village_and_hazard(mosquitto: Mosquitto) -> None:
    outlet = build_mqtt(MqttOutletSettings(host=mosquitto.host, port=mosquitto.port, root="test/one"), WORLD)
    await outlet.publish(Stream.CHANGES, [record("blue"), record("orange", V2), record("red"), record("yellow", V1, "landslide")])
    await outlet.publish(Stream.CHANGES, [record("none", V1, "landslide")])
    assert await kept(mosquitto, "test/one") == {
        f"{V1}/flash-flood": "red",
        f"{V1}/landslide": "none",
        f"{V2}/flash-flood": "orange",
    }, "the end of one hazard does not hide another"


async def test_an_exercise_is_never_kept_on_a_topic(mosquitto: Mosquitto) -> None:
    outlet = build_mqtt(MqttOutletSettings(host=mosquitto.host, port=mosquitto.port, root="test/two"), WORLD)
    await outlet.publish(Stream.CHANGES, [record("red", status=Status.EXERCISE)])
    assert await kept(mosquitto, "test/two") == {}


async def test_a_broker_that_is_away_is_said_so_that_it_is_published_again() -> None:
    outlet = build_mqtt(MqttOutletSettings(port=server.free_port(), timeout_s=1), WORLD)
    with pytest.raises(OutletFailed, match="the broker at"):
        await outlet.publish(Stream.CHANGES, [record("red")])


@pytest.mark.parametrize("root", ["", "a/#", "a b", "/a", "a+"])
def test_a_root_that_is_no_topic_is_refused(root: str) -> None:
    with pytest.raises(pydantic.ValidationError):
        MqttOutletSettings(root=root)


@dataclass
class Receiver:
    """Another program: keeps what it is told, answers as the test says."""

    status: str = "204 No Content"
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")[1:-2]
        headers = dict(line.split(": ", 1) for line in lines)
        self.heard.append((headers, await reader.readexactly(int(headers["content-length"]))))
        writer.write(f"HTTP/1.1 {self.status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@asynccontextmanager
async def receiving(status: str = "204 No Content") -> AsyncIterator[Receiver]:
    receiver = Receiver(status)
    listening = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield receiver


def settings(port: int) -> WebhookSettings:
    return WebhookSettings(url=f"http://127.0.0.1:{port}/grades", secret_env="HOOK_SECRET", timeout_s=5)


async def test_each_change_is_posted_in_order_with_its_id_and_a_signature_that_holds() -> None:
    async with receiving() as receiver:
        outlet = build_webhook(settings(receiver.port), WORLD, SECRET)
        await outlet.publish(Stream.CHANGES, [record("blue"), record("red"), record("red", status=Status.EXERCISE)])
    assert [json.loads(body)["to"] for _, body in receiver.heard] == ["blue", "red"]
    for headers, body in receiver.heard:
        at = headers["dispatcher-timestamp"]
        assert at == str(int(START.timestamp()))
        assert headers["dispatcher-signature"] == signature(b"shared", at, body)
        assert headers["dispatcher-signature"] != signature(b"other", at, body)
        assert headers["dispatcher-id"].startswith("w/")


async def test_a_receiver_that_refuses_or_is_away_is_said_without_the_secret() -> None:
    async with receiving("500 Oops") as receiver:
        with pytest.raises(OutletFailed, match="answered 500") as refused:
            await build_webhook(settings(receiver.port), WORLD, SECRET).publish(Stream.CHANGES, [record("red")])
    with pytest.raises(OutletFailed, match="cannot be reached"):
        await build_webhook(settings(server.free_port()), WORLD, SECRET).publish(Stream.CHANGES, [record("red")])
    assert "shared" not in str(refused.value)


def test_a_secret_that_is_missing_and_an_address_that_is_none_are_named() -> None:
    with pytest.raises(ConfigurationError, match="HOOK_SECRET is not set"):
        build_webhook(settings(80), WORLD, {})
    with pytest.raises(pydantic.ValidationError):
        WebhookSettings(url="file:///etc/passwd", secret_env="HOOK_SECRET")
