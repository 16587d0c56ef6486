import json
from collections.abc import Iterable
from datetime import timedelta

from dispatcher.calls.escalating import plans_of
from dispatcher.ports import DeliveryState
from dispatcher.reckoning import Reckoning, not_coming, read_ledger, reckon
from rules.grade import Grade
from tests.dispatch.making import HEAD, V1, V3, WARDEN, change, minutes
from tests.dispatch.running import Running

SECOND = timedelta(seconds=1)
HAS_IT = (DeliveryState.ACCEPTED, DeliveryState.SENT, DeliveryState.DELIVERED)
WARDEN3 = "+447700900043"


def world(engine: Running, *, heard_at: timedelta = SECOND, without: Iterable[str] = ()) -> list[bytes]:
    """The ledger of a world in which everything that left arrived and was heard, but for some messages."""
    lines = []
    for channel, arrived, heard in ((engine.sms, "sms.accepted", "sms.delivered"), (engine.speaker, "speaker.command", "speaker.played")):
        for message in channel.arrived:
            if message.delivery not in without:
                at = engine.started + heard_at
                lines += [
                    {"kind": kind, "delivery": message.delivery, "to": message.address, "at": at.isoformat()} for kind in (arrived, heard)
                ]
    return [json.dumps(line).encode() + b"\n" for line in lines]


async def reckoned(engine: Running, lines: list[bytes]) -> Reckoning:
    notices = await engine.notices()
    deliveries = await engine.deliveries()
    async with engine.store.read() as reader:
        plans = await plans_of(reader, notices)
    reached = [d.id for d in deliveries if d.state in HAS_IT and d.channel != "duty_room"]
    return reckon(engine.house, notices, plans, {d.id: d.notice for d in deliveries}, read_ledger(lines), reached)


async def test_when_all_arrived_nothing_is_lost_and_nothing_came_twice(engine: Running) -> None:
    await engine.change(change(Grade.RED), change(Grade.RED, "G3"))
    await engine.send()
    found = await reckoned(engine, world(engine))
    assert (found.lost, found.duplicates, found.claimed) == ((), 0, ())
    assert found.owed == 7


async def test_one_message_dropped_on_the_way_is_one_lost_and_named(engine: Running) -> None:
    await engine.change(change(Grade.RED))
    await engine.send()
    (dropped,) = [m.delivery for m in engine.sms.arrived if m.address == HEAD]
    found = await reckoned(engine, world(engine, without=[dropped]))
    assert found.lost == (((await engine.notice(V1)).id, "sms", HEAD),)
    assert found.claimed == (dropped,), "the engine believed that it had arrived"


async def test_a_message_that_never_left_is_lost_although_the_engine_claims_nothing(engine: Running) -> None:
    await engine.change(change(Grade.RED, "G3"))
    found = await reckoned(engine, [])
    assert found.lost == (((await engine.notice(V3)).id, "sms", WARDEN3),)
    assert found.claimed == ()


async def test_what_a_newer_notice_replaced_before_it_left_is_not_lost(engine: Running) -> None:
    await engine.change(change(Grade.BLUE, "G3"))
    await engine.later(SECOND * 10, send=False)
    await engine.change(change(Grade.RED, "G3", before=Grade.BLUE, step=1))
    await engine.send()
    assert (await reckoned(engine, world(engine))).lost == ()
    assert len((await reckoned(engine, [])).lost) >= 2, "but only because the newer one arrived"


async def test_a_lift_is_owed_to_those_who_heard_the_warning_and_to_nobody_else(engine: Running) -> None:
    await engine.change(change(Grade.BLUE, "G3"))
    await engine.later(SECOND * 10)
    await engine.change(change(Grade.NONE, "G3", before=Grade.BLUE, step=1))
    await engine.later(SECOND * 10)
    assert len(engine.sms.told(WARDEN3)) == 2
    lift = [m.delivery for m in engine.sms.arrived if m.address == WARDEN3][1]
    heard = await reckoned(engine, world(engine, heard_at=SECOND * 11, without=[lift]))
    assert heard.lost == (((await engine.notice(V3)).id, "sms", WARDEN3),)
    too_late = await reckoned(engine, world(engine, heard_at=minutes(60), without=[lift]))
    assert [line[1] for line in too_late.lost] == ["claimed"], "he did not know yet, so no lift was owed; the claim is still false"


async def test_what_arrives_twice_is_one_duplicate_and_not_lost(engine: Running) -> None:
    await engine.change(change(Grade.RED))
    await engine.send()
    lines = world(engine)
    again = [line for line in lines if b"sms.accepted" in line and WARDEN.encode() in line]
    found = await reckoned(engine, [*lines, *again])
    assert (found.lost, found.duplicates) == ((), 1)


def test_what_waits_and_what_a_newer_one_that_waits_replaces_is_still_coming() -> None:
    lost = [("w/v/1", "sms", "a"), ("w/v/2", "sms", "a"), ("w/v/1", "sms", "b"), ("w/v/3", "sms", "a"), ("", "claimed", "d")]
    assert not_coming(lost, [("w/v/2", "sms", "a")]) == [("w/v/1", "sms", "b"), ("w/v/3", "sms", "a"), ("", "claimed", "d")]
    assert not_coming(lost, []) == lost


def test_a_line_cut_short_by_a_crash_is_left_out() -> None:
    whole = json.dumps({"kind": "sms.accepted", "delivery": "d", "to": WARDEN, "at": "2026-07-20T08:00:00+00:00"}).encode() + b"\n"
    assert dict(read_ledger([whole, whole[:-9]]).arrived) == {"d": 1}


def test_who_heard_it_twice_has_known_it_since_the_first_time() -> None:
    lines = [
        json.dumps({"kind": "sms.delivered", "delivery": "d", "to": WARDEN, "at": f"2026-07-20T08:0{n}:00+00:00"}).encode() + b"\n"
        for n in (1, 5)
    ]
    assert read_ledger(lines).heard["d"][2].minute == 1
