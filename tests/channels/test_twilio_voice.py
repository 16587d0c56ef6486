"""What is particular to calls: what is said, the key, the machine; and the engine behind it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from adapters.channels.twilio_voice import TwilioVoice
from dispatcher.model.answer import Path as By
from dispatcher.model.answer import Said
from dispatcher.model.delivery import Delivery
from dispatcher.policy.model import Policy
from dispatcher.ports import DeliveryState, Hooked, HookRefused, HookRequest, Reconciling, Scripted
from rules.grade import Grade
from simulators import signature
from simulators.ledger import Kind
from tests.channels.far_sides import message, telephone, voice_side
from tests.dispatch.making import CONTACTS, SECRETARY, change, house, sample_policy
from tests.dispatch.running import Running, running
from tests.simulators.towns import PHONE, TOKEN, Hooks, StartTown
from tests.store.far_sides import SqliteFile

PUBLIC = "https://warn.example.org"
NOWHERE = "http://127.0.0.1:1"


def called(hook: str, delivery: str, token: str = TOKEN, **fields: str) -> HookRequest:
    form = tuple({"CallSid": "CA1", **fields}.items())
    url = f"{PUBLIC}/hooks/voice/{hook}?d={delivery}"
    return HookRequest(hook=hook, url=url, headers={"X-Twilio-Signature": signature.signature(token, url, form)}, form=form)


def channel(**more: object) -> TwilioVoice:
    return telephone(NOWHERE, PUBLIC, **more)


def test_it_is_called_back_asks_what_to_say_and_can_be_asked() -> None:
    assert isinstance(channel(), Hooked)
    assert isinstance(channel(), Scripted)
    assert isinstance(channel(), Reconciling)


@pytest.mark.parametrize(
    ("fields", "state", "code"),
    [
        pytest.param({"CallStatus": "in-progress"}, DeliveryState.SENT, "", id="somebody-picked-up"),
        pytest.param({"CallStatus": "completed", "AnsweredBy": "human"}, DeliveryState.DELIVERED, "", id="a-person"),
        pytest.param({"CallStatus": "completed", "AnsweredBy": "unknown"}, DeliveryState.DELIVERED, "", id="perhaps-a-person"),
        pytest.param({"CallStatus": "completed", "AnsweredBy": "machine_end_beep"}, DeliveryState.UNDELIVERED, "machine", id="a-machine"),
        pytest.param({"CallStatus": "completed", "AnsweredBy": "fax"}, DeliveryState.UNDELIVERED, "machine", id="a-fax"),
        pytest.param({"CallStatus": "no-answer"}, DeliveryState.UNDELIVERED, "no-answer", id="nobody"),
        pytest.param({"CallStatus": "busy"}, DeliveryState.UNDELIVERED, "busy", id="busy"),
        pytest.param({"CallStatus": "failed"}, DeliveryState.UNDELIVERED, "failed", id="not-put-through"),
    ],
)
def test_how_a_call_went_becomes_a_receipt_under_our_id(fields: dict[str, str], state: DeliveryState, code: str) -> None:
    (receipt,) = channel().hear(called("status", "d1", **fields)).receipts
    assert (receipt.delivery, receipt.reference, receipt.state, receipt.code) == ("d1", "CA1", state, code)


def test_a_machine_is_told_nothing_and_its_beeps_are_no_key() -> None:
    heard = channel().hear(called("script", "d1", CallStatus="in-progress", AnsweredBy="machine_start"))
    assert (heard.script, "<Say" in heard.body, "<Hangup/>" in heard.body) == ("", False, True)
    assert channel().hear(called("key", "d1", Digits="1", AnsweredBy="machine_start")).replies == ()


@pytest.mark.parametrize("key", ["1", "2", "3", "9"])
def test_a_key_is_a_reply_to_that_delivery(key: str) -> None:
    heard = channel().hear(called("key", "d1", Digits=key, To="+447700900011"))
    (reply,) = heard.replies
    assert (reply.channel, reply.delivery, reply.text, reply.address) == ("voice", "d1", key, "+447700900011")
    assert "<Say" in heard.body


def test_a_key_that_means_nothing_is_asked_for_again() -> None:
    heard = channel().hear(called("key", "d1", Digits="7"))
    assert (heard.replies, heard.script) == ((), "d1")


def test_what_is_said_is_the_text_in_its_language_and_a_key_is_waited_for() -> None:
    root = ET.fromstring(channel().script(replace(message("d/1", "+447700900011"), text="转移 <快> & 走")))  # noqa: S314 - our own
    gather = root.find("Gather")
    assert gather is not None
    assert [say.text for say in gather.iter("Say")] == ["转移 <快> & 走"] * 2
    assert {say.get("language") for say in gather.iter("Say")} == {"zh-CN"}
    assert gather.get("action") == f"{PUBLIC}/hooks/voice/key?d=d/1&l=zh"


def test_a_forged_key_is_refused() -> None:
    with pytest.raises(HookRefused):
        channel().hear(called("key", "d1", token="forger", Digits="1"))


@pytest.mark.parametrize(("who", "kind", "state"), [("off", "by", "machine_start"), ("refuses", "by", "human")])
async def test_who_picks_up_in_the_town(start_town: StartTown, hooks: Hooks, who: str, kind: str, state: str) -> None:
    async with voice_side(start_town, hooks) as side:
        await side.voice.send(message("d1", PHONE[who]))
        (heard,) = await side.town.wait_for(Kind.CALL_ANSWERED)
        await side.town.wait_for(Kind.CALL_ENDED)
        assert heard.more[kind] == state
        assert bool(heard.body) == (who != "off")
        assert side.town.entries(Kind.CALL_KEY) == []


# ------------------------------------------------------------------------------------------------ the engine


def voice_first() -> Policy:
    """The sample's policy with calls before texts for people."""
    policy = sample_policy()
    grades = {}
    for grade, plan in policy.grades.items():
        steps = tuple(replace(s, by=(("voice",), ("sms",)) if s.by == (("sms",),) else s.by) for s in plan.steps)
        grades[grade] = replace(plan, steps=steps)
    return replace(policy, grades=grades)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Running]:
    kept = house(contacts=[replace(c, channels=("voice", "sms")) for c in CONTACTS], policy=voice_first())
    channels: dict[str, Any] = {"voice": channel()}
    async with running(SqliteFile(tmp_path / "voice.db"), kept, **channels) as made:
        await made.change(change(Grade.RED))
        yield made


async def secretarys(engine: Running, by: str = "voice") -> Delivery:
    (delivery,) = [d for d in await engine.deliveries(SECRETARY) if d.channel == by and not d.repeat]
    return delivery


async def test_who_picks_up_hears_the_warning_without_code_or_link(engine: Running) -> None:
    delivery = await secretarys(engine)
    script = await engine.desk.hear("voice", called("script", delivery.id, CallStatus="in-progress", AnsweredBy="human"))
    assert "立即转移到小学" in script
    assert "请按1" in script
    assert "http" not in delivery.text


async def test_a_key_answers_for_the_village_at_once(engine: Running) -> None:
    delivery = await secretarys(engine)
    body = await engine.desk.hear("voice", called("key", delivery.id, Digits="2", To=SECRETARY))
    (given,) = await engine.answers()
    assert (given.action, given.path, given.person, given.notice) == (Said.EVACUATING, By.VOICE, "secretary", delivery.notice)
    assert "已记录" in body


async def test_a_machine_has_not_heard_it_and_the_text_starts_at_once(engine: Running) -> None:
    delivery = await secretarys(engine)
    await engine.desk.hear("voice", called("status", delivery.id, CallStatus="completed", AnsweredBy="machine_start"))
    assert (await secretarys(engine)).state is DeliveryState.UNDELIVERED
    assert (await secretarys(engine, "sms")).state is DeliveryState.PLANNED
    assert await engine.answers() == []


async def test_a_key_to_an_older_warning_answers_nothing_and_is_a_task(engine: Running) -> None:
    old = await secretarys(engine)
    await engine.change(change(Grade.NONE, before=Grade.RED, step=1))
    await engine.later(engine.house.coalesce, send=False)
    await engine.desk.hear("voice", called("key", old.id, Digits="1", To=SECRETARY))
    assert await engine.answers() == []
    assert any("older notice" in task.text_en for task in await engine.tasks())


async def test_a_call_for_a_delivery_that_is_not_ours_hears_nothing(engine: Running) -> None:
    assert await engine.desk.hear("voice", called("script", "never-was", CallStatus="in-progress")) == ""
