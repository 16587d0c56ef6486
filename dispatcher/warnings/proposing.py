"""The life of a proposal: one total function from what waits and what happens to what leaves, what is dropped and what goes on waiting.

Entries are decided one by one: an approval covers exactly those it saw that have not changed since, so the approved part leaves
at once and the rest waits. Silence never drops what is a matter of life, nor a lowering: a village must not be left with an old grade.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from dispatcher.accounts import Role
from dispatcher.errors import NotAllowed
from dispatcher.model.proposal import Approval, Entry, Proposal, ProposalState
from dispatcher.policy.release import ReleaseRule, Then

TIMEOUT = "policy:timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """Contributors have spoken again: ``entries`` are new or take the place of those of the same key; ``gone`` wait no more."""

    entries: Sequence[Entry] = ()
    gone: AbstractSet[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """A person agrees to what he saw: ``entries`` are digests. ``override`` says that no second person can be had."""

    by: str
    role: Role
    entries: frozenset[str]
    override: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A person says no to what he saw; the proposer may take his own back."""

    by: str
    role: Role
    entries: frozenset[str]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """Time has passed."""


Event = Amended | Approved | Refused | TimedOut


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The proposal after an event, and what leaves it: ``released`` by whom, ``dropped`` unsaid, ``stale`` because its time is over.

    ``paged`` says that officers must be called (again).
    """

    proposal: Proposal
    released: tuple[Entry, ...] = ()
    released_by: str = ""
    dropped: tuple[Entry, ...] = ()
    stale: tuple[Entry, ...] = ()
    paged: bool = False


def decide(proposal: Proposal, event: Event, now: datetime) -> Decided:
    """What an event does. NotAllowed when it is not this person's to do; nothing has changed then."""
    if proposal.state is not ProposalState.WAITING:
        raise NotAllowed("nothing of this proposal waits any more", "该请示已办结")
    match event:
        case Amended():
            return _amend(proposal, event, now)
        case Approved():
            return _approve(proposal, event, now)
        case Refused():
            return _refuse(proposal, event, now)
        case TimedOut():
            return _time_out(proposal, now)
        case _:
            assert_never(event)


def _amend(proposal: Proposal, event: Amended, now: datetime) -> Decided:
    """The earliest deadline of what one contributor wants to say of one village stands, however often it is amended."""
    waiting = {e.key: e for e in proposal.entries if e.key not in event.gone}
    for entry in event.entries:
        old = waiting.get(entry.key)
        waiting[entry.key] = replace(entry, deadline=min(old.deadline, entry.deadline)) if old else entry
    return Decided(proposal=_left(proposal, tuple(waiting.values()), ProposalState.OVERTAKEN, "", now))


def _approve(proposal: Proposal, event: Approved, now: datetime) -> Decided:
    seen = [e for e in proposal.entries if e.digest in event.entries]
    if not seen:
        raise NotAllowed("what you approve has changed meanwhile: look again", "内容已变化，请重新查看后再签发")
    allowed = [e for e in seen if event.role >= e.rule.by]
    if not allowed:
        raise NotAllowed(f"this needs the role {seen[0].rule.by.word} or higher", "权限不足，须由签发人办理")
    mine = [e for e in allowed if event.by not in (e.saying.person, proposal.proposer)]
    if not mine:
        raise NotAllowed("who proposes a warning does not release it himself", "拟稿人不得签发本人所拟预警")
    known = {d for a in proposal.approvals if a.by == event.by and a.override >= event.override for d in a.entries}
    new = [e.digest for e in mine if e.digest not in known]
    if not new:
        raise NotAllowed("you have agreed to this already; a second person must", "您已同意，须另一人复核")
    approval = Approval(by=event.by, role=event.role.word, at=now, entries=tuple(new), override=event.override, note=event.note)
    after = replace(proposal, approvals=(*proposal.approvals, approval), updated_at=now)
    free = tuple(e for e in after.entries if is_approved(e, after.approvals))
    left = _without(after.entries, free)
    by = signatures(after.approvals, free)
    return Decided(proposal=_left(after, left, ProposalState.RELEASED, by, now), released=free, released_by=by)


def is_approved(entry: Entry, approvals: Iterable[Approval]) -> bool:
    """Whether enough people agree to exactly this; whose word it is does not count."""
    covering = [a for a in approvals if entry.digest in a.entries and a.by != entry.saying.person]
    return any(a.override for a in covering) or len({a.by for a in covering}) >= entry.rule.people


def signatures(approvals: Sequence[Approval], entries: Iterable[Entry]) -> str:
    """Who released these, in order; an override is said."""
    digests = {e.digest for e in entries}
    covering = [a for a in approvals if digests & set(a.entries)]
    return ", ".join(dict.fromkeys(f"{a.by} (override)" if a.override else a.by for a in covering))


def _refuse(proposal: Proposal, event: Refused, now: datetime) -> Decided:
    seen = [e for e in proposal.entries if e.digest in event.entries]
    if not seen:
        raise NotAllowed("what you refuse has changed meanwhile: look again", "内容已变化，请重新查看")
    mine = tuple(e for e in seen if event.role >= e.rule.by or event.by in (e.saying.person, proposal.proposer))
    if not mine:
        raise NotAllowed(f"this needs the role {seen[0].rule.by.word} or higher", "权限不足，须由签发人办理")
    left = _without(proposal.entries, mine)
    after = replace(proposal, note=event.note or proposal.note, updated_at=now)
    return Decided(proposal=_left(after, left, ProposalState.REFUSED, event.by, now), dropped=mine)


def _time_out(proposal: Proposal, now: datetime) -> Decided:
    stale = tuple(e for e in proposal.entries if e.saying.expires_at is not None and e.saying.expires_at <= now)
    alive = _without(proposal.entries, stale)
    due = [e for e in alive if e.deadline <= now]
    # What is released by silence leaves together at the first deadline, so that one storm is not told in splinters.
    together = any(outcome(e) is Then.RELEASE for e in due)
    released = tuple(e for e in alive if together and outcome(e) is Then.RELEASE)
    dropped = tuple(e for e in due if outcome(e) is Then.DROP)
    paged = any(outcome(e) is Then.PAGE for e in due)
    waiting = _without(_without(alive, released), dropped)
    times = proposal.paged + paged
    left = tuple(replace(e, deadline=now + e.rule.page.next_in(e.rule.within, times)) if e.deadline <= now else e for e in waiting)
    state = ProposalState.RELEASED if released else ProposalState.DROPPED
    after = replace(proposal, paged=times, updated_at=now)
    return Decided(
        proposal=_left(after, left, state, TIMEOUT, now),
        released=released,
        released_by=TIMEOUT if released else "",
        dropped=dropped,
        stale=stale,
        paged=paged,
    )


def outcome(entry: Entry) -> Then:
    """What silence does to an entry. A matter of life and a lowering are never dropped: officers are called again."""
    rule: ReleaseRule = entry.rule
    lowering = entry.saying.grade < entry.before
    return Then.PAGE if rule.then is Then.DROP and (entry.life_safety or lowering) else rule.then


def _without(entries: Iterable[Entry], gone: Iterable[Entry]) -> tuple[Entry, ...]:
    keys = {e.key for e in gone}
    return tuple(e for e in entries if e.key not in keys)


def _left(proposal: Proposal, entries: tuple[Entry, ...], state: ProposalState, by: str, now: datetime) -> Proposal:
    """What still waits; a proposal of which nothing is left is closed, as the last of it went."""
    after = replace(proposal, entries=entries, updated_at=now)
    return after if entries else replace(after, state=state, closed_at=now, closed_by=by)
