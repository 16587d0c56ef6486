"""All channels keep every promise of a channel, against a running town and a real Mosquitto."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from dispatcher.testing.channels import PROMISES, FarSide
from tests.channels.chat_sides import chat_side
from tests.channels.far_sides import polled_side, sms_side, speaker_side, voice_side
from tests.services.mosquitto import Mosquitto
from tests.simulators.chats import ADDRESSES, StartRobots
from tests.simulators.towns import Hooks, StartTown


@pytest.fixture
async def sms(start_town: StartTown, hooks: Hooks) -> AsyncIterator[FarSide]:
    async with sms_side(start_town, hooks) as side:
        yield side


@pytest.fixture
async def polled_sms(start_town: StartTown, hooks: Hooks) -> AsyncIterator[FarSide]:
    async with polled_side(start_town, hooks) as side:
        yield side


@pytest.fixture
async def voice(start_town: StartTown, hooks: Hooks) -> AsyncIterator[FarSide]:
    async with voice_side(start_town, hooks) as side:
        yield side


@pytest.fixture(params=sorted(ADDRESSES))
async def groups(request: pytest.FixtureRequest, start_robots: StartRobots) -> AsyncIterator[FarSide]:
    async with chat_side(start_robots, request.param) as side:
        yield side


@pytest.fixture(params=[5, "3.1.1"])
async def speakers(request: pytest.FixtureRequest, start_town: StartTown, broker: Mosquitto) -> AsyncIterator[FarSide]:
    async with speaker_side(start_town, broker, request.param) as side:
        yield side


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
async def test_sms_keeps_its_promise(promise: Callable[[FarSide], Awaitable[None]], sms: FarSide) -> None:
    await promise(sms)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
async def test_sms_keeps_its_promise_where_nothing_can_call_us(
    promise: Callable[[FarSide], Awaitable[None]], polled_sms: FarSide, hooks: Hooks
) -> None:
    await promise(polled_sms)
    assert hooks.calls == []


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
async def test_the_loudspeaker_keeps_its_promise(promise: Callable[[FarSide], Awaitable[None]], speakers: FarSide) -> None:
    await promise(speakers)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
async def test_the_robot_of_a_group_keeps_its_promise(promise: Callable[[FarSide], Awaitable[None]], groups: FarSide) -> None:
    await promise(groups)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
async def test_a_call_keeps_its_promise(promise: Callable[[FarSide], Awaitable[None]], voice: FarSide) -> None:
    await promise(voice)
