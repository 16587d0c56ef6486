"""The life of a proposal: what may leave, who may let it, and what silence does."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.accounts import Role
from dispatcher.errors import NotAllowed
from dispatcher.model.proposal import Entry, Proposal, ProposalState
from dispatcher.model.saying import Saying
from dispatcher.policy.release import Origin, ReleaseRule, Then, Way
from dispatcher.ports import Status
from dispatcher.warnings.proposal_rows import proposal_of, proposal_row
from dispatcher.warnings.proposing import Amended, Approved, Decided, Event, Refused, TimedOut, decide
from rules.grade import Grade
from tests.dispatch.making import COUNTY, EAST, HAZARD, START, V1, V2, V3, minutes

REVIEW = ReleaseRule(way=Way.REVIEW, within=minutes(5), then=Then.PAGE)
TWO = ReleaseRule(way=Way.TWO_PERSON, within=minutes(5))


def entry(
    village: str = V1, grade: Grade = Grade.RED, *, before: Grade = Grade.NONE, rule: ReleaseRule = REVIEW, person: str = "",
    reason: str = "雨", deadline: datetime | None = None, expires_at: datetime | None = None,
) -> Entry:  # fmt: skip
    said = Saying(
        hazard=HAZARD, village=village, contributor=f"person:{person}/1" if person else "rule:rain/G1", area=EAST, grade=grade, since=START,
        reason_zh=reason, reason_en="rain", origin=Origin.FORECASTER if person else Origin.OBSERVED, person=person, expires_at=expires_at,
    )  # fmt: skip
    return Entry(saying=said, before=before, rule=rule, deadline=deadline or START + rule.within)


def proposal(*entries: Entry, proposer: str = "") -> Proposal:
    return Proposal(
        id="p1", county=COUNTY, status=Status.ACTUAL, hazard=HAZARD, area=EAST, topic="", proposer=proposer, opened_at=START,
        updated_at=START, entries=entries,
    )  # fmt: skip


def approved(by: str, *entries: Entry, role: Role = Role.RELEASING_OFFICER, override: bool = False) -> Approved:
    return Approved(by=by, role=role, entries=frozenset(e.digest for e in entries), override=override)


def test_one_officer_releases_what_asks_for_a_review() -> None:
    one = entry()
    decided = decide(proposal(one), approved("li", one), START)
    assert (decided.released, decided.released_by) == ((one,), "li")
    assert (decided.proposal.state, decided.proposal.closed_by) == (ProposalState.RELEASED, "li")


def test_two_people_must_agree_where_the_policy_says_so_and_one_twice_is_not_two() -> None:
    one = entry(rule=TWO)
    first = decide(proposal(one), approved("li", one), START)
    assert (first.released, first.proposal.state) == ((), ProposalState.WAITING)
    with pytest.raises(NotAllowed, match="agreed to this already"):
        decide(first.proposal, approved("li", one), START)
    second = decide(first.proposal, approved("wang", one), START)
    assert (second.released, second.released_by) == ((one,), "li, wang")


def test_one_officer_may_stand_for_two_and_it_is_said() -> None:
    one = entry(rule=TWO)
    decided = decide(proposal(one), approved("li", one, override=True), START)
    assert (decided.released, decided.released_by) == ((one,), "li (override)")
    after_first = decide(decide(proposal(one), approved("li", one), START).proposal, approved("li", one, override=True), START)
    assert after_first.released == (one,)


def test_the_approved_part_leaves_at_once_and_what_was_amended_meanwhile_goes_on_waiting() -> None:
    one, two = entry(V1), entry(V2)
    amended = decide(proposal(one, two), Amended(entries=[entry(V2, reason="更多雨")]), START).proposal
    decided = decide(amended, approved("li", one, two), START)
    assert [e.saying.village for e in decided.released] == [V1]
    assert [(e.saying.village, e.saying.reason_zh) for e in decided.proposal.entries] == [(V2, "更多雨")]


def test_who_saw_nothing_of_what_waits_now_is_told_to_look_again() -> None:
    with pytest.raises(NotAllowed, match="look again"):
        decide(proposal(entry()), approved("li", entry(reason="另一")), START)


def test_an_amendment_does_not_put_off_the_deadline() -> None:
    first = proposal(entry(grade=Grade.ORANGE))
    later = entry(deadline=START + minutes(9))
    assert decide(first, Amended(entries=[later]), START + minutes(4)).proposal.deadline == START + minutes(5)


def test_a_proposal_whose_contributors_took_everything_back_is_closed() -> None:
    one = entry()
    decided = decide(proposal(one), Amended(gone=frozenset({one.key})), START)
    assert (decided.proposal.state, decided.released) == (ProposalState.OVERTAKEN, ())


def test_nobody_below_the_role_releases_or_refuses() -> None:
    one = entry()
    with pytest.raises(NotAllowed, match="releasing_officer"):
        decide(proposal(one), approved("chen", one, role=Role.DUTY_OFFICER), START)
    with pytest.raises(NotAllowed, match="releasing_officer"):
        decide(proposal(one), Refused(by="chen", role=Role.DUTY_OFFICER, entries=frozenset({one.digest})), START)


def test_the_proposer_may_take_his_own_back_but_not_release_it_even_with_an_override() -> None:
    one = entry(person="wang")
    waiting = proposal(one, proposer="wang")
    with pytest.raises(NotAllowed, match="does not release it himself"):
        decide(waiting, approved("wang", one, override=True), START)
    back = decide(waiting, Refused(by="wang", role=Role.FORECASTER, entries=frozenset({one.digest})), START)
    assert back.proposal.state is ProposalState.REFUSED


def test_silence_releases_all_that_it_may_release_together_at_the_first_deadline() -> None:
    rule = replace(REVIEW, then=Then.RELEASE)
    one, two = entry(V1, rule=rule), entry(V2, rule=rule, deadline=START + minutes(9))
    decided = decide(proposal(one, two), TimedOut(), START + minutes(5))
    assert decided.released == (one, two)
    assert decided.released_by == "policy:timeout"


def test_silence_drops_a_low_grade_calls_for_a_high_one_and_keeps_a_lowering() -> None:
    rule = replace(REVIEW, then=Then.DROP)
    low, high, lowering = entry(V1, Grade.BLUE, rule=rule), entry(V2, rule=rule), entry(V3, Grade.NONE, before=Grade.YELLOW, rule=rule)
    decided = decide(proposal(low, high, lowering), TimedOut(), START + minutes(5))
    assert decided.dropped == (low,)
    assert decided.paged
    assert [e.saying.village for e in decided.proposal.entries] == [V2, V3]
    assert decided.proposal.deadline == START + minutes(10)


def test_what_is_too_old_to_be_said_is_not_said_any_more() -> None:
    old = entry(expires_at=START + minutes(3), rule=replace(REVIEW, then=Then.RELEASE))
    waiting = proposal(old)
    assert waiting.deadline == START + minutes(3)
    decided = decide(waiting, TimedOut(), START + minutes(6))
    assert (decided.stale, decided.released) == ((old,), ())


def test_a_proposal_comes_back_from_its_row_as_it_was() -> None:
    waiting = decide(
        proposal(entry(rule=TWO), entry(V2, person="wang", expires_at=START + minutes(60))), approved("li", entry(rule=TWO)), START
    )
    assert proposal_of(proposal_row(waiting.proposal) | {"seq": 1}) == waiting.proposal


# ------------------------------------------------------------------------------------------- over any life

RULES = st.builds(
    ReleaseRule,
    way=st.sampled_from([Way.REVIEW, Way.TWO_PERSON]),
    by=st.sampled_from([Role.DUTY_OFFICER, Role.RELEASING_OFFICER]),
    within=st.sampled_from([minutes(1), minutes(5)]),
    then=st.sampled_from(Then),
)
ENTRIES = st.builds(
    entry,
    village=st.sampled_from([V1, V2, V3]),
    grade=st.sampled_from(list(Grade)),
    before=st.sampled_from(list(Grade)),
    rule=RULES,
    person=st.sampled_from(["", "wang"]),
    reason=st.sampled_from(["雨", "更多雨"]),
    expires_at=st.sampled_from([None, START + minutes(7)]),
)
PEOPLE = st.sampled_from(["wang", "li", "chen"])
ACTS = st.tuples(st.sampled_from(["amend", "approve", "refuse", "wait"]), PEOPLE, st.sampled_from(list(Role)), st.booleans(), ENTRIES)


def event_of(act: str, person: str, role: Role, one: Entry, seen: frozenset[str], *, override: bool) -> Event:
    if act == "amend":
        return Amended(entries=[one])
    if act == "approve":
        return Approved(by=person, role=role, entries=seen, override=override)
    return Refused(by=person, role=role, entries=seen) if act == "refuse" else TimedOut()


@given(first=st.lists(ENTRIES, min_size=1, max_size=4), acts=st.lists(ACTS, max_size=14), stale_view=st.integers(0, 3))
def test_over_any_life_nothing_leaves_unapproved_and_nothing_vital_is_lost(
    first: list[Entry], acts: Sequence[tuple[str, str, Role, bool, Entry]], stale_view: int
) -> None:
    now = START
    waiting = decide(proposal(), Amended(entries=first), now).proposal
    views = [frozenset(e.digest for e in waiting.entries)]
    agreed: dict[str, set[str]] = {}
    for act, person, role, override, one in acts:
        now += timedelta(minutes=1)
        if waiting.state is not ProposalState.WAITING:
            return
        seen = views[max(0, len(views) - 1 - stale_view)]
        try:
            decided = decide(waiting, event_of(act, person, role, one, seen, override=override), now)
        except NotAllowed:
            continue
        if act == "approve":
            for e in waiting.entries:
                if e.digest in seen and role >= e.rule.by:
                    agreed.setdefault(e.digest, set()).update({person, f"{person}!"} if override else {person})
        check(waiting, decided, act, agreed, now)
        waiting = decided.proposal
        views.append(frozenset(e.digest for e in waiting.entries))


def check(before: Proposal, decided: Decided, act: str, agreed: dict[str, set[str]], now: datetime) -> None:
    for one in decided.released:
        people = {p for p in agreed.get(one.digest, ()) if p.rstrip("!") not in (one.saying.person, before.proposer)}
        if act == "approve":
            who = {p for p in people if not p.endswith("!")}
            assert len(who) >= one.rule.people or any(p.endswith("!") for p in people), "released what was not agreed to"
            assert who, "the proposer released his own"
        else:
            assert act == "wait"
            assert one.rule.then is Then.RELEASE
        assert act == "approve" or one.saying.expires_at is None or one.saying.expires_at > now, "said what was too old"
    if act == "wait":
        assert not any(e.life_safety for e in decided.dropped), "silence dropped a matter of life"
        assert not any(e.saying.grade < e.before for e in decided.dropped), "silence left a village with an old grade"
    gone = {e.key for part in (decided.released, decided.dropped, decided.stale) for e in part}
    left = {e.key for e in decided.proposal.entries}
    assert {e.key for e in before.entries} <= gone | left, "something vanished without a word"
    assert not gone & left
