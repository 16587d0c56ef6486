"""Reporting upward through the API, the pages and the link of a village, over a real store."""

import re
from datetime import timedelta

import httpx
import pytest

from dispatcher.accounts import Role
from dispatcher.incidents.messages import LONGEST_TEXT
from dispatcher.incidents.reminding import remind_due
from dispatcher.ports import Heard, Reply
from dispatcher.upkeep.audit import verify_audit
from tests.web.bench import Bench
from tests.web.seed import NOW

PICTURE = b"\x89PNG\r\n\x1a\n" + b"0" * 200
PARTS = {"time": "02:10", "place": "Shitan", "source": "the warden", "course": "water in the village"}
VILLAGE = "990121101201"


@pytest.fixture
def person(bench: Bench) -> str:
    return next(c.id for c in bench.context.registry.contacts.values() if c.area == VILLAGE)


async def post(bench: Bench, path: str, role: Role = Role.DUTY_OFFICER, **body: object) -> httpx.Response:
    return await bench.client.post(f"/api/v1{path}", json=body, headers=bench.api(role))


async def opened(bench: Bench, **more: str) -> str:
    body = {"title": "Water in Shitan", "level": "red", **more}
    answer = await bench.client.post("/api/v1/incidents", json=body, headers=bench.api(Role.DUTY_OFFICER))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def moved(bench: Bench, incident: str, move: str, role: Role = Role.DUTY_OFFICER, **more: object) -> httpx.Response:
    return await post(bench, f"/incidents/{incident}/reports/1/moves", role, move=move, **more)


async def remind(bench: Bench, after: timedelta) -> list[str]:
    """Move the clock, let reminders fire, and give the open tasks about reports."""
    bench.clock.advance(after)
    async with bench.store.write() as tx:
        await remind_due(tx, bench.place.house, bench.clock.now())
    async with bench.store.read() as reader:
        rows = await reader.fetch("desk.open_tasks", {"county": bench.context.county, "limit": 100})
    return [row["text_en"] for row in rows if row["kind"] == "report"]


async def test_from_the_first_call_to_the_final_report(bench: Bench) -> None:
    incident = await opened(bench)
    assert (await post(bench, f"/incidents/{incident}/telephoned", to="the city")).status_code == 204
    assert (await post(bench, f"/incidents/{incident}/reports", kind="first", parts=PARTS)).json() == {"number": 1}
    assert (await moved(bench, incident, "submit")).status_code == 204
    early = await moved(bench, incident, "send", to="the city")
    assert early.status_code == 409
    assert "possible: approve, return" in early.json()["detail"]
    assert (await moved(bench, incident, "approve", Role.RELEASING_OFFICER)).status_code == 204
    assert (await moved(bench, incident, "send", to="the city", how="fax")).status_code == 204
    whole = (await bench.client.get(f"/api/v1/incidents/{incident}", headers=bench.api(Role.DUTY_OFFICER))).json()
    assert [(r["state"], r["reviewed_by"], r["sent_to"], r["sent_how"]) for r in whole["reports"]] == [
        ("sent", "releasing_officer", "the city", "fax")
    ]
    assert (await post(bench, f"/incidents/{incident}/close")).status_code == 409, "the final report is missing"
    await post(bench, f"/incidents/{incident}/reports", kind="final", parts=PARTS)
    for move, role in (("submit", Role.DUTY_OFFICER), ("approve", Role.RELEASING_OFFICER)):
        await post(bench, f"/incidents/{incident}/reports/2/moves", role, move=move)
    await post(bench, f"/incidents/{incident}/reports/2/moves", move="send", to="the city")
    assert (await post(bench, f"/incidents/{incident}/close")).status_code == 204
    async with bench.store.read() as reader:
        assert await verify_audit(reader) is None


async def test_reminders_come_at_half_and_at_80_percent_and_go_when_it_is_done(bench: Bench) -> None:
    incident = await opened(bench)
    assert await remind(bench, timedelta(minutes=7)) == []
    [text] = await remind(bench, timedelta(minutes=1))
    assert "the telephone report is due at" in text
    assert "50 % of the limit is over" in text
    assert len(await remind(bench, timedelta(minutes=8))) == 2, "15 minutes are over: overdue, once, not also 80 %"
    await post(bench, f"/incidents/{incident}/telephoned", to="the city")
    assert await remind(bench, timedelta(minutes=1)) == []
    assert len(await remind(bench, timedelta(minutes=1))) == 1, "half of the 35 minutes of the written report"


async def test_an_outage_gives_the_latest_reminder_only(bench: Bench) -> None:
    await opened(bench)
    found = await remind(bench, timedelta(hours=2))
    assert sorted("overdue" in text for text in found) == [True, True]


async def test_limits_count_from_when_the_house_knew(bench: Bench) -> None:
    await opened(bench, known_at=(NOW - timedelta(minutes=20)).isoformat())
    assert any("telephone report is overdue" in text for text in await remind(bench, timedelta(0)))
    future = await post(bench, "/incidents", title="x", level="red", known_at=(NOW + timedelta(hours=1)).isoformat())
    assert future.status_code == 409


async def test_instructions_have_their_task_until_feedback_is_given(bench: Bench) -> None:
    incident = await opened(bench)
    assert (await post(bench, f"/incidents/{incident}/instructions", leader="Governor", text="Move everybody.")).json() == {"number": 1}
    assert any("Governor" in text for text in await remind(bench, timedelta(0)))
    assert (await post(bench, f"/incidents/{incident}/instructions/1/feedback", text="35 moved")).status_code == 204
    assert not any("Governor" in text for text in await remind(bench, timedelta(0)))


async def test_viewers_and_forecasters_see_no_incidents(bench: Bench) -> None:
    for role in (Role.VIEWER, Role.FORECASTER):
        assert (await bench.client.get("/api/v1/incidents", headers=bench.api(role))).status_code == 403
        assert (await post(bench, "/incidents", role, title="x", level="red")).status_code == 403


async def test_a_village_reports_by_its_link_with_photo_and_place(bench: Bench, person: str) -> None:
    path = bench.context.incidents.link_of(person).removeprefix("http://duty.example")
    form = await bench.client.get(path)
    assert "multipart/form-data" in form.text
    data = {"text": "water at the bridge", "lat": "26.1", "lon": "111.2"}
    sent = await bench.client.post(path, data=data, files={"photo": ("p.png", PICTURE)})
    assert sent.status_code == 303, sent.text
    listed = (await bench.client.get("/api/v1/messages", headers=bench.api(Role.DUTY_OFFICER))).json()["items"]
    assert [(m["village"], m["text"], m["lat"], m["photo_type"]) for m in listed] == [(VILLAGE, "water at the bridge", 26.1, "image/png")]
    photo = await bench.client.get(f"/api/v1/messages/{listed[0]['seq']}/photo", headers=bench.api(Role.DUTY_OFFICER))
    assert photo.content == PICTURE
    assert "sandbox" in photo.headers["content-security-policy"]
    incident = await opened(bench, origin="message", origin_ref=str(listed[0]["seq"]))
    whole = (await bench.client.get(f"/api/v1/incidents/{incident}", headers=bench.api(Role.DUTY_OFFICER))).json()
    assert [m["text"] for m in whole["messages"]] == ["water at the bridge"]


@pytest.mark.parametrize(
    ("data", "photo", "says"),
    [
        ({"text": ""}, None, "Please say what has happened"),
        ({"text": "x"}, b"<svg>", "Only JPEG or PNG"),
        ({"text": "x"}, PICTURE + b"0" * 5 * 1024 * 1024, "larger than 5 MB"),
        ({"text": "x" * (LONGEST_TEXT + 1)}, None, "text"),
    ],
    ids=["nothing", "no picture", "too large", "too long"],
)
async def test_what_cannot_be_kept_is_said(bench: Bench, person: str, data: dict[str, str], photo: bytes | None, says: str) -> None:
    path = bench.context.incidents.link_of(person).removeprefix("http://duty.example")
    sent = await bench.client.post(f"{path}?lang=en", data=data, files={"photo": ("p", photo)} if photo else None)
    assert sent.status_code == 422
    assert says in sent.text


async def test_a_wrong_position_does_not_keep_a_report_out(bench: Bench, person: str) -> None:
    path = bench.context.incidents.link_of(person).removeprefix("http://duty.example")
    assert (await bench.client.post(path, data={"text": "help", "lat": "north", "lon": "999"})).status_code == 303


async def test_an_altered_an_old_and_an_answer_link_are_refused(bench: Bench, person: str) -> None:
    path = bench.context.incidents.link_of(person).removeprefix("http://duty.example")
    assert (await bench.client.get(path[:-1])).status_code == 403
    assert (await bench.client.get(f"/v/{await bench.link('4217', person)}")).status_code == 403
    assert (await bench.client.get(path.replace("/v/", "/a/"))).status_code == 410, "a link for reporting answers nothing"
    bench.clock.advance(timedelta(days=201))
    assert (await bench.client.get(path)).status_code == 410


async def test_a_text_that_reports_is_no_answer_and_is_a_task(bench: Bench, person: str) -> None:
    phone = bench.context.registry.contacts[person].phone
    await bench.desk.take(Heard(replies=(Reply(channel="sms", address=phone, text="灾情：桥断了"),)))
    listed = (await bench.client.get("/api/v1/messages", headers=bench.api(Role.DUTY_OFFICER))).json()["items"]
    assert [(m["text"], m["path"], m["person"]) for m in listed] == [("桥断了", "sms", person)]
    tasks = (await bench.client.get("/api/v1/tasks", headers=bench.api(Role.VIEWER))).json()["items"]
    assert "桥断了" in tasks[0]["text_zh"]


async def test_the_pages_do_all_of_it_without_scripts(bench: Bench) -> None:
    await bench.log_in()
    page = (await bench.client.get("/incidents?lang=en")).text
    token = re.findall(r'name="csrf" value="([^"]+)"', page)[0]
    made = await bench.client.post("/incidents", data={"csrf": token, "title": "Water in Shitan", "level": "orange"})
    where = made.headers["location"]
    for act, form in (
        ("reports", {"kind": "first", **PARTS}),
        ("reports", {"number": "1", **PARTS, "trend": "falling"}),
        ("move", {"number": "1", "move": "submit"}),
        ("telephoned", {"to": "the city"}),
        ("instruct", {"leader": "Governor", "text": "Move everybody."}),
        ("feedback", {"number": "1", "text": "done"}),
    ):
        answer = await bench.client.post(f"{where}/{act}", data={"csrf": token, **form})
        assert answer.status_code == 303, (act, answer.text)
    page = (await bench.client.get(f"{where}?lang=en")).text
    for words in ("in review", "falling", "First written report", "Governor", "Feedback: done", "needs the role releasing_officer"):
        assert words in page, words
    assert "water in the village" in (await bench.client.get(f"{where}/reports/1")).text
    refused = await bench.client.post(f"{where}/close?lang=zh", data={"csrf": token})
    assert (refused.status_code, "报送后方可办结。" in refused.text) == (409, True)
    assert (await bench.client.post(f"{where}/telephoned", data={"csrf": "stolen", "to": "x"})).status_code == 403
    assert (await bench.client.post(f"{where}/dance", data={"csrf": token})).status_code == 404


async def test_an_incident_opened_from_a_warning_is_filled_in(bench: Bench) -> None:
    await bench.log_in()
    listed = (await bench.client.get("/api/v1/warnings", headers=bench.api(Role.VIEWER))).json()["items"]
    page = (await bench.client.get(f"/incidents?lang=en&warning={listed[0]['id']}")).text
    assert f'name="origin_ref" value="{listed[0]["id"]}"' in page
    assert f'href="/incidents?warning={listed[0]["id"]}"' in (await bench.client.get(f"/warnings/{listed[0]['id']}")).text
