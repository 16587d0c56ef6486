"""Speakers on a real broker."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt

from simulators.ledger import Kind
from tests.services.mosquitto import Mosquitto
from tests.simulators.towns import StartTown, until


def _command(identity: str, **more: object) -> str:
    expires = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    command = {"id": identity, "status": "Actual", "grade": "red", "text": "请马上转移", "language": "zh", "times": 2, "expires": expires}
    return json.dumps(command | more, ensure_ascii=False)


async def _say(broker: Mosquitto, speaker: str, *commands: str) -> None:
    async with aiomqtt.Client(broker.host, broker.port) as client:
        for command in commands:
            await client.publish(f"speakers/{speaker}/command", command, qos=1)


async def test_a_speaker_reports_queued_playing_played(start_town: StartTown, broker: Mosquitto) -> None:
    await start_town("--mqtt", f"{broker.host}:{broker.port}")
    async with aiomqtt.Client(broker.host, broker.port) as client:
        await client.subscribe("speakers/+/status", qos=1)
        await client.publish("speakers/spk-works/command", _command("d1"), qos=1)
        stream = aiter(client.messages)
        reports = [json.loads(bytes((await asyncio.wait_for(anext(stream), 10)).payload)) for _ in range(3)]
    assert [(r["id"], r["state"], r["played"], r["of"]) for r in reports] == [
        ("d1", "queued", 0, 2),
        ("d1", "playing", 0, 2),
        ("d1", "played", 2, 2),
    ]


async def test_one_id_is_played_once_also_after_a_restart(start_town: StartTown, broker: Mosquitto) -> None:
    at = ("--mqtt", f"{broker.host}:{broker.port}")
    town = await start_town(*at)
    await _say(broker, "spk-works", _command("d1"), _command("d1"))
    await until(lambda: town.entries(Kind.SPEAKER_PLAYED) and town.entries(Kind.SPEAKER_REPEATED))
    town.stop()
    town = await start_town(*at)
    await _say(broker, "spk-works", _command("d1"), _command("d2"))
    await town.wait_for(Kind.SPEAKER_PLAYED, 2)
    assert [entry.delivery for entry in town.entries(Kind.SPEAKER_PLAYED)] == ["d1", "d2"]


async def test_what_is_said_while_the_town_is_away_is_played_when_it_is_back(start_town: StartTown, broker: Mosquitto) -> None:
    at = ("--mqtt", f"{broker.host}:{broker.port}")
    town = await start_town(*at)
    town.stop()
    await _say(broker, "spk-works", _command("d1"))
    town = await start_town(*at)
    assert [entry.delivery for entry in await town.wait_for(Kind.SPEAKER_PLAYED)] == ["d1"]


async def test_an_exercise_is_spoken_as_one_and_an_expired_command_not_at_all(start_town: StartTown, broker: Mosquitto) -> None:
    town = await start_town("--mqtt", f"{broker.host}:{broker.port}")
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    await _say(broker, "spk-works", _command("old", expires=past), _command("drill", status="Exercise"))
    assert [entry.body for entry in await town.wait_for(Kind.SPEAKER_PLAYED)] == ["【演练】请马上转移"]
    assert [entry.delivery for entry in town.entries(Kind.SPEAKER_EXPIRED)] == ["old"]


async def test_some_speakers_are_offline_some_fail_and_an_unreadable_command_stops_nobody(start_town: StartTown, broker: Mosquitto) -> None:
    town = await start_town("--mqtt", f"{broker.host}:{broker.port}")
    await _say(broker, "spk-offline", "not json", _command("d1"))
    await _say(broker, "spk-fails", _command("d2"))
    await town.wait_for(Kind.SPEAKER_FAILED)
    assert [entry.to for entry in town.entries(Kind.SPEAKER_OFFLINE)] == ["spk-offline"]
    assert len(town.entries(Kind.SPEAKER_UNREADABLE)) == 1


async def test_speakers_find_a_broker_again_that_went_away(start_town: StartTown, broker: Mosquitto) -> None:
    town = await start_town("--mqtt", f"{broker.host}:{broker.port}")
    broker.kill()
    await town.wait_for(Kind.BROKER_LOST)
    broker.restart()
    await town.wait_for(Kind.BROKER_CONNECTED, 2)
    await _say(broker, "spk-works", _command("d1"))
    await town.wait_for(Kind.SPEAKER_PLAYED)


async def test_a_terminal_says_its_keys_again_under_the_same_id_whenever_it_is_connected_anew(
    start_town: StartTown, broker: Mosquitto, tmp_path: Path
) -> None:
    habits = tmp_path / "registry" / "habits.yaml"
    habits.write_text(habits.read_text("utf-8") + "terminals: {spk-works: '1'}\n", "utf-8")
    town = await start_town("--mqtt", f"{broker.host}:{broker.port}")
    await _say(broker, "spk-works", _command("d1"))
    (pressed,) = await town.wait_for(Kind.SPEAKER_PRESSED)
    for again in ("another broker", "another town"):
        if again == "another broker":
            broker.kill()
            broker.start()
        else:
            town.stop()
        async with aiomqtt.Client(broker.host, broker.port) as client:
            await client.subscribe("speakers/+/key", qos=1)
            if again == "another town":
                town = await start_town("--mqtt", f"{broker.host}:{broker.port}")
            key = json.loads(bytes((await asyncio.wait_for(anext(aiter(client.messages)), 10)).payload))
        assert (key["id"], key["command"], key["key"]) == (pressed.reference, "d1", "1")
    assert len(town.entries(Kind.SPEAKER_PRESSED)) == 1
