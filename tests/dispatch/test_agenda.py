from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.calls.agenda import Entry, agenda, entries_due, next_due, passed, satisfied_actions, state_of
from dispatcher.model.answer import Said
from dispatcher.model.notice import NoticeState, Purpose
from dispatcher.policy.model import Action, AnsweredBy, GradePlan, Quorum
from rules.grade import Grade
from tests.dispatch.making import START, answer, minutes, red_plan, sample_policy

PLAN = red_plan()
ENTRIES = agenda(PLAN)
NONE: frozenset[Action] = frozenset()
RECEIVED, EVACUATING, EVACUATED = Action.RECEIVED, Action.EVACUATING, Action.EVACUATED


def by(kind: Quorum, count: int = 1) -> GradePlan:
    return replace(PLAN, answered_by=AnsweredBy(kind=kind, count=count))


def satisfied(plan: GradePlan, *said: tuple[str, Said], asked: Sequence[str] = ("a", "b", "c")) -> set[Action]:
    return set(satisfied_actions(plan, [answer(word, person) for person, word in said], frozenset(asked)))


def test_entries_come_in_the_order_of_time() -> None:
    assert [e.after for e in ENTRIES] == sorted(e.after for e in ENTRIES)
    first = [e.step for e in ENTRIES if not e.after]
    assert first == [0, 1, 2, 3]


def test_steps_at_release_are_repeated_as_the_plan_says_and_later_steps_are_not() -> None:
    assert [(e.after, e.repeat) for e in ENTRIES if e.step == 0] == [(minutes(0), 0), (minutes(3), 1), (minutes(6), 2), (minutes(9), 3)]
    assert [e.after for e in ENTRIES if e.step == 4] == [minutes(5)]


def test_steps_of_a_later_action_wait_for_its_deadline() -> None:
    assert [e.after for e in ENTRIES if e.action is EVACUATING] == [PLAN.deadlines[EVACUATING]]
    assert [e.after for e in ENTRIES if e.action is EVACUATED] == [PLAN.deadlines[EVACUATED]]


def test_a_plan_without_repeat_has_one_entry_a_step() -> None:
    blue = sample_policy().grades[Grade.BLUE]
    assert len(agenda(blue)) == len(blue.steps)


def test_satisfied_actions_stop_their_own_steps_and_no_others() -> None:
    at_20 = START + minutes(20)
    due = entries_due(ENTRIES, 3, {RECEIVED}, START, at_20)
    assert {e.action for e in due} == {EVACUATING}
    assert next_due(ENTRIES, 3, {RECEIVED}, START) == START + PLAN.deadlines[EVACUATING]
    assert next_due(ENTRIES, 3, {RECEIVED, EVACUATING}, START) == START + PLAN.deadlines[EVACUATED]
    assert next_due(ENTRIES, 3, set(PLAN.actions), START) is None


@given(times=st.lists(st.integers(0, 90 * 60), max_size=8).map(sorted))
def test_whenever_one_looks_each_entry_is_taken_once_and_none_before_its_time(times: list[int]) -> None:
    done, taken = 0, list[Entry]()
    for seconds in [*times, 90 * 60]:
        now = START + timedelta(seconds=seconds)
        due = entries_due(ENTRIES, done, NONE, START, now)
        assert all(START + e.after <= now for e in due)
        taken += due
        done = max(done, passed(ENTRIES, START, now))
    assert tuple(taken) == ENTRIES


def test_a_later_action_implies_the_earlier_ones() -> None:
    plan = by(Quorum.ANY)
    assert satisfied(plan, ("a", Said.RECEIVED)) == {RECEIVED}
    assert satisfied(plan, ("a", Said.EVACUATING)) == {RECEIVED, EVACUATING}
    assert satisfied(plan, ("a", Said.EVACUATED)) == {RECEIVED, EVACUATING, EVACUATED}


def test_a_call_for_help_proves_that_it_was_heard_and_a_refusal_stops_nothing() -> None:
    plan = by(Quorum.ANY)
    assert satisfied(plan, ("a", Said.HELP)) == {RECEIVED}
    assert satisfied(plan, ("a", Said.REFUSED)) == set()


def test_a_quorum_counts_people_and_not_answers() -> None:
    plan = by(Quorum.SOME, 2)
    assert satisfied(plan, ("a", Said.RECEIVED), ("a", Said.RECEIVED)) == set()
    assert satisfied(plan, ("a", Said.RECEIVED), ("b", Said.RECEIVED)) == {RECEIVED}
    assert satisfied(plan, ("a", Said.EVACUATED), ("b", Said.RECEIVED)) == {RECEIVED}


def test_all_means_each_of_those_asked_and_nobody_in_their_place() -> None:
    plan = by(Quorum.ALL)
    everyone = [("a", Said.RECEIVED), ("b", Said.RECEIVED), ("c", Said.RECEIVED)]
    assert satisfied(plan, *everyone[:2]) == set()
    assert satisfied(plan, *everyone[:2], ("leader", Said.RECEIVED)) == set()
    assert satisfied(plan, *everyone) == {RECEIVED}


def test_all_of_nobody_still_needs_an_answer() -> None:
    plan = by(Quorum.ALL)
    assert satisfied(plan, asked=()) == set()
    assert satisfied(plan, ("leader", Said.RECEIVED), asked=()) == {RECEIVED}


def test_what_was_written_down_on_behalf_counts_as_that_person() -> None:
    plan = by(Quorum.SOME, 2)
    said = [answer(Said.RECEIVED, "a"), answer(Said.RECEIVED, "b", on_behalf_by="officer")]
    assert satisfied_actions(plan, said, frozenset({"a", "b"})) == {RECEIVED}


@given(said=st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(list(Said))), max_size=8), kind=st.sampled_from(list(Quorum)))
def test_more_answers_never_take_an_action_back_and_the_order_does_not_matter(said: list[tuple[str, Said]], kind: Quorum) -> None:
    plan = by(kind, 2)
    assert satisfied(plan, *said) == satisfied(plan, *reversed(said))
    for n in range(len(said)):
        assert satisfied(plan, *said[:n]) <= satisfied(plan, *said)
    assert EVACUATED not in satisfied(plan, *said) or RECEIVED in satisfied(plan, *said)


@pytest.mark.parametrize(
    ("actions", "done", "state"),
    [
        pytest.param(PLAN.actions, NONE, NoticeState.CALLING, id="nothing"),
        pytest.param(PLAN.actions, {RECEIVED}, NoticeState.ANSWERED, id="received"),
        pytest.param(PLAN.actions, {RECEIVED, EVACUATING}, NoticeState.ACTING, id="moving"),
        pytest.param(PLAN.actions, set(PLAN.actions), NoticeState.DONE, id="all"),
        pytest.param((RECEIVED,), {RECEIVED}, NoticeState.ANSWERED, id="only-received-was-asked"),
        pytest.param((), NONE, NoticeState.INFORMED, id="nothing-was-asked"),
    ],
)
def test_the_state_says_how_far_the_village_is(actions: tuple[Action, ...], done: set[Action], state: NoticeState) -> None:
    assert state_of(replace(PLAN, actions=actions), Purpose.WARN, done) is state
    assert state_of(PLAN, Purpose.LIFT, done) is NoticeState.INFORMED
