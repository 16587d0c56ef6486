"""What forecasters and officers do with warnings, in a whole engine: propose, agree, refuse, lift, retract, consult."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from dispatcher.accounts import Principal, Role
from dispatcher.errors import NotAllowed
from dispatcher.intake.acts import RuleAct, Verb
from dispatcher.intake.word import give_word
from dispatcher.model.notice import Purpose
from dispatcher.policy.release import DEFAULT, Origin, ReleaseRule, Way
from dispatcher.testing.stores import FarSide
from dispatcher.warnings.drafting import Draft
from dispatcher.warnings.releasing import By, Choice, Releases
from rules.grade import Grade
from tests.dispatch.making import COUNTY, COUNTY_LEADER, EAST, HAZARD, SECRETARY, START, V1, V2, V3, change, house, minutes, sample_policy
from tests.dispatch.running import Running, batch, rain, running

WANG = By(who=Principal(name="wang", role=Role.FORECASTER), origin="198.51.100.7")
LI = By(who=Principal(name="li", role=Role.RELEASING_OFFICER), origin="198.51.100.8")
ZHAO = By(who=Principal(name="zhao", role=Role.RELEASING_OFFICER), origin="198.51.100.9")


def draft(grade: Grade = Grade.ORANGE, *areas: str, hours: float = 3, replaces: str = "") -> Draft:
    return Draft(
        hazard=HAZARD, grade=grade, areas=areas or (EAST,), expires_at=START + timedelta(hours=hours), reason_zh="上游已出现强降雨",
        reason_en="Heavy rain upstream", replaces=replaces,
    )  # fmt: skip


async def seen(engine: Running, proposal: str) -> Choice:
    (row,) = await engine.rows("proposals.one", id=proposal)
    return Choice(hash=row["hash"])


async def open_warning(engine: Running) -> str:
    (row,) = await engine.rows("warnings.open", status="Actual", hazard=HAZARD)
    return str(row["id"])


async def propose(engine: Running, one: Draft, by: By = WANG) -> tuple[str, str]:
    name, proposals = await engine.releases.propose(one, by)
    (proposal,) = proposals
    return name, proposal


async def acts(engine: Running) -> list[tuple[str, str]]:
    return [(row["act"], row["actor"]) for row in await engine.rows("desk.audit", after=0, limit=500)]


async def test_a_forecasters_warning_is_told_only_after_an_officer_released_it_and_names_him(engine: Running) -> None:
    _, proposal = await propose(engine, draft())
    await engine.later(minutes(1))
    assert await engine.notices() == []
    await engine.releases.approve(proposal, await seen(engine, proposal), LI)
    assert {(n.village, n.grade) for n in await engine.notices()} == {(V1, Grade.ORANGE), (V2, Grade.ORANGE)}
    (alert,) = await engine.rows("warnings.alerts", warning=await open_warning(engine))
    assert alert["released_by"] == "li"
    await engine.send()
    assert "上游已出现强降雨" in engine.sms.told(SECRETARY)[0]
    assert [a for a in await acts(engine) if a[0] in ("propose", "approve")] == [("propose", "wang"), ("approve", "li")]


async def test_the_proposer_cannot_release_his_own_whatever_his_role(engine: Running) -> None:
    _, proposal = await propose(engine, draft(), LI)
    with pytest.raises(NotAllowed, match="does not release it himself"):
        await engine.releases.approve(proposal, replace(await seen(engine, proposal), override=True), LI)
    assert await engine.notices() == []


async def test_an_approval_of_what_was_amended_meanwhile_releases_nothing(engine: Running) -> None:
    name, proposal = await propose(engine, draft())
    old = await seen(engine, proposal)
    _, again = await propose(engine, draft(Grade.RED, V1, replaces=name))
    assert again == proposal
    with pytest.raises(NotAllowed, match="look again"):
        await engine.releases.approve(proposal, old, LI)
    assert await engine.notices() == []
    await engine.releases.approve(proposal, await seen(engine, proposal), LI)
    assert {(n.village, n.grade) for n in await engine.notices()} == {(V1, Grade.RED)}


async def test_two_officers_are_needed_where_the_policy_says_so_and_an_override_is_written_into_the_alert(place: FarSide) -> None:
    two = dict(DEFAULT) | {Origin.FORECASTER: ReleaseRule(way=Way.TWO_PERSON)}
    policy = replace(sample_policy(), grades={g: replace(p, release=two) for g, p in sample_policy().grades.items()})
    async with running(place, house(policy=policy)) as engine:
        _, proposal = await propose(engine, draft())
        await engine.releases.approve(proposal, await seen(engine, proposal), LI)
        assert await engine.notices() == []
        await engine.releases.approve(proposal, await seen(engine, proposal), ZHAO)
        assert (await engine.rows("warnings.alerts", warning=await open_warning(engine)))[0]["released_by"] == "li, zhao"
        _, second = await propose(engine, draft(Grade.RED, V3))
        await engine.releases.approve(second, replace(await seen(engine, second), override=True, note="只有我一人"), LI)
        rows = await engine.rows("warnings.listed", before=2**40, limit=9)
        alerts = [a["released_by"] for w in rows for a in await engine.rows("warnings.alerts", warning=w["id"])]
        assert "li (override)" in alerts


async def test_a_part_of_a_proposal_can_be_released_and_the_rest_goes_on_waiting(engine: Running) -> None:
    _, proposal = await propose(engine, draft())
    after = await engine.releases.approve(proposal, replace(await seen(engine, proposal), villages=(V1,)), LI)
    assert {n.village for n in await engine.notices()} == {V1}
    assert [e.saying.village for e in after.entries] == [V2]


async def test_a_refusal_needs_a_reason_and_nothing_is_told(engine: Running) -> None:
    _, proposal = await propose(engine, draft())
    with pytest.raises(NotAllowed, match="reason"):
        await engine.releases.refuse(proposal, await seen(engine, proposal), LI)
    after = await engine.releases.refuse(proposal, replace(await seen(engine, proposal), note="雨已停"), LI)
    assert (after.state, after.note) == ("refused", "雨已停")
    await engine.later(minutes(10))
    assert await engine.notices() == []


async def test_a_forecasters_warning_ends_when_he_said_and_the_rule_below_it_still_holds(engine: Running) -> None:
    await engine.change(change(Grade.BLUE, "G2"))
    _, proposal = await propose(engine, draft(hours=2))
    await engine.releases.approve(proposal, await seen(engine, proposal), LI)
    assert (await engine.notice(V2)).grade is Grade.ORANGE
    await engine.send()
    await engine.later(minutes(121))
    assert ((await engine.notice(V1)).purpose, (await engine.notice(V2)).purpose) == (Purpose.LIFT, Purpose.LOWER)
    assert (await engine.notice(V2)).grade is Grade.BLUE
    assert "有效期已过" in (await engine.notice(V1)).reason_zh


async def test_an_update_replaces_the_warning_before_it_and_lets_villages_go(engine: Running) -> None:
    name, proposal = await propose(engine, draft(Grade.YELLOW))
    await engine.releases.approve(proposal, await seen(engine, proposal), LI)
    same, update = await propose(engine, draft(Grade.RED, V1, replaces=name))
    assert same == name
    await engine.releases.approve(update, await seen(engine, update), LI)
    assert ((await engine.notice(V1)).grade, (await engine.notice(V2)).purpose) == (Grade.RED, Purpose.LIFT)
    with pytest.raises(NotAllowed, match="no warning 'person:nobody/1'"):
        await engine.releases.propose(draft(replaces="person:nobody/1"), WANG)


async def test_a_lift_by_a_person_waits_for_release_like_any_other_word_of_his(engine: Running) -> None:
    await engine.change(change(Grade.RED))
    warning = await open_warning(engine)
    (proposal,) = await engine.releases.lift(warning, [V1], ("现场核实无险情", ""), WANG)
    assert (await engine.notice(V1)).grade is Grade.RED
    await engine.releases.approve(proposal, await seen(engine, proposal), LI)
    lifted = await engine.notice(V1)
    assert (lifted.purpose, lifted.reason_zh) == (Purpose.LIFT, "现场核实无险情")
    assert (await engine.notice(V2)).grade is Grade.RED


async def test_what_a_rule_says_meanwhile_overtakes_a_lift_that_waits(engine: Running) -> None:
    await engine.change(change(Grade.YELLOW))
    (proposal,) = await engine.releases.lift(await open_warning(engine), [], ("雨停", ""), WANG)
    await engine.change(change(Grade.RED, before=Grade.YELLOW, step=1))
    (row,) = await engine.rows("proposals.one", id=proposal)
    assert row["state"] == "overtaken"
    assert (await engine.notice(V1)).grade is Grade.RED


async def test_a_retraction_stops_what_is_not_sent_and_tells_exactly_those_who_were_reached(engine: Running) -> None:
    await engine.change(change(Grade.RED, "G1"), change(Grade.RED, "G3"))
    rows = await engine.rows("warnings.open", status="Actual", hazard=HAZARD)
    east = next(r["id"] for r in rows if r["area"] == EAST)
    before = [d for d in await engine.deliveries() if d.village in (V1, V2)]
    assert before
    await engine.send(at_once=4)
    reached = {(m.address, channel.name) for channel in (engine.sms, engine.speaker) for m in channel.arrived}
    count = {address: len(engine.sms.told(address)) for address in engine.sms.addresses()}
    with pytest.raises(NotAllowed, match="releasing_officer"):
        await engine.releases.retract(east, ("误报", "False alarm"), WANG)
    await engine.releases.retract(east, ("雨量站故障", "The gauge was broken"), LI)
    await engine.send()
    told = {a for a in engine.sms.addresses() if len(engine.sms.told(a)) > count.get(a, 0)}
    in_east = {d.address for d in before if d.channel == "sms"}
    assert told & in_east == {a for a, channel in reached if channel == "sms"} & in_east
    assert all("撤回：雨量站故障" in t or "Retracted" in t for a in told & in_east for t in engine.sms.told(a)[-1:])
    assert (await engine.notice(V3)).grade is Grade.RED, "the other warning stands"
    await engine.later(minutes(30))
    called = {d.address for d in await engine.deliveries() if d.village in (V1, V2)}
    assert COUNTY_LEADER not in called, "nobody is called for it any more"


async def test_after_a_retraction_the_rule_must_speak_anew(engine: Running) -> None:
    await engine.change(change(Grade.RED))
    await engine.releases.retract(await open_warning(engine), ("误报", ""), LI)
    assert await engine.rows("warnings.open", status="Actual", hazard=HAZARD) == []
    await engine.later(minutes(1))
    await engine.change(change(Grade.NONE, before=Grade.RED, step=1))
    await engine.change(change(Grade.RED, at=START + minutes(60), step=2))
    assert (await engine.notice(V1)).grade is Grade.RED


async def test_a_consultation_is_kept_with_its_proposal(engine: Running) -> None:
    _, proposal = await propose(engine, draft())
    await engine.releases.consult(proposal, "took_part", "水文站 陈工", LI)
    await engine.releases.consult(proposal, "looked_at", "石潭河上游站过程线", WANG)
    await engine.releases.consult(proposal, "said", "同意橙色", ZHAO)
    rows = await engine.rows("proposals.consultations", proposal=proposal)
    assert [(r["kind"], r["person"]) for r in rows] == [("took_part", "li"), ("looked_at", "wang"), ("said", "zhao")]
    with pytest.raises(NotAllowed):
        await engine.releases.consult(proposal, "dreamt", "x", LI)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (replace(draft(), hazard="locusts"), "no policy for hazard 'locusts'"),
        (replace(draft(), areas=("110000000000",)), "no village lies in '110000000000'"),
        (replace(draft(), areas=()), "at least one village"),
        (replace(draft(), grade=Grade.NONE), "lift it"),
        (replace(draft(), expires_at=START), "ends after now"),
        (replace(draft(), expires_at=START + timedelta(hours=73)), "within 72 hours"),
        (replace(draft(), reason_zh=" ", reason_en=""), "needs a reason"),
    ],
    ids=["hazard", "area", "no area", "no grade", "past", "too long", "no reason"],
)
async def test_a_draft_that_will_not_do_is_refused_with_what_would(engine: Running, wrong: Draft, said: str) -> None:
    with pytest.raises(NotAllowed, match=said):
        await engine.releases.propose(wrong, WANG)


async def test_the_county_can_be_warned_by_its_code(engine: Running) -> None:
    _, proposal = await propose(engine, draft(Grade.BLUE, COUNTY))
    await engine.releases.approve(proposal, await seen(engine, proposal), LI)
    assert {n.village for n in await engine.notices()} == {V1, V2, V3}
    (row,) = await engine.rows("warnings.open", status="Actual", hazard=HAZARD)
    assert row["area"] == COUNTY


async def test_when_the_last_word_of_a_rule_is_taken_back_the_rule_must_see_it_anew_and_may_speak_again(engine: Running) -> None:
    """A ladder that stood on in red would not speak again until it had fallen: the storm after the lift would be silent."""
    lifted: list[tuple[str, str]] = []

    async def lift_rule(rule: str, place: str, by: By) -> None:
        lifted.append((rule, place))
        await give_word(engine.place, engine.pipeline, RuleAct(verb=Verb.LIFT, rule=rule, place=place, by=by.who.name))

    releases = Releases(engine.place, lambda: None, lift_rule)
    run = asyncio.create_task(engine.pipeline.run())
    await offer(engine, rain(12, START))
    assert (await engine.notice(V1)).grade is Grade.RED
    (one,) = await releases.lift(await open_warning(engine), [V1], ("无险情", ""), WANG)
    await releases.approve(one, await seen(engine, one), LI)
    assert lifted == [], "it still holds the other village"
    (other,) = await releases.lift(await open_warning(engine), [], ("无险情", ""), WANG)
    await releases.approve(other, await seen(engine, other), LI)
    assert lifted == [("rain", "G1")]
    engine.clock.advance(minutes(5))
    await offer(engine, rain(1, START + minutes(5)))
    assert (await engine.notice(V1)).grade is Grade.RED, "the sum of the hour is still above red"
    await engine.pipeline.stop()
    await run


async def offer(engine: Running, body: bytes) -> None:
    await engine.pipeline.offer(engine.tap, batch(body))
    async with asyncio.timeout(10):
        while not any(item.body == body for b in engine.tap.acked for item in b.items):  # noqa: ASYNC110 - the tap has no event
            await asyncio.sleep(0.01)
