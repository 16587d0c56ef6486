import re

from dispatcher.accounts import Role
from tests.web.bench import PASSWORD, Bench

BODY = {"title": "Before the season", "hazard": "flash-flood", "grade": "orange", "areas": ["990121201000"], "minutes": 60}


async def start(bench: Bench, role: Role = Role.RELEASING_OFFICER, **more: object) -> int:
    return (await bench.client.post("/api/v1/drills", json=BODY | more, headers=bench.api(role))).status_code


async def test_a_drill_is_started_scored_and_ended_through_the_api(bench: Bench) -> None:
    officer = bench.api(Role.RELEASING_OFFICER)
    made = await bench.client.post("/api/v1/drills", json=BODY, headers=officer)
    assert made.status_code == 201, made.text
    drill = made.json()["id"]
    assert await start(bench) == 409, "one at a time"
    found = (await bench.client.get(f"/api/v1/drills/{drill}/report", headers=officer)).json()
    assert len(found["score"]["villages"]) == made.json()["villages"]
    assert (await bench.client.get(f"/api/v1/drills/{drill}/report.pdf", headers=officer)).content.startswith(b"%PDF-")
    assert (await bench.client.post("/api/v1/drills/end", headers=officer)).json() == {"id": drill}
    assert (await bench.client.post("/api/v1/drills/end", headers=officer)).status_code == 409
    assert (await bench.client.get("/api/v1/drills", headers=officer)).json()["items"][0]["ended_at"] is not None
    assert (await bench.client.get("/api/v1/drills/d9/report", headers=officer)).status_code == 404


async def test_a_drill_without_a_storm_needs_a_hazard_and_a_grade(bench: Bench) -> None:
    assert await start(bench, hazard="") == 422
    assert await start(bench, grade="") == 422
    assert (await bench.client.get("/api/v1/drills/storms", headers=bench.api(Role.VIEWER))).status_code == 403
    assert (await bench.client.get("/api/v1/drills/storms", headers=bench.api(Role.DUTY_OFFICER))).json() == []


async def test_duty_officers_end_drills_and_do_not_start_them(bench: Bench) -> None:
    assert await start(bench, Role.DUTY_OFFICER) == 403
    assert await start(bench) == 201
    assert (await bench.client.post("/api/v1/drills/end", headers=bench.api(Role.VIEWER))).status_code == 403
    assert (await bench.client.post("/api/v1/drills/end", headers=bench.api(Role.DUTY_OFFICER))).status_code == 200


async def test_where_a_warning_in_earnest_is_in_force_no_drill_begins(bench: Bench) -> None:
    assert await start(bench, areas=["990121101000"]) == 409


async def test_villages_that_exercised_are_no_longer_overdue(bench: Bench) -> None:
    viewer = bench.api(Role.VIEWER)
    before = {v["village"] for v in (await bench.client.get("/api/v1/drills/overdue", headers=viewer)).json()}
    await start(bench)
    after = {v["village"] for v in (await bench.client.get("/api/v1/drills/overdue", headers=viewer)).json()}
    assert before - after
    assert all(v.startswith("990121201") for v in before - after)


async def test_the_page_does_it_without_scripts(bench: Bench) -> None:
    form = await bench.client.get("/login")
    token = re.findall(r'name="csrf" value="([^"]+)"', form.text)[0]
    await bench.client.post("/login", data={"name": "li", "password": PASSWORD, "csrf": token, "next": "/"})
    page = (await bench.client.get("/drills?lang=en")).text
    token = re.findall(r'name="csrf" value="([^"]+)"', page)[0]
    data = {"csrf": token, "title": "By hand", "hazard": "flash-flood", "grade": "red", "areas": ["990121201000", ""], "minutes": "30"}
    assert (await bench.client.post("/drills", data=data)).status_code == 303
    page = (await bench.client.get("/drills?lang=en")).text
    assert "A drill is running: By hand" in page
    drill = re.findall(r'href="(/drills/[^"]+/report)"', page)[0]
    assert "Drill report: By hand" in (await bench.client.get(f"{drill}?lang=en")).text
    token = re.findall(r'name="csrf" value="([^"]+)"', page)[0]
    assert (await bench.client.post("/drills/end", data={"csrf": token})).status_code == 303
    assert (await bench.client.post("/drills/end", data={"csrf": "stolen"})).status_code == 403
