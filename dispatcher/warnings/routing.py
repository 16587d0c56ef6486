"""Which sayings may leave the house by themselves and which wait for a person, by the policy of the hazard.

Decisions only. What is put up for release is dispatcher/warnings/proposing.py.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatcher.model.proposal import Entry, Proposal, ProposalState
from dispatcher.model.saying import Saying
from dispatcher.model.warning import Contribution
from dispatcher.policy.model import Policy
from dispatcher.policy.release import AUTO, Origin, ReleaseRule, Way
from dispatcher.ports import Status
from dispatcher.warnings.proposing import Amended, decide
from rules.grade import Grade

_RULES = frozenset({Origin.OBSERVED, Origin.FORECAST})
Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """``free`` may leave, in order; ``waiting`` must not yet; ``spoken`` are the keys of all, whose older entries wait no more."""

    free: tuple[Saying, ...]
    waiting: tuple[Entry, ...]
    spoken: frozenset[Key]


def route(sayings: Sequence[Saying], policy: Policy, contributions: Iterable[Contribution], now: datetime) -> Routed:
    """Part what may leave from what waits. ``contributions`` are what the villages concerned hold already."""
    holds = {(c.village, c.contributor): c.grade for c in contributions}
    free: list[Saying] = []
    waiting: dict[Key, Entry] = {}
    for saying in sayings:
        key = (saying.village, saying.contributor)
        before = holds.get(key, Grade.NONE)
        rule = rule_for(policy, saying, before)
        waiting.pop(key, None)
        if rule.way is Way.AUTO:
            free.append(saying)
            holds[key] = saying.grade
        else:
            waiting[key] = Entry(saying=saying, before=before, rule=rule, deadline=now + rule.within)
    spoken = frozenset((s.village, s.contributor) for s in sayings)
    return Routed(free=tuple(free), waiting=tuple(waiting.values()), spoken=spoken)


def rule_for(policy: Policy, saying: Saying, before: Grade) -> ReleaseRule:
    """Who releases a move: the rule of the worse of both grades, since taking back red weighs as much as giving it.

    What a contributor holds already is no news when a rule repeats it; a person who repeats it gives it a new term.
    """
    worse = max(saying.grade, before)
    if worse is Grade.NONE or (saying.grade is before and saying.origin in _RULES):
        return AUTO
    return policy.grades[worse].release[saying.origin]


def amend(proposals: Sequence[Proposal], routed: Routed, blank: Proposal, now: datetime) -> tuple[list[Proposal], list[Proposal]]:
    """The proposals that changed and those that are new (without an id), all of one hazard.

    ``proposals`` are those that wait; ``blank`` has what all have in common.
    """
    wanted: dict[tuple[str, str], list[Entry]] = {}
    for entry in routed.waiting:
        wanted.setdefault((entry.saying.area, topic_of(entry.saying)), []).append(entry)
    changed: list[Proposal] = []
    for proposal in proposals:
        entries = wanted.pop((proposal.area, proposal.topic), [])
        gone = routed.spoken - {e.key for e in entries}
        if entries or any(e.key in gone for e in proposal.entries):
            changed.append(decide(proposal, Amended(entries=entries, gone=gone), now).proposal)
    return changed, [_opened(blank, area, topic, entries) for (area, topic), entries in wanted.items()]


def topic_of(saying: Saying) -> str:
    """What stands together in one proposal: all rules of an area, each warning of a person or an upper level, what one person lifts."""
    if saying.origin in _RULES:
        return ""
    return f"lift:{saying.person}" if saying.contributor.startswith("rule:") else saying.contributor


def _opened(blank: Proposal, area: str, topic: str, entries: Sequence[Entry]) -> Proposal:
    return Proposal(
        id="",
        county=blank.county,
        status=blank.status,
        hazard=blank.hazard,
        area=area,
        topic=topic,
        proposer=entries[0].saying.person if topic else "",
        opened_at=blank.opened_at,
        updated_at=blank.opened_at,
        entries=tuple(entries),
    )


def blank_proposal(county: str, status: Status, hazard: str, now: datetime) -> Proposal:
    """What all new proposals of a hazard have in common."""
    return Proposal(
        id="", county=county, status=status, hazard=hazard, area="", topic="", proposer="", opened_at=now, updated_at=now,
        state=ProposalState.WAITING,
    )  # fmt: skip
