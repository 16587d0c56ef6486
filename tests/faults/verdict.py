"""The invariants, decided from the ledgers: pure functions from what a run left behind to what was lost, doubled or out of order."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulators.ledger import ARRIVALS, Entry, Kind
from tests.faults.answers import counted_twice, lost_answers, unreported
from tests.faults.evidence import Change, Evidence
from tests.faults.exercises import leaks
from tests.faults.owners import address_of
from tests.faults.reviews import INWARD, ROLL_CALL, uncalled, unreleased, unsent
from tests.faults.storm import Route

#: Told to nobody, with a record of why. Warnings do not expire here: their notices hold for longer than a run.
DROPPED = frozenset({"superseded"})
#: A call to decide holds for half an hour and a roll call for a day, which are seconds of a run.
DROPPED_INWARD = DROPPED | {"expired"}
#: (hazard, village, address) → the worst grade that was said there, and the last one.
Told = Mapping[tuple[str, str, str], tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a run that nobody disturbed decided and told."""

    changes: Counter[Change]
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Each finding is a sentence. ``wrong`` holds what is no loss and must not be either: effects that nobody decided, leaks of a drill."""

    lost: tuple[str, ...]
    unmarked: tuple[str, ...]
    out_of_order: tuple[str, ...]
    wrong: tuple[str, ...]
    marked: int
    broker_lost: int
    deliveries: int
    acks: int

    @property
    def holds(self) -> bool:
        return not (self.lost or self.unmarked or self.out_of_order or self.wrong)

    def findings(self) -> str:
        named = {"lost": self.lost, "said twice without a mark": self.unmarked, "out of order": self.out_of_order, "wrong": self.wrong}
        return "\n".join(f"{name}: {one}" for name, found in named.items() for one in found)


def judge(seen: Evidence, reference: Reference) -> Verdict:
    """Hold a run against one that nobody disturbed."""
    arrivals = [e for e in seen.world if e.kind in ARRIVALS]
    of = {d["id"]: d for d in seen.deliveries}
    broker_lost = lost_by_brokers(seen)
    unmarked, marked = twice(arrivals, of)
    lost = [*lost_readings(seen, broker_lost), *lost_messages(seen, arrivals), *lost_answers(seen), *unreported(seen), *unpublished(seen)]
    lost += [*unsent(seen), *uncalled(seen)]
    wrong = [*([seen.ended] if seen.ended else []), *read_twice(seen), *leaks(seen), *unowned(arrivals, of)]
    wrong += [*unreleased(seen), *counted_twice(seen)]
    if seen.audit_breaks is not None:
        wrong.append(f"the audit log does not hang together at entry {seen.audit_breaks}")
    if not broker_lost:
        lost += [f"change {change}" for change in (reference.changes - seen.changes).elements()]
        wrong += [f"a change that nobody else decides: {change}" for change in (seen.changes - reference.changes).elements()]
        lost += untold(told(seen), reference.told, seen.hurried, replaced(seen))
    return Verdict(
        lost=tuple(lost),
        unmarked=tuple(unmarked),
        out_of_order=tuple(overtaken(arrivals, of, {n["id"]: n for n in seen.notices})),
        wrong=tuple(wrong),
        marked=marked,
        broker_lost=len(broker_lost),
        deliveries=len(arrivals),
        acks=len(seen.answers),
    )


# ------------------------------------------------------------------------------------------------ readings


def lost_by_brokers(seen: Evidence) -> frozenset[str]:
    """Readings that a broker accepted and has no more, although nobody has told it that they are safe elsewhere."""
    by_broker = {reading for reading, route in seen.accepted.items() if route is not Route.HTTP}
    return frozenset(by_broker - seen.acknowledged - seen.held - set(seen.in_topic) - set(seen.journalled))


def lost_readings(seen: Evidence, broker_lost: frozenset[str]) -> Iterator[str]:
    """What was accepted must stand in the journal, and what cannot be read among the rejects."""
    for reading in sorted(set(seen.accepted) - set(seen.journalled) - broker_lost):
        yield f"reading {reading} was accepted by {seen.accepted[reading]} and is not in the journal"
    for digest in sorted(seen.garbage - seen.rejects):
        yield f"bytes with SHA-256 {digest} were accepted and are not among the rejects"


def read_twice(seen: Evidence) -> Iterator[str]:
    """A Kafka record stands in the journal once: its position is committed with it. MQTT and HTTP may have to say it again."""
    for reading, times in seen.journalled.items():
        if seen.accepted.get(reading) is Route.KAFKA and times > seen.in_topic[reading]:
            yield f"reading {reading} lies in Kafka {seen.in_topic[reading]} times and was taken {times} times"


# ------------------------------------------------------------------------------------------------ messages


def lost_messages(seen: Evidence, arrivals: list[Entry]) -> Iterator[str]:
    """Every delivery that was planned reached the world, unless it was dropped with a record."""
    arrived = {entry.delivery for entry in arrivals}
    for delivery in seen.deliveries:
        said_by = delivery.get("carried_by") or delivery["id"]  # one message about several villages has one id
        dropped = DROPPED_INWARD if delivery["notice"].startswith(INWARD) else DROPPED
        if delivery["channel"] != "duty_room" and delivery["state"] not in dropped and said_by not in arrived:
            yield f"delivery {delivery['id']} ({delivery['channel']} for {delivery['notice']}, {delivery['state']}) never reached the world"
    noticed = Counter((n["warning"], n["village"], n["revision"]) for n in seen.notices if n["hazard"] != ROLL_CALL)
    yield from (f"notice {key} exists {times} times" for key, times in noticed.items() if times > 1)


def unowned(arrivals: list[Entry], of: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What reaches the world belongs to a delivery."""
    for entry in arrivals:
        if entry.delivery not in of:
            yield f"{entry.kind} at {entry.to} under the id {entry.delivery}, which no delivery has"


def twice(arrivals: list[Entry], of: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], int]:
    """What somebody heard more often than there are deliveries that say it: without a mark, and how many with one."""
    heard = Counter(entry.delivery for entry in arrivals)
    unmarked = [f"delivery {d} was said {n} times" for d, n in heard.items() if n > 1 and not _marked(of.get(d))]
    said = Counter((entry.to, _words(entry)) for entry in arrivals if entry.delivery not in of)
    known = {(entry.to, _words(entry)) for entry in arrivals if entry.delivery in of}
    unmarked += [
        f"{to} heard a text again under an id that no delivery has" for (to, body), n in said.items() if (to, body) in known or n > 1
    ]
    # With its text: a message for several villages is filed under one of its notices.
    planned = Counter((d["notice"], d["channel"], d["address"], d["step"], d["repeat"], d.get("text", "")) for d in of.values())
    unmarked += [f"{key[:5]} is planned {n} times" for key, n in planned.items() if n > 1]
    return unmarked, sum(n - 1 for d, n in heard.items() if n > 1 and _marked(of.get(d)))


def _words(entry: Entry) -> str:
    return str(json.loads(entry.body)["text"]) if entry.kind is Kind.SPEAKER_COMMAND else entry.body


def _marked(delivery: Mapping[str, Any] | None) -> bool:
    return delivery is not None and bool(delivery["possible_duplicate"])


def overtaken(arrivals: list[Entry], of: Mapping[str, Mapping[str, Any]], notices: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """At one address nothing older of a village is said after something newer by the same channel, except once more, marked.

    A text on its way does not hold back a call, which rings for a while before anybody hears it.
    """
    newest: dict[tuple[str, str, str, str], int] = defaultdict(int)
    before: set[str] = set()
    for entry in arrivals:
        delivery = of.get(entry.delivery)
        notice = notices.get(delivery["notice"]) if delivery else None
        if delivery is None or notice is None:
            continue
        line = (notice["warning"], notice["village"], entry.to, delivery["channel"])
        again = entry.delivery in before and _marked(delivery)
        if notice["revision"] < newest[line] and not again:
            yield f"{entry.to} heard revision {notice['revision']} of {notice['warning']}, {notice['village']} after {newest[line]}"
        newest[line] = max(newest[line], notice["revision"])
        before.add(entry.delivery)


def told(seen: Evidence) -> Told:
    """What was said at each address of a village about each hazard: the worst grade and the last."""
    notices = {n["id"]: n for n in seen.notices if n["status"] == seen.status}
    first = {d["id"]: notices[d["notice"]] for d in seen.deliveries if not d["repeat"] and d["notice"] in notices}
    found: dict[tuple[str, str, str], tuple[int, int]] = {}
    for entry in seen.world:
        notice = first.get(entry.delivery) if entry.kind in ARRIVALS else None
        if notice is not None:
            key = (notice["hazard"], notice["village"], entry.to)
            found[key] = (max(notice["grade"], found.get(key, (0, 0))[0]), notice["grade"])
    return found


def at_release(seen: Evidence) -> Told:
    """``told`` at the addresses that the worst notice of each village called at once: these do not depend on who answers when."""
    notices = {n["id"]: n for n in seen.notices if n["status"] == seen.status}
    worst: dict[tuple[str, str], int] = defaultdict(int)
    for notice in notices.values():
        key = (notice["hazard"], notice["village"])
        worst[key] = max(worst[key], notice["grade"])
    owed = set()
    for delivery in seen.deliveries:
        if delivery["notice"] not in notices:
            continue
        notice = notices[delivery["notice"]]
        key = (notice["hazard"], notice["village"])
        at_once = delivery["step"] in (0, 1) and not delivery["repeat"] and delivery["planned_at"] == notice["released_at"]
        if at_once and notice["purpose"] == "warn" and notice["grade"] == worst[key] and notice["hazard"] not in INWARD:
            owed.add((*key, address_of(delivery)))
    return {key: grades for key, grades in told(seen).items() if key in owed}


def replaced(seen: Evidence) -> frozenset[tuple[str, str, str, int]]:
    """Where a message of a grade was dropped, with a record, because a newer notice came first: (hazard, village, address, grade)."""
    notices = {n["id"]: n for n in seen.notices if n["status"] == seen.status}
    dropped = [(notices[d["notice"]], address_of(d)) for d in seen.deliveries if d["state"] == "superseded" and d["notice"] in notices]
    return frozenset((notice["hazard"], notice["village"], address, notice["grade"]) for notice, address in dropped)


def untold(said: Told, owed: Told, hurried: frozenset[str], dropped: frozenset[tuple[str, str, str, int]]) -> Iterator[str]:
    """Everybody whom an undisturbed run calls at once hears the worst grade and, if he did there, that it was lowered.

    He may hear of the lowering here alone: whose number is dead is told of nothing more, once that is known. Of a grade that came and
    went while the engine, or the way to him, was away, he hears the last.
    """
    for key, (worst, last) in owed.items():
        heard = said.get(key, (0, 0))
        gone = (key[0] in hurried or (*key, worst) in dropped) and heard[1] == last
        if (heard[0] != worst and not gone) or heard[1] > last:
            yield f"{key} heard {heard} as worst and last grade, without disturbance {(worst, last)}"


# ------------------------------------------------------------------------------------------------ programs


def unpublished(seen: Evidence) -> Iterator[str]:
    """Every notice is told to the programs that read along; what is lost when Kafka itself is killed comes again by its position."""
    for notice in seen.notices:
        heard = seen.published if notice["status"] == "Actual" else seen.exercised
        if notice["id"] not in heard and notice["hazard"] not in INWARD:
            yield f"notice {notice['id']} was never published"
