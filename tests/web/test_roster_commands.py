"""``dispatcher roster`` and ``dispatcher registry households`` against an engine that listens on a socket."""

import json
import stat
from pathlib import Path

import pytest

from dispatcher.accounts import Role
from tests.web.bench import Bench
from tests.web.seed import NOW
from tests.web.terminal import Terminal

TOWN, VILLAGE = "shitan-leader", "990121101201"
OFFICER = Role.DUTY_OFFICER


def called(bench: Bench) -> list[str]:
    return [contact.id for contact in bench.place.house.resolve("township.leader_on_duty", VILLAGE, NOW)]


async def test_who_is_on_duty_and_when_nobody_is_is_asked_of_the_engine(terminal: Terminal) -> None:
    shown = await terminal.run(Role.VIEWER, "roster", "show", "--json")
    first = next(turn for turn in json.loads(shown.output) if turn["roster"] == TOWN)
    assert first == {
        "roster": TOWN,
        "shift": "day",
        "begins": "2026-07-20 08:00",
        "ends": "2026-07-20 20:00",
        "people": called(terminal.bench),
    }
    assert f"2026-07-20 20:00  {TOWN}  day  {first['people'][0]}" in (await terminal.run(Role.VIEWER, "roster", "show")).output
    assert (await terminal.run(Role.VIEWER, "roster", "gaps", "--hours", "24")).exit_code == 0
    away = {"person": first["people"][0], "begins": NOW.isoformat(), "ends": "2026-07-20T20:00:00+08:00"}
    await terminal.bench.client.post("/api/v1/absences", json=away, headers=terminal.bench.api(OFFICER))
    gone = await terminal.run(Role.VIEWER, "roster", "gaps")
    assert (gone.exit_code, f"{TOWN}  away  {first['people'][0]}" in gone.output) == (1, True)


async def test_a_calendar_is_exported_edited_and_imported(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "town.ics"
    assert (await terminal.run(Role.VIEWER, "roster", "export", str(file), "--roster", TOWN, "--hours", "1")).exit_code == 0
    contacts, (person,) = terminal.bench.place.house.registry.contacts, called(terminal.bench)
    file.write_bytes(file.read_bytes().replace(contacts[person].name.encode(), b"c010"))
    assert (await terminal.run(Role.VIEWER, "roster", "import", str(file), "--roster", TOWN)).exit_code == 1
    taken = await terminal.run(OFFICER, "roster", "import", str(file), "--roster", TOWN)
    assert taken.output == "1 shifts and 0 exceptions taken over\n"
    assert called(terminal.bench) == ["c010"]


async def test_a_table_is_exported_edited_and_imported_and_only_what_differs_is_entered(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "duty.csv"
    assert (await terminal.run(Role.VIEWER, "roster", "export", str(file))).exit_code == 0
    (person,) = called(terminal.bench)
    row = f"{TOWN},2026-07-20,day,{person}\n"
    text = file.read_text()
    assert text.startswith("roster,day,shift,people\n")
    file.write_text("\ufeff" + text.replace(row, f"{TOWN},2026-07-20,day,c010\n"))  # as spreadsheets write it
    assert (await terminal.run(OFFICER, "roster", "import", str(file))).output == "1 shifts and 0 exceptions taken over\n"
    assert called(terminal.bench) == ["c010"]
    assert (await terminal.run(OFFICER, "roster", "import", str(file))).output == "0 shifts and 0 exceptions taken over\n"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([f"{TOWN},2026-07-20,noon,c010"], "duty.csv:3:26: shift: 'noon' is no shift of"),
        ([f"{TOWN},2026-07-20,day,c010", f"{TOWN},2026-07-20,day,c001"], "duty.csv:4:26: shift: 'day' of 2026-07-20 is given twice"),
        (["moon,2026-07-20,day,c010"], "duty.csv:3:1: roster: 'moon' is no roster"),
    ],
)
async def test_a_table_with_a_mistake_changes_nothing_and_the_mistake_is_named(
    terminal: Terminal, tmp_path: Path, rows: list[str], said: str
) -> None:
    before, file = called(terminal.bench), tmp_path / "duty.csv"
    file.write_text("\n".join(["roster,day,shift,people", f"{TOWN},2026-07-21,day,c010", *rows, ""]))
    refused = await terminal.run(OFFICER, "roster", "import", str(file))
    assert (refused.exit_code, said in refused.output) == (1, True), refused.output
    assert called(terminal.bench) == before


async def test_a_file_of_another_kind_or_without_its_roster_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    for words in (["duty.xlsx"], ["duty.ics"], ["duty.csv", "--roster", TOWN]):
        refused = await terminal.run(OFFICER, "roster", "export", str(tmp_path / words[0]), *words[1:])
        assert refused.exit_code == 2, refused.output
        assert "allowed: .ics, .csv" in refused.output or "say with --roster" in refused.output


async def test_households_are_imported_exported_for_the_owners_eyes_and_erased(terminal: Terminal, tmp_path: Path) -> None:
    file, admin = tmp_path / "households.csv", Role.ADMINISTRATOR
    file.write_text(f"id,village,part,name,address,people,needs,helper\nh1,{VILLAGE},一组,某户,3号,2,独居老人,c010\n", encoding="utf-8")
    assert (await terminal.run(OFFICER, "registry", "households", "import", str(file))).exit_code == 1
    assert (await terminal.run(admin, "registry", "households", "import", str(file))).output == "1 households taken over\n"
    out = tmp_path / "out.csv"
    out.touch(0o644)
    assert (await terminal.run(admin, "registry", "households", "export", str(out))).exit_code == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert f"h1,{VILLAGE},一组,某户" in out.read_text(encoding="utf-8")
    assert (await terminal.run(admin, "registry", "households", "erase", "h1")).output == "h1: erased\n"
    again = await terminal.run(admin, "registry", "households", "erase", "h1")
    assert (again.exit_code, "there is no household 'h1'" in again.output) == (1, True)
    file.write_text("id,village,part,name,address,people,needs,helper\nh1,moon,,某户,,2,,\n", encoding="utf-8")
    wrong = await terminal.run(admin, "registry", "households", "import", str(file))
    assert (wrong.exit_code, "households.csv:2:" in wrong.output) == (1, True)
