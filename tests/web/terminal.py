"""A terminal with ``dispatcher`` on it, and an engine's web that listens on a socket."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner, Result

from dispatcher.accounts import Role
from dispatcher.cli.commands import app
from dispatcher.serving import bind, make_server
from dispatcher.web.application import create_app
from tests.web.bench import Bench


@dataclass
class Terminal:
    """Runs a command as somebody with a role."""

    bench: Bench
    url: str

    async def run(self, role: Role | None, *words: str) -> Result:
        env = {"DISPATCHER_URL": self.url, "DISPATCHER_TOKEN": self.bench.tokens[role] if role else ""}
        return await asyncio.to_thread(lambda: CliRunner().invoke(app, list(words), env=env))


@pytest.fixture
async def terminal(bench: Bench) -> AsyncIterator[Terminal]:
    listening = bind("127.0.0.1", 0)
    server = make_server(create_app(bench.context))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield Terminal(bench, f"http://127.0.0.1:{listening.getsockname()[1]}")
    server.should_exit = True
    await serving
    listening.close()
