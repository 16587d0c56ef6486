"""What is particular to loudspeakers over MQTT."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import aiomqtt
import pytest

from adapters.channels import loudspeaker
from dispatcher.errors import ConfigurationError, SourceLost, TransientFailure, UnknownOutcome
from dispatcher.ports import DeliveryState, Listening, Status
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
