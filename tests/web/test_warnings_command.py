"""``dispatcher warnings`` against an engine that listens on a socket."""

import json

from dispatcher.accounts import Role
from tests.web.seed import HAZARD, registry
from tests.web.terminal import Terminal

VILLAGES = sorted(registry().villages)[-2:]


def proposed(*more: str) -> list[str]:
    areas = [word for code in VILLAGES for word in ("--area", code)]
    return ["propose", "--hazard", HAZARD, "--grade", "orange", *areas, "--reason-zh", "上游溃口", *more]


async def test_a_warning_is_proposed_shown_released_lifted_and_retracted_from_a_terminal(terminal: Terminal) -> None:
    made = await terminal.run(Role.FORECASTER, "warnings", *proposed("--json"))
    assert made.exit_code == 0, made.output
    (proposal,) = json.loads(made.output)["proposals"]
    listed = await terminal.run(Role.VIEWER, "warnings", "list")
    assert f"{proposal}  orange" in listed.output
    shown = await terminal.run(Role.VIEWER, "warnings", "show", proposal)
    assert "上游溃口" in shown.output
    assert "would go out:" in shown.output
    content = json.loads((await terminal.run(Role.VIEWER, "warnings", "show", proposal, "--json")).output)["hash"]
    released = await terminal.run(Role.RELEASING_OFFICER, "warnings", "release", proposal, "--hash", content)
    assert (released.exit_code, released.output) == (0, f"{proposal}: released\n")
    warning = json.loads((await terminal.run(Role.VIEWER, "warnings", "list", "--json")).output)["warnings"][0]["id"]
    assert VILLAGES[0] in (await terminal.run(Role.VIEWER, "warnings", "show", warning)).output
    lifted = await terminal.run(Role.FORECASTER, "warnings", "lift", warning, "--village", VILLAGES[0], "--reason-en", "Over")
    assert "waits for release as" in lifted.output
    retracted = await terminal.run(Role.RELEASING_OFFICER, "warnings", "retract", warning, "--reason-zh", "误报")
    assert "retracted, 2 villages" in retracted.output


async def test_a_decision_names_the_content_it_is_about(terminal: Terminal) -> None:
    (proposal,) = json.loads((await terminal.run(Role.FORECASTER, "warnings", *proposed("--json"))).output)["proposals"]
    blind = await terminal.run(Role.RELEASING_OFFICER, "warnings", "release", proposal)
    assert (blind.exit_code, "give --hash" in blind.output) == (2, True)
    wrong = await terminal.run(Role.RELEASING_OFFICER, "warnings", "release", proposal, "--hash", "0" * 32)
    assert (wrong.exit_code, "look again" in wrong.output) == (1, True)
    refused = await terminal.run(Role.RELEASING_OFFICER, "warnings", "refuse", proposal, "--hash", "0" * 32, "--note", "x")
    assert refused.exit_code == 1


async def test_what_is_missing_is_said_with_the_exit_code_for_it(terminal: Terminal) -> None:
    assert (await terminal.run(None, "warnings", "list")).exit_code == 2
    assert "role forecaster" in (await terminal.run(Role.VIEWER, "warnings", *proposed())).output
    terminal.bench.tokens[Role.VIEWER] = "nonsense"
    assert "does not know this token" in (await terminal.run(Role.VIEWER, "warnings", "list")).output
    away = await terminal.run(Role.DUTY_OFFICER, "warnings", "list", "--url", "http://127.0.0.1:9")
    assert (away.exit_code, "cannot reach the engine" in away.output) == (3, True)
    assert (await terminal.run(Role.DUTY_OFFICER, "warnings", "list", "--url", "ftp://x")).exit_code == 2
