import json
from dataclasses import replace

import pytest
from msgspec.structs import replace as changed

from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import NoticeState
from dispatcher.policy.snapshot import plan_as_json
from dispatcher.registry.helping import HELPERS
from dispatcher.rows import row_of, value_of
from tests.web.bench import Bench
from tests.web.seed import NOW, SAMPLE, policies, registry

NOTICE = "flash-flood/990121101000/20260720-1/990121101201/1"
CODE = "4101"
HELPER = "c012"
PERSON = next(c.id for c in registry().contacts.values() if c.area == "990121101201")


async def answers(bench: Bench) -> list[tuple[str, str, int | None]]:
    async with bench.store.read() as reader:
        rows = await reader.fetch("desk.answers_of", {"notices": json.dumps([NOTICE])})
    return [(r["person"], r["action"], r["people"]) for r in rows]


async def test_looking_at_the_page_records_nothing(bench: Bench) -> None:
    token = await bench.link(CODE, PERSON)
    page = await bench.client.get(f"/a/{token}?done=received")
    assert page.status_code == 200
    assert "<script" not in page.text
    assert len(page.content) < 5_000
    assert "已记录" not in page.text
    assert await answers(bench) == []


async def test_a_press_is_recorded_and_the_page_says_what_and_offers_the_next_step(bench: Bench) -> None:
    token = await bench.link(CODE, PERSON)
    page = await bench.client.post(f"/a/{token}", data={"action": "evacuated", "people": "35", "note": ""}, follow_redirects=True)
    assert page.status_code == 200
    assert await answers(bench) == [(PERSON, "evacuated", 35)]
    assert "35" in page.text
    assert 'role="status"' in page.text


async def test_the_page_speaks_the_contacts_language_and_the_other_one_on_request(bench: Bench) -> None:
    token = await bench.link(CODE, PERSON)
    assert 'lang="zh-CN"' in (await bench.client.get(f"/a/{token}", headers={"Accept-Language": "en"})).text
    assert 'lang="en"' in (await bench.client.get(f"/a/{token}?lang=en")).text


async def test_an_altered_link_is_refused(bench: Bench) -> None:
    token = await bench.link(CODE, PERSON)
    altered = token[:-2] + ("AA" if not token.endswith("AA") else "BB")
    for answer in (await bench.client.get(f"/a/{altered}"), await bench.client.post(f"/a/{altered}", data={"action": "received"})):
        assert answer.status_code == 403
    assert await answers(bench) == []


async def test_an_expired_link_is_refused(bench: Bench) -> None:
    token = await bench.link(CODE, PERSON)
    bench.clock.advance(NOW.replace(hour=16) - NOW)
    for answer in (await bench.client.get(f"/a/{token}"), await bench.client.post(f"/a/{token}", data={"action": "received"})):
        assert answer.status_code == 410
    assert await answers(bench) == []


async def test_a_press_on_a_superseded_notice_says_so(bench: Bench) -> None:
    async with bench.store.write() as tx:
        await tx.run("notices.set_state", {"id": NOTICE, "state": "superseded", "next_due": None})
    token = await bench.link(CODE, PERSON)
    answer = await bench.client.post(f"/a/{token}", data={"action": "received"})
    assert answer.status_code == 409
    assert await answers(bench) == []


@pytest.mark.parametrize("data", [{"action": "dance"}, {"action": "received", "people": "many"}, {}], ids=["action", "people", "nothing"])
async def test_nonsense_is_refused(bench: Bench, data: dict[str, str]) -> None:
    token = await bench.link(CODE, PERSON)
    assert (await bench.client.post(f"/a/{token}", data=data)).status_code == 422
    assert await answers(bench) == []


async def helped(bench: Bench) -> str:
    """The households of the sample, a plan that calls their helpers, and the link of one of them."""
    lines = (SAMPLE / "households.csv").read_text(encoding="utf-8")
    await bench.context.households.put_all(lines, "admin", "")
    notice = await bench.desk.open_link(await bench.link(CODE, PERSON))
    plan = policies().for_hazard("flash-flood").grades[notice[0].grade]
    async with bench.store.write() as tx:
        await tx.run("notices.add_plan", {"digest": "with-helpers", "policy": "p", "version": 1, "body": plan_as_json(plan)})
        rows = await tx.fetch("reports.deliveries", {"warning": notice[0].warning})
        one = changed(value_of(Delivery, rows[0]), id="h" * 32, person=HELPER, role=HELPERS, address=registry().contacts[HELPER].phone)
        await tx.run("notices.supersede", {"warning": notice[0].warning, "village": "990121101201", "revision": 99})
        newer = replace(notice[0], id=f"{NOTICE[:-2]}/99", revision=99, plan="with-helpers", code="7777")
        again = replace(newer, state=NoticeState.CALLING, helped=1)
        await tx.run("notices.add", row_of(again))
        await tx.run("deliveries.add", row_of(changed(one, notice=again.id, village=again.village)))
    return await bench.link("7777", HELPER)


async def test_a_helper_sees_behind_his_link_where_to_go_but_no_names_and_each_look_is_written_down(bench: Bench) -> None:
    token = await helped(bench)
    page = await bench.client.get(f"/a/{token}")
    assert "3号" in page.text
    assert "独居老人" in page.text
    assert "彭荣华" not in page.text
    async with bench.store.read() as reader:
        acts = [(row["actor"], row["act"]) for row in await reader.fetch("desk.audit", {"after": 0, "limit": 100})]
    assert acts[-1] == (HELPER, "look at own households")


async def test_others_who_answer_for_the_village_see_no_household(bench: Bench) -> None:
    await helped(bench)
    page = await bench.client.get(f"/a/{await bench.link('7777', PERSON)}")
    assert page.status_code == 200
    assert "3号" not in page.text


async def test_what_a_helper_reports_leaves_the_villages_own_page_as_it_is(bench: Bench) -> None:
    token = await helped(bench)
    mine = await bench.client.post(f"/a/{token}", data={"action": "evacuated", "people": "1", "note": ""}, follow_redirects=True)
    assert 'role="status"' in mine.text
    others = await bench.client.get(f"/a/{await bench.link('7777', PERSON)}")
    assert 'value="received"' in others.text
