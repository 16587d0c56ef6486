"""``dispatcher drill``, ``report``, ``ack`` and ``incidents`` against an engine that listens on a socket."""

import json
from pathlib import Path

from dispatcher.accounts import Role
from tests.web.terminal import Terminal

OFFICER, CHIEF = Role.DUTY_OFFICER, Role.RELEASING_OFFICER


async def test_a_drill_from_a_terminal(terminal: Terminal, tmp_path: Path) -> None:
    started = await terminal.run(CHIEF, "drill", "start", "By hand", "--area", "990121201000", "--grade", "orange", "--json")
    assert started.exit_code == 0, started.output
    name = json.loads(started.output)["id"]
    assert f"{name}  orange" in (await terminal.run(OFFICER, "drill", "list")).output
    assert json.loads((await terminal.run(OFFICER, "drill", "report", name)).output)["drill"]["title"] == "By hand"
    paper = tmp_path / "drill.pdf"
    assert (await terminal.run(OFFICER, "drill", "report", name, "--pdf", str(paper))).exit_code == 0
    assert paper.read_bytes().startswith(b"%PDF-")
    assert (await terminal.run(OFFICER, "drill", "end")).output == f"{name}: ended\n"
    again = await terminal.run(OFFICER, "drill", "end")
    assert (again.exit_code, "no drill is running" in again.output) == (1, True)
    assert "never" in (await terminal.run(OFFICER, "drill", "list", "--overdue")).output


async def test_a_storm_for_a_drill_from_a_terminal(terminal: Terminal) -> None:
    assert (await terminal.run(OFFICER, "drill", "storms")).output == ""
    said = ("drill", "start", "Storm", "--area", "990121201000", "--storm", "nowhere.csv", "--speed", "12")
    refused = await terminal.run(CHIEF, *said)
    assert (refused.exit_code, "plays no storms" in refused.output) == (1, True)


async def test_a_report_as_json_csv_and_pdf(terminal: Terminal, tmp_path: Path) -> None:
    listed = json.loads((await terminal.run(OFFICER, "warnings", "list", "--json")).output)["warnings"]
    told = await terminal.run(OFFICER, "report", listed[0]["id"])
    assert json.loads(told.output)["totals"]["villages"] > 0
    for ending, begins in (("pdf", b"%PDF-"), ("csv", b"\xef\xbb\xbf"), ("json", b"{")):
        file = tmp_path / f"report.{ending}"
        assert (await terminal.run(OFFICER, "report", listed[0]["id"], "-o", str(file))).exit_code == 0
        assert file.read_bytes().startswith(begins)
    wrong = await terminal.run(OFFICER, "report", listed[0]["id"], "-o", str(tmp_path / "report.doc"))
    assert (wrong.exit_code, "allowed: .pdf, .csv, .json" in wrong.output) == (2, True)


async def test_an_answer_on_behalf(terminal: Terminal) -> None:
    notices = (await terminal.bench.client.get("/api/v1/notices", headers=terminal.bench.api(OFFICER))).json()["items"]
    calling = next(n["id"] for n in notices if n["state"] == "calling")
    said = await terminal.run(OFFICER, "ack", calling, "received", "--heard-from", "the warden's wife")
    assert said.output == f"{calling}: received\n"
    assert (await terminal.run(Role.VIEWER, "ack", calling, "received")).exit_code == 1


async def test_an_incident_from_opening_to_closing(terminal: Terminal) -> None:
    incident = (await terminal.run(OFFICER, "incidents", "open", "Bridge gone", "--level", "orange")).output.strip()
    assert (await terminal.run(OFFICER, "incidents", "phone", incident, "--to", "the city")).exit_code == 0
    parts = ("time=02:10", "place=Hekou", "source=the warden", "course=water in the village")
    for number, kind in ((1, "first"), (2, "final")):
        assert (await terminal.run(OFFICER, "incidents", "draft", incident, *parts, "--kind", kind)).output.strip() == str(number)
        for role, act in ((OFFICER, ("submit",)), (CHIEF, ("approve",)), (OFFICER, ("send", "--to", "the city"))):
            moved = await terminal.run(role, "incidents", "move", incident, str(number), *act)
            assert moved.exit_code == 0, moved.output
    assert (await terminal.run(OFFICER, "incidents", "close", incident)).output == f"{incident}: closed\n"
    shown = json.loads((await terminal.run(OFFICER, "incidents", "show", incident)).output)
    assert [r["state"] for r in shown["reports"]] == ["sent", "sent"]
    assert f"{incident}  orange  closed" in (await terminal.run(OFFICER, "incidents", "list")).output
    wrong = await terminal.run(OFFICER, "incidents", "draft", incident, "nothing")
    assert (wrong.exit_code, "is not field=text" in wrong.output) == (2, True)
