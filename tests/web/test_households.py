"""Households that need help: few may look, every look is written down, and what is erased or outdated is gone."""

from datetime import timedelta
from typing import Any

import pytest

from dispatcher.accounts import Role
from dispatcher.clock import ManualClock
from tests.web.bench import Bench
from tests.web.seed import SAMPLE

PATH = "/api/v1/registry/households"
LIST = (SAMPLE / "households.csv").read_text(encoding="utf-8")
VILLAGE = "990121101201"


async def put(bench: Bench, text: str = LIST, role: Role = Role.ADMINISTRATOR) -> tuple[int, Any]:
    answer = await bench.client.put(PATH, json={"csv": text}, headers=bench.api(role))
    return answer.status_code, answer.json()


async def acts(bench: Bench) -> list[tuple[str, str, str]]:
    async with bench.store.read() as reader:
        return [(row["actor"], row["act"], row["subject"]) for row in await reader.fetch("desk.audit", {"after": 0, "limit": 100})]


async def test_a_duty_officer_sees_who_needs_help_and_the_look_is_written_down(bench: Bench) -> None:
    assert await put(bench) == (200, {"households": LIST.count("\n") - 1})
    found = (await bench.client.get(f"{PATH}?village={VILLAGE}", headers=bench.api(Role.DUTY_OFFICER))).json()
    assert [h["id"] for h in found] == [f"h-{VILLAGE}-1"]
    assert (await acts(bench))[-1] == ("duty_officer", "look at households", VILLAGE)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.FORECASTER])
async def test_others_see_how_many_there_are_but_no_names(bench: Bench, role: Role) -> None:
    await put(bench)
    before = await acts(bench)
    assert (await bench.client.get(PATH, headers=bench.api(role))).status_code == 403
    assert (await bench.client.get(f"/villages/{VILLAGE}/households", headers=bench.api(role))).status_code == 403
    page = await bench.client.get("/villages?lang=en", headers=bench.api(role))
    assert page.status_code == 200
    assert "1 households" in page.text
    name = LIST.splitlines()[1].split(",")[3]
    assert name not in page.text
    assert await acts(bench) == before


async def test_only_an_administrator_imports_exports_and_erases(bench: Bench) -> None:
    await put(bench)
    for role in (Role.DUTY_OFFICER, Role.RELEASING_OFFICER):
        assert (await put(bench, role=role))[0] == 403
        assert (await bench.client.get(f"{PATH}.csv", headers=bench.api(role))).status_code == 403
        assert (await bench.client.delete(f"{PATH}/h-{VILLAGE}-1", headers=bench.api(role))).status_code == 403


async def test_an_export_is_what_can_be_imported_again(bench: Bench) -> None:
    await put(bench)
    exported = (await bench.client.get(f"{PATH}.csv", headers=bench.api(Role.ADMINISTRATOR))).text
    assert (await put(bench, exported))[0] == 200
    assert (await bench.client.get(f"{PATH}.csv", headers=bench.api(Role.ADMINISTRATOR))).text == exported
    assert ("administrator", "export households", "all") in await acts(bench)


async def test_what_is_erased_is_gone_and_that_it_was_erased_is_known(bench: Bench) -> None:
    await put(bench)
    admin = bench.api(Role.ADMINISTRATOR)
    assert (await bench.client.delete(f"{PATH}/h-{VILLAGE}-1", headers=admin)).status_code == 204
    assert (await bench.client.delete(f"{PATH}/h-{VILLAGE}-1", headers=admin)).status_code == 409
    assert (await bench.client.get(f"{PATH}?village={VILLAGE}", headers=admin)).json() == []
    assert ("administrator", "erase household", f"h-{VILLAGE}-1") in await acts(bench)


async def test_a_household_is_deleted_after_its_day(bench: Bench) -> None:
    head, first, second, *_ = LIST.splitlines()
    await put(bench, f"{head},keep_until\n{first},2026-07-20\n{second},2026-07-21\n")
    book = bench.context.households
    assert await book.forget_outdated() == 0
    clock = bench.place.clock
    assert isinstance(clock, ManualClock)
    clock.advance(timedelta(hours=8))  # past midnight in the county
    assert await book.forget_outdated() == 1
    assert ("retention", "erase households", "all") in await acts(bench)


async def test_a_list_with_mistakes_changes_nothing_and_repeats_no_name(bench: Bench) -> None:
    await put(bench)
    head, first, *_ = LIST.splitlines()
    cells = first.split(",")
    code, said = await put(bench, f"{head}\n{first.replace(cells[7], 'c999')}\n")
    assert code == 422
    assert "households.csv:2:" in said["detail"]
    assert "'c999' is not in contacts.csv" in said["detail"]
    assert cells[3] not in str(said)
    found = (await bench.client.get(PATH, headers=bench.api(Role.ADMINISTRATOR))).json()
    assert len(found) == LIST.count("\n") - 1


async def test_the_page_of_a_village_names_helpers_and_says_that_the_look_is_written_down(bench: Bench) -> None:
    await put(bench)
    await bench.log_in()
    page = await bench.client.get(f"/villages/{VILLAGE}/households?lang=zh")
    assert page.status_code == 200
    assert "已记录" in page.text
    assert LIST.splitlines()[1].split(",")[3] in page.text
    assert (await acts(bench))[-1] == ("chen", "look at households", VILLAGE)
    listed = await bench.client.get("/villages?lang=zh")
    assert "无广播" in listed.text
    assert f"/villages/{VILLAGE}/households" in listed.text
