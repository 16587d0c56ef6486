"""Whatever is sent to the engine: what is good is used, what is bad is refused with a reason, what is forged changes nothing."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from dispatcher.answers.links import Link, sign_link
from tests.integration.installation import IN_ITS_BED_M, OVER_THE_BANK_M, Installation, body, reading
from tests.integration.programs import Programs, Running, count, rows

READINGS = "/api/v1/readings"


@dataclass(frozen=True)
class Served:
    """A running engine and two tokens for it."""

    installed: Installation
    engine: Running
    gauge: dict[str, str]
    officer: dict[str, str]

    def post(self, content: bytes, **headers: str) -> httpx.Response:
        return httpx.post(self.installed.url + READINGS, content=content, headers=self.gauge | headers, timeout=30)

    def good(self) -> float:
        return self.installed.metrics().get('dispatcher_readings_total{source="http"}', 0)

    def refused(self) -> float:
        found = self.installed.metrics().items()
        return sum(value for name, value in found if name.startswith("dispatcher_rejects_total{") and 'source="http"' in name)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One engine for all of these: bad input must not disturb it."""
    programs = Programs(tmp_path_factory.mktemp("served"))
    installed = Installation(programs)
    gauge, officer = installed.token(), installed.token("duty_officer")
    installed.start_town()
    yield Served(installed, installed.start(), gauge, officer)
    programs.end()


def spoilt(**other: object) -> bytes:
    return body(reading(IN_ITS_BED_M, **other))


BAD = [
    pytest.param(spoilt(station="990121X99"), "990121X99", id="unknown station"),
    pytest.param(spoilt(unit="furlong"), "furlong", id="bad unit"),
    pytest.param(spoilt(time="yesterday"), "yesterday", id="bad time"),
    pytest.param(spoilt(time="2026-11-22T08:00:00"), "2026-11-22T08:00:00", id="time without offset"),
    pytest.param(spoilt(note="?").replace(b"?", b"\xff\xfe"), "UTF-8", id="invalid UTF-8"),
    pytest.param(spoilt()[:-20] + b"\n", "JSON", id="truncated JSON"),
]


@pytest.mark.parametrize(("bad", "named"), BAD)
def test_a_bad_reading_is_refused_with_its_reason_and_the_good_one_beside_it_is_used(served: Served, bad: bytes, named: str) -> None:
    good, refused = served.good(), served.refused()
    answer = served.post(body(reading(IN_ITS_BED_M)) + bad)
    assert answer.status_code == 202
    told = answer.json()
    assert (told["accepted"], told["rejected"]) == (1, 1)
    assert named in json.dumps(told["rejects"], ensure_ascii=False)
    assert (served.good(), served.refused()) == (good + 1, refused + 1)
    listed = httpx.get(served.installed.url + "/api/v1/rejects", params={"limit": 1}, headers=served.officer).json()["items"][0]
    assert listed["reason"] == told["rejects"][0]["message"]
    assert listed["source"] == "http"


@pytest.mark.parametrize(("bad", "named"), BAD)
def test_a_body_with_nothing_good_is_refused_as_a_whole_with_a_problem_document(served: Served, bad: bytes, named: str) -> None:
    answer = served.post(bad)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert named in answer.text


@pytest.mark.parametrize("announced", [True, False], ids=["with its length", "in pieces"])
def test_ten_megabytes_are_refused_and_recorded_and_the_next_reading_is_used(served: Served, announced: bool) -> None:  # noqa: FBT001
    refused = served.refused()
    pieces = (b" " * 65_536 for _ in range(160))
    try:
        answer = httpx.post(
            served.installed.url + READINGS,
            content=b" " * (10 << 20) if announced else pieces,
            headers=served.gauge,
            timeout=30,
        )
    except httpx.TransportError:
        pass  # the door was shut while we still pushed
    else:
        assert answer.status_code == 413
        assert "larger than" in answer.json()["detail"]
    served.engine.until(lambda: served.refused() == refused + 1, "the refusal among the figures")
    newest = rows(served.installed.database, "SELECT code, reason FROM rejects ORDER BY seq DESC LIMIT 1")[0]
    assert newest["code"] == "too_large"
    assert served.post(body(reading(IN_ITS_BED_M))).status_code == 202


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", READINGS),
        ("GET", "/api/v1/warnings"),
        ("GET", "/api/v1/rejects"),
        ("GET", "/api/v1/events"),
        ("POST", "/api/v1/tasks/1/close"),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic ZHV0eTp3cm9uZw=="}])
def test_whoever_does_not_say_who_he_is_gets_nothing(served: Served, method: str, path: str, headers: dict[str, str]) -> None:
    before = count(served.installed.database, "journal")
    answer = httpx.request(method, served.installed.url + path, content=body(reading()) if method == "POST" else None, headers=headers)
    assert answer.status_code == 401
    assert count(served.installed.database, "journal", "kind = 'batch'") <= before


def test_a_token_does_not_do_what_its_role_may_not(served: Served) -> None:
    answer = httpx.post(served.installed.url + "/api/v1/tasks/1/close", headers=served.gauge)
    assert answer.status_code == 403
    assert "duty_officer" in answer.json()["detail"]


@pytest.fixture(scope="module")
def warned(served: Served) -> Served:
    """The river is over its bank and the village has been told."""
    assert served.post(body(reading(OVER_THE_BANK_M))).status_code == 202
    served.installed.until_settled(served.engine, 5)
    return served


def test_a_forged_call_of_the_gateway_changes_nothing(warned: Served) -> None:
    database = warned.installed.database
    asked = "SELECT d.id, d.address, n.code FROM deliveries d JOIN notices n ON n.id = d.notice WHERE d.channel = 'sms' LIMIT 1"
    delivery, address, code = rows(database, asked)[0]
    status = {"MessageSid": "SM" + "0" * 32, "MessageStatus": "failed", "ErrorCode": "30003"}
    reply = {"From": address, "To": "+447700900999", "Body": f"3 {code} 4242", "MessageSid": "SM" + "1" * 32}
    for headers in ({}, {"X-Twilio-Signature": "Zm9yZ2VkIGZvcmdlZCBmb3JnZWQ="}):
        for path, form in ((f"/hooks/sms/status?d={delivery}", status), ("/hooks/sms/inbound", reply)):
            assert httpx.post(warned.installed.url + path, data=form, headers=headers).status_code == 403
    assert httpx.post(warned.installed.url + "/hooks/nobody/status", data=status).status_code == 404
    assert count(database, "answers", "people = 4242") == 0
    assert count(database, "receipts", "code = '30003'") == 0
    assert count(database, "deliveries", "code = '30003'") == 0


def link_of(served: Served) -> str:
    text = rows(served.installed.database, "SELECT text FROM deliveries WHERE channel = 'sms' AND text LIKE '%/a/%' LIMIT 1")[0]["text"]
    found = re.search(r"/a/([\w.\-]+)", text)
    assert found
    return found[1]


def test_an_altered_or_expired_answer_link_is_refused_and_the_true_one_is_not(warned: Served) -> None:
    url, token = warned.installed.url, link_of(warned)
    code, rest = token.split(".", 1)
    expired = sign_link(_secret(warned.installed.folder), Link(code, rest.rsplit(".", 2)[0]), datetime.now(UTC) - timedelta(hours=1))
    altered = (
        f"{'1' if code[0] != '1' else '2'}{code[1:]}.{rest}",
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token[:-4],
        "x",
        "%00",
    )
    answers = "path = 'link'"
    before = count(warned.installed.database, "answers", answers)
    for wrong, status in (*((one, 403) for one in altered), (expired, 410)):
        assert httpx.get(f"{url}/a/{wrong}").status_code == status, wrong
        assert httpx.post(f"{url}/a/{wrong}", data={"action": "received"}).status_code == status, wrong
    assert count(warned.installed.database, "answers", answers) == before

    assert httpx.get(f"{url}/a/{token}").status_code == 200
    assert httpx.post(f"{url}/a/{token}", data={"action": "received"}).status_code == 303
    assert count(warned.installed.database, "answers", answers) > before


def _secret(folder: Path) -> bytes:
    return (folder / "var" / "secret").read_bytes().strip()


def test_rejects_can_be_read_on_the_command_line_when_the_engine_is_down(programs: Programs) -> None:
    installed = Installation(programs)
    token = installed.token()
    engine = installed.start()
    mixed = body(reading(IN_ITS_BED_M), reading(unit="furlong"), reading(station="990121X99"), reading(IN_ITS_BED_M, time="soon"))
    answer = httpx.post(installed.url + READINGS, content=mixed, headers=token)
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 3)

    busy = programs.run("db", "rejects", "-c", str(installed.config))
    assert busy.code == 3
    assert f"in use by process {engine.process.pid}" in busy.err
    engine.kill()

    ran = programs.run("db", "rejects", "-c", str(installed.config), "--json")
    assert ran.code == 0
    listed = [json.loads(line) for line in ran.out.splitlines()]
    assert len(listed) == 3
    assert any("furlong" in one["reason"] for one in listed)
    assert any("990121X99" in one["reason"] for one in listed)
    whole = programs.run("db", "verify", "-c", str(installed.config))
    assert (whole.code, whole.out.strip()) == (0, "whole")
