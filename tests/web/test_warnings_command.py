"""``dispatcher warnings`` against an engine that listens on a socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner, Result

from dispatcher.accounts import Role
from dispatcher.cli.commands import app
from dispatcher.serving import bind, make_server
from dispatcher.web.application import create_app
from tests.web.bench import Bench
from tests.web.seed import HAZARD, registry

VILLAGES = sorted(registry().villages)[-2:]


@dataclass
class Terminal:
    """Runs the command as somebody with a role."""

    bench: Bench
    url: str

    async def run(self, role: Role | None, *words: str) -> Result:
        env = {"DISPATCHER_URL": self.url, "DISPATCHER_TOKEN": self.bench.tokens[role] if role else ""}
        return await asyncio.to_thread(lambda: CliRunner().invoke(app, ["warnings", *words], env=env))


@pytest.fixture
async def terminal(bench: Bench) -> AsyncIterator[Terminal]:
    listening = bind("127.0.0.1", 0)
    server = make_server(create_app(bench.context))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield Terminal(bench, f"http://127.0.0.1:{listening.getsockname()[1]}")
    server.should_exit = True
    await serving
    listening.close()


def proposed(*more: str) -> list[str]:
    areas = [word for code in VILLAGES for word in ("--area", code)]
    return ["propose", "--hazard", HAZARD, "--grade", "orange", *areas, "--reason-zh", "上游溃口", *more]


async def test_a_warning_is_proposed_shown_released_lifted_and_retracted_from_a_terminal(terminal: Terminal) -> None:
    made = await terminal.run(Role.FORECASTER, *proposed("--json"))
    assert made.exit_code == 0, made.output
    (proposal,) = json.loads(made.output)["proposals"]
    listed = await terminal.run(Role.VIEWER, "list")
    assert f"{proposal}  orange" in listed.output
    shown = await terminal.run(Role.VIEWER, "show", proposal)
    assert "上游溃口" in shown.output
    assert "would go out:" in shown.output
    content = json.loads((await terminal.run(Role.VIEWER, "show", proposal, "--json")).output)["hash"]
    released = await terminal.run(Role.RELEASING_OFFICER, "release", proposal, "--hash", content)
    assert (released.exit_code, released.output) == (0, f"{proposal}: released\n")
    warning = json.loads((await terminal.run(Role.VIEWER, "list", "--json")).output)["warnings"][0]["id"]
    assert VILLAGES[0] in (await terminal.run(Role.VIEWER, "show", warning)).output
    lifted = await terminal.run(Role.FORECASTER, "lift", warning, "--village", VILLAGES[0], "--reason-en", "Over")
    assert "waits for release as" in lifted.output
    retracted = await terminal.run(Role.RELEASING_OFFICER, "retract", warning, "--reason-zh", "误报")
    assert "retracted, 2 villages" in retracted.output


async def test_a_decision_names_the_content_it_is_about(terminal: Terminal) -> None:
    (proposal,) = json.loads((await terminal.run(Role.FORECASTER, *proposed("--json"))).output)["proposals"]
    blind = await terminal.run(Role.RELEASING_OFFICER, "release", proposal)
    assert (blind.exit_code, "give --hash" in blind.output) == (2, True)
    wrong = await terminal.run(Role.RELEASING_OFFICER, "release", proposal, "--hash", "0" * 32)
    assert (wrong.exit_code, "look again" in wrong.output) == (1, True)
    refused = await terminal.run(Role.RELEASING_OFFICER, "refuse", proposal, "--hash", "0" * 32, "--note", "x")
    assert refused.exit_code == 1


async def test_what_is_missing_is_said_with_the_exit_code_for_it(terminal: Terminal) -> None:
    assert (await terminal.run(None, "list")).exit_code == 2
    assert "role forecaster" in (await terminal.run(Role.VIEWER, *proposed())).output
    terminal.bench.tokens[Role.VIEWER] = "nonsense"
    assert "does not know this token" in (await terminal.run(Role.VIEWER, "list")).output
    away = await terminal.run(Role.DUTY_OFFICER, "list", "--url", "http://127.0.0.1:9")
    assert (away.exit_code, "cannot reach the engine" in away.output) == (3, True)
    assert (await terminal.run(Role.DUTY_OFFICER, "list", "--url", "ftp://x")).exit_code == 2
