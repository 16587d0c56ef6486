"""Review before release in a whole engine: what waits is stored, silence decides as the policy says, and what is in force is renewed."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatcher.accounts import Principal, Role
from dispatcher.model.proposal import Proposal, ProposalState
from dispatcher.model.task import TaskKind
from dispatcher.policy.model import Policy
from dispatcher.policy.release import DEFAULT, Origin, ReleaseRule, Then, Way
from dispatcher.testing.stores import FarSide
from dispatcher.warnings.drafting import Draft
from dispatcher.warnings.proposal_rows import proposal_of
from dispatcher.warnings.releasing import By, Choice
from rules.grade import Grade
from tests.dispatch.conftest import Places
from tests.dispatch.making import HAZARD, START, V1, V2, V3, change, house, minutes, sample_policy
from tests.dispatch.running import Running, running

REVIEW = ReleaseRule(way=Way.REVIEW, within=minutes(5))
LI = By(who=Principal(name="li", role=Role.RELEASING_OFFICER))


def policy(rules: Mapping[Grade, ReleaseRule]) -> Policy:
    """The sample's plans; these grades of observed rules wait for a person."""
    grades = {
        grade: replace(plan, release=dict(DEFAULT) | {Origin.OBSERVED: rules[grade]}) if grade in rules else plan
        for grade, plan in sample_policy().grades.items()
    }
    return replace(sample_policy(), grades=grades)


async def waiting(engine: Running) -> list[Proposal]:
    return [proposal_of(row) for row in await engine.rows("proposals.waiting", status="Actual", hazard=HAZARD)]


async def test_what_must_be_reviewed_waits_and_the_lower_grade_below_it_is_told_meanwhile(place: FarSide) -> None:
    async with running(place, house(policy=policy({Grade.RED: REVIEW}))) as engine:
        await engine.change(change(Grade.ORANGE))
        await engine.later(minutes(1))
        await engine.change(change(Grade.RED, before=Grade.ORANGE, step=1))
        await engine.later(minutes(1))
        assert {n.grade for n in await engine.notices()} == {Grade.ORANGE}
        (proposal,) = await waiting(engine)
        assert [(e.saying.village, e.before, e.saying.grade) for e in proposal.entries] == [
            (V1, Grade.ORANGE, Grade.RED),
            (V2, Grade.ORANGE, Grade.RED),
        ]
        assert [t.kind for t in await engine.tasks() if t.kind is TaskKind.RELEASE] == [TaskKind.RELEASE]


async def test_what_a_person_proposes_at_any_microsecond_can_be_decided_as_it_is_seen(place: FarSide) -> None:
    async with running(place, house()) as engine:
        now = START + timedelta(microseconds=123_457)
        said = Draft(hazard=HAZARD, grade=Grade.RED, areas=(V1,), expires_at=now + minutes(60), reason_zh="强降雨", onset=now + minutes(30))
        await engine.releases.propose(said, By(who=Principal(name="wang", role=Role.FORECASTER)))
        (proposal,) = await waiting(engine)
        after = await engine.releases.approve(proposal.id, Choice(hash=proposal.hash), LI)
        assert after.state is ProposalState.RELEASED


async def test_what_falls_back_before_it_was_looked_at_waits_no_more(place: FarSide) -> None:
    async with running(place, house(policy=policy({Grade.RED: REVIEW}))) as engine:
        await engine.change(change(Grade.RED))
        await engine.change(change(Grade.YELLOW, before=Grade.RED, step=1))
        assert await waiting(engine) == []
        await engine.later(minutes(1))
        assert {n.grade for n in await engine.notices()} == {Grade.YELLOW}
        assert [t for t in await engine.tasks() if t.kind is TaskKind.RELEASE] == []


@pytest.mark.parametrize("then", [Then.RELEASE, Then.PAGE])
async def test_silence_about_red_releases_it_or_calls_again_as_the_policy_says(place: FarSide, then: Then) -> None:
    async with running(place, house(policy=policy({Grade.RED: replace(REVIEW, then=then)}))) as engine:
        await engine.change(change(Grade.RED))
        await engine.later(minutes(4))
        assert await engine.notices() == []
        await engine.later(minutes(1))
        if then is Then.RELEASE:
            assert {n.grade for n in await engine.notices()} == {Grade.RED}
            assert [r["released_by"] for r in await engine.rows("warnings.alerts", warning=(await engine.notices())[0].warning)] == [
                "policy:timeout"
            ]
        else:
            (proposal,) = await waiting(engine)
            assert proposal.paged == 1
            await engine.later(minutes(5))
            assert (await waiting(engine))[0].paged == 2


async def test_a_blue_that_nobody_looked_at_is_dropped_and_it_is_said(place: FarSide) -> None:
    async with running(place, house(policy=policy({Grade.BLUE: replace(REVIEW, then=Then.DROP)}))) as engine:
        await engine.change(change(Grade.BLUE))
        await engine.later(minutes(5))
        assert await engine.notices() == []
        assert await waiting(engine) == []
        said = [row["text_en"] for row in await engine.rows("desk.feed_latest", limit=20)]
        assert any("not released in time, dropped" in text for text in said)


async def test_what_waits_is_still_there_for_the_next_process(place: FarSide) -> None:
    kept = house(policy=policy({Grade.RED: replace(REVIEW, then=Then.RELEASE)}))
    async with running(place, kept) as engine:
        await engine.change(change(Grade.RED))
        start = engine.clock.now()
    async with running(place, kept, start=start + minutes(5)) as engine:
        await engine.later(timedelta(0))
        assert {n.grade for n in await engine.notices()} == {Grade.RED}


async def test_a_warning_in_force_is_renewed_before_it_runs_out_and_nobody_is_asked_anew(place: FarSide) -> None:
    async with running(place) as engine:
        await engine.change(change(Grade.BLUE))
        await engine.later(minutes(1))
        (first, *_) = await engine.notices()
        told = len(engine.sms.arrived)
        await engine.later(first.expires_at - engine.clock.now() - minutes(30), send=False)
        again = await engine.notice(first.village)
        assert (again.id, again.expires_at) == (first.id, engine.clock.now() + sample_policy().grades[Grade.BLUE].valid_for)
        alerts = await engine.rows("warnings.alerts", warning=first.warning)
        assert [(a["message_type"], a["released_by"]) for a in alerts] == [("Alert", "policy:auto"), ("Update", "policy:renewal")]
        assert len(engine.sms.arrived) == told


# --------------------------------------------------------------- over any life: what a village hears last

GRADES = st.sampled_from(list(Grade))
ACTS = st.lists(st.tuples(st.sampled_from(["rule", "approve", "refuse", "wait"]), st.sampled_from(["G1", "G3"]), GRADES), max_size=12)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=ACTS, then=st.sampled_from(Then), grade=st.sampled_from([g for g in Grade if g]))
async def test_whatever_is_approved_refused_or_forgotten_a_village_hears_last_what_holds_last(
    acts: list[tuple[str, str, Grade]], then: Then, grade: Grade, places: Places
) -> None:
    """The last notice of a village has the grade of its contributions, all of which were free or released; nothing else was told."""
    rule = replace(REVIEW, then=then)
    async with running(places(), house(policy=policy({grade: rule}))) as engine:
        told: dict[str, Grade] = {}
        for n, (act, gauge, after) in enumerate(acts):
            if act == "rule":
                await engine.change(change(after, gauge, before=told.get(gauge, Grade.NONE), at=engine.clock.now(), step=n))
                told[gauge] = after
            elif act == "wait":
                await engine.later(minutes(6), send=False)
            else:
                await decide_all(engine, act)
        await engine.later(minutes(1), send=False)
        await agrees(engine, grade)


async def decide_all(engine: Running, act: str) -> None:
    for one in await waiting(engine):
        choice = Choice(hash=one.hash, note="x")
        await (engine.releases.approve(one.id, choice, LI) if act == "approve" else engine.releases.refuse(one.id, choice, LI))


async def agrees(engine: Running, reviewed: Grade) -> None:
    last = {n.village: n for n in await engine.notices()}
    held: dict[str, Grade] = {}
    villages = json.dumps([V1, V2, V3])
    for row in await engine.rows("warnings.contributions", status="Actual", hazard=HAZARD, villages=villages):
        held[row["village"]] = max(held.get(row["village"], Grade.NONE), Grade(row["grade"]))
    for village in (V1, V2, V3):
        heard = last[village].grade if village in last else Grade.NONE
        assert heard is held.get(village, Grade.NONE), f"{village} heard {heard.word} last"
    for one in await waiting(engine):
        assert all(max(e.before, e.saying.grade) is reviewed for e in one.entries), "something waits that needs nobody"
