import json

import pytest

from tests.web.bench import Bench
from tests.web.seed import NOW, registry

NOTICE = "flash-flood/990121101000/20260720-1/990121101201/1"
CODE = "4101"
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
