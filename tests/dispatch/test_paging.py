"""A proposal that nobody decides calls officers by voice and text until somebody acts on it."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.accounts import Principal, Role
from dispatcher.errors import TransientFailure
from dispatcher.house import House
from dispatcher.model.task import TaskKind
from dispatcher.policy.paging import CALLING, Paging
from dispatcher.policy.release import DEFAULT, Origin, ReleaseRule, Then, Way
from dispatcher.ports import DeliveryState, Message, Receipt
from dispatcher.testing.stores import FarSide
from dispatcher.warnings.proposal_rows import entries_as_json, entries_of, proposal_of
from dispatcher.warnings.releasing import By, Choice
from rules.grade import Grade
from tests.dispatch.making import CONTACTS, COUNTY, COUNTY_LEADER, HAZARD, change, contact, house, minutes, sample_policy
from tests.dispatch.running import Ledger, Running, running

OFFICER = "+447700900061"
LI = By(who=Principal(name="li", role=Role.RELEASING_OFFICER), origin="198.51.100.8")
BOTH = ("sms", "voice")


def paging(*, officers: bool = True, paging: Paging = CALLING) -> House:
    rule = ReleaseRule(way=Way.REVIEW, within=minutes(5), then=Then.PAGE, page=paging)
    policy = sample_policy()
    reviewed = {g: replace(plan, release=dict(DEFAULT) | {Origin.OBSERVED: rule}) for g, plan in policy.grades.items()}
    people = [replace(c, channels=BOTH) if c.id == "county" else c for c in CONTACTS]
    if officers:
        people.append(replace(contact("officer", "county.releasing_officer", COUNTY, OFFICER), channels=BOTH))
    return house(contacts=people, policy=replace(policy, grades=reviewed))


async def waits(engine: Running) -> None:
    await engine.change(change(Grade.RED))
    await engine.send()
    assert engine.sms.arrived == []


async def decide(engine: Running) -> None:
    async with engine.store.read() as reader:
        proposal = proposal_of((await reader.fetch("proposals.one", {"id": "p1"}))[0])
    await engine.releases.approve("p1", Choice(hash=proposal.hash), LI)


def called(channel: Ledger) -> list[str]:
    return [m.address for m in channel.arrived]


async def test_officers_are_called_by_voice_and_text_and_read_where_to_decide(place: FarSide) -> None:
    voice = Ledger("voice")
    async with running(place, paging(), voice=voice) as engine:
        await waits(engine)
        await engine.later(minutes(5))
        assert called(voice) == called(engine.sms) == [OFFICER]
        assert "https://dispatch.example/proposals/p1" in engine.sms.told(OFFICER)[0]
        assert "红色" in voice.told(OFFICER)[0]
        assert "http" not in voice.told(OFFICER)[0]
        assert TaskKind.RELEASE in [t.kind for t in await engine.tasks()]


async def test_the_leader_on_duty_is_called_when_officers_stay_silent(place: FarSide) -> None:
    voice = Ledger("voice")
    async with running(place, paging(), voice=voice) as engine:
        await waits(engine)
        for _ in range(2):
            await engine.later(minutes(5))
        assert COUNTY_LEADER not in called(voice)
        await engine.later(minutes(5))
        assert {COUNTY_LEADER, OFFICER} == set(called(voice)[-2:])
        assert COUNTY_LEADER in called(engine.sms)


async def test_a_decision_stops_the_calls_and_those_not_yet_made(place: FarSide) -> None:
    voice = Ledger("voice")
    async with running(place, paging(), voice=voice) as engine:
        await waits(engine)
        await engine.later(minutes(5), send=False)
        await decide(engine)
        assert {d.state for d in await engine.deliveries(OFFICER)} == {DeliveryState.SUPERSEDED}
        for _ in range(6):
            await engine.later(minutes(5))
        assert OFFICER not in called(voice)
        assert OFFICER not in called(engine.sms)


async def test_a_call_that_was_being_made_when_the_decision_came_is_not_tried_again(place: FarSide) -> None:
    """A gateway that refuses gives it back to be tried again, for half an hour, long after nobody needs to decide any more."""

    class Slow(Ledger):
        async def send(self, message: Message) -> Receipt:
            if message.address == OFFICER:
                await decide(engine)
                raise TransientFailure("http-503", "busy")
            return await super().send(message)

    async with running(place, paging(), voice=Slow("voice")) as engine:
        await waits(engine)
        for _ in range(6):
            await engine.later(minutes(5))
        (call,) = [d for d in await engine.deliveries(OFFICER) if d.channel == "voice"]
        assert (call.state, call.attempts) == (DeliveryState.SUPERSEDED, 1)


async def test_a_newer_call_takes_the_place_of_one_that_could_not_be_made(place: FarSide) -> None:
    voice = Ledger("voice", troubles={OFFICER: [TransientFailure("http-503", "busy")]})
    async with running(place, paging(), voice=voice) as engine:
        await waits(engine)
        await engine.later(minutes(5))
        await engine.later(minutes(5))
        calls = [d for d in await engine.deliveries(OFFICER) if d.channel == "voice"]
        assert [d.state for d in calls] == [DeliveryState.SUPERSEDED, DeliveryState.ACCEPTED]
        assert called(voice) == [OFFICER]


async def test_a_word_of_the_officer_alone_decides_nothing(place: FarSide) -> None:
    async with running(place, paging(), voice=Ledger("voice")) as engine:
        await waits(engine)
        await engine.later(minutes(5))
        await engine.reply(OFFICER, "收到")
        assert (await engine.rows("proposals.one", id="p1"))[0]["state"] == "waiting"
        await engine.later(minutes(5))
        assert len(engine.sms.told(OFFICER)) == 2


async def test_where_no_officer_can_be_called_the_leader_is_called_at_once_and_the_gap_is_a_task(place: FarSide) -> None:
    voice = Ledger("voice")
    async with running(place, paging(officers=False), voice=voice) as engine:
        await waits(engine)
        await engine.later(minutes(5))
        assert called(voice) == [COUNTY_LEADER]
        assert [t.key for t in await engine.tasks() if t.key.startswith("page/")] == ["page/p1/county.releasing_officer"]


async def test_calls_are_no_notices_of_a_village_and_are_published_to_nobody(place: FarSide) -> None:
    async with running(place, paging(), voice=Ledger("voice")) as engine:
        await waits(engine)
        await engine.later(minutes(5))
        assert await engine.rows("outward.changes", seq=0, limit=99) == []
        assert (await engine.rows("notices.unanswered"))[0]["n"] == 0
        acts = [row for row in await engine.rows("desk.audit", after=0, limit=99) if row["act"] == "call_officers"]
        assert len(acts) == 1
        assert "officer" in acts[0]["detail"]


@given(within_min=st.integers(1, 30), after_min=st.integers(1, 120))
def test_the_leader_is_called_no_earlier_than_said_and_within_one_term_of_it(within_min: int, after_min: int) -> None:
    page, within = Paging(after=minutes(after_min)), minutes(within_min)
    at, times = timedelta(0), 1
    while page.roles(within, times) == page.to:
        at += page.next_in(within, times)
        times += 1
    assert page.after <= at < page.after + within
    if page.after <= within:
        assert at == page.after


def test_whom_a_page_calls_is_kept_with_the_proposal_and_older_ones_are_read_still() -> None:
    text = (
        '[{"village":"990121101201","contributor":"rule:r/G1","before":0,"grade":4,"since":0,"reason_zh":"a","reason_en":"b","origin":"observed",'
        '"person":"","expires_at":null,"rule":["review","releasing_officer",300.0,"page"],"deadline":300000}]'
    )
    (old,) = entries_of(text, HAZARD, COUNTY)
    assert old.rule.page == CALLING
    mine = replace(old, rule=replace(old.rule, page=Paging(to=("county.duty",), by=("sms",), after=minutes(3), then_to=())))
    assert entries_of(entries_as_json((mine,)), HAZARD, COUNTY) == (mine,)
