"""One message for all villages of a person: nothing lost by it, and undone when one of them drops out."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.calls.bundling import LONGEST, bundle
from dispatcher.errors import PermanentFailure, TransientFailure, UnknownOutcome
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice, NoticeState
from dispatcher.ports import DeliveryState, Heard, Receipt
from dispatcher.testing.stores import FarSide
from dispatcher.warnings.issuing import first_call
from rules.grade import Grade
from tests.dispatch.making import CONTACTS, START, V1, V2, V3, change, house, notice, red_plan
from tests.dispatch.running import Running, running

ONE = "+447700900013"
ROLES = ("village.party_secretary", "village.head", "village.warden")
SHARED = [replace(c, phone=ONE, language="zh") if c.role in ROLES else c for c in CONTACTS]
HOUSE = house(contacts=SHARED)
SECOND = timedelta(seconds=1)


def planned(villages: list[str], copies: int = 1) -> tuple[dict[str, Notice], list[Delivery]]:
    notices: dict[str, Notice] = {}
    made: list[Delivery] = []
    for n in range(copies):
        for k, village in enumerate(villages):
            told = replace(notice(village=village, code=str(1000 + 10 * n + k)), id=f"w/{village}/{n + 1}")
            notices[told.id] = told
            made += first_call(HOUSE, told, red_plan(), START)[1]
    return notices, made


@given(st.lists(st.sampled_from([V1, V2, V3]), min_size=1, max_size=3, unique=True), st.integers(1, 12))
def test_every_village_has_its_delivery_and_stands_with_its_code_in_the_message_that_carries_it(villages: list[str], copies: int) -> None:
    notices, before = planned(villages, copies)
    after = bundle(HOUSE, notices, dict.fromkeys(notices, red_plan()), before)
    assert [(d.id, d.notice, d.text, d.address) for d in after] == [(d.id, d.notice, d.text, d.address) for d in before]
    by_id = {d.id: d for d in after}
    for d in after:
        carrier = by_id[d.carried_by] if d.carried_by else d
        assert not carrier.carried_by, "what carries does not ride"
        assert carrier.address == d.address
        if carrier.bundle and d.channel == "sms":
            told = notices[d.notice]
            assert f"1 {told.code}" in carrier.bundle
            assert HOUSE.registry.name_of(told.village, "zh") in carrier.bundle
            assert HOUSE.registry.shelter_of(told.village, "zh") in carrier.bundle
            assert len(carrier.bundle) <= LONGEST
        if d.carried_by:
            assert carrier.bundle


def test_speakers_and_the_duty_room_are_left_alone() -> None:
    notices, before = planned([V1, V2])
    after = bundle(HOUSE, notices, dict.fromkeys(notices, red_plan()), before)
    assert [d for d in after if d.channel in {"loudspeaker", "duty_room"}] == [
        d for d in before if d.channel in {"loudspeaker", "duty_room"}
    ]


# ---------------------------------------------------------------------------------------------- in the engine


@pytest.fixture
async def both(place: FarSide):  # type: ignore[no-untyped-def]  # noqa: ANN201
    async with running(place, HOUSE) as engine:
        yield engine


async def red(engine: Running) -> None:
    """Two villages of one township at once, all of whose people share one telephone."""
    await engine.change(change(Grade.RED, "G1"))


async def theirs(engine: Running) -> list[Delivery]:
    return [d for d in await engine.deliveries(ONE) if d.channel == "sms" and not d.repeat and d.grade is Grade.RED]


async def test_one_message_names_all_villages_and_each_is_accepted_with_it(both: Running) -> None:
    await red(both)
    await both.send()
    said = both.sms.told(ONE)
    assert len(said) == 1, said
    assert all(HOUSE.registry.name_of(v, "zh") in said[0] for v in (V1, V2))
    assert {d.state for d in await theirs(both)} == {DeliveryState.ACCEPTED}


async def test_a_bare_word_answers_for_all_and_he_reads_what_was_recorded(both: Running) -> None:
    await red(both)
    await both.send()
    await both.reply(ONE, "收到")
    await both.send()
    assert {a.notice for a in await both.answers()} == {n.id for n in await both.notices()}
    assert "已记录" in both.sms.told(ONE)[-1]
    assert "还未应答" not in both.sms.told(ONE)[-1]


async def test_a_code_answers_for_one_and_the_open_one_is_named(both: Running) -> None:
    await red(both)
    await both.send()
    first, second = await both.notices()
    await both.reply(ONE, f"1 {first.code}")
    await both.send()
    assert [(await both.notice(n.village)).state for n in (first, second)] == [NoticeState.ANSWERED, NoticeState.CALLING]
    assert f"还未应答：{HOUSE.registry.name_of(second.village, 'zh')}（{second.code}）" in both.sms.told(ONE)[-1]


async def test_a_machine_that_answers_is_not_kept_talking(both: Running) -> None:
    await red(both)
    await both.send()
    for _ in range(20):
        both.clock.advance(SECOND)
        await both.reply(ONE, "收到")
    await both.send()
    assert len(both.sms.told(ONE)) == 6


async def test_when_one_village_drops_out_before_it_is_said_the_others_go_by_themselves(both: Running) -> None:
    await red(both)
    old = await both.notice(V1)
    async with both.store.write() as tx:
        row = {"notice": old.id, "reason": "a newer notice", "now": int(START.timestamp() * 1000)}
        await tx.run("deliveries.supersede", row)
    await both.send()
    said = both.sms.told(ONE)
    assert len(said) == 1
    assert HOUSE.registry.name_of(V2, "zh") in said[0]
    assert HOUSE.registry.name_of(V1, "zh") not in said[0]


async def test_what_fails_for_good_fails_for_every_village(both: Running) -> None:
    both.sms.troubles[ONE] = [PermanentFailure("21614", "not a mobile number")] * 9
    await red(both)
    await both.send()
    assert {(d.state, d.code) for d in await theirs(both)} == {(DeliveryState.FAILED, "21614")}


@pytest.mark.parametrize("trouble", [TransientFailure("503", "busy"), UnknownOutcome("timeout", "no answer")], ids=["busy", "unknown"])
async def test_what_is_tried_again_is_one_message_again(both: Running, trouble: Exception) -> None:
    both.sms.troubles[ONE] = [trouble]
    await red(both)
    await both.send()
    await both.later(SECOND * 10)
    assert len(both.sms.told(ONE)) == 1
    assert {d.state for d in await theirs(both)} == {DeliveryState.ACCEPTED}


async def test_a_receipt_is_for_every_village(both: Running) -> None:
    await red(both)
    await both.send()
    (carrier,) = [d for d in await theirs(both) if d.bundle]
    await both.desk.take(Heard(receipts=(Receipt(delivery=carrier.id, state=DeliveryState.DELIVERED),)))
    assert {d.state for d in await theirs(both)} == {DeliveryState.DELIVERED}
