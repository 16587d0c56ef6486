"""Where nothing can call us: what the far side lists is heard whole, once, whatever happens in between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.channels import twilio_polling
from adapters.channels.twilio_polling import Mark, after, mark_of
from adapters.channels.twilio_sms import TwilioSms
from dispatcher.answers.polling import LONGEST_PAUSE_S, Poller, pause_s
from dispatcher.errors import TransientFailure
from dispatcher.model.answer import Path as By
from dispatcher.ports import Awaited, DeliveryState, Heard, Look, Polling, Receipt, Reply
from rules.grade import Grade
from simulators.ledger import Kind
from tests.channels.far_sides import message, twilio
from tests.dispatch.making import CONTACTS, SECRETARY, V1, change, house
from tests.dispatch.running import Running, running
from tests.simulators.towns import ASKS, PHONE, RunningTown, StartTown, until
from tests.store.far_sides import SqliteFile

NOWHERE = "http://127.0.0.1:1"
WHEN = datetime(2026, 7, 20, 8, tzinfo=UTC)
LONG_AGO = Mark(datetime.now(UTC) - timedelta(hours=1)).text()


@asynccontextmanager
async def asked(town: RunningTown) -> AsyncIterator[TwilioSms]:
    channel = twilio(town.url, NOWHERE, receipts="poll", poll_s=1)
    yield channel
    await channel.close()


async def heard(channel: TwilioSms, mark: str, awaited: Sequence[Awaited] = ()) -> tuple[list[Look], str]:
    """Look until there is no more."""
    looks = [await channel.look(mark, awaited)]
    while looks[-1].more:
        looks.append(await channel.look(looks[-1].mark, awaited))
    return looks, looks[-1].mark


def test_it_is_asked_only_where_it_is_told_so() -> None:
    assert isinstance(twilio(NOWHERE, NOWHERE), Polling)
    assert twilio(NOWHERE, NOWHERE).poll_every is None
    assert twilio(NOWHERE, NOWHERE, receipts="poll", poll_s=7).poll_every == timedelta(seconds=7)


async def test_the_first_look_only_sets_a_mark_and_asks_nothing_of_the_past() -> None:
    channel = twilio(NOWHERE, NOWHERE, receipts="poll")
    look = await channel.look("", ())
    assert (look.heard, look.more) == (Heard(), False)
    assert datetime.now(UTC) - mark_of(look.mark).since < timedelta(minutes=2)
    await channel.close()


async def test_no_address_of_ours_is_given_to_a_gateway_that_is_asked(start_town: StartTown) -> None:
    town = await start_town()
    async with asked(town) as channel:
        await channel.send(message("d1", PHONE["silent"]))
    assert [entry.more["callback"] for entry in town.entries(Kind.SMS_ACCEPTED)] == [""]


async def test_replies_are_heard_with_the_time_at_which_they_came(start_town: StartTown) -> None:
    town = await start_town()
    async with asked(town) as channel:
        await channel.send(replace(message("d1", PHONE["prompt"]), text=ASKS))
        written = await town.wait_for(Kind.SMS_REPLY, 3)
        looks, _ = await heard(channel, LONG_AGO)
    replies = looks[0].heard.replies
    assert [(r.address, r.text, r.reference) for r in replies] == [(e.to, e.body, e.reference) for e in written]
    for reply, entry in zip(replies, written, strict=True):
        assert reply.at is not None
        assert timedelta(0) <= reply.at - entry.at <= timedelta(seconds=1)


async def test_a_long_list_is_read_to_its_end_in_bounded_looks(start_town: StartTown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twilio_polling, "REPLIES_AT_ONCE", 2)
    town = await start_town()
    async with asked(town) as channel:
        for who in ("prompt", "wording", "deputy"):
            await channel.send(replace(message("d1", PHONE[who]), text=ASKS))
        written = await town.wait_for(Kind.SMS_REPLY, 9)
        looks, mark = await heard(channel, LONG_AGO)
        again, _ = await heard(channel, mark)
    assert len(looks) > 1
    assert {r.reference for look in looks for r in look.heard.replies} == {e.reference for e in written}
    assert mark_of(mark).until is None
    assert {r.reference for look in again for r in look.heard.replies} <= {e.reference for e in written}


async def test_what_the_list_does_not_show_is_asked_for_by_its_sid(start_town: StartTown) -> None:
    town = await start_town()
    async with asked(town) as channel:
        receipts = [await channel.send(message(f"d{n}", PHONE[who])) for n, who in enumerate(("silent", "off", "dead"))]
        await town.wait_for(Kind.SMS_DELIVERED)
        await town.wait_for(Kind.SMS_UNDELIVERED)
        await town.wait_for(Kind.SMS_FAILED)
        for long_ago in (timedelta(0), timedelta(hours=2)):  # listed, and long past every list
            since = datetime.now(UTC) - long_ago
            awaited = [Awaited(delivery=r.delivery, reference=r.reference, state=DeliveryState.ACCEPTED, since=since) for r in receipts]
            found = (await channel.look(LONG_AGO, awaited)).heard.receipts
            expected = [("d0", DeliveryState.DELIVERED), ("d1", DeliveryState.UNDELIVERED), ("d2", DeliveryState.FAILED)]
            assert sorted((r.delivery, r.state) for r in found) == expected
        gone = [Awaited(delivery="d9", reference="SM" + "9" * 32, state=DeliveryState.SENT, since=datetime.now(UTC) - timedelta(hours=1))]
        assert (await channel.look(LONG_AGO, gone)).heard.receipts == ()


async def test_what_is_known_already_is_not_reported_again(start_town: StartTown) -> None:
    town = await start_town()
    async with asked(town) as channel:
        sent = await channel.send(message("d1", PHONE["silent"]))
        await town.wait_for(Kind.SMS_DELIVERED)
        known = Awaited(delivery="d1", reference=sent.reference, state=DeliveryState.DELIVERED, since=datetime.now(UTC))
        assert (await channel.look(LONG_AGO, [known])).heard.receipts == ()


async def test_a_gateway_that_is_away_is_a_transient_failure() -> None:
    channel = twilio(NOWHERE, NOWHERE, receipts="poll")
    with pytest.raises(TransientFailure):
        await channel.look(LONG_AGO, ())
    await channel.close()


@given(st.lists(st.integers(0, 20), max_size=60), st.integers(1, 8))
def test_no_cut_of_a_list_leaves_anything_out(seconds: list[int], most: int) -> None:
    came = [WHEN + timedelta(seconds=s) for s in sorted(seconds, reverse=True)]
    mark, seen = Mark(WHEN), []
    for _ in range(len(came) + 2):
        limit = most
        while True:
            listed = [at for at in came if mark.until is None or at <= mark.until][:limit]
            cut = len(listed) >= limit
            if not (cut and mark.until and min(listed) >= mark.until):
                break
            limit *= 2
        seen += listed
        mark = mark_of(after(mark, listed, cut=cut).text())
        if mark.until is None:
            break
    assert set(seen) == set(came)
    assert mark == Mark(max([*came, WHEN]))


def test_a_gateway_that_does_not_answer_is_asked_less_often_but_never_given_up() -> None:
    pauses = [pause_s(timedelta(seconds=10), failures) for failures in range(40)]
    assert pauses[:4] == [10, 20, 40, 80]
    assert pauses[-1] == LONGEST_PAUSE_S
    assert pause_s(timedelta(hours=1), 3) == 3600


# ------------------------------------------------------------------------------------------------ the engine


class Written:
    """A gateway with a list: all of it is shown at every look, as far as the mark allows."""

    name = "sms"
    poll_every: timedelta | None = timedelta(seconds=1)

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.states: dict[str, DeliveryState] = {}
        self.awaited: list[Awaited] = []

    async def look(self, mark: str, awaited: Sequence[Awaited]) -> Look:
        self.awaited = list(awaited)
        from_ = max(0, int(mark or "0") - 2)
        told = [a for a in awaited if self.states.get(a.reference, a.state) is not a.state]
        receipts = tuple(receipt_of(a, self.states[a.reference]) for a in told)
        return Look(heard=Heard(receipts, tuple(self.replies[from_:])), mark=str(len(self.replies)))


def receipt_of(one: Awaited, state: DeliveryState) -> Receipt:
    return Receipt(delivery=one.delivery, state=state, reference=one.reference)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(SqliteFile(tmp_path / "polled.db")) as made:
        await made.change(change(Grade.RED))
        await made.send()
        yield made


def reply(text: str, reference: str, at: datetime | None = None) -> Reply:
    return Reply(channel="sms", address=SECRETARY, text=text, reference=reference, at=at)


async def test_a_reply_that_is_listed_again_is_one_answer(engine: Running) -> None:
    gateway = Written()
    poller = Poller(engine.place, engine.desk, "sms", gateway)
    code = (await engine.notice(V1)).code
    gateway.replies = [reply(f"1 {code}", "SM1")]
    await poller.ask()
    gateway.replies += [reply(f"2 {code}", "SM2"), reply(f"2 {code}", "SM2")]
    for _ in range(3):
        await poller.ask()
    assert [a.action for a in await engine.answers()] == ["received", "evacuating"]
    assert {a.path for a in await engine.answers()} == {By.SMS}


async def test_after_a_kill_nothing_is_missed_and_nothing_counts_twice(tmp_path: Path) -> None:
    place, gateway = SqliteFile(tmp_path / "killed.db"), Written()
    async with running(place) as engine:
        await engine.change(change(Grade.RED))
        await engine.send()
        code = (await engine.notice(V1)).code
        gateway.replies = [reply(f"1 {code}", "SM1")]
        await Poller(engine.place, engine.desk, "sms", gateway).ask()
        gateway.replies += [reply(f"2 {code}", "SM2")]
        engine.store.plan = [0]  # the commit fails, as if the process had died; the desk takes it again
        await Poller(engine.place, engine.desk, "sms", gateway).ask()
    gateway.replies += [reply(f"3 {code} 35", "SM3")]
    async with running(place) as engine:
        for _ in range(2):
            await Poller(engine.place, engine.desk, "sms", gateway).ask()
        assert [(a.action, a.people) for a in await engine.answers()] == [("received", None), ("evacuating", None), ("evacuated", 35)]


async def test_what_the_gateway_took_is_awaited_until_it_comes_to_its_end(engine: Running) -> None:
    engine_sms = [d for d in await engine.deliveries() if d.channel == "sms" and d.reference]
    gateway = Written()
    poller = Poller(engine.place, engine.desk, "sms", gateway)
    await poller.ask()
    assert {a.delivery for a in gateway.awaited} == {d.id for d in engine_sms}
    first = engine_sms[0]
    gateway.states = {first.reference: DeliveryState.DELIVERED}
    await poller.ask()
    await poller.ask()
    assert first.id not in {a.delivery for a in gateway.awaited}
    (now,) = [d for d in await engine.deliveries() if d.id == first.id]
    assert now.state is DeliveryState.DELIVERED


async def test_a_bare_word_that_came_before_a_second_warning_answers_only_the_first(tmp_path: Path) -> None:
    twice = [replace(c, phone=SECRETARY) if c.id == "warden3" else c for c in CONTACTS]
    async with running(SqliteFile(tmp_path / "twice.db"), house(contacts=twice)) as engine:
        await engine.change(change(Grade.RED))
        await engine.send()
        before = engine.clock.now() + timedelta(seconds=10)
        engine.clock.advance(timedelta(minutes=1))
        await engine.change(change(Grade.RED, "G3"))
        await engine.send()
        gateway = Written()
        gateway.replies = [reply("收到", "SM1", at=before)]
        await Poller(engine.place, engine.desk, "sms", gateway).ask()
        assert {a.village for a in await engine.answers()} == {V1}


async def test_one_reply_that_cannot_be_taken_does_not_keep_the_others_out(engine: Running) -> None:
    gateway = Written()
    code = (await engine.notice(V1)).code
    broken = Reply(channel="sms", address=SECRETARY, text=None, reference="SM1")  # type: ignore[arg-type]
    gateway.replies = [broken, reply(f"1 {code}", "SM2")]
    poller = Poller(engine.place, engine.desk, "sms", gateway)
    await poller.ask()
    await poller.ask()
    assert [a.action for a in await engine.answers()] == ["received"]


async def test_the_poller_goes_on_when_the_gateway_is_away_and_says_so(engine: Running) -> None:
    class Away(Written):
        poll_every: timedelta | None = timedelta(milliseconds=1)
        away = 5

        async def look(self, mark: str, awaited: Sequence[Awaited]) -> Look:
            self.away -= 1
            if self.away > 0:
                raise TransientFailure("unreachable", "the gateway cannot be reached")
            return await super().look(mark, awaited)

    gateway = Away()
    gateway.replies = [reply(f"1 {(await engine.notice(V1)).code}", "SM1")]
    run = asyncio.create_task(Poller(engine.place, engine.desk, "sms", gateway).run())
    await until(lambda: any(told.startswith("polling sms: ") for told in engine.place.health.problems()))
    await until(lambda: gateway.away < 0)
    run.cancel()
    assert [a.action for a in await engine.answers()] == ["received"]
    assert engine.place.health.problems() == []


async def test_a_village_answers_by_text_although_nothing_can_call_us(tmp_path: Path, start_town: StartTown) -> None:
    town = await start_town()
    people = [replace(c, phone=PHONE["prompt"]) if c.id == "secretary" else c for c in CONTACTS]
    async with asked(town) as channel:
        kept, start = house(contacts=people), datetime.now(UTC)
        async with running(SqliteFile(tmp_path / "whole.db"), kept, start, sms=channel) as engine:
            poller = Poller(engine.place, engine.desk, "sms", channel)
            await poller.ask()
            await engine.change(change(Grade.RED, at=start))
            await engine.send()
            await town.wait_for(Kind.SMS_REPLY, 3)
            engine.clock.advance(datetime.now(UTC) - start)
            await poller.ask()
            answered = [(a.person, a.action) for a in await engine.answers()]
            assert answered == [("secretary", "received"), ("secretary", "evacuating"), ("secretary", "evacuated")]
            assert (await engine.notice(V1)).state == "done"
            (delivery, *_) = await engine.deliveries(PHONE["prompt"])
            assert delivery.state is DeliveryState.DELIVERED
