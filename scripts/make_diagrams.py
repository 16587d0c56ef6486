"""Writes the diagrams of docs/architecture.md between their marks, by asking the code what it does in each state."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations, product
from pathlib import Path

from dispatcher.accounts import Role
from dispatcher.calls.agenda import satisfied_actions, state_of
from dispatcher.deliveries import settle
from dispatcher.errors import PermanentFailure, TooLate, TransientFailure, UnknownOutcome
from dispatcher.model.answer import Answer, Said
from dispatcher.model.answer import Path as Way
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import NoticeState, Purpose
from dispatcher.model.proposal import Entry, Proposal, ProposalState
from dispatcher.model.saying import Saying
from dispatcher.policy.model import Action, AnsweredBy, GradePlan
from dispatcher.policy.release import REVIEWED, WITHIN, ReleaseRule, Then
from dispatcher.policy.release import Origin as From
from dispatcher.policy.release import Way as How
from dispatcher.ports import DeliveryState, Receipt, Status
from dispatcher.warnings.proposing import Amended, Approved, Event, Refused, TimedOut, decide
from rules.grade import Grade

FILE = Path(__file__).resolve().parent.parent / "docs" / "architecture.md"
NOW = datetime(2026, 7, 20, 8, tzinfo=UTC)
Edge = tuple[str, str, str]
IN_HAND = (DeliveryState.SENDING,)
WAITING = (DeliveryState.PLANNED, DeliveryState.UNKNOWN)


def delivery_edges() -> list[Edge]:
    """What happens to a delivery: from, to, why. A report is drawn from the state below it, though it may skip some."""
    edges: list[Edge] = []
    done: tuple[tuple[Iterable[DeliveryState], Callable[[Delivery], Delivery], str], ...] = (
        (WAITING, lambda d: settle.on_lease(d, NOW), "a sender takes it"),
        (IN_HAND, lambda d: settle.on_failure(d, TransientFailure("", ""), NOW, 0.5), "not taken, try again"),
        (IN_HAND, lambda d: settle.on_failure(d, UnknownOutcome("", ""), NOW, 0.5), "no answer, may have left"),
        (IN_HAND, lambda d: settle.on_failure(d, PermanentFailure("", ""), NOW, 0.5), "will never work"),
        (IN_HAND, lambda d: settle.on_failure(d, TooLate(), NOW, 0.5), "too old"),
        (IN_HAND, lambda d: settle.on_lost_lease(d, NOW), "the sender died"),
        (WAITING, lambda d: settle.on_expiry(d, NOW), "too old"),
    )
    for states, happens, why in done:
        edges += [(state, happens(a_delivery(state)).state, why) for state in states]
    edges += [(DeliveryState.PLANNED, DeliveryState.SUPERSEDED, "a newer notice")]  # one statement in sql/deliveries.sql
    return [*edges, *_reports()]


def _reports() -> Iterator[Edge]:
    ranks = sorted(set(settle.RANK.values()))
    reportable = [s for s in DeliveryState if settle.RANK[s] >= settle.RANK[DeliveryState.ACCEPTED]]
    for before, after in product([DeliveryState.SENDING, *reportable], reportable):
        told = settle.on_receipt(a_delivery(before), Receipt(delivery="d", state=after), NOW)
        between = [r for r in ranks if settle.RANK[before] < r < settle.RANK[after] and r != settle.RANK[DeliveryState.EXPIRED]]
        if told is not None and not between:
            yield before, told.state, "reported"


def notice_edges() -> list[Edge]:
    """What an answer makes of a notice that asks for all three actions of one person."""
    edges: dict[tuple[str, str], list[str]] = {}
    for said in (combo for n in range(len(Said)) for combo in combinations(Said, n)):
        for more in (s for s in Said if s not in said):
            before, after = (_notice_state(a) for a in (said, (*said, more)))
            if before != after:
                edges.setdefault((before, after), [])
                edges[before, after] += [more] if more not in edges[before, after] else []
    order = [s.value for s in Said]
    drawn = [(a, b, " or ".join(sorted(why, key=order.index))) for (a, b), why in edges.items()]
    newer = [(s.value, NoticeState.SUPERSEDED.value, "a newer revision") for s in NoticeState if s is not NoticeState.SUPERSEDED]
    begin = [("[*]", NoticeState.INFORMED.value, "asks for nothing")]
    return begin + sorted(drawn, key=lambda e: [s.value for s in NoticeState].index(e[0])) + newer


def _notice_state(said: Iterable[Said]) -> str:
    three = tuple(Action)
    deadlines = dict.fromkeys(three, timedelta(minutes=5))
    plan = GradePlan(answer_within=NOW - NOW, actions=three, deadlines=deadlines, answered_by=AnsweredBy(), repeat=None, steps=())
    return state_of(plan, Purpose.WARN, satisfied_actions(plan, [an_answer(s) for s in said], frozenset({"p"}))).value


def proposal_edges() -> list[Edge]:
    """What happens to a proposal with one entry, by the rules that a policy may give it."""
    done: list[tuple[Event, Entry, str]] = []
    for rule in (ReleaseRule(way=How.REVIEW, then=then) for then in Then):
        one = an_entry(rule, Grade.BLUE)
        seen = frozenset({one.digest})
        done += [
            (Approved(by="li", role=Role.RELEASING_OFFICER, entries=seen), one, "approved"),
            (Refused(by="li", role=Role.RELEASING_OFFICER, entries=seen), one, "refused, taken back"),
            (Amended(gone=frozenset({one.key})), one, "the contributor takes it back"),
            (TimedOut(), one, f"silence: {rule.then}"),
        ]
    two = an_entry(ReleaseRule(way=How.TWO_PERSON), Grade.RED)
    done.append((Approved(by="li", role=Role.RELEASING_OFFICER, entries=frozenset({two.digest})), two, "the first of two agrees"))
    done.append((Amended(entries=[an_entry(REVIEWED, Grade.RED)]), two, "amended: earlier approvals cover it no more"))
    return [(ProposalState.WAITING, decide(a_proposal(e), event, NOW + 2 * WITHIN).proposal.state, why) for event, e, why in done]


def an_entry(rule: ReleaseRule, grade: Grade) -> Entry:
    """A rule's word about one village, due for silence to decide."""
    saying = Saying(
        hazard="h", village="v", contributor="rule:r/p", area="a", grade=grade, since=NOW, reason_zh="", reason_en="", origin=From.OBSERVED
    )
    return Entry(saying=saying, before=Grade.NONE, rule=rule, deadline=NOW + rule.within)


def a_proposal(entry: Entry) -> Proposal:
    """It waits alone."""
    return Proposal(
        id="p",
        county="",
        status=Status.ACTUAL,
        hazard="h",
        area="a",
        topic="",
        proposer="",
        opened_at=NOW,
        updated_at=NOW,
        entries=(entry,),
    )


def a_delivery(state: DeliveryState) -> Delivery:
    """A first try that is valid for an hour."""
    empty = dict.fromkeys(("id", "notice", "county", "village", "channel", "person", "role", "address", "language", "text"), "")
    times = dict.fromkeys(("planned_at", "due", "updated_at"), NOW)
    rest = {"status": Status.ACTUAL, "grade": Grade.RED, "step": 0, "repeat": 0, "fallbacks": (), "attempts": 1}
    return Delivery(**empty, **times, **rest, state=state, expires_at=NOW + timedelta(hours=1))  # type: ignore[arg-type]


def an_answer(said: Said) -> Answer:
    """One person's answer."""
    empty = dict.fromkeys(("notice", "warning", "county", "village", "on_behalf_by", "note"), "")
    return Answer(**empty, status=Status.ACTUAL, revision=1, person="p", action=said, path=Way.SMS, people=None, at=NOW)  # type: ignore[arg-type]


def diagram(edges: Iterable[Edge], first: str) -> str:
    """A Mermaid state diagram; one arrow for each pair of states."""
    joined: dict[tuple[str, str], list[str]] = {}
    for before, after, why in edges:
        joined.setdefault((str(before), str(after)), [])
        joined[str(before), str(after)] += [why] if why not in joined[str(before), str(after)] else []
    lines = [f"    {before} --> {after}: {', '.join(whys)}" for (before, after), whys in joined.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {first}", *lines, "```"])


def with_diagrams(page: str) -> str:
    """The page with all diagrams as the code says now."""
    drawn = (
        ("delivery", delivery_edges(), "planned"),
        ("notice", notice_edges(), "calling"),
        ("proposal", proposal_edges(), "waiting"),
    )
    for mark, edges, first in drawn:
        head, begin, rest = page.partition(f"<!-- states of a {mark}: made by scripts/make_diagrams.py -->\n")
        _, end, tail = rest.partition("<!-- end -->\n")
        page = head + begin + diagram(edges, first) + "\n" + end + tail
    return page


if __name__ == "__main__":
    FILE.write_text(with_diagrams(FILE.read_text(encoding="utf-8")), encoding="utf-8")
