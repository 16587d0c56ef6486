"""Looking ahead through the API."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from dispatcher.accounts import Role
from dispatcher.calls.preview import Announcement, Preview, preview
from dispatcher.deliveries.gateways import Gateway
from tests.policy.test_stages import STAGES
from tests.web.bench import Bench

ASKED = {"hazard": "flash-flood", "grade": "red", "areas": ["990121000000"], "reason_zh": "雨量大"}


def ahead(bench: Bench, gateways: Sequence[Gateway]) -> Callable[[str, Sequence[Announcement]], Awaitable[Preview]]:
    async def look(hazard: str, said: Sequence[Announcement]) -> Preview:
        return preview(bench.place.house, hazard, said, gateways, bench.clock.now())

    return look


async def test_a_forecaster_sees_recipients_segments_cost_and_time(bench: Bench) -> None:
    gateways = [Gateway(name="sms", channel="sms", rate=10, price=0.1)]
    bench.context.look_ahead = ahead(bench, gateways)
    answer = await bench.client.post("/api/v1/preview", json=ASKED, headers=bench.api(Role.FORECASTER))
    assert answer.status_code == 200, answer.text
    sms = next(load for load in answer.json()["at_once"] if load["channel"] == "sms")
    assert sms["recipients"] > 0
    assert sms["cost"] > 0
    assert sms["seconds"] > 0


async def test_who_may_only_look_may_not_ask_and_mistakes_are_named(bench: Bench) -> None:
    bench.context.look_ahead = ahead(bench, [])
    assert (await bench.client.post("/api/v1/preview", json=ASKED, headers=bench.api(Role.VIEWER))).status_code == 403
    unknown = await bench.client.post("/api/v1/preview", json=ASKED | {"areas": ["110000000000"]}, headers=bench.api(Role.FORECASTER))
    assert unknown.status_code == 422
    assert "110000000000" in unknown.json()["detail"]
    hazard = await bench.client.post("/api/v1/preview", json=ASKED | {"hazard": "meteor"}, headers=bench.api(Role.FORECASTER))
    assert "flash-flood" in hazard.json()["detail"]


async def test_when_it_is_expected_chooses_the_stage(bench: Bench) -> None:
    bench.place.house = replace(bench.place.house, stages=STAGES)
    bench.context.look_ahead = ahead(bench, [])
    people = {}
    for hours in (10, 1):
        answer = await bench.client.post("/api/v1/preview", json=ASKED | {"in_hours": hours}, headers=bench.api(Role.FORECASTER))
        assert answer.status_code == 200, answer.text
        people[tuple(answer.json()["stages"])] = sum(load["recipients"] for load in answer.json()["at_most"])
    assert people[("outlook",)] < people[("imminent",)]
