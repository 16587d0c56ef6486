import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from msgspec.structs import replace

from dispatcher.deliveries.sender import Sender
from dispatcher.deliveries.settle import LEASE, PATIENCE
from dispatcher.errors import PermanentFailure, TransientFailure, UnknownOutcome
from dispatcher.model.delivery import Delivery
from dispatcher.model.task import TaskKind
from dispatcher.ports import DeliveryState, Heard, Message, Receipt
from dispatcher.rows import row_of
from dispatcher.testing.stores import FarSide
from rules.grade import Grade
from tests.dispatch.making import START, V3, change, notice
from tests.dispatch.running import PATIENCE_S, Askable, Ledger, Running, running

WARDEN3 = "+447700900043"
SECOND = timedelta(seconds=1)
TIMEOUT = UnknownOutcome("timeout", "no answer")


async def red_at_v3(engine: Running) -> None:
    await engine.change(change(Grade.RED, "G3"))


async def only(engine: Running, address: str = WARDEN3) -> Delivery:
    (delivery,) = [d for d in await engine.deliveries(address) if not d.repeat]
    return delivery


async def finish(sender: Sender, claimed: Sequence[Delivery]) -> None:
    """Let a sender end what it has in hand."""
    for delivery in claimed:
        await sender._send(delivery)
    outcomes = [sender._outcomes.get_nowait() for _ in claimed]
    await sender._write([o for o in outcomes if o is not None])


async def test_what_is_planned_is_sent_once_and_its_reference_kept(engine: Running) -> None:
    await red_at_v3(engine)
    await engine.send()
    await engine.send()
    delivery = await only(engine)
    assert [m.delivery for m in engine.sms.arrived if m.address == WARDEN3] == [delivery.id]
    assert (delivery.state, delivery.attempts, delivery.possible_duplicate) == (DeliveryState.ACCEPTED, 1, False)
    assert delivery.reference.startswith("ref-")


async def test_an_unknown_outcome_is_asked_about_and_not_sent_again_when_it_had_arrived(place: FarSide) -> None:
    sms = Askable(late={WARDEN3: [TIMEOUT]})
    async with running(place, sms=sms) as engine:
        await red_at_v3(engine)
        await engine.send()
        assert (await only(engine)).state is DeliveryState.UNKNOWN
        await engine.later(SECOND * 10)
        delivery = await only(engine)
        assert sms.asked == [delivery.id]
        assert len(sms.told(WARDEN3)) == 1
        assert (delivery.state, delivery.reference) == (DeliveryState.SENT, "found")


async def test_an_unknown_outcome_that_had_not_arrived_is_sent_again_and_marked(place: FarSide) -> None:
    sms = Askable(troubles={WARDEN3: [TIMEOUT]})
    async with running(place, sms=sms) as engine:
        await red_at_v3(engine)
        await engine.send()
        await engine.later(SECOND * 10)
        delivery = await only(engine)
        assert sms.asked == [delivery.id]
        assert [m.delivery for m in sms.arrived if m.address == WARDEN3] == [delivery.id]
        assert (delivery.state, delivery.possible_duplicate, delivery.attempts) == (DeliveryState.ACCEPTED, True, 2)


async def test_where_nobody_can_be_asked_it_is_said_twice_under_the_same_id(engine: Running) -> None:
    engine.sms.late[WARDEN3] = [TIMEOUT]
    await red_at_v3(engine)
    await engine.send()
    await engine.later(SECOND * 10)
    ids = [m.delivery for m in engine.sms.arrived if m.address == WARDEN3]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert (await only(engine)).possible_duplicate


async def test_a_transient_failure_is_tried_again_and_is_no_duplicate(engine: Running) -> None:
    engine.sms.troubles[WARDEN3] = [TransientFailure("503", "busy")]
    await red_at_v3(engine)
    await engine.send()
    assert engine.sms.told(WARDEN3) == []
    await engine.later(SECOND * 10)
    assert len(engine.sms.told(WARDEN3)) == 1
    assert not (await only(engine)).possible_duplicate


async def test_a_permanent_failure_is_a_task_at_once(engine: Running) -> None:
    engine.sms.troubles[WARDEN3] = [PermanentFailure("21614", "not a mobile number")]
    await red_at_v3(engine)
    await engine.send()
    assert (await only(engine)).state is DeliveryState.FAILED
    assert any(t.kind is TaskKind.UNREACHABLE and "21614" in t.text_en for t in await engine.tasks())


async def test_a_channel_that_is_not_there_and_one_that_breaks_are_said_and_hold_up_nobody(engine: Running) -> None:
    del engine.channels["loudspeaker"]
    engine.sms.troubles["+447700900013"] = [ZeroDivisionError()]
    await engine.change(change(Grade.RED))
    await engine.send()
    assert (await only(engine, "spk-1")).code == "no_channel"
    assert (await only(engine, "+447700900013")).state is DeliveryState.UNKNOWN
    assert "channel_fault" in [line for line, _ in engine.log.lines]
    assert len(engine.sms.addresses()) == 4


async def test_what_was_in_hand_when_a_newer_notice_came_and_failed_is_not_said_after_it(engine: Running) -> None:
    await engine.change(change(Grade.BLUE, "G3"))
    await engine.later(SECOND * 10, send=False)
    sender = Sender(engine.place, engine.channels)
    claimed = await sender._claim()
    await engine.change(change(Grade.RED, "G3", before=Grade.BLUE, step=1))
    engine.sms.troubles[WARDEN3] = [TransientFailure("503", "busy")]
    await finish(sender, claimed)
    await engine.later(SECOND * 10)
    assert all("立即转移" in text for text in engine.sms.told(WARDEN3))
    assert {d.grade: d.state for d in await engine.deliveries(WARDEN3)}[Grade.BLUE] is DeliveryState.SUPERSEDED


async def test_who_may_have_been_told_is_told_of_the_lift(engine: Running) -> None:
    engine.sms.late[WARDEN3] = [TIMEOUT]
    await engine.change(change(Grade.BLUE, "G3"))
    await engine.later(SECOND * 10)
    assert (await only(engine)).state is DeliveryState.UNKNOWN
    await engine.change(change(Grade.YELLOW, "G3", before=Grade.BLUE, step=1))
    await engine.later(SECOND * 10, send=False)
    await engine.change(change(Grade.NONE, "G3", before=Grade.YELLOW, step=2))
    await engine.later(SECOND * 10)
    assert [("解除" in text) for text in engine.sms.told(WARDEN3)] == [False, True]


async def test_a_lift_does_not_overtake_what_is_still_being_said(engine: Running) -> None:
    await engine.change(change(Grade.BLUE, "G3"))
    await engine.later(SECOND * 10, send=False)
    sender = Sender(engine.place, engine.channels)
    claimed = await sender._claim()
    await engine.change(change(Grade.NONE, "G3", before=Grade.BLUE, step=1))
    await engine.later(SECOND * 10, send=False)
    assert [d for d in await sender._claim() if d.address == WARDEN3] == [], "the lift waits"
    await finish(sender, claimed)
    await engine.send()
    assert [("解除" in text) for text in engine.sms.told(WARDEN3)] == [False, True]


async def test_what_has_expired_is_dropped_with_a_record(engine: Running) -> None:
    await red_at_v3(engine)
    delivery = await only(engine)
    engine.clock.advance(delivery.expires_at - START)
    await engine.send()
    assert engine.sms.arrived == []
    assert ((await only(engine)).state, (await only(engine)).code) == (DeliveryState.EXPIRED, "expired")


# --------------------------------------------------------------------------------------------- crowds and crashes


async def crowd(engine: Running, count: int) -> None:
    """A red message, and so many blue ones that have waited longer."""
    await red_at_v3(engine)
    blue = notice(Grade.BLUE, village=V3)
    one = replace(await only(engine), notice=blue.id, grade=Grade.BLUE, text="blue", due=START - SECOND)
    many = [replace(one, id=f"blue-{n}", address=f"line-{n}") for n in range(count)]
    async with engine.store.write() as tx:
        await tx.run("notices.add", row_of(blue))
        await tx.run_many("deliveries.add", [row_of(d) for d in many])


async def test_red_is_sent_before_a_thousand_blue(engine: Running) -> None:
    await crowd(engine, 1000)
    await engine.send(at_once=20)
    assert len(engine.sms.arrived) == 1001
    assert [m.grade for m in engine.sms.arrived].index(Grade.RED) == 0


async def test_red_is_taken_by_itself_and_the_lower_grades_when_it_is_under_way(engine: Running) -> None:
    await crowd(engine, 30)
    sender = Sender(engine.place, engine.channels, 20)
    assert {d.grade for d in await sender._claim()} == {Grade.RED}
    assert {d.grade for d in await sender._claim()} == {Grade.BLUE}


async def test_a_long_queue_of_one_channel_does_not_keep_another_of_the_same_grade_waiting(engine: Running) -> None:
    await red_at_v3(engine)
    one = replace(await only(engine), channel="loudspeaker", due=START - SECOND)
    async with engine.store.write() as tx:
        await tx.run_many("deliveries.add", [row_of(replace(one, id=f"s-{n}", address=f"speaker-{n}")) for n in range(100)])
    claimed = await Sender(engine.place, engine.channels, 20)._claim()
    assert {d.channel for d in claimed} == {"loudspeaker", "sms"}


@dataclass
class Slow(Ledger):
    """Takes its time for lower grades."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    red: asyncio.Event = field(default_factory=asyncio.Event)
    in_hand: int = 0

    async def send(self, message: Message) -> Receipt:
        if message.grade is Grade.RED:
            self.red.set()
        else:
            self.in_hand += 1
            await self.gate.wait()
        return await super().send(message)


async def test_lower_grades_that_hang_leave_room_for_red(place: FarSide) -> None:
    sms = Slow()
    async with running(place, sms=sms) as engine:
        await crowd(engine, 40)
        later = replace(await only(engine), due=START + SECOND * 60)
        async with engine.store.write() as tx:
            await tx.run("deliveries.settle", row_of(later))
        sender = Sender(engine.place, engine.channels, 16)
        run = asyncio.create_task(sender.run())
        async with asyncio.timeout(PATIENCE_S):
            while not sms.in_hand:  # noqa: ASYNC110 - until the first ones hang
                await asyncio.sleep(0.002)
            engine.clock.advance(SECOND * 60)
            sender.wake()
            await sms.red.wait()
            sms.gate.set()
            await sender.stop()
            await run


@dataclass
class Hanging(Ledger):
    """The request leaves, and no answer ever comes."""

    async def send(self, message: Message) -> Receipt:
        self.arrived.append(message)
        await asyncio.Event().wait()
        raise AssertionError


async def _crash(engine: Running, channel: Hanging) -> None:
    """A sender that dies with everything in its hand."""
    sender = Sender(engine.place, engine.channels)
    run = asyncio.create_task(sender.run())
    async with asyncio.timeout(PATIENCE_S):
        while WARDEN3 not in channel.addresses():  # noqa: ASYNC110 - until it hangs
            await asyncio.sleep(0.002)
    for task in (run, *sender._in_hand):
        task.cancel()
    await asyncio.wait([run])


async def test_a_sender_that_dies_loses_nothing_and_its_successor_says_that_it_may_be_twice(place: FarSide) -> None:
    hanging = Hanging()
    async with running(place, sms=hanging) as engine:
        await red_at_v3(engine)
        await _crash(engine, hanging)
    async with running(place) as engine:
        assert (await only(engine)).state is DeliveryState.SENDING
        assert await Sender(engine.place, engine.channels).recover() >= 1
        await engine.send()
        delivery = await only(engine)
        assert [m.delivery for m in engine.sms.arrived] == [delivery.id]
        assert (delivery.state, delivery.possible_duplicate) == (DeliveryState.ACCEPTED, True)


async def test_a_lease_that_ends_is_taken_up_by_another_sender(place: FarSide) -> None:
    hanging = Hanging()
    async with running(place, sms=hanging) as engine:
        await red_at_v3(engine)
        await _crash(engine, hanging)
        engine.channels["sms"] = engine.sms
        engine.clock.advance(LEASE)
        await engine.send()
        assert WARDEN3 in engine.sms.addresses()
        assert (await only(engine)).possible_duplicate


async def test_an_outcome_is_written_although_the_store_failed_first(engine: Running) -> None:
    await red_at_v3(engine)
    engine.store.plan = [None, 0, 2]
    await engine.send()
    assert (await only(engine)).state is DeliveryState.ACCEPTED
    assert len(engine.sms.told(WARDEN3)) == 1


async def test_a_receipt_that_overtakes_the_answer_of_the_gateway_is_kept(engine: Running) -> None:
    await red_at_v3(engine)
    sender = Sender(engine.place, engine.channels)
    claimed = await sender._claim()
    await engine.desk.take(Heard(receipts=(Receipt(delivery=(await only(engine)).id, state=DeliveryState.DELIVERED),)))
    await finish(sender, claimed)
    assert ((await only(engine)).state, (await only(engine)).reference) == (DeliveryState.DELIVERED, "ref-1")


@dataclass
class Forgetful(Ledger):
    """Speakers behind a broker that takes a command and forgets it when it dies."""

    report_within: timedelta = timedelta(seconds=30)


async def test_a_command_that_only_the_broker_took_is_said_again_under_its_id_until_the_speaker_reports(place: FarSide) -> None:
    speakers = Forgetful()
    async with running(place, loudspeaker=speakers) as engine:
        await engine.change(change(Grade.RED, "G1"))
        await engine.send()
        first = [m.delivery for m in speakers.arrived]
        assert first
        await engine.later(timedelta(seconds=20))
        assert len(speakers.arrived) == len(first)
        await engine.later(timedelta(seconds=20))
        assert Counter(m.delivery for m in speakers.arrived) == dict.fromkeys(first, 2)
        assert not any(d.possible_duplicate for d in await engine.deliveries())
        heard = Heard(receipts=tuple(Receipt(delivery=d, state=DeliveryState.DELIVERED) for d in first))
        await engine.desk.take(heard)
        for _ in range(4):
            await engine.later(timedelta(seconds=40))
        assert Counter(m.delivery for m in speakers.arrived if m.delivery in first) == dict.fromkeys(first, 2)


async def test_a_command_that_the_speaker_says_it_has_is_not_said_again_while_it_waits_its_turn_there(place: FarSide) -> None:
    speakers = Forgetful()
    async with running(place, loudspeaker=speakers) as engine:
        await engine.change(change(Grade.RED, "G1"))
        await engine.send()
        first = [m.delivery for m in speakers.arrived]
        await engine.desk.take(Heard(receipts=tuple(Receipt(delivery=d, state=DeliveryState.ACCEPTED) for d in first)))
        await engine.later(timedelta(seconds=40))
        assert Counter(m.delivery for m in speakers.arrived if m.delivery in first) == dict.fromkeys(first, 1)


async def test_a_speaker_that_never_reports_becomes_a_task(place: FarSide) -> None:
    async with running(place, loudspeaker=Forgetful()) as engine:
        await engine.change(change(Grade.RED, "G1"))
        for _ in range(PATIENCE + 1):
            await engine.later(timedelta(seconds=40))
        assert any(t.kind is TaskKind.UNREACHABLE for t in await engine.tasks())
