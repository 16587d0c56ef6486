"""Several gateways for one channel: prefixes, weights, automatic shift, circuits, limits; alone and inside the sender."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from dispatcher.deliveries.breaker import LEAST, Circuit
from dispatcher.deliveries.gateways import Gateway, Gateways, Held, order
from dispatcher.deliveries.sender import Sender
from dispatcher.deliveries.settle import CIRCUIT
from dispatcher.errors import TransientFailure
from dispatcher.ports import DeliveryState
from dispatcher.registry.model import CHANNELS
from dispatcher.rows import row_of
from dispatcher.testing.stores import FarSide
from rules.grade import Grade
from tests.dispatch.making import START, V1, V3, change
from tests.dispatch.running import Ledger, Running, running
from tests.dispatch.test_sender import SECOND, WARDEN3, only, red_at_v3

A, B = Gateway(name="a", channel="sms"), Gateway(name="b", channel="sms", weight=3)
MOBILE = Gateway(name="m", channel="sms", prefixes=("+4477",))
AWAY = TransientFailure("503", "away")


def _take(gateways: Gateways, grade: Grade = Grade.BLUE, now_s: float = 0.0, draw: float = 0.0) -> str:
    taken = gateways.take("sms", "+447700900001", grade, 1, now_s, draw)
    return taken.name if isinstance(taken, Gateway) else taken.value


@given(st.floats(0, 1), st.dictionaries(st.sampled_from("abm"), st.floats(0, 1)))
def test_every_gateway_that_fits_is_asked_once_and_no_other(draw: float, failed: dict[str, float]) -> None:
    assert sorted(g.name for g in order([A, B, MOBILE], failed, "+447700900001", draw)) == ["a", "b", "m"]
    assert sorted(g.name for g in order([A, B, MOBILE], failed, "+8613", draw)) == ["a", "b"]


def test_the_gateway_of_the_numbers_prefix_comes_first() -> None:
    assert {order([A, B, MOBILE], {}, "+447700900001", n / 10)[0].name for n in range(11)} == {"m"}


def test_messages_are_shared_by_weight_and_shift_to_the_one_that_works() -> None:
    def share(failed: dict[str, float]) -> Counter[str]:
        return Counter(order([A, B], failed, "+44", (n + 0.5) / 100)[0].name for n in range(100))

    assert share({}) == {"a": 25, "b": 75}
    assert share({"b": 0.8})["a"] > 60
    assert 0 < share({"b": 1.0})["b"] < 15


def test_a_gateway_that_fails_is_left_and_found_again_when_it_is_well() -> None:
    told: list[tuple[str, Circuit]] = []
    gateways = Gateways([A, B], lambda g, c: told.append((g.name, c)))
    for _ in range(LEAST):
        gateways.heard("b", 0.0, through=False)
    assert {_take(gateways, draw=n / 10) for n in range(11)} == {"a"}
    assert _take(gateways, now_s=100.0, draw=1.0) == "b"
    gateways.heard("b", 101.0, through=True)
    assert told == [("b", Circuit.OPEN), ("b", Circuit.HALF_OPEN), ("b", Circuit.CLOSED)]


def test_what_is_over_the_limit_of_one_gateway_goes_through_another_and_red_waits_for_no_blue() -> None:
    gateways = Gateways([replace(A, rate=1), replace(B, rate=1)])
    assert {_take(gateways), _take(gateways)} == {"a", "b"}
    assert _take(gateways) == Held.LIMIT
    assert not gateways.may_take("sms", Grade.BLUE, 0.0)
    assert _take(gateways, Grade.RED) in {"a", "b"}


# ------------------------------------------------------------------------------------------- in the sender


async def test_when_one_gateway_is_away_everything_goes_through_the_other(place: FarSide) -> None:
    down = Ledger("sms-b")
    for address in (WARDEN3, *(f"line-{n}" for n in range(60))):
        down.troubles[address] = [AWAY] * 100
    async with running(place) as engine:
        engine.channels["sms-b"] = down
        both = [Gateway(name="sms", channel="sms"), Gateway(name="sms-b", channel="sms")]
        await _crowd(engine, 60)
        sender = Sender(engine.place, engine.channels, 10, both)
        for _ in range(30):
            await _work(sender)
            engine.clock.advance(SECOND * 10)
        assert down.arrived == []
        assert len(engine.sms.arrived) == 61


async def test_when_no_gateway_works_that_is_a_try_that_did_not_leave_and_ends_when_one_is_well(engine: Running) -> None:
    sender = Sender(engine.place, engine.channels)
    for _ in range(LEAST):
        sender._gateways.heard("sms", 0.0, through=False)
    sender._gateways._breakers["sms"] = replace(sender._gateways._breakers["sms"], since_s=1e12)
    await red_at_v3(engine)
    await _work(sender)
    delivery = await only(engine)
    assert (delivery.state, delivery.code, engine.sms.told(WARDEN3)) == (DeliveryState.PLANNED, CIRCUIT, [])
    assert "gateway sms" in str(engine.place.health.problems())
    sender._gateways.heard("sms", 0.0, through=True)
    sender._gateways._breakers.clear()
    sender._well_again.add("sms")
    await _work(sender)
    assert (await only(engine)).state is DeliveryState.ACCEPTED, "it does not wait for its own next try"


async def test_villages_take_turns_inside_a_lane(engine: Running) -> None:
    await engine.change(change(Grade.RED, "G1"), change(Grade.RED, "G3"))
    turns = {d.address: d.turn for d in await engine.deliveries() if d.channel == "sms" and d.village in {V1, V3}}
    await engine.send(at_once=1)
    said = [turns[m.address] for m in engine.sms.arrived if m.address in turns]
    assert said == sorted(said)
    assert turns[WARDEN3] == 0


async def _crowd(engine: Running, count: int) -> None:
    await red_at_v3(engine)
    one = structs.replace(await only(engine), due=START)
    async with engine.store.write() as tx:
        from_one = [structs.replace(one, id=f"more-{n}", address=f"line-{n}") for n in range(count)]
        await tx.run_many("deliveries.add", [row_of(d) for d in from_one])


async def _work(sender: Sender) -> None:
    """Let a sender take, send and settle what is due now."""
    while claimed := await sender._claim():
        for delivery in claimed:
            await sender._send(delivery)
        outcomes = [sender._outcomes.get_nowait() for _ in claimed]
        await sender._write([o for o in outcomes if o is not None])


async def test_every_channel_of_call_plans_has_a_lane(engine: Running) -> None:
    await red_at_v3(engine)
    one = await only(engine)
    async with engine.store.write() as tx:
        await tx.run_many("deliveries.add", [row_of(structs.replace(one, id=c, channel=c, address=c)) for c in CHANNELS])
    rows = await engine.rows("deliveries.lanes_due", now=int(START.timestamp() * 1000))
    assert {row["channel"] for row in rows if row["grade"] == Grade.RED} == set(CHANNELS)


async def test_a_village_lowered_before_anybody_was_told_hears_of_the_grade_it_is_in(engine: Running) -> None:
    await red_at_v3(engine)
    await engine.change(change(Grade.BLUE, "G3", before=Grade.RED, step=1))
    await engine.later(SECOND * 10)
    assert [m.grade for m in engine.sms.arrived if m.address == WARDEN3] == [Grade.BLUE]
