"""Proposing, releasing, lifting and retracting over HTTP: the API, the pages without scripts, and the public feed."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import httpx
import pytest

from dispatcher.accounts import Role, add_user
from dispatcher.calls.preview import Announcement, Preview, preview
from dispatcher.deliveries.gateways import Gateway
from dispatcher.intake.codecs.cap import decode_cap
from dispatcher.ports import Item, Status, Store
from dispatcher.rulework.svg import Panel, Picture
from dispatcher.warnings.releasing import Releases
from dispatcher.web.application import create_app
from rules.grade import Grade
from tests.web.bench import PASSWORD, Bench, csrf, make_bench
from tests.web.seed import HAZARD, NOW, registry

VILLAGES = sorted(registry().villages)[-3:]
AREA = VILLAGES[0][:9]


def body(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a request
    return {
        "hazard": HAZARD,
        "grade": "red",
        "areas": VILLAGES,
        "hours": 3,
        "reason_zh": "上游溃口",
        "reason_en": "A breach upstream",
    } | more


async def propose(bench: Bench, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    answer = await bench.client.post("/api/v1/warnings", json=body(**more), headers=bench.api(Role.FORECASTER))
    assert answer.status_code == 201, answer.text
    found = await bench.client.get(f"/api/v1/proposals/{answer.json()['proposals'][0]}", headers=bench.api(Role.VIEWER))
    proposal: dict[str, Any] = found.json()
    return proposal


async def release(bench: Bench, proposal: dict[str, Any], **more: Any) -> Any:  # noqa: ANN401
    decision = {"hash": proposal["hash"]} | more
    return await bench.client.post(f"/api/v1/proposals/{proposal['id']}/approve", json=decision, headers=bench.api(Role.RELEASING_OFFICER))


async def test_a_proposal_shows_what_would_go_out_and_leaves_when_an_officer_agrees(bench: Bench) -> None:
    proposal = await propose(bench)
    assert proposal["state"] == "waiting"
    assert {e["village"] for e in proposal["entries"]} == set(VILLAGES)
    preview = proposal["preview"]
    assert preview["people"] > 0
    assert preview["segments"] >= preview["by_channel"]["sms"]
    assert any("上游溃口" in text["text"] for text in preview["texts"])
    assert sum(move["villages"] for move in preview["moves"]) + preview["unchanged"] == 3
    answer = await release(bench, proposal)
    assert (answer.status_code, answer.json()["state"]) == (200, "released")
    listed = (await bench.client.get("/api/v1/proposals?waiting=true", headers=bench.api(Role.VIEWER))).json()
    assert listed["items"] == []
    feed = (await bench.client.get("/api/v1/feed?limit=500", headers=bench.api(Role.VIEWER))).json()["items"]
    first, *_, last = [line for line in feed if line["kind"] == "proposal"]
    assert "待签发" in first["text_zh"]
    assert "已签发（releasing_officer）" in last["text_zh"]
    assert "released by releasing_officer" in last["text_en"]


async def test_roles_keep_people_from_what_is_not_theirs(bench: Bench) -> None:
    assert (await bench.client.post("/api/v1/warnings", json=body(), headers=bench.api(Role.VIEWER))).status_code == 403
    proposal = await propose(bench)
    decision = {"hash": proposal["hash"]}
    for role, status in ((Role.VIEWER, 403), (Role.FORECASTER, 403), (Role.DUTY_OFFICER, 409)):
        answer = await bench.client.post(f"/api/v1/proposals/{proposal['id']}/approve", json=decision, headers=bench.api(role))
        assert answer.status_code == status
    refusal = decision | {"note": "改"}
    own = await bench.client.post(f"/api/v1/proposals/{proposal['id']}/refuse", json=refusal, headers=bench.api(Role.FORECASTER))
    assert own.json()["state"] == "refused"


async def test_what_changed_since_it_was_seen_is_not_released(bench: Bench) -> None:
    old = await propose(bench)
    name = old["topic"]
    await propose(bench, grade="orange", replaces=name)
    answer = await release(bench, old)
    assert answer.status_code == 409
    assert "look again" in answer.json()["detail"]
    assert "重新查看" in answer.json()["detail_zh"]


@pytest.mark.parametrize(
    ("wrong", "status", "said"),
    [
        ({"grade": "purple"}, 422, "grade"),
        ({"areas": []}, 422, "areas"),
        ({"hours": 100}, 422, "hours"),
        ({"areas": ["110000000000"]}, 409, "no village lies in"),
        ({"hazard": "locusts"}, 409, "there are policies for"),
        ({"surprise": 1}, 422, "surprise"),
    ],
)
async def test_a_draft_that_will_not_do_says_what_is_wrong(bench: Bench, wrong: dict[str, Any], status: int, said: str) -> None:
    answer = await bench.client.post("/api/v1/warnings", json=body(**wrong), headers=bench.api(Role.FORECASTER))
    assert answer.status_code == status
    assert said in answer.text


async def test_a_consultation_stands_with_its_proposal(bench: Bench) -> None:
    proposal = await propose(bench)
    line = {"kind": "took_part", "text": "水文站 陈工"}
    answer = await bench.client.post(f"/api/v1/proposals/{proposal['id']}/consultation", json=line, headers=bench.api(Role.DUTY_OFFICER))
    assert answer.status_code == 204
    found = (await bench.client.get(f"/api/v1/proposals/{proposal['id']}", headers=bench.api(Role.VIEWER))).json()
    assert [(c["kind"], c["person"], c["text"]) for c in found["consultation"]] == [("took_part", "duty_officer", "水文站 陈工")]


async def test_a_warning_is_lifted_by_a_proposal_and_retracted_at_once(bench: Bench) -> None:
    await release(bench, await propose(bench))
    listed = (await bench.client.get("/api/v1/warnings", headers=bench.api(Role.VIEWER))).json()["items"]
    warning = listed[0]["id"]
    reason = {"reason_zh": "误报", "reason_en": "False alarm"}
    some, path = reason | {"villages": VILLAGES[:1]}, f"/api/v1/warnings/{warning}"
    lifted = await bench.client.post(f"{path}/lift", json=some, headers=bench.api(Role.FORECASTER))
    assert (lifted.status_code, len(lifted.json()["proposals"])) == (202, 1)
    assert (await bench.client.post(f"{path}/retract", json=reason, headers=bench.api(Role.DUTY_OFFICER))).status_code == 403
    answer = await bench.client.post(f"/api/v1/warnings/{warning}/retract", json=reason, headers=bench.api(Role.RELEASING_OFFICER))
    assert answer.json()["villages"] == 3
    again = await bench.client.post(f"/api/v1/warnings/{warning}/retract", json=reason, headers=bench.api(Role.RELEASING_OFFICER))
    assert again.status_code == 409


# -------------------------------------------------------------------------------------------------- the pages


async def officer(bench: Bench, name: str = "zhou", role: Role = Role.RELEASING_OFFICER) -> None:
    await add_user(bench.store, name, role, PASSWORD, NOW)
    await bench.log_in(name)


async def test_an_officer_finds_what_waits_on_the_duty_room_looks_and_releases_without_scripts(bench: Bench) -> None:
    proposal = await propose(bench)
    await officer(bench)
    board = (await bench.client.get("/?lang=zh")).text
    assert "待签发" in board
    assert f'href="/proposals/{proposal["id"]}"' in board
    assert "(5:00)" in board
    page = (await bench.client.get(f"/proposals/{proposal['id']}")).text
    assert "上游溃口" in page
    assert page.count('type="checkbox" name="villages"') == 3
    form = {"csrf": csrf(page), "hash": proposal["hash"], "villages": VILLAGES[:2], "note": ""}
    answer = await bench.client.post(f"/proposals/{proposal['id']}/approve", data=form)
    assert answer.status_code == 303, answer.text
    after = await bench.client.get(answer.headers["location"])
    assert after.text.count('type="checkbox" name="villages"') == 1
    assert "已记录您的签发意见" in after.text


async def test_unticking_every_village_releases_nothing(bench: Bench) -> None:
    proposal = await propose(bench)
    await officer(bench)
    page = (await bench.client.get(f"/proposals/{proposal['id']}")).text
    answer = await bench.client.post(f"/proposals/{proposal['id']}/approve", data={"csrf": csrf(page), "hash": proposal["hash"]})
    assert answer.status_code == 409
    assert (await bench.client.get(f"/api/v1/proposals/{proposal['id']}", headers=bench.api(Role.VIEWER))).json()["state"] == "waiting"


async def test_a_form_from_elsewhere_releases_nothing(bench: Bench) -> None:
    proposal = await propose(bench)
    await officer(bench)
    for path in (f"/proposals/{proposal['id']}/approve", f"/proposals/{proposal['id']}/refuse", "/warnings/x/retract", "/propose"):
        data: dict[str, Any] = {"hash": proposal["hash"], "whole": "true", "csrf": "guess"} if "proposals" in path else {"csrf": "guess"}
        if path == "/propose":
            data = {k: v for k, v in body().items() if k != "areas"} | {"areas": " ".join(VILLAGES), "csrf": "guess"}
        assert (await bench.client.post(path, data=data)).status_code == 403, path


async def test_the_proposer_sees_that_somebody_else_must_release_it(bench: Bench) -> None:
    await officer(bench, "wu", Role.RELEASING_OFFICER)
    page = (await bench.client.get("/propose")).text
    answer = await bench.client.post("/propose", data=body(areas=" ".join(VILLAGES), csrf=csrf(page)))
    assert answer.status_code == 303, answer.text
    shown = (await bench.client.get(answer.headers["location"] + "?lang=en")).text
    assert "Somebody else must release it" in shown
    found = re.search(r'name="hash" value="([0-9a-f]+)"', shown)
    assert found
    refused = await bench.client.post(
        answer.headers["location"] + "/approve", data={"csrf": csrf(shown), "hash": found[1], "villages": VILLAGES}
    )
    assert refused.status_code == 409
    assert "does not release it himself" in unescape(refused.text)


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_every_control_has_a_name_for_screen_readers(bench: Bench, lang: str) -> None:
    proposal = await propose(bench)
    await officer(bench)
    for path in (f"/proposals/{proposal['id']}?lang={lang}", f"/propose?lang={lang}"):
        page = (await bench.client.get(path)).text
        for tag in re.findall(r"<(?:input|select)\b[^>]*>", page):
            if 'type="hidden"' in tag or "aria-label" in tag:
                continue
            before = page[: page.index(tag)]
            assert before.rfind("<label") > before.rfind("</label>"), tag
        assert "r." not in re.sub(r"<[^>]+>", " ", page).split(), "a word without a translation"


# ---------------------------------------------------------------------------------------------- the public feed


async def test_what_is_released_stands_in_the_public_feed_as_a_valid_message_in_both_languages(bench: Bench) -> None:
    await release(bench, await propose(bench))
    feed = await bench.client.get("/cap/feed.atom")
    assert (feed.status_code, feed.headers["content-type"]) == (200, "application/atom+xml")
    (address,) = set(re.findall(r'href="http://duty.example(/cap/[^"]+\.xml)"', feed.text))
    message = await bench.client.get(address)
    assert message.headers["content-type"].startswith("application/cap+xml")
    decoded = decode_cap(Item(message.content, "feed"))
    assert decoded.rejects == []
    (alert,) = decoded.alerts
    assert alert.remarks == ()
    assert (alert.status, alert.msg_type, alert.scope) == ("Actual", "Alert", "Public")
    assert [(i.language, i.severity, i.urgency) for i in alert.infos] == [("zh-CN", "Extreme", "Immediate"), ("en", "Extreme", "Immediate")]
    codes = {value for i in alert.infos for area in i.areas for _, value in area.geocodes}
    assert codes == set(VILLAGES) or codes == {AREA + "000"}
    assert all(i.expires and i.expires - alert.sent == timedelta(hours=6) for i in alert.infos)
    assert "releasing_officer" not in message.text


async def test_a_drill_never_reaches_the_feed(store: Store) -> None:
    bench = await make_bench(store, status=Status.EXERCISE)
    async with bench.client:
        await release(bench, await propose(bench))
        assert "<entry>" not in (await bench.client.get("/cap/feed.atom")).text
        async with store.read() as reader:
            (row,) = await reader.fetch("warnings.public_alerts", {
                "county": bench.context.county, "status": "Exercise", "now": 0, "limit": 9,
            })  # fmt: skip
        assert "<status>Exercise</status>" in row["cap"]
        assert (await bench.client.get(f"/cap/{row['identifier']}.xml")).status_code == 404


async def test_an_update_references_every_message_that_has_not_run_out_and_says_all_that_holds(bench: Bench) -> None:
    await release(bench, await propose(bench, grade="yellow"))
    bench.clock.advance(timedelta(minutes=1))
    await release(bench, await propose(bench, areas=VILLAGES[:1]))
    newest, first = [v.split('"')[0] for v in (await bench.client.get("/cap/feed.atom")).text.split('href="http://duty.example')[2:]]
    earlier = decode_cap(Item((await bench.client.get(first)).content, "feed")).alerts[0]
    alert = decode_cap(Item((await bench.client.get(newest)).content, "feed")).alerts[0]
    assert (alert.msg_type, alert.remarks) == ("Update", ())
    assert [(r.sender, r.identifier, r.sent) for r in alert.references] == [(earlier.sender, earlier.identifier, earlier.sent_text)]
    assert [i.severity for i in alert.infos] == ["Extreme", "Extreme", "Moderate", "Moderate"]


async def test_villages_without_any_data_are_shown_as_unknown(bench: Bench) -> None:
    context = replace(bench.context, unknown=lambda: {HAZARD: tuple(VILLAGES)})
    bench.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=create_app(context)), base_url="http://duty.example")
    async with bench.client:
        await officer(bench)
        page = (await bench.client.get("/?lang=zh")).text
        assert "3 个村没有任何监测数据" in page
        assert registry().name_of(VILLAGES[0], "zh") in page
        assert (await bench.client.get("/api/v1/unknown", headers=bench.api(Role.VIEWER))).json() == {HAZARD: VILLAGES}


async def test_before_release_costs_times_and_villages_that_nobody_would_hear_are_shown(bench: Bench) -> None:
    gateways = [Gateway(name="sms", channel="sms", price=0.05, rate=2.0)]
    house = bench.place.house

    async def ahead(hazard: str, said: Sequence[Announcement]) -> Preview:
        return preview(house, hazard, said, gateways, bench.clock.now())

    context = replace(bench.context, look_ahead=ahead)
    bench.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=create_app(context)), base_url="http://duty.example")
    async with bench.client:
        proposal = await propose(bench)
        (sms,) = [load for load in proposal["preview"]["channels"]["at_once"] if load["channel"] == "sms"]
        assert sms["units"] == proposal["preview"]["segments"]
        assert (sms["cost"], sms["seconds"]) == (round(sms["units"] * 0.05, 2), round(sms["units"] / 2.0, 1))
        await officer(bench)
        page = (await bench.client.get(f"/proposals/{proposal['id']}?lang=en")).text
        assert f"<td>{sms['cost']:.2f}</td>" in page
        assert "All steps, if nobody answers" in page


async def test_a_plot_is_put_into_a_consultation_from_the_page_and_by_the_api_and_seen_by_both(bench: Bench) -> None:
    panel = Panel(title="rain: r1h", points=((NOW, 61.5),), limits=((60.0, Grade.ORANGE),))

    def look(place: str, since: datetime, until: datetime) -> Picture:
        return Picture(title=place, begin=since, end=until, event=None, bands=(), panels=(panel,), zone=registry().county.timezone)

    proposal = (await propose(bench))["id"]
    path = f"/api/v1/proposals/{proposal}/plots"
    asked = {"place": "990121R11", "hours": 3}
    assert (await bench.client.post(path, json=asked, headers=bench.api(Role.FORECASTER))).status_code == 409, "nothing decides here"
    bench.context.releases = Releases(bench.place, lambda: None, look=look)
    assert (await bench.client.post(path, json=asked, headers=bench.api(Role.VIEWER))).status_code == 403
    made = await bench.client.post(path, json=asked, headers=bench.api(Role.FORECASTER))
    assert made.status_code == 201, made.text
    svg = await bench.client.get(f"{path}/{made.json()['plot']}", headers=bench.api(Role.VIEWER))
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert "r1h" in svg.text
    assert (await bench.client.get(f"{path}/nothing", headers=bench.api(Role.VIEWER))).status_code == 404
    await bench.log_in("li")
    page = await bench.client.get(f"/proposals/{proposal}?lang=en")
    assert "<svg" in page.text
    answer = await bench.client.post(f"/proposals/{proposal}/plots", data={"csrf": csrf(page.text), "place": "990121R12", "hours": "6"})
    assert answer.status_code == 303
    assert (await bench.client.get(f"/proposals/{proposal}?lang=en")).text.count("<svg") == 2
