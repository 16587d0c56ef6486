"""Rosters through the API and on the page: who is on duty, what was said since the files, and gaps before they come."""

from datetime import timedelta

import pytest

from dispatcher.accounts import Role
from dispatcher.upkeep.audit import verify_audit
from tests.web.bench import Bench, csrf
from tests.web.seed import NOW

TOWN = "shitan-leader"
VILLAGE = "990121101201"


def hours(count: float) -> str:
    return (NOW + timedelta(hours=count)).isoformat()


def called(bench: Bench, later_h: float = 0) -> list[str]:
    """Whom a call plan would call as the leader of the township."""
    found = bench.place.house.resolve("township.leader_on_duty", VILLAGE, NOW + timedelta(hours=later_h))
    return [contact.id for contact in found]


async def test_every_roster_says_who_is_on_duty_now(bench: Bench) -> None:
    answer = await bench.client.get("/api/v1/rosters", headers=bench.api(Role.VIEWER))
    assert answer.status_code == 200
    town = next(item for item in answer.json() if item["id"] == TOWN)
    assert town["now"]["people"] == called(bench)
    assert (town["now"]["shift"], town["now"]["begins"]) == ("day", "2026-07-20T08:00:00+08:00")


async def test_a_week_of_a_roster_has_two_shifts_a_day_in_flood_season(bench: Bench) -> None:
    answer = await bench.client.get(f"/api/v1/rosters/{TOWN}?since=2026-07-20", headers=bench.api(Role.VIEWER))
    turns = answer.json()["turns"]
    assert [turn["shift"] for turn in turns][:3] == ["night", "day", "night"]  # the first night began the day before
    assert len(turns) == 15
    assert all(len(turn["people"]) == 1 for turn in turns)


async def test_an_override_is_in_force_at_once_and_until_it_is_taken_back(bench: Bench) -> None:
    before = called(bench)
    over = {"begins": hours(-1), "ends": hours(2), "people": ["c010"], "note": "暴雨"}
    answer = await bench.client.post(f"/api/v1/rosters/{TOWN}/overrides", json=over, headers=bench.api(Role.DUTY_OFFICER))
    assert answer.status_code == 204, answer.text
    assert called(bench) == ["c010"]
    assert called(bench, 3) == before
    (listed,) = (await bench.client.get("/api/v1/overrides", headers=bench.api(Role.VIEWER))).json()
    await bench.client.post(f"/api/v1/overrides/{listed['seq']}/withdraw", headers=bench.api(Role.DUTY_OFFICER))
    assert called(bench) == before


async def test_who_is_away_is_stood_in_for_and_without_stand_in_is_a_gap_with_a_task(bench: Bench) -> None:
    (person,) = called(bench)
    away = {"person": person, "begins": hours(-1), "ends": hours(2), "stand_in": "c010", "reason": "外出开会"}
    officer = bench.api(Role.DUTY_OFFICER)
    assert (await bench.client.post("/api/v1/absences", json=away, headers=officer)).status_code == 204
    assert called(bench) == ["c010"]
    assert (await bench.client.get("/api/v1/rosters/gaps", headers=officer)).json() == []
    (listed,) = (await bench.client.get("/api/v1/absences", headers=officer)).json()
    await bench.client.post(f"/api/v1/absences/{listed['seq']}/withdraw", headers=officer)

    assert (await bench.client.post("/api/v1/absences", json=away | {"stand_in": ""}, headers=officer)).status_code == 204
    assert called(bench) == []
    (gap,) = (await bench.client.get("/api/v1/rosters/gaps", headers=officer)).json()
    assert (gap["roster"], gap["lack"], gap["people"]) == (TOWN, "away", [person])
    tasks = (await bench.client.get("/api/v1/tasks", headers=officer)).json()["items"]
    assert [task["text_zh"] for task in tasks if "外出且无人顶班" in task["text_zh"]] == [
        "石潭镇带班领导：07-20 17:12 至 07-20 19:12 值班人员外出且无人顶班"
    ]
    await bench.context.duty.look()
    again = (await bench.client.get("/api/v1/tasks", headers=officer)).json()["items"]
    assert len(again) == len(tasks)  # the same gap opens no second task


async def test_entered_shifts_go_before_the_rotation_and_are_taken_together_or_not_at_all(bench: Bench) -> None:
    officer = bench.api(Role.DUTY_OFFICER)
    good = {"roster": TOWN, "day": "2026-07-21", "shift": "day", "people": ["c010"]}
    refused = await bench.client.put(
        "/api/v1/rosters/entries", json={"entries": [good, good | {"day": "2026-07-22", "shift": "noon"}]}, headers=officer
    )
    assert refused.status_code == 409
    assert "'noon' is no shift of 'shitan-leader'; its shifts: day, night" in refused.json()["detail"]
    assert called(bench, 20) != ["c010"]
    assert (await bench.client.put("/api/v1/rosters/entries", json={"entries": [good]}, headers=officer)).status_code == 204
    assert called(bench, 20) == ["c010"]


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        (f"rosters/{TOWN}/overrides", {"begins": hours(2), "ends": hours(1), "people": []}, 409, "must end after it begins"),
        (f"rosters/{TOWN}/overrides", {"begins": hours(2), "ends": hours(3), "people": ["c999"]}, 409, "there is no contact 'c999'"),
        ("rosters/moon/overrides", {"begins": hours(2), "ends": hours(3), "people": []}, 404, "There is no roster 'moon'"),
        ("absences", {"person": "c001", "begins": hours(0), "ends": hours(1), "stand_in": "c001"}, 409, "nobody stands in for himself"),
        ("absences", {"person": "c001", "begins": "2026-07-20T08:00", "ends": hours(1)}, 422, "begins"),
        ("absences/77/withdraw", None, 409, "there is no absence 77 that could be taken back"),
        (f"rosters/{TOWN}/handovers", {"note": " "}, 409, "a hand-over note needs a text"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_reason(bench: Bench, path: str, body: object, status: int, said: str) -> None:
    answer = await bench.client.post(f"/api/v1/{path}", json=body, headers=bench.api(Role.DUTY_OFFICER))
    assert (answer.status_code, said in answer.text) == (status, True), answer.text


@pytest.mark.parametrize("path", [f"rosters/{TOWN}/overrides", f"rosters/{TOWN}/handovers", "absences"])
async def test_a_viewer_and_a_forecaster_change_no_roster(bench: Bench, path: str) -> None:
    body: dict[str, object] = {"note": "x"} if path.endswith("handovers") else {"begins": hours(0), "ends": hours(1)}
    body |= {"people": ["c010"]} if "overrides" in path else {"person": "c010"} if path == "absences" else {}
    for role in (Role.VIEWER, Role.FORECASTER):
        assert (await bench.client.post(f"/api/v1/{path}", json=body, headers=bench.api(role))).status_code == 403
    assert (await bench.client.get("/api/v1/handovers", headers=bench.api(Role.FORECASTER))).status_code == 403


async def test_the_page_shows_the_week_and_takes_notes_absences_and_exceptions_without_scripts(bench: Bench) -> None:
    await bench.log_in()
    page = await bench.client.get("/roster?lang=zh")
    assert page.status_code == 200
    assert all(words in page.text for words in ("值班表", "石潭镇带班领导", "未来一周每个时段都有可联系到的人值班"))
    token = csrf(page.text)
    note = {"csrf": token, "roster": TOWN, "note": "3号闸门正在维修"}
    assert (await bench.client.post("/roster/note", data=note)).status_code == 303
    (person,) = called(bench)
    away = {"csrf": token, "person": person, "begins": "2026-07-20T16:00", "ends": "2026-07-20T19:00", "stand_in": "", "reason": ""}
    assert (await bench.client.post("/roster/absence", data=away)).status_code == 303
    over = {
        "csrf": token,
        "roster": "county-leader",
        "begins": "2026-07-20T16:00",
        "ends": "2026-07-20T19:00",
        "people": "c010",
        "note": "",
    }
    assert (await bench.client.post("/roster/override", data=over)).status_code == 303
    page = await bench.client.get("/roster?lang=en")
    for words in (
        *("3号闸门正在维修", "away without a stand-in:", "by way of exception"),
        *("Nobody on duty in the coming week", 'aria-current="date"'),
    ):
        assert words in page.text
    async with bench.store.read() as reader:
        assert await verify_audit(reader) is None
        acts = [row["act"] for row in await reader.fetch("desk.audit", {"after": 0, "limit": 100})]
    assert acts[-3:] == ["hand over duty", "report absence", "override duty"]


async def test_a_form_of_another_session_writes_nothing(bench: Bench) -> None:
    await bench.log_in()
    answer = await bench.client.post("/roster/note", data={"csrf": "stolen", "roster": TOWN, "note": "x"})
    assert answer.status_code == 403


async def test_a_viewer_sees_the_week_but_no_forms_and_no_notes(bench: Bench) -> None:
    await bench.log_in("visitor")
    page = await bench.client.get("/roster?lang=en")
    assert page.status_code == 200
    assert "Shitan Town, leader on duty" in page.text
    assert "/roster/absence" not in page.text


async def test_a_calendar_goes_out_and_what_is_changed_in_it_comes_in(bench: Bench) -> None:
    path, officer = f"/api/v1/rosters/{TOWN}/calendar.ics", bench.api(Role.DUTY_OFFICER)
    given = await bench.client.get(f"{path}?hours=48", headers=bench.api(Role.VIEWER))
    assert given.headers["content-type"] == "text/calendar; charset=utf-8"
    assert given.content.count(b"BEGIN:VEVENT") >= 4
    contacts, (person,) = bench.place.house.registry.contacts, called(bench)
    changed = given.content.replace(contacts[person].name.encode(), contacts["c010"].name.encode())
    assert changed != given.content
    assert (await bench.client.put(path, content=changed, headers=bench.api(Role.FORECASTER))).status_code == 403
    assert called(bench) == [person]
    answer = await bench.client.put(path, content=changed, headers=officer)
    assert (answer.status_code, answer.json()["entries"] > 0, answer.json()["overrides"]) == (200, True, 0)
    assert called(bench) == ["c010"]
    again = await bench.client.put(path, content=changed, headers=officer)
    assert again.json() == {"entries": 0, "overrides": 0}
    refused = await bench.client.put(path, content=changed.replace(contacts["c010"].name.encode(), b"Somebody"), headers=officer)
    assert (refused.status_code, refused.json()["errors"][0]["file"], "Somebody" in refused.text) == (422, "calendar.ics", False)
    large = await bench.client.put(path, content=b"x" * (1024 * 1024 + 1), headers=officer)
    assert large.status_code == 413
