"""When a call plan does what: its steps and repeats in the order of time, and which of them are still needed.

Decisions only. An entry is taken at its time unless the action it calls for is already answered.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.model.answer import Answer, Said
from dispatcher.model.notice import NoticeState, Purpose
from dispatcher.policy.model import Action, GradePlan, Quorum


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """At ``after`` release, take ``step`` (its place in the plan) for the ``repeat``-th time (0 is the first)."""

    after: timedelta
    step: int
    repeat: int
    action: Action


def agenda(plan: GradePlan) -> tuple[Entry, ...]:
    """All entries of a plan by time. Steps at release that ask people are repeated as the plan says."""
    entries = []
    for number, step in enumerate(plan.steps):
        start = timedelta(0) if step.action is Action.RECEIVED else plan.deadlines[step.action]
        entries.append(Entry(after=start + step.after, step=number, repeat=0, action=step.action))
        if plan.repeat is not None and plan.actions and not step.after and step.action is Action.RECEIVED:
            entries += [
                Entry(after=plan.repeat.every * n, step=number, repeat=n, action=step.action) for n in range(1, plan.repeat.times + 1)
            ]
    return tuple(sorted(entries, key=lambda e: (e.after, e.repeat, e.step)))


def entries_due(
    entries: Sequence[Entry], done: int, satisfied: AbstractSet[Action], released_at: datetime, now: datetime
) -> tuple[Entry, ...]:
    """The entries after the first ``done`` whose time has come and whose action is still open."""
    return tuple(e for e in entries[done:] if released_at + e.after <= now and e.action not in satisfied)


def passed(entries: Sequence[Entry], released_at: datetime, now: datetime) -> int:
    """How many entries lie at or before ``now``."""
    return sum(released_at + e.after <= now for e in entries)


def next_due(entries: Sequence[Entry], done: int, satisfied: AbstractSet[Action], released_at: datetime) -> datetime | None:
    """When the next entry that is still needed comes due; None when none is left."""
    return next((released_at + e.after for e in entries[done:] if e.action not in satisfied), None)


SAID_BY = {
    Said.RECEIVED: (Action.RECEIVED,),
    Said.EVACUATING: (Action.RECEIVED, Action.EVACUATING),
    Said.EVACUATED: (Action.RECEIVED, Action.EVACUATING, Action.EVACUATED),
    Said.HELP: (Action.RECEIVED,),
    Said.REFUSED: (),
}


def satisfied_actions(plan: GradePlan, answers: Sequence[Answer], asked: AbstractSet[str]) -> frozenset[Action]:
    """The actions that count as answered; ``asked`` are the people the plan's first steps asked.

    A later action implies the earlier ones. A call for help is proof that the notice was heard; a refusal is not an answer
    that stops the chain. What a duty officer wrote down for a person counts as that person's.
    """
    needed = plan.answered_by.count if plan.answered_by.kind is Quorum.SOME else 1
    all_of = asked if plan.answered_by.kind is Quorum.ALL else frozenset()
    people: dict[Action, set[str]] = {}
    for answer in answers:
        for action in SAID_BY[answer.action]:
            people.setdefault(action, set()).add(answer.person or answer.on_behalf_by)
    return frozenset(a for a in plan.actions if len(people.get(a, ())) >= needed and all_of <= people.get(a, set()))


def state_of(plan: GradePlan, purpose: Purpose, satisfied: AbstractSet[Action]) -> NoticeState:
    """What a notice that is not superseded has come to."""
    if purpose is not Purpose.WARN or not plan.actions:
        return NoticeState.INFORMED
    if Action.RECEIVED not in satisfied:
        return NoticeState.CALLING
    if len(satisfied) == len(plan.actions):
        return NoticeState.ANSWERED if plan.actions == (Action.RECEIVED,) else NoticeState.DONE
    return NoticeState.ACTING if len(satisfied) > 1 else NoticeState.ANSWERED
