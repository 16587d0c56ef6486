"""What the members of a chat group do with a message: they write the code to the robot, or press its button, with proof."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date

import pytest
from aiohttp import web

from dispatcher.errors import TransientFailure
from dispatcher.ports import HookRequest
from simulators.ledger import Kind
from tests.channels.chat_sides import MEMBER, robot
from tests.channels.far_sides import message
from tests.simulators.chats import StartRobots
from tests.simulators.towns import until

ASKS = "河口村立即转移！回复“1 4821”已收到。https://warn.example.org/a/4821.warden.1f.abc 防汛办"


class Ear:
    """The engine's hook: it writes down what it is called with, after it has been away once."""

    def __init__(self) -> None:
        self.calls: list[HookRequest] = []
        self.away = 1

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.away -= 1
        if self.away >= 0:
            return web.Response(status=503)
        self.calls.append(HookRequest(hook="answer", url=str(request.url), headers=request.headers, form=(), body=body))
        return web.json_response({})


@pytest.fixture
async def ear() -> AsyncIterator[tuple[Ear, str]]:
    made, app = Ear(), web.Application()
    app.router.add_post("/hooks/chat/answer", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield made, f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/chat/answer"
    await runner.cleanup()


@pytest.mark.parametrize(("kind", "who"), [("plain", MEMBER), ("dingtalk", "7700900004")])
async def test_who_is_asked_in_a_group_answers_once_and_proves_it(
    start_robots: StartRobots, ear: tuple[Ear, str], kind: str, who: str
) -> None:
    heard_by, address = ear
    robots = await start_robots("--callback-url", address, "--callback-kind", kind, "--answers", who)
    channel = robot(kind, robots.url, members={who: MEMBER})
    for _ in range(2):
        await channel.send(replace(message("d1", MEMBER), text=ASKS))
    await robots.wait_for(Kind.CHAT_ANSWERED)
    await until(lambda: heard_by.calls)
    (reply,) = channel.hear(heard_by.calls[0]).replies
    assert (reply.text.strip(), reply.delivery) == (("1", "d1") if kind == "plain" else ("收到 4821", ""))
    assert len(heard_by.calls) == 1
    await channel.close()


async def test_a_robot_lives_by_the_time_of_a_recording_when_it_is_told_one(start_robots: StartRobots) -> None:
    clock = ("--clock-start", "2026-07-20T08:00:00+08:00", "--clock-epoch", str(time.time()), "--clock-speed", "60")
    robots = await start_robots(*clock)
    channel = robot("dingtalk", robots.url)
    with pytest.raises(TransientFailure, match="signature"):
        await channel.send(message("d1", MEMBER))
    (refused,) = await robots.wait_for(Kind.CHAT_REFUSED)
    assert refused.at.date() == date(2026, 7, 20)
    await channel.close()
