import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.types import Message

from dispatcher.accounts import Role
from dispatcher.errors import Overloaded
from dispatcher.model.reject import Decoded, Reject, RejectCode
from dispatcher.ports import Kind
from dispatcher.web.application import create_app
from rules.reading import Reading
from tests.web.bench import Bench

FIRST = "flash-flood/990121101000/20260720-1/990121101201/1"
REJECT = Reject(
    code=RejectCode.UNKNOWN_STATION,
    message="item 2: station 'x' is unknown",
    subject="http",
    index=2,
    line=0,
    excerpt=b'{"station":"x"}',
    sha256="0",
    size_bytes=2,
)
READING = Reading("990121R11", "rain", 1.2, 1_784_500_000)


async def test_good_readings_are_accepted_and_the_bad_one_beside_them_is_named(bench: Bench) -> None:
    bench.intake.result = Decoded([READING], [REJECT])
    answer = await bench.client.post("/api/v1/readings", content=b"[{},{}]", headers=bench.api(Role.FORECASTER))
    assert answer.status_code == 202
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 1)
    assert answer.json()["rejects"][0]["message"] == REJECT.message
    assert bench.intake.bodies[0][:2] == (b"[{},{}]", Kind.READINGS)


async def test_a_body_without_anything_good_gets_a_problem_that_names_each_item(bench: Bench) -> None:
    bench.intake.result = Decoded([], [REJECT])
    answer = await bench.client.post("/api/v1/readings", content=b"[{}]", headers=bench.api(Role.FORECASTER))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["rejects"][0]["item"] == 2


async def test_too_much_waiting_asks_to_come_back(bench: Bench) -> None:
    bench.intake.error = Overloaded("256 requests are waiting already")
    answer = await bench.client.post("/api/v1/readings", content=b"[]", headers=bench.api(Role.FORECASTER))
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("announced", [True, False], ids=["length announced", "in chunks"])
async def test_a_body_of_ten_megabytes_is_refused_and_recorded(bench: Bench, *, announced: bool) -> None:
    body = b'[{"station":"x"' + b" " * 10_000_000

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    content = body if announced else chunks()
    answer = await bench.client.post("/api/v1/readings", content=content, headers=bench.api(Role.FORECASTER))
    assert answer.status_code == 413
    assert "1048576" in answer.json()["detail"]
    assert not bench.intake.bodies
    rejects = (await bench.client.get("/api/v1/rejects", headers=bench.api(Role.VIEWER))).json()["items"]
    assert rejects[0]["code"] == "too_large"
    assert rejects[0]["excerpt"].startswith('[{"station":"x"')


async def test_a_body_that_breaks_off_is_neither_used_nor_an_error_of_ours(bench: Bench) -> None:
    comes: Iterator[Message] = iter([{"type": "http.request", "body": b'[{"station":"x"', "more_body": True}, {"type": "http.disconnect"}])
    said: list[Message] = []

    async def receive() -> Message:
        return next(comes)

    async def send(message: Message) -> None:
        said.append(message)

    head = [(name.lower().encode(), value.encode()) for name, value in bench.api(Role.FORECASTER).items()]
    scope = {"type": "http", "method": "POST", "path": "/api/v1/readings", "query_string": b"", "headers": head, "http_version": "1.1"}
    await create_app(bench.context)(scope, receive, send)
    assert not bench.intake.bodies
    assert not said


async def test_a_gzip_body_is_unpacked_in_all_its_members(bench: Bench) -> None:
    body = gzip.compress(b"[{},") + gzip.compress(b"{}]")
    headers = bench.api(Role.FORECASTER) | {"Content-Encoding": "gzip"}
    answer = await bench.client.post("/api/v1/readings", content=body, headers=headers)
    assert answer.status_code == 202
    assert bench.intake.bodies[0][0] == b"[{},{}]"


@pytest.mark.parametrize("announced", [True, False], ids=["length announced", "in chunks"])
async def test_a_small_gzip_body_that_becomes_large_is_unpacked_no_further_than_its_limit(bench: Bench, *, announced: bool) -> None:
    body = gzip.compress(b'[{"station":"x"' + b" " * 200_000_000)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]

    headers = bench.api(Role.FORECASTER) | {"Content-Encoding": "gzip"}
    tracemalloc.start()
    try:
        answer = await bench.client.post("/api/v1/readings", content=body if announced else chunks(), headers=headers)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.status_code == 413
    assert most < 20_000_000
    rejects = (await bench.client.get("/api/v1/rejects", headers=bench.api(Role.VIEWER))).json()["items"]
    assert rejects[0]["excerpt"].startswith('[{"station":"x"')


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        pytest.param("gzip", b"[{}]", 400, id="no gzip"),
        pytest.param("gzip", gzip.compress(b"[{}]" * 1000)[:-9], 400, id="cut off"),
        pytest.param("gzip", b"", 400, id="nothing"),
        pytest.param("br", b"x", 415, id="another encoding"),
    ],
)
async def test_a_body_that_cannot_be_unpacked_is_a_problem_and_nothing_is_taken_in(
    bench: Bench, encoding: str, body: bytes, status: int
) -> None:
    answer = await bench.client.post("/api/v1/readings", content=body, headers=bench.api(Role.FORECASTER) | {"Content-Encoding": encoding})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert not bench.intake.bodies


@pytest.mark.parametrize("key", ["x" * 201, "a\tb"], ids=["too long", "a tab"])
async def test_a_key_that_cannot_be_is_refused(bench: Bench, key: str) -> None:
    headers = bench.api(Role.FORECASTER) | {"Idempotency-Key": key}
    assert (await bench.client.post("/api/v1/readings", content=b"[{}]", headers=headers)).status_code == 400


async def test_lists_are_paged_from_the_newest_with_the_countys_times(bench: Bench) -> None:
    viewer = bench.api(Role.VIEWER)
    first = (await bench.client.get("/api/v1/notices?limit=10", headers=viewer)).json()
    second = (await bench.client.get(f"/api/v1/notices?limit=10&before={first['next']}", headers=viewer)).json()
    assert (len(first["items"]), len(second["items"]), second["next"]) == (10, 3, None)
    assert first["items"][0]["released_at"].endswith("+08:00")
    assert first["items"][0]["grade"] == "blue"


async def test_a_warning_comes_with_its_villages_and_alerts(bench: Bench) -> None:
    listed = (await bench.client.get("/api/v1/warnings", headers=bench.api(Role.VIEWER))).json()["items"]
    found = (await bench.client.get(f"/api/v1/warnings/{listed[-1]['id']}", headers=bench.api(Role.VIEWER))).json()
    assert len(found["villages"]) == 7
    assert found["alert_list"][0]["message_type"] == "Alert"


async def test_numbers_are_whole_for_officers_only(bench: Bench) -> None:
    path = f"/api/v1/notices/{FIRST}/deliveries"
    masked = (await bench.client.get(path, headers=bench.api(Role.FORECASTER))).json()["items"]
    whole = (await bench.client.get(path, headers=bench.api(Role.DUTY_OFFICER))).json()["items"]
    assert "+447700900" not in json.dumps(masked)
    assert whole[0]["address"].startswith("+447700900")


async def test_an_answer_on_behalf_names_the_officer_and_how_he_learnt_it(bench: Bench) -> None:
    body = {"action": "evacuated", "people": 35, "heard_by": "radio", "heard_from": "the warden", "note": "all safe"}
    answer = await bench.client.post(f"/api/v1/notices/{FIRST}/answers", json=body, headers=bench.api(Role.DUTY_OFFICER))
    assert answer.status_code == 204
    async with bench.store.read() as reader:
        row = (await reader.fetch("desk.answers_of", {"notices": json.dumps([FIRST])}))[0]
    assert (row["on_behalf_by"], row["people"], row["note"]) == ("duty_officer", 35, "by radio from the warden; all safe")


@pytest.mark.parametrize(
    ("body", "status", "names"),
    [
        pytest.param({"action": "dance"}, 422, "action", id="unknown action"),
        pytest.param({"action": "received", "people": -1}, 422, "people", id="negative people"),
        pytest.param({"action": "received", "person": "ghost"}, 422, "ghost", id="unknown contact"),
        pytest.param({"action": "received", "colour": "red"}, 422, "colour", id="unknown field"),
    ],
)
async def test_a_bad_answer_is_refused_with_the_field_named(bench: Bench, body: dict[str, object], status: int, names: str) -> None:
    answer = await bench.client.post(f"/api/v1/notices/{FIRST}/answers", json=body, headers=bench.api(Role.DUTY_OFFICER))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert names in answer.json()["detail"]


async def test_an_answer_for_a_notice_that_asks_nothing_is_a_conflict(bench: Bench) -> None:
    async with bench.store.write() as tx:
        await tx.run("notices.set_state", {"id": FIRST, "state": "superseded", "next_due": None})
    answer = await bench.client.post(f"/api/v1/notices/{FIRST}/answers", json={"action": "received"}, headers=bench.api(Role.DUTY_OFFICER))
    assert answer.status_code == 409
    missing = await bench.client.post("/api/v1/notices/a/b/1/answers", json={"action": "received"}, headers=bench.api(Role.DUTY_OFFICER))
    assert missing.status_code == 404


async def test_a_task_is_closed_once(bench: Bench) -> None:
    officer = bench.api(Role.DUTY_OFFICER)
    seq = (await bench.client.get("/api/v1/tasks", headers=officer)).json()["items"][0]["seq"]
    assert (await bench.client.post(f"/api/v1/tasks/{seq}/close", headers=officer)).status_code == 204
    assert (await bench.client.post(f"/api/v1/tasks/{seq}/close", headers=officer)).status_code == 404


async def test_the_feed_is_read_on_from_a_number(bench: Bench) -> None:
    feed = (await bench.client.get("/api/v1/feed?after=5", headers=bench.api(Role.VIEWER))).json()["items"]
    assert [line["seq"] for line in feed] == [6, 7, 8]


async def test_the_openapi_document_describes_the_bulk_addresses(bench: Bench) -> None:
    document = (await bench.client.get("/api/openapi.json", headers=bench.api(Role.VIEWER))).json()
    assert "application/x-ndjson" in document["paths"]["/api/v1/readings"]["post"]["requestBody"]["content"]
    assert {"/api/v1/forecasts", "/api/v1/events", "/api/v1/tasks/{seq}/close"} <= document["paths"].keys()
    assert "/login" not in document["paths"]


async def test_readiness_names_each_problem(bench: Bench) -> None:
    bench.context.health.set("sms", "the gateway refuses our password")
    answer = await bench.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["problems"] == ["sms: the gateway refuses our password"]


async def test_rejects_that_have_their_bytes_can_be_asked_for_again_and_that_is_audited(bench: Bench) -> None:
    row = {"county": bench.context.county, "source": "mqtt", "subject": "t", "at": 1, "code": "unknown_station", "reason": "why", "item": 1}
    row |= {"excerpt": b"{}", "sha256": "", "size": 2, "part": 0}
    async with bench.store.write() as tx:
        await tx.run_many("rejects.add", [{**row, "journal_seq": 3}, {**row, "journal_seq": 0}])
    listed = (await bench.client.get("/api/v1/rejects", headers=bench.api(Role.VIEWER))).json()["items"]
    wanted = {"seqs": [item["seq"] for item in listed[:2]]}
    assert (await bench.client.post("/api/v1/rejects/refeed", json=wanted, headers=bench.api(Role.VIEWER))).status_code == 403
    assert (await bench.client.post("/api/v1/rejects/refeed", json={"seqs": []}, headers=bench.api(Role.FORECASTER))).status_code == 422
    answer = await bench.client.post("/api/v1/rejects/refeed", json=wanted, headers=bench.api(Role.FORECASTER))
    assert (answer.status_code, answer.json()) == (202, {"asked": 1})
    async with bench.store.read() as reader:
        assert len(await reader.fetch("rejects.asked", {"limit": 9})) == 1
        assert [r["act"] for r in await reader.fetch("desk.audit", {"after": 0, "limit": 999})][-1] == "refeed"
