"""The look ahead counts what release then does."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from dispatcher.accounts import Principal, Role
from dispatcher.calls.preview import Announcement, ChannelLoad, preview
from dispatcher.deliveries.gateways import Gateway
from dispatcher.policy.release import DEFAULT, Origin, ReleaseRule, Way
from dispatcher.templates.segments import segments
from dispatcher.testing.stores import FarSide
from dispatcher.views.proposal import load_proposal
from dispatcher.warnings.releasing import By, Choice
from rules.grade import Grade
from tests.dispatch.making import CONTACTS, HAZARD, START, V1, V2, V3, change, house, sample_policy, unreviewed
from tests.dispatch.running import Running, running
from tests.policy.test_stages import STAGES

SMS = Gateway(name="sms", channel="sms", rate=2, price=0.05)
RED = [
    Announcement(village=v, before=Grade.NONE, after=Grade.RED, reason_zh="1小时雨量86毫米", reason_en="86 mm of rain in 1 h")
    for v in (V1, V3)
]


def loads(found: tuple[ChannelLoad, ...]) -> dict[str, ChannelLoad]:
    return {load.channel: load for load in found}


async def test_what_was_seen_ahead_is_what_is_planned(engine: Running) -> None:
    ahead = loads(preview(engine.house, HAZARD, RED, [SMS], START).at_once)
    await engine.change(change(Grade.RED, "G1"), change(Grade.RED, "G3"))
    made = [d for d in await engine.deliveries() if d.village in {V1, V3} and d.channel != "duty_room"]
    assert Counter(d.channel for d in made) == {name: load.messages for name, load in ahead.items()}
    texts = [d for d in made if d.channel == "sms"]
    assert ahead["sms"].recipients == len({d.address for d in texts})
    assert abs(ahead["sms"].units - sum(segments(d.text).count for d in texts)) <= len(texts), "a reason more or less may be a segment"


def test_the_time_is_that_of_the_limits_and_the_cost_that_of_the_segments() -> None:
    sms = loads(preview(house(), HAZARD, RED, [SMS], START).at_once)["sms"]
    assert sms.seconds == pytest.approx(sms.units / 2, abs=0.1)
    assert sms.cost == pytest.approx(sms.units * 0.05)
    assert loads(preview(house(), HAZARD, RED, [Gateway(name="sms", channel="sms")], START).at_once)["sms"].seconds is None


def test_numbers_that_only_a_slow_gateway_serves_set_the_pace() -> None:
    slow = Gateway(name="slow", channel="sms", prefixes=("+44770090001",), rate=0.1)
    fast = Gateway(name="fast", channel="sms", prefixes=("+4477009000",), rate=1000)
    sms = loads(preview(house(), HAZARD, RED, [slow, fast], START).at_once)["sms"]
    assert sms.seconds is not None
    assert sms.seconds < sms.units / 0.1, "the fast one helps where it may"


def test_all_steps_are_more_than_the_first_and_what_nobody_holds_is_named() -> None:
    found = preview(house(), HAZARD, [*RED, Announcement(village=V2, before=Grade.NONE, after=Grade.RED, reason_zh="雨")], [], START)
    assert found.villages == 3
    assert loads(found.at_most)["sms"].messages > loads(found.at_once)["sms"].messages
    assert (V2, "village.party_secretary") in found.gaps
    assert found.unreached == ()


def test_a_village_that_nobody_would_hear_is_named() -> None:
    nobody = house(contacts=[c for c in CONTACTS if c.area not in {V3, "990121102000", "990121000000"}])
    assert preview(nobody, HAZARD, RED, [], START).unreached == (V3,)


def test_a_lowering_asks_for_nothing_and_has_no_later_steps() -> None:
    found = preview(house(), HAZARD, [Announcement(village=V1, before=Grade.RED, after=Grade.BLUE, reason_zh="雨停")], [SMS], START)
    assert found.at_most == found.at_once


@pytest.fixture
async def staged_engine(place: FarSide) -> AsyncIterator[Running]:
    async with running(place, replace(house(policy=unreviewed(Origin.FORECASTER)), stages=STAGES)) as made:
        yield made


@pytest.mark.parametrize(("hours", "stage"), [(10, "outlook"), (5, "warning"), (1, "imminent"), (0, "imminent")])
async def test_what_is_expected_for_later_counts_only_those_whom_its_stage_tells(staged_engine: Running, hours: float, stage: str) -> None:
    engine = staged_engine
    onset = START + timedelta(hours=hours) if hours else None
    said = [Announcement(village=V1, before=Grade.NONE, after=Grade.RED, reason_zh="强降雨", reason_en="rain", onset=onset)]
    found = preview(engine.house, HAZARD, said, [SMS], START)
    await engine.change(replace(change(Grade.RED, "G1"), onset=onset))
    made = [d for d in await engine.deliveries() if d.village == V1 and d.channel != "duty_room"]
    assert found.stages == {stage: 1}
    assert found.unreached == ()
    assert Counter(d.channel for d in made) == {name: load.messages for name, load in loads(found.at_once).items()}
    texts = [d for d in made if d.channel == "sms"]
    assert abs(loads(found.at_once)["sms"].units - sum(segments(d.text).count for d in texts)) <= len(texts)


async def test_one_person_of_several_villages_gets_one_message_ahead_and_then(staged_engine: Running) -> None:
    onset = START + timedelta(hours=5)
    said = [Announcement(village=v, before=Grade.NONE, after=Grade.RED, reason_zh="强降雨", onset=onset) for v in (V1, V2)]
    ahead = loads(preview(staged_engine.house, HAZARD, said, [SMS], START).at_once)["sms"]
    await staged_engine.change(*(replace(change(Grade.RED, gauge), onset=onset) for gauge in ("G1", "G2")))
    await staged_engine.later(timedelta(seconds=11))
    (text,) = [message.text for message in staged_engine.sms.arrived]
    assert (ahead.recipients, ahead.messages) == (1, 1)
    assert abs(ahead.units - segments(text).count) <= 1


async def test_what_was_told_in_an_earlier_stage_counts_again_when_it_comes_nearer(staged_engine: Running) -> None:
    house_now = staged_engine.house
    again = Announcement(
        village=V1, before=Grade.RED, after=Grade.RED, reason_zh="强降雨", onset=START + timedelta(hours=1), told_in="outlook"
    )
    first = Announcement(village=V1, before=Grade.NONE, after=Grade.RED, reason_zh="强降雨", onset=START + timedelta(hours=1))
    assert preview(house_now, HAZARD, [again], [SMS], START) == preview(house_now, HAZARD, [first], [SMS], START)
    known = replace(again, told_in="imminent", onset=START + timedelta(hours=10))
    assert preview(house_now, HAZARD, [known], [SMS], START).at_most == ()


async def test_a_proposal_shows_what_its_release_then_plans_in_its_stage(place: FarSide) -> None:
    policy = sample_policy()
    review = dict(DEFAULT) | {Origin.OBSERVED: ReleaseRule(way=Way.REVIEW, within=timedelta(hours=1))}
    grades = {g: replace(p, release=review, valid_for=timedelta(hours=24)) for g, p in policy.grades.items()}
    async with running(place, replace(house(policy=replace(policy, grades=grades)), stages=STAGES)) as engine:
        await engine.change(replace(change(Grade.RED, "G1"), onset=START + timedelta(hours=5)))
        async with engine.store.read() as reader:
            view = await load_proposal(reader, engine.house, "p1", engine.clock.now())
        assert view is not None
        assert view.preview is not None
        ahead = preview(engine.house, HAZARD, view.preview.said, [SMS], engine.clock.now())
        officer = By(who=Principal(name="li", role=Role.RELEASING_OFFICER), origin="198.51.100.8")
        await engine.releases.approve("p1", Choice(hash=view.proposal.hash), officer)
        made = [d for d in await engine.deliveries() if d.person]
        assert ahead.stages == {"warning": 2}
        assert view.preview.people == len({d.address for d in made}) == loads(ahead.at_once)["sms"].recipients
