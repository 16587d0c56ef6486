from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from dispatcher.deliveries.settle import on_lease
from dispatcher.deliveries.telling import message_of
from dispatcher.deliveries.writing import lease
from dispatcher.errors import UnknownOutcome
from dispatcher.ports import DeliveryState, Message, Receipt
from dispatcher.rows import row_of
from dispatcher.testing.stores import FarSide
from rules.grade import Grade
from tests.dispatch.making import START, change
from tests.dispatch.running import Ledger, running

WARDEN3 = "+447700900043"


@dataclass
class ByText(Ledger):
    """A gateway that can only be asked by number and text, newest first, as real ones are."""

    async def find(self, message: Message, since: datetime) -> Receipt | None:  # noqa: ARG002 - everything is kept
        for number, m in reversed(list(enumerate(self.arrived, 1))):
            if (m.address, m.text) == (message.address, message.text):
                return Receipt(delivery=message.delivery, state=DeliveryState.SENT, reference=f"ref-{number}")
        return None


async def test_a_repeat_of_unknown_outcome_is_not_taken_for_sent_because_the_text_before_it_reads_the_same(place: FarSide) -> None:
    sms = ByText()
    async with running(place, sms=sms) as engine:
        await engine.change(change(Grade.RED, "G3"))
        await engine.send()
        assert len(sms.told(WARDEN3)) == 1
        sms.troubles[WARDEN3] = [UnknownOutcome("timeout", "no answer")]
        for _ in range(24):
            await engine.later(timedelta(seconds=10))
        repeats = [d for d in await engine.deliveries(WARDEN3) if d.repeat]
        arrived = {m.delivery for m in sms.arrived}
        assert repeats
        assert repeats[0].possible_duplicate
        assert {d.id for d in repeats if d.state is not DeliveryState.PLANNED} <= arrived


async def test_of_two_texts_alike_in_hand_at_a_crash_neither_is_taken_for_the_one_the_gateway_has(place: FarSide) -> None:
    sms = ByText()
    async with running(place, sms=sms) as engine:
        await engine.change(change(Grade.RED, "G3"))
        first = next(d for d in await engine.deliveries(WARDEN3))
        twin = replace(first, id="twin", repeat=1)
        async with engine.store.write() as tx:
            await tx.run("deliveries.add", row_of(twin))
            await lease(tx, [on_lease(in_hand, START) for in_hand in (first, twin)])
        sms.arrived.append(message_of(twin))  # the gateway has the second; the sender died before it could write that down
        await engine.later(timedelta(minutes=2))
        assert {m.delivery for m in sms.arrived if m.address == WARDEN3} == {first.id, "twin"}
        assert all(d.possible_duplicate for d in await engine.deliveries(WARDEN3))


async def test_a_second_text_of_a_delivery_that_was_tried_twice_is_not_taken_for_its_twin(place: FarSide) -> None:
    sms = ByText()
    async with running(place, sms=sms) as engine:
        await engine.change(change(Grade.RED, "G3"))
        first = next(d for d in await engine.deliveries(WARDEN3))
        twin = replace(first, id="twin", repeat=1)
        reported = replace(on_lease(on_lease(first, START), START), state=DeliveryState.DELIVERED, lease=None, reference="ref-1")
        async with engine.store.write() as tx:
            await tx.run("deliveries.add", row_of(twin))
            await lease(tx, [reported, on_lease(twin, START)])
            await tx.run("deliveries.settle", row_of(reported))
        sms.arrived += [message_of(first), message_of(first)]  # said twice; which of the two the report spoke of is known, the other is not
        await engine.later(timedelta(minutes=2))
        assert "twin" in {m.delivery for m in sms.arrived}


@dataclass
class ByNumber(ByText):
    """A gateway of calls: its records say who was called, and not what was said."""

    async def find(self, message: Message, since: datetime) -> Receipt | None:  # noqa: ARG002 - everything is kept
        for number, m in reversed(list(enumerate(self.arrived, 1))):
            if m.address == message.address:
                return Receipt(delivery=message.delivery, state=DeliveryState.SENT, reference=f"ref-{number}")
        return None


async def test_of_two_calls_to_one_number_in_hand_at_a_crash_neither_is_taken_for_the_one_that_was_made(place: FarSide) -> None:
    voice = ByNumber("voice")
    async with running(place, voice=voice) as engine:
        await engine.change(change(Grade.RED, "G3"))
        text = next(d for d in await engine.deliveries(WARDEN3))
        calls = [replace(text, id=f"call-{n}", channel="voice", text=f"about hazard {n}") for n in range(2)]
        async with engine.store.write() as tx:
            await tx.run_many("deliveries.add", [row_of(call) for call in calls])
            await lease(tx, [on_lease(call, START) for call in calls])
        voice.arrived.append(message_of(calls[1]))  # one was made, of another warning; the sender died before it could write that down
        await engine.later(timedelta(minutes=2))
        assert {m.delivery for m in voice.arrived} == {"call-0", "call-1"}
