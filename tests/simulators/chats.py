"""Chat groups for tests: the real program on a free port."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.simulators.towns import RunningTown, launch

ROBOT_SECRET, CALLBACK_SECRET, ROBOT_TOKEN = "secret-of-the-robot", "secret-of-the-callback", "token-of-the-robot"
ADDRESSES = {
    "dingtalk": f"/robot/send?access_token={ROBOT_TOKEN}",
    "wecom": f"/cgi-bin/webhook/send?key={ROBOT_TOKEN}",
    "feishu": f"/open-apis/bot/v2/hook/{ROBOT_TOKEN}",
    "plain": f"/plain/{ROBOT_TOKEN}",
}
StartRobots = Callable[..., Awaitable[RunningTown]]


@pytest.fixture
def start_robots(tmp_path: Path) -> Iterator[StartRobots]:
    """Groups started with options; every one is stopped afterwards. ``url`` of what is given is the address of the robots."""
    started: list[RunningTown] = []

    async def start(*options: str) -> RunningTown:
        path = tmp_path / "robots.jsonl"
        command = [sys.executable, "-m", "simulators.robots", "--ledger", str(path), *options]
        environment = os.environ | {"ROBOT_SECRET": ROBOT_SECRET, "ROBOT_CALLBACK_SECRET": CALLBACK_SECRET}
        process, line = await asyncio.to_thread(launch, command, environment)
        ready = json.loads(line)
        started.append(RunningTown(process, {**ready, "gateway": ready["robots"]}, path))
        return started[-1]

    yield start
    for robots in started:
        if robots.process.poll() is None:
            robots.stop(signal.SIGKILL)
