"""What is particular to loudspeakers over MQTT."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt
import pytest

from adapters.channels import loudspeaker
from dispatcher.errors import ConfigurationError, SourceLost, TransientFailure, UnknownOutcome
from dispatcher.ports import DeliveryState, Listening, Status
from simulators.ledger import Kind
from tests.channels.far_sides import SpeakerSide, message, speaker_side, world
from tests.services.mosquitto import Mosquitto
from tests.simulators.towns import StartTown, until


@pytest.fixture
async def side(start_town: StartTown, broker: Mosquitto) -> AsyncIterator[SpeakerSide]:
    async with speaker_side(start_town, broker, 5) as opened:
        yield opened


async def test_it_listens(side: SpeakerSide) -> None:
    assert isinstance(side.speaker, Listening)


@pytest.mark.parametrize(
    ("speaker", "states"),
    [
        ("spk-works", [DeliveryState.ACCEPTED, DeliveryState.SENT, DeliveryState.DELIVERED]),
        ("spk-fails", [DeliveryState.ACCEPTED, DeliveryState.SENT, DeliveryState.UNDELIVERED]),
        ("spk-offline", [DeliveryState.UNDELIVERED]),
    ],
)
async def test_what_a_speaker_reports_becomes_receipts(side: SpeakerSide, speaker: str, states: list[DeliveryState]) -> None:
    await side.speaker.send(replace(message("d1", speaker), times=3))
    await until(lambda: len(side.receipts) == len(states))
    assert [receipt.state for receipt in side.receipts] == states
    assert {receipt.reference for receipt in side.receipts} == {speaker}
    assert side.receipts[-1].reason.startswith("played ")


async def test_a_command_says_everything_and_expires_with_its_message(side: SpeakerSide) -> None:
    async with aiomqtt.Client(side.broker.host, side.broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe("+/speakers/spk-works/command", qos=1)
        await client.subscribe("speakers/spk-works/command", qos=1)
        sent = replace(message("d1", "spk-works"), status=Status.EXERCISE, times=2)
        await side.speaker.send(sent)
        command = await asyncio.wait_for(anext(aiter(client.messages)), 10)
    assert str(command.topic) == "drill/speakers/spk-works/command", "a speaker that takes part in no drills does not hear it"
    assert isinstance(command.payload, bytes)
    assert json.loads(command.payload) == {
        "id": "d1",
        "status": "Exercise",
        "grade": "red",
        "text": sent.text,
        "language": "zh",
        "times": 2,
        "expires": sent.expires_at.isoformat(),
    }
    assert command.properties is not None
    assert 1700 < command.properties.json()["MessageExpiryInterval"] <= 1800
    assert (command.qos, command.retain) == (1, False)


async def test_a_foreign_report_stops_nobody(side: SpeakerSide) -> None:
    async with aiomqtt.Client(side.broker.host, side.broker.port) as client:
        for payload in ("not json", "[]", '{"id": "d0", "state": "sings"}', '{"state": "played"}'):
            await client.publish("speakers/spk-works/status", payload, qos=1)
    await side.speaker.send(message("d1", "spk-works"))
    await until(lambda: side.receipts)
    assert {receipt.delivery for receipt in side.receipts} == {"d1"}


async def test_a_broker_that_does_not_answer_leaves_the_outcome_unknown(side: SpeakerSide) -> None:
    await side.speaker.send(message("d0", "spk-works"))
    with side.broker.paused(), pytest.raises(UnknownOutcome):
        await side.speaker.send(message("d1", "spk-works"))


async def test_a_lost_broker_is_a_lost_source(broker: Mosquitto) -> None:
    broker.kill()
    settings = loudspeaker.LoudspeakerSettings(host=broker.host, port=broker.port, timeout_s=0.2)
    speaker = loudspeaker.connect(settings, world())
    with pytest.raises(SourceLost):
        await anext(aiter(speaker.heard()))
    with pytest.raises(TransientFailure):
        await speaker.send(message("d1", "spk-works"))


async def test_a_password_comes_from_the_environment_and_its_absence_is_named() -> None:
    settings = loudspeaker.LoudspeakerSettings(username="engine", password_env="SPEAKER_PASSWORD")
    with pytest.raises(ConfigurationError, match="SPEAKER_PASSWORD is not set"):
        loudspeaker.connect(settings, world(), {})


@pytest.mark.parametrize("steps", [0, 1, 2, 5, 20])
async def test_listening_can_be_cancelled_at_any_moment(broker: Mosquitto, steps: int) -> None:
    speaker = loudspeaker.connect(loudspeaker.LoudspeakerSettings(host=broker.host, port=broker.port), world())
    listening = asyncio.ensure_future(anext(aiter(speaker.heard())))
    for _ in range(steps):
        await asyncio.sleep(0.001)
    listening.cancel()
    done, _ = await asyncio.wait([listening], timeout=20)
    assert done
    assert listening.cancelled()


async def press(side: SpeakerSide, topic: str, payload: str, *, retain: bool = False) -> None:
    """As a terminal does, once the engine listens."""
    await side.speaker.send(message("d0", "spk-works"))
    async with aiomqtt.Client(side.broker.host, side.broker.port) as client:
        await client.publish(topic, payload, qos=1, retain=retain)


async def test_a_key_at_a_terminal_is_a_reply_of_its_speaker_that_counts_once(side: SpeakerSide) -> None:
    for _ in range(2):
        await press(side, "speakers/spk-works/key", '{"id": "k1", "key": 3, "at": "2026-07-20T02:10:00+08:00", "command": "d1"}')
    await until(lambda: len(side.heard) == 2)
    (reply,) = side.heard[0].replies
    assert all(heard.once for heard in side.heard)
    assert (reply.channel, reply.address, reply.text, reply.reference, reply.delivery) == (
        "loudspeaker",
        "spk-works",
        "evacuated",
        "spk-works/k1",
        "d1",
    )
    assert reply.at == datetime(2026, 7, 19, 18, 10, tzinfo=UTC)
    assert reply.status is None
    await press(side, "drill/speakers/spk-works/key", '{"id": "k2", "key": "1"}')
    await until(lambda: len(side.heard) == 3)
    assert side.heard[2].replies[0].status is Status.EXERCISE


@pytest.mark.parametrize(
    "payload",
    [
        '{"id": "k1", "key": "7"}',
        '{"key": "1"}',
        '{"id": "k1", "key": "1", "speaker": "spk-other"}',
        '{"id": "k1", "key": "1", "at": "yesterday"}',
        '["k1", "1"]',
        "1",
        "not json",
    ],
)
async def test_what_is_no_key_or_speaks_for_another_speaker_is_passed_over(side: SpeakerSide, payload: str) -> None:
    await press(side, "speakers/spk-works/key", payload)
    await press(side, "speakers/spk-works/key", '{"id": "last", "key": "1"}')
    await until(lambda: side.heard)
    assert [heard.replies[0].reference for heard in side.heard] == ["spk-works/last"]


async def test_a_key_that_the_broker_kept_from_earlier_is_not_pressed_now(start_town: StartTown, broker: Mosquitto) -> None:
    async with aiomqtt.Client(broker.host, broker.port) as client:
        await client.publish("speakers/spk-works/key", '{"id": "old", "key": "1"}', qos=1, retain=True)
    async with speaker_side(start_town, broker, 5) as side:
        await side.speaker.send(message("d1", "spk-works"))
        await press(side, "speakers/spk-works/key", '{"id": "new", "key": "1"}')
        await until(lambda: side.heard)
        assert [heard.replies[0].reference for heard in side.heard] == ["spk-works/new"]


async def test_somebody_at_a_speaker_of_the_town_presses_once_after_it_has_played(
    start_town: StartTown, broker: Mosquitto, tmp_path: Path
) -> None:
    habits = tmp_path / "registry" / "habits.yaml"
    habits.write_text(habits.read_text("utf-8") + "terminals: {spk-works: '1', spk-offline: '1'}\n", "utf-8")
    async with speaker_side(start_town, broker, 5) as side:
        for speaker in ("spk-works", "spk-offline"):
            await side.speaker.send(message(f"d-{speaker}", speaker))
        await until(lambda: side.heard)
        (pressed,) = await side.town.wait_for(Kind.SPEAKER_PRESSED)
        (reply,) = side.heard[0].replies
        assert (reply.address, reply.text, reply.delivery) == ("spk-works", "received", "d-spk-works")
        assert reply.reference == f"spk-works/{pressed.reference}"


async def test_no_keys_are_listened_to_where_none_mean_anything(broker: Mosquitto) -> None:
    settings = loudspeaker.LoudspeakerSettings.model_validate({"host": broker.host, "port": broker.port, "keys": {}})
    assert loudspeaker.connect(settings, world())._topics() == loudspeaker.STATUS_TOPICS
