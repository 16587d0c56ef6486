from dataclasses import replace
from datetime import timedelta

from dispatcher.deliveries.settle import on_lost_lease
from dispatcher.errors import TransientFailure
from dispatcher.model.answer import Said
from dispatcher.model.notice import NoticeState, Purpose
from dispatcher.model.task import TaskKind
from dispatcher.ports import DeliveryState, Heard, Receipt
from dispatcher.rows import row_of
from rules.grade import Grade
from tests.dispatch.making import COUNTY_LEADER, DEPUTY, HEAD, SECRETARY, START, TOWNSHIP_LEADER, V1, V2, V3, WARDEN, change, minutes
from tests.dispatch.running import Running

SECOND = timedelta(seconds=1)
WARDEN3 = "+447700900043"


async def test_secretary_silent_head_refuses_warden_answers_so_the_township_leader_is_not_called(engine: Running) -> None:
    await engine.change(change(Grade.RED))
    await engine.send()
    assert {SECRETARY, HEAD, WARDEN} <= engine.sms.addresses()
    await engine.later(minutes(1))
    await engine.reply(HEAD, "拒绝转移")
    assert (await engine.notice(V1)).state is NoticeState.CALLING, "a refusal is no answer"
    assert {t.kind for t in await engine.tasks() if t.village == V1} == {TaskKind.REFUSED}
    await engine.later(minutes(1))
    await engine.reply(WARDEN, "收到")
    assert (await engine.notice(V1)).state is NoticeState.ANSWERED
    await engine.later(minutes(10))
    assert DEPUTY not in engine.sms.addresses()
    about_v1 = [d for d in await engine.deliveries(TOWNSHIP_LEADER) if d.village == V1]
    assert about_v1 == []
    assert len(engine.sms.told(SECRETARY)) == 1, "nobody of an answered village is called again"


async def test_a_silent_village_is_called_up_to_the_county_with_a_task_and_only_that_village(engine: Running) -> None:
    await engine.change(change(Grade.RED))
    await engine.send()
    await engine.reply("+447700900033", "1")
    await engine.later(minutes(5))
    assert {DEPUTY, TOWNSHIP_LEADER} <= engine.sms.addresses()
    await engine.later(minutes(5))
    assert {d.village for d in await engine.deliveries(COUNTY_LEADER)} == {V1}
    assert {t.village for t in await engine.tasks() if t.kind is TaskKind.OVERDUE} == {V1}


async def test_people_who_were_told_to_answer_are_told_again_at_the_pace_of_the_plan(engine: Running) -> None:
    await engine.change(change(Grade.RED))
    await engine.send()
    for _ in range(20):
        await engine.later(SECOND * 60)
    texts = engine.sms.told(WARDEN)
    assert len(texts) == 4
    assert len({d.id for d in await engine.deliveries(WARDEN)}) == 4


async def test_an_answer_to_the_first_action_leaves_the_steps_of_the_next_ones(engine: Running) -> None:
    await engine.change(change(Grade.RED))
    await engine.send()
    await engine.reply(WARDEN, "收到")
    await engine.later(minutes(16))
    assert [d.village for d in await engine.deliveries(TOWNSHIP_LEADER) if d.village == V1] == [V1]
    await engine.reply(WARDEN, "3 " + (await engine.notice(V1)).code + " 120")
    assert (await engine.notice(V1)).state is NoticeState.DONE
    assert (await engine.notice(V1)).next_due is None


async def test_a_lift_goes_to_exactly_those_who_were_told(engine: Running) -> None:
    await engine.change(change(Grade.BLUE, "G1"))
    await engine.later(SECOND * 10)
    told = {(d.village, d.channel, d.address) for d in await engine.deliveries() if d.channel != "duty_room"}
    assert told == {(V1, "sms", WARDEN), (V2, "sms", "+447700900033")}
    await engine.change(change(Grade.NONE, "G1", before=Grade.BLUE, step=1))
    await engine.later(SECOND * 10)
    lifts = {n.id for n in await engine.notices() if n.purpose is Purpose.LIFT}
    after = [d for d in await engine.deliveries() if d.notice in lifts and d.channel != "duty_room"]
    assert {(d.village, d.channel, d.address) for d in after} == told
    assert all(d.state is DeliveryState.ACCEPTED for d in after)
    assert all("解除" in text for text in engine.sms.told(WARDEN)[1:])


async def test_a_lowering_tells_all_that_were_told_on_the_way_up_and_asks_nothing(engine: Running) -> None:
    await engine.change(change(Grade.RED, "G3"))
    await engine.send()
    await engine.later(minutes(5))
    told = engine.sms.addresses()
    await engine.change(change(Grade.YELLOW, "G3", before=Grade.RED, step=1))
    await engine.later(SECOND * 10)
    lowered = await engine.notice(V3)
    assert lowered.purpose is Purpose.LOWER
    assert lowered.code == ""
    sent = [d for d in await engine.deliveries() if d.notice == lowered.id]
    assert {d.address for d in sent if d.channel == "sms"} == told
    await engine.later(minutes(60))
    assert [d for d in await engine.deliveries() if d.notice == lowered.id] == await _again(engine, lowered.id), "no timers run"


async def _again(engine: Running, notice: str) -> object:
    return [d for d in await engine.deliveries() if d.notice == notice]


AWAY = TransientFailure("503", "the gateway is away")


async def test_a_lowering_is_also_told_to_whom_the_warning_before_it_has_not_reached_yet(engine: Running) -> None:
    engine.sms.troubles[WARDEN] = [AWAY]
    await engine.change(change(Grade.RED))
    await engine.send()
    assert engine.sms.told(WARDEN) == []
    assert engine.sms.addresses(), "others of the village have heard"
    await engine.change(change(Grade.YELLOW, before=Grade.RED, step=1))
    await engine.later(minutes(3))
    assert (await engine.notice(V1)).purpose is Purpose.LOWER
    assert [("降为" in text) for text in engine.sms.told(WARDEN)] == [True]


async def test_a_village_that_nothing_had_reached_is_warned_of_the_grade_that_is_left_and_must_answer(engine: Running) -> None:
    await engine.change(change(Grade.RED, "G3"))
    await engine.change(change(Grade.YELLOW, "G3", before=Grade.RED, step=1))
    await engine.later(SECOND * 10)
    notice = await engine.notice(V3)
    assert (notice.purpose, notice.state, notice.before) == (Purpose.WARN, NoticeState.CALLING, Grade.NONE)
    assert engine.sms.told(WARDEN3)
    assert [notice.code in text for text in engine.sms.told(WARDEN3)] == [True], engine.sms.told(WARDEN3)
    assert notice.next_due is not None


async def test_what_a_broker_has_accepted_may_still_come_through_so_its_speaker_is_told_of_the_lift(engine: Running) -> None:
    await engine.change(change(Grade.RED))
    await engine.send()
    accepted = [d for d in await engine.deliveries() if d.channel == "loudspeaker" and d.village == V1]
    assert accepted
    assert {d.state for d in accepted} == {DeliveryState.ACCEPTED}
    async with engine.store.write() as tx:  # no report came in time: it is to be said again
        await tx.run_many("deliveries.settle", [row_of(on_lost_lease(d, engine.clock.now())) for d in accepted])
    await engine.change(change(Grade.NONE, before=Grade.RED, step=1))
    await engine.later(SECOND * 10)
    lift = await engine.notice(V1)
    assert {d.address for d in await engine.deliveries() if d.notice == lift.id} >= {d.address for d in accepted}


async def test_what_was_planned_for_an_older_grade_is_never_sent(engine: Running) -> None:
    await engine.change(change(Grade.BLUE, "G3"))
    await engine.later(SECOND * 10, send=False)
    await engine.change(change(Grade.RED, "G3", before=Grade.BLUE, step=1))
    await engine.send()
    assert all("立即转移" in m.text for m in engine.sms.arrived)
    states = {d.grade: d.state for d in await engine.deliveries("+447700900043")}
    assert states == {Grade.BLUE: DeliveryState.SUPERSEDED, Grade.RED: DeliveryState.ACCEPTED}


async def test_nobody_who_was_never_told_is_told_of_a_lift(engine: Running) -> None:
    await engine.change(change(Grade.BLUE, "G3"))
    await engine.later(SECOND * 10, send=False)
    await engine.change(change(Grade.NONE, "G3", before=Grade.BLUE, step=1))
    await engine.later(SECOND * 10)
    assert engine.sms.arrived == []


async def test_an_address_that_fails_for_good_is_a_task_and_a_reopened_one_when_it_fails_again(engine: Running) -> None:
    await engine.change(change(Grade.RED, "G3"))
    await engine.send()
    (first,) = [d for d in await engine.deliveries("+447700900043") if d.repeat == 0]
    failed = Receipt(delivery=first.id, state=DeliveryState.UNDELIVERED, code="30005")
    await engine.desk.take(Heard(receipts=(failed, failed)))
    (task,) = [t for t in await engine.tasks() if t.kind is TaskKind.UNREACHABLE]
    assert "30005" in task.text_zh
    seq = next(row["seq"] for row in await engine.rows("desk.open_tasks", limit=10) if row["key"] == task.key)
    assert await engine.desk.close_task(seq, "chen", "test")
    assert not await engine.desk.close_task(seq, "chen", "test"), "closed already"
    await engine.later(minutes(3))
    (second,) = [d for d in await engine.deliveries("+447700900043") if d.repeat == 1]
    await engine.desk.take(Heard(receipts=(replace(failed, delivery=second.id),)))
    assert task.key in {t.key for t in await engine.tasks()}


async def test_the_same_change_applied_again_tells_nobody_twice(engine: Running) -> None:
    red = change(Grade.RED, at=START)
    await engine.change(red)
    await engine.send()
    before = len(engine.sms.arrived)
    await engine.change(red)
    await engine.send()
    assert len(engine.sms.arrived) == before


async def test_a_help_that_comes_again_after_its_task_was_closed_opens_it_again(engine: Running) -> None:
    await engine.change(change(Grade.RED, "G3"))
    await engine.send()
    for _ in range(2):
        await engine.reply("+447700900043", "求助，水进屋了")
        (row,) = [r for r in await engine.rows("desk.open_tasks", limit=10) if r["kind"] == TaskKind.HELP]
        await engine.desk.close_task(row["seq"], "chen", "test")
    assert [a.action for a in await engine.answers()] == [Said.HELP, Said.HELP]
