"""Faults that the town can be told to have."""

import asyncio
import signal
import subprocess
import sys
import time

import aiohttp
import pytest

from simulators import ledger
from simulators.ledger import Kind
from tests.simulators.towns import PHONE, Hooks, StartTown, until


async def test_a_swallowed_text_is_answered_201_and_missing_from_the_ledger(start_town: StartTown, hooks: Hooks) -> None:
    town = await start_town("--swallow", "2")
    sent = [f"d{n}" for n in range(3)]
    statuses = [(await town.post(PHONE["silent"], StatusCallback=f"{hooks.url}/st?d={d}"))[0] for d in sent]
    assert statuses == [201, 201, 201]
    assert ledger.lost(sent, ledger.arrivals(town.entries())) == ("d1",)


async def test_the_command_line_names_what_is_lost_and_exits_1(start_town: StartTown) -> None:
    town = await start_town("--swallow", "1")
    await town.post(PHONE["silent"], StatusCallback="http://127.0.0.1:9/st?d=gone")
    expected = town.path.with_name("deliveries.txt")
    expected.write_text("gone\n", "utf-8")
    command = [sys.executable, "-m", "simulators.ledger", str(town.path), "--deliveries", str(expected)]
    found = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert (found.returncode, '"lost": 1' in found.stdout) == (1, True)


async def test_a_lost_answer_breaks_the_connection_and_the_text_still_arrives(start_town: StartTown) -> None:
    town = await start_town("--fault", "lose-answer=1")
    with pytest.raises(aiohttp.ClientError):
        await town.post(PHONE["silent"])
    assert len(await town.wait_for(Kind.SMS_DELIVERED)) == 1


async def test_a_refusal_is_503_and_nothing_arrives(start_town: StartTown) -> None:
    town = await start_town("--fault", "refuse=1")
    assert (await town.post(PHONE["silent"]))[0] == 503
    assert town.entries(Kind.SMS_ACCEPTED) == []


async def test_callbacks_can_come_twice(start_town: StartTown, hooks: Hooks) -> None:
    town = await start_town("--fault", "repeat=1")
    await town.post(PHONE["silent"], StatusCallback=f"{hooks.url}/st?d=1")
    await until(lambda: len(hooks.calls) == 4)
    assert [call.fields["MessageStatus"] for call in hooks.calls].count("delivered") == 2


async def test_the_town_stops_within_two_seconds_even_while_a_request_hangs(start_town: StartTown) -> None:
    town = await start_town("--fault", "hang=1")
    hanging = asyncio.create_task(town.post(PHONE["silent"]))
    await asyncio.sleep(0.3)
    begun = time.monotonic()
    assert await asyncio.to_thread(town.stop, signal.SIGTERM) == 0
    assert time.monotonic() - begun < 5, "generous: the promise of 2 s is for a machine that is not busy"
    with pytest.raises(aiohttp.ClientError):
        await hanging


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        pytest.param(("--fault", "fire=1"), 2, "refuse, hang", id="unknown-fault"),
        pytest.param(("--clock-speed", "10"), 2, "--clock-start", id="speed-without-start"),
        pytest.param(("--clock-start", "2026-07-20T08:00:00", "--clock-epoch", "0"), 2, "time zone", id="start-without-zone"),
        pytest.param((), 1, "contacts.csv is missing", id="no-registry"),
    ],
)
def test_wrong_usage_is_told_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, options: tuple[str, ...], code: int, told: str
) -> None:
    folder = tmp_path_factory.mktemp("empty")
    command = [sys.executable, "-m", "simulators.town", "--registry", str(folder), "--ledger", str(folder / "l"), *options]
    environment = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t"}
    found = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (found.returncode, told in found.stderr) == (code, True), found.stderr
