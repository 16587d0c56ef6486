"""What is particular to robots of chat groups: proof in both directions, groups by village, what counts as an answer."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.channels import chat, chat_kinds
from dispatcher.clock import ManualClock
from dispatcher.deliveries.telling import message_of
from dispatcher.errors import ConfigurationError, PermanentFailure, TransientFailure
from dispatcher.model.answer import Path as By
from dispatcher.model.delivery import Delivery
from dispatcher.policy.model import Policy
from dispatcher.ports import DeliveryState, Heard, Hooked, HookRefused, HookRequest, World
from rules.grade import Grade
from simulators.ledger import Kind
from simulators.robot_signature import dingtalk_sign, feishu_sign, plain_sign
from tests.channels.chat_sides import MEMBER, PUBLIC, robot
from tests.channels.far_sides import message
from tests.dispatch.making import CONTACTS, SECRETARY, change, house, sample_policy
from tests.dispatch.running import Running, running
from tests.simulators.chats import ADDRESSES, CALLBACK_SECRET, StartRobots
from tests.store.far_sides import SqliteFile

NOWHERE = "http://127.0.0.1:1"
ASKS = "河口村立即转移！回复“1 4821”已收到。https://warn.example.org/a/4821.warden.1f.abc 防汛办"
NOW = datetime(2026, 7, 20, 8, tzinfo=UTC)


def called(kind: str, body: object, *, secret: str = CALLBACK_SECRET, at: datetime | None = None, hook: str = "answer") -> HookRequest:
    """A call of the platform, as the engine's web part hands it over."""
    raw = json.dumps(body, ensure_ascii=False).encode()
    seconds = (at or datetime.now(UTC)).timestamp()
    if kind == "dingtalk":
        stamp = str(int(seconds * 1000))
        headers = {"timestamp": stamp, "sign": dingtalk_sign(secret, stamp)}
    else:
        stamp = str(int(seconds))
        headers = {"Dispatcher-Timestamp": stamp, "Dispatcher-Signature": plain_sign(secret, stamp, raw)}
    return HookRequest(hook=hook, url=f"{PUBLIC}/hooks/chat/{hook}", headers=headers, form=(), body=raw)


def test_it_is_called_back() -> None:
    assert isinstance(robot("plain", NOWHERE), Hooked)


@pytest.mark.parametrize("kind", sorted(ADDRESSES))
async def test_the_group_reads_the_text_the_link_and_who_is_meant(start_robots: StartRobots, kind: str) -> None:
    robots = await start_robots()
    channel = robot(kind, robots.url)
    receipt = await channel.send(replace(message("d1", MEMBER), text=ASKS))
    (posted,) = robots.entries(Kind.CHAT_POSTED)
    assert receipt.state is DeliveryState.DELIVERED
    assert ASKS in posted.body
    assert posted.to == {"dingtalk": "7700900004", "wecom": "7700900004", "feishu": "", "plain": MEMBER}[kind]
    await channel.close()


@pytest.mark.parametrize(("kind", "code"), [("dingtalk", "310000"), ("feishu", "19021"), ("plain", "401")])
async def test_a_wrong_secret_is_refused_and_nobody_in_the_group_is_to_blame(start_robots: StartRobots, kind: str, code: str) -> None:
    robots = await start_robots()
    channel = robot(kind, robots.url, secret="another")
    with pytest.raises(TransientFailure) as refused:
        await channel.send(message("d1", MEMBER))
    assert (refused.value.code, robots.entries(Kind.CHAT_POSTED)) == (code, [])
    await channel.close()


@pytest.mark.parametrize(("kind", "code"), [("dingtalk", "130101"), ("wecom", "45009"), ("feishu", "11232")])
async def test_too_many_in_a_minute_is_a_transient_failure(start_robots: StartRobots, kind: str, code: str) -> None:
    robots = await start_robots("--per-minute", "1")
    channel = robot(kind, robots.url)
    await channel.send(message("d1", MEMBER))
    with pytest.raises(TransientFailure) as refused:
        await channel.send(message("d2", MEMBER))
    assert refused.value.code == code
    await channel.close()


async def test_a_text_that_the_platform_never_takes_is_a_permanent_failure(start_robots: StartRobots) -> None:
    robots = await start_robots()
    channel = robot("wecom", robots.url)
    with pytest.raises(PermanentFailure):
        await channel.send(replace(message("d1", MEMBER), text="长" * 700))
    await channel.close()


def test_a_message_goes_to_the_group_of_its_village() -> None:
    groups: list[dict[str, Any]] = [
        {"url_env": "URL_COUNTY"},
        {"url_env": "URL_TOWN", "areas": ["990121101"]},
        {"url_env": "URL_VILLAGE", "areas": ["990121101201", "990121102"]},
    ]
    settings = chat.ChatSettings.model_validate({"kind": "wecom", "groups": groups})
    channel = chat.connect(settings, World(clock=ManualClock(NOW), county="", public_url=""), {g["url_env"]: "http://x/" for g in groups})
    chosen = {village: channel._group_of(village) for village in ("990121101201", "990121101202", "990121103201")}
    assert {v: g.url_env if g else "" for v, g in chosen.items()} == {
        "990121101201": "URL_VILLAGE",
        "990121101202": "URL_TOWN",
        "990121103201": "URL_COUNTY",
    }


async def test_a_village_without_a_group_fails_for_good_so_that_the_next_channel_starts() -> None:
    channel = robot("plain", NOWHERE, groups=[{"url_env": "ROBOT_URL", "secret_env": "ROBOT_SECRET", "areas": ["11"]}])
    with pytest.raises(PermanentFailure, match="no group"):
        await channel.send(replace(message("d1", MEMBER), village="990121101201"))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("dingtalk", {"msgId": "m1", "senderStaffId": "staff-7", "text": {"content": " 收到 4821"}}),
        ("plain", {"id": "m1", "sender": "staff-7", "text": " 收到 4821", "answer": ""}),
    ],
)
def test_what_a_known_member_writes_to_the_robot_is_a_reply_of_his_number(kind: str, body: object) -> None:
    channel = robot(kind, NOWHERE, members={"staff-7": MEMBER})
    heard = channel.hear(called(kind, body))
    (reply,) = heard.replies
    assert (reply.channel, reply.address, reply.text.strip(), reply.reference, heard.once) == ("chat", MEMBER, "收到 4821", "m1", True)


@pytest.mark.parametrize(
    "body",
    [
        {"id": "m1", "sender": "a-stranger", "text": "收到"},
        {"id": "m1", "text": "收到"},
        {"id": "m1", "sender": "staff-7", "text": ""},
        {"id": "m1", "sender": ["staff-7"], "text": {"content": 1}},
        ["not", "an", "object"],
    ],
)
def test_what_a_stranger_writes_changes_nothing(body: object) -> None:
    assert robot("plain", NOWHERE, members={"staff-7": MEMBER}).hear(called("plain", body)).replies == ()


def forged() -> list[tuple[str, HookRequest]]:
    body = {"id": "m1", "sender": "staff-7", "text": "收到"}
    genuine = called("plain", body)
    return [
        ("another secret", called("plain", body, secret="forger")),
        ("no secret", called("plain", body, secret="")),
        ("another body", replace(genuine, body=genuine.body.replace("收到".encode(), "已转移".encode()))),
        ("old", called("plain", body, at=datetime.now(UTC) - timedelta(minutes=6))),
        ("not yet", called("plain", body, at=datetime.now(UTC) + timedelta(minutes=6))),
        ("no headers", replace(genuine, headers={})),
        ("no time", replace(genuine, headers=dict(genuine.headers) | {"Dispatcher-Timestamp": "yesterday"})),
        ("another hook", called("plain", body, hook="status")),
    ]


@pytest.mark.parametrize("name", [name for name, _ in forged()])
def test_a_forged_or_old_call_is_refused(name: str) -> None:
    request = dict(forged())[name]  # made now: a call has its time
    with pytest.raises(HookRefused):
        robot("plain", NOWHERE, members={"staff-7": MEMBER}).hear(request)


@pytest.mark.parametrize("kind", ["wecom", "feishu"])
def test_where_a_platform_cannot_call_us_nothing_is_let_in(kind: str) -> None:
    with pytest.raises(HookRefused):
        robot(kind, NOWHERE).hear(called("plain", {"id": "m1"}))


def test_without_a_secret_for_calls_nothing_is_let_in() -> None:
    channel = robot("plain", NOWHERE, callback_secret_env=None)
    with pytest.raises(HookRefused):
        channel.hear(called("plain", {"id": "m1"}, secret=""))


def test_a_call_that_is_genuine_and_not_json_says_nothing() -> None:
    at = str(int(datetime.now(UTC).timestamp()))
    headers = {"Dispatcher-Timestamp": at, "Dispatcher-Signature": plain_sign(CALLBACK_SECRET, at, b"{")}
    assert robot("plain", NOWHERE).hear(HookRequest(hook="answer", url=PUBLIC, headers=headers, form=(), body=b"{")) == Heard()


def test_signatures_agree_with_those_written_from_the_makers_words() -> None:
    table, at, secret = chat_kinds.load(None), "1600000000000", b"s3"
    ding, fei, plain = table["dingtalk"].signed, table["feishu"].signed, table["plain"].signed
    assert ding is not None
    assert fei is not None
    assert plain is not None
    assert ding.signature(at, secret, b"") == dingtalk_sign("s3", at)
    assert fei.signature(at, secret, b"") == feishu_sign("s3", at)
    assert plain.signature(at, secret, b"{secret}") == plain_sign("s3", at, b"{secret}")


def test_what_a_text_says_is_never_taken_for_a_field() -> None:
    assert chat_kinds.filled({"a": "{text} {link}", "b": "{n}"}, {"text": "{link}", "link": "x", "n": [1]}) == {"a": "{link} x", "b": [1]}


def test_missing_variables_and_unknown_kinds_are_named(tmp_path: Path) -> None:
    settings = chat.ChatSettings.model_validate({"kind": "dingtalk", "groups": [{"url_env": "U", "secret_env": "S"}]})
    place = World(clock=ManualClock(NOW), county="", public_url="")
    with pytest.raises(ConfigurationError, match=r"U is not set.*\n.*S is not set"):
        chat.connect(settings, place, {})
    with pytest.raises(ConfigurationError, match="allowed: dingtalk, feishu, plain, wecom"):
        chat.connect(settings.model_copy(update={"kind": "pigeon"}), place, {})
    table = tmp_path / "robots.yaml"
    table.write_text("pigeon: {asks: {}}\n", "utf-8")
    with pytest.raises(ConfigurationError, match=r"robots\.yaml.*informs"):
        chat_kinds.load(table)


# ------------------------------------------------------------------------------------------------ the engine


def chat_first() -> Policy:
    """The sample's policy with the group before texts for people."""
    policy = sample_policy()
    grades = {}
    for grade, plan in policy.grades.items():
        steps = tuple(replace(s, by=(("chat",), ("sms",)) if s.by == (("sms",),) else s.by) for s in plan.steps)
        grades[grade] = replace(plan, steps=steps)
    return replace(policy, grades=grades)


KEPT = house(contacts=[replace(c, channels=("chat", "sms")) for c in CONTACTS], policy=chat_first())


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(SqliteFile(tmp_path / "chat.db"), KEPT, chat=robot("plain", NOWHERE, members={"staff-7": SECRETARY})) as made:
        await made.change(change(Grade.RED))
        yield made


async def secretarys(engine: Running) -> Delivery:
    (delivery,) = [d for d in await engine.deliveries(SECRETARY) if d.channel == "chat" and not d.repeat]
    return delivery


async def test_the_group_is_told_what_a_text_would_say_with_code_and_link(engine: Running) -> None:
    delivery = await secretarys(engine)
    assert "https://dispatch.example/a/" in delivery.text
    assert delivery.fallbacks == (("sms",),)


async def test_a_button_answers_for_whom_it_was_shown_and_counts_once(engine: Running) -> None:
    delivery = await secretarys(engine)
    channel = engine.channels["chat"]
    assert isinstance(channel, chat.Chat)
    (pressed,) = [b["answer"] for b in channel._shown(message_of(delivery))["buttons"] if b["title"] == "正在转移"]
    for _ in range(2):
        assert await engine.desk.hear("chat", called("plain", {"id": "m1", "sender": "anybody", "answer": pressed})) == "{}"
    (given,) = await engine.answers()
    assert (given.action, given.path, given.person) == ("evacuating", By.CHAT, "secretary")
    forged = pressed.replace(".2.", ".3.")
    await engine.desk.hear("chat", called("plain", {"id": "m2", "sender": "anybody", "answer": forged}))
    assert len(await engine.answers()) == 1


async def test_a_word_in_the_group_answers_like_a_text_of_that_person(tmp_path: Path, start_robots: StartRobots) -> None:
    robots = await start_robots()
    start = datetime.now(UTC)
    channel = robot("plain", robots.url, members={"staff-7": SECRETARY})
    async with running(SqliteFile(tmp_path / "word.db"), KEPT, start, chat=channel) as engine:
        await engine.change(change(Grade.RED, at=start))
        await engine.send()
        assert (await secretarys(engine)).state is DeliveryState.DELIVERED
        assert SECRETARY in {entry.to for entry in robots.entries(Kind.CHAT_POSTED)}
        code = (await engine.notices())[0].code
        await engine.desk.hear("chat", called("plain", {"id": "m1", "sender": "staff-7", "text": f"已转移 35 人 {code}"}))
        (given,) = await engine.answers()
        assert (given.action, given.people, given.path, given.person) == ("evacuated", 35, By.CHAT, "secretary")
    await channel.close()


async def test_a_platform_that_is_away_lets_the_text_start(tmp_path: Path) -> None:
    start = datetime.now(UTC)
    groups = [{"url_env": "ROBOT_URL", "secret_env": "ROBOT_SECRET", "areas": ["11"]}]
    channel = robot("plain", NOWHERE, groups=groups)
    async with running(SqliteFile(tmp_path / "away.db"), KEPT, start, chat=channel) as engine:
        await engine.change(change(Grade.RED, at=start))
        await engine.send()
        assert engine.sms.told(SECRETARY)
