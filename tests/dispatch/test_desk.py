import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from dispatcher.answers.links import Link, sign_link
from dispatcher.answers.recording import check_asked
from dispatcher.answers.understanding import understand
from dispatcher.errors import LinkRefused, NotAsked
from dispatcher.model.answer import Path as Way
from dispatcher.model.answer import Said
from dispatcher.model.notice import NoticeState
from dispatcher.model.task import TaskKind
from dispatcher.policy.model import AnsweredBy, Policy, Quorum
from dispatcher.ports import DeliveryState, Heard, Receipt, Reply
from dispatcher.testing.stores import FarSide
from rules.grade import Grade
from tests.dispatch.making import (
    CONTACTS,
    HEAD,
    SECRET,
    SECRETARY,
    START,
    V1,
    V2,
    V3,
    WARDEN,
    change,
    contact,
    house,
    minutes,
    notice,
    sample_policy,
)
from tests.dispatch.running import PATIENCE_S, Running, running

WARDEN3 = "+447700900043"
SECOND = timedelta(seconds=1)


async def red(engine: Running, *gauges: str) -> None:
    await engine.change(*(change(Grade.RED, gauge) for gauge in gauges or ("G1",)))
    await engine.send()


async def kinds(engine: Running) -> list[TaskKind]:
    return [t.kind for t in await engine.tasks() if t.kind is not TaskKind.GAP]


def asking(kind: Quorum, count: int = 1) -> Policy:
    policy = sample_policy()
    by = AnsweredBy(kind=kind, count=count)
    return replace(policy, grades={g: replace(plan, answered_by=by) for g, plan in policy.grades.items()})


async def test_a_reply_is_durable_when_take_returns_and_counts_for_the_notice(engine: Running) -> None:
    await red(engine)
    code = (await engine.notice(V1)).code
    await engine.reply(WARDEN, f"3 {code} 35")
    (said,) = await engine.answers()
    assert (said.action, said.people, said.person, said.path, said.village) == (Said.EVACUATED, 35, "warden", Way.SMS, V1)
    assert (await engine.notice(V1)).state is NoticeState.DONE


async def test_a_bare_word_answers_all_that_was_accepted_for_that_number_and_nothing_else(place: FarSide) -> None:
    both = [*CONTACTS, contact("warden-of-three", "village.warden", V3, WARDEN)]
    async with running(place, house(contacts=both)) as engine:
        await red(engine, "G1")
        await engine.change(change(Grade.RED, "G3"))  # planned, but not yet accepted by the gateway
        await engine.reply(WARDEN, "收到")
        assert (await engine.notice(V1)).state is NoticeState.ANSWERED
        assert (await engine.notice(V3)).state is NoticeState.CALLING
        assert (await engine.notice(V2)).state is NoticeState.CALLING
        await engine.send()
        await engine.reply(WARDEN, "收到")
        assert (await engine.notice(V3)).state is NoticeState.ANSWERED


async def test_a_code_answers_one_of_several_notices(place: FarSide) -> None:
    both = [*CONTACTS, contact("warden-of-three", "village.warden", V3, WARDEN)]
    async with running(place, house(contacts=both)) as engine:
        await red(engine, "G1", "G3")
        await engine.reply(WARDEN, "1 " + (await engine.notice(V3)).code)
        assert (await engine.notice(V3)).state is NoticeState.ANSWERED
        assert (await engine.notice(V1)).state is NoticeState.CALLING


async def test_an_unknown_number_changes_nothing(engine: Running) -> None:
    await red(engine)
    before = await engine.tasks()
    await engine.reply("+447700900999", "1 " + (await engine.notice(V1)).code)
    assert await engine.answers() == []
    assert await engine.tasks() == before


async def test_a_known_person_who_was_not_asked_answers_nothing_with_a_bare_word(engine: Running) -> None:
    await red(engine, "G1")
    await engine.reply(WARDEN3, "收到")
    assert await engine.answers() == []
    assert await kinds(engine) == [TaskKind.UNCLEAR_REPLY]


async def test_the_code_of_an_older_revision_does_not_count_for_the_newer_notice_and_a_person_looks(engine: Running) -> None:
    await engine.change(change(Grade.ORANGE, "G3"))
    await engine.later(SECOND * 10)
    old = (await engine.notice(V3)).code
    await engine.change(change(Grade.RED, "G3", before=Grade.ORANGE, step=1))
    await engine.send()
    await engine.reply(WARDEN3, f"1 {old}")
    assert (await engine.notice(V3)).state is NoticeState.CALLING
    assert await engine.answers() == []
    (task,) = [t for t in await engine.tasks() if t.kind is TaskKind.UNCLEAR_REPLY]
    assert "旧通知" in task.text_zh
    assert "older notice" in task.text_en
    await engine.reply(WARDEN3, "1 " + (await engine.notice(V3)).code)
    assert (await engine.notice(V3)).state is NoticeState.ANSWERED


async def test_help_is_a_task_at_once_even_with_an_old_code_or_after_all_was_done(engine: Running) -> None:
    await engine.change(change(Grade.ORANGE, "G3"))
    await engine.later(SECOND * 10)
    old = (await engine.notice(V3)).code
    await engine.change(change(Grade.RED, "G3", before=Grade.ORANGE, step=1))
    await engine.send()
    await engine.reply(WARDEN3, f"9 {old}")
    assert await kinds(engine) == [TaskKind.HELP]
    await engine.reply(WARDEN3, "全部转移")
    assert (await engine.notice(V3)).state is NoticeState.DONE
    await engine.reply(WARDEN3, "求助")
    assert await kinds(engine) == [TaskKind.HELP, TaskKind.HELP]
    assert (await engine.notice(V3)).state is NoticeState.DONE


async def test_help_and_refusal_are_tasks_in_both_languages(engine: Running) -> None:
    await red(engine)
    await engine.reply(WARDEN, "救命")
    await engine.reply(HEAD, "cannot go")
    tasks = [t for t in await engine.tasks() if t.kind in (TaskKind.HELP, TaskKind.REFUSED)]
    assert {t.kind for t in tasks} == {TaskKind.HELP, TaskKind.REFUSED}
    assert all(t.text_zh and t.text_en and t.village == V1 for t in tasks)


@pytest.mark.parametrize("text", ["有人受伤", "？？？", "", "\ud800"], ids=["words", "marks", "empty", "half-a-character"])
async def test_unclear_text_is_a_task_and_never_dropped(engine: Running, text: str) -> None:
    await red(engine)
    readable = text.encode("utf-8", "replace").decode()
    await engine.reply(WARDEN, readable)
    assert await kinds(engine) == [TaskKind.UNCLEAR_REPLY]
    assert understand(text) is None


async def test_two_unclear_replies_of_one_person_at_one_moment_are_two_tasks(engine: Running) -> None:
    await red(engine)
    said = [Reply(channel="sms", address=WARDEN, text=text) for text in ("水很大", "桥断了")]
    await engine.desk.take(Heard(replies=tuple(said)))
    assert await kinds(engine) == [TaskKind.UNCLEAR_REPLY] * 2


async def test_opting_out_is_a_task_and_no_answer(engine: Running) -> None:
    await red(engine)
    await engine.reply(WARDEN, "STOP")
    assert await kinds(engine) == [TaskKind.OPTED_OUT]
    assert await engine.answers() == []


async def test_a_quorum_of_two_needs_two_people(place: FarSide) -> None:
    async with running(place, house(policy=asking(Quorum.SOME, 2))) as engine:
        await red(engine)
        await engine.reply(WARDEN, "收到")
        await engine.reply(WARDEN, "收到")
        assert (await engine.notice(V1)).state is NoticeState.CALLING
        await engine.reply(SECRETARY, "收到")
        assert (await engine.notice(V1)).state is NoticeState.ANSWERED


async def test_all_needs_everyone_who_was_asked_and_an_answer_on_behalf_counts(place: FarSide) -> None:
    async with running(place, house(policy=asking(Quorum.ALL))) as engine:
        await red(engine)
        for phone in (WARDEN, SECRETARY):
            await engine.reply(phone, "收到")
        asked = await engine.notice(V1)
        assert asked.state is NoticeState.CALLING
        await engine.desk.answer(
            asked.id, action=Said.RECEIVED, path=Way.DUTY_ROOM, person="head", on_behalf_by="chen", note="by telephone"
        )
        assert (await engine.notice(V1)).state is NoticeState.ANSWERED


async def test_a_link_answers_for_its_own_notice_and_person_until_a_newer_notice_comes(engine: Running) -> None:
    await engine.change(change(Grade.ORANGE, "G3"))
    await engine.later(SECOND * 10)
    old = await engine.notice(V3)
    token = sign_link(SECRET, Link(old.code, "warden3"), old.expires_at)
    meant, person = await engine.desk.open_link(token)
    await engine.desk.answer(meant.id, action=Said.RECEIVED, path=Way.LINK, person=person)
    assert [(a.person, a.path) for a in await engine.answers()] == [("warden3", Way.LINK)]
    await engine.change(change(Grade.RED, "G3", before=Grade.ORANGE, step=1))
    with pytest.raises(NotAsked, match="newer"):
        await engine.desk.answer(meant.id, action=Said.EVACUATED, path=Way.LINK, person=person)
    assert (await engine.notice(V3)).state is NoticeState.CALLING
    engine.clock.advance(minutes(60 * 24))
    with pytest.raises(LinkRefused):
        await engine.desk.open_link(token)


async def test_a_link_holds_as_long_as_its_notice_is_renewed_and_no_longer(engine: Running) -> None:
    await red(engine)
    told = await engine.notice(V1)
    token = sign_link(SECRET, Link(told.code, "warden"), told.expires_at)
    for _ in range(9):
        await engine.later(minutes(60))
    assert (await engine.notice(V1)).expires_at > engine.clock.now() > told.expires_at, "the warning was renewed"
    meant, person = await engine.desk.open_link(token)
    assert (meant.id, person) == (told.id, "warden")
    await engine.change(change(Grade.NONE, "G1", before=Grade.RED, step=1))
    await engine.later(minutes(1))
    await engine.later(minutes(60 * 24))
    with pytest.raises(LinkRefused) as refused:
        await engine.desk.open_link(token)
    assert refused.value.expired


async def test_an_old_link_does_not_open_a_later_notice_that_has_its_code(engine: Running) -> None:
    await red(engine)
    told = await engine.notice(V1)
    before = sign_link(SECRET, Link(told.code, "warden"), told.released_at - minutes(5))
    with pytest.raises(LinkRefused):
        await engine.desk.open_link(before)


async def test_an_answer_to_no_notice_is_refused_and_leaves_nothing(engine: Running) -> None:
    with pytest.raises(NotAsked):
        await engine.desk.answer("nothing", action=Said.RECEIVED, path=Way.LINK, person="warden")
    with pytest.raises(NotAsked, match="only informs"):
        check_asked(notice(Grade.BLUE, before=Grade.RED))
    assert await engine.rows("desk.audit", after=0, limit=9) == []


async def test_receipts_in_any_order_leave_the_best_state_and_all_are_kept(engine: Running) -> None:
    await red(engine, "G3")
    (delivery,) = await engine.deliveries(WARDEN3)
    states = (DeliveryState.DELIVERED, DeliveryState.SENT, DeliveryState.ACCEPTED, DeliveryState.DELIVERED)
    strange = Receipt(delivery="never-ours", state=DeliveryState.DELIVERED)
    await engine.desk.take(Heard(receipts=(strange, *(Receipt(delivery=delivery.id, state=s) for s in states))))
    (after,) = await engine.deliveries(WARDEN3)
    assert after.state is DeliveryState.DELIVERED
    assert after.reference == delivery.reference
    assert (await engine.notice(V3)).state is NoticeState.CALLING, "a receipt is not an answer"


async def test_what_came_in_is_kept_although_the_store_failed_first(engine: Running) -> None:
    await red(engine)
    engine.store.plan = [0, 3]
    await engine.reply(WARDEN, "收到")
    assert [a.action for a in await engine.answers()] == [Said.RECEIVED]


async def test_one_that_cannot_be_taken_does_not_take_the_others_with_it(engine: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    await red(engine)
    taking = engine.desk._taking
    whole = taking._take_reply

    async def failing(tx: object, reply: Reply, now: object) -> None:
        if reply.text == "boom":
            raise ZeroDivisionError
        await whole(tx, reply, now)  # type: ignore[arg-type]

    monkeypatch.setattr(taking, "_take_reply", failing)
    with pytest.raises(ZeroDivisionError):
        await engine.reply(WARDEN, "boom")
    await engine.reply(WARDEN, "收到")
    assert (await engine.notice(V1)).state is NoticeState.ANSWERED


async def test_an_answer_before_the_message_was_accepted_is_no_answer_to_it(engine: Running) -> None:
    await engine.change(change(Grade.RED, "G3", at=START))
    await engine.reply(WARDEN3, "收到")
    assert (await engine.notice(V3)).state is NoticeState.CALLING


@dataclass
class Talking:
    """A far side that says all of this at once, and notes when it has said it."""

    reports: Sequence[Heard]
    name: str = "loudspeaker"
    said: asyncio.Event = field(default_factory=asyncio.Event)

    async def heard(self) -> AsyncIterator[Heard]:
        for report in self.reports:
            yield report
        self.said.set()
        await asyncio.Event().wait()


async def test_reports_over_one_connection_do_not_wait_for_each_other_and_all_are_taken(engine: Running) -> None:
    await red(engine, "G3")
    (one,) = await engine.deliveries(WARDEN3)
    states = (DeliveryState.SENT, DeliveryState.UNDELIVERED, DeliveryState.DELIVERED, DeliveryState.SENT)
    talking = Talking([Heard(receipts=(Receipt(delivery=one.id, state=state),)) for state in states])
    async with engine.store.store.write():  # nothing can be kept while this is open
        listening = asyncio.create_task(engine.desk.listen(talking))
        await asyncio.wait_for(talking.said.wait(), PATIENCE_S)
    async with asyncio.timeout(PATIENCE_S):
        while (await engine.deliveries(WARDEN3))[0].state is not DeliveryState.DELIVERED:  # noqa: ASYNC110 - the state is in the store
            await asyncio.sleep(0.002)
    listening.cancel()
