"""What is under review leaves when it was released and not before, from the officers' own ledger and the town's."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from simulators.ledger import ARRIVALS
from tests.faults.deployment import SILENCE, TWO_OFFICERS
from tests.faults.evidence import Evidence

GRADES = ("none", "blue", "yellow", "orange", "red")
PAGES = "release-page"
PEOPLE = 2


def unsent(seen: Evidence) -> Iterator[str]:
    """What both officers agreed to, and the engine said so, is a notice (that it reaches the world is judged with all notices)."""
    hazard, grade = TWO_OFFICERS
    agreed: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for word in seen.approvals:
        if word.taken and word.grade == grade:
            agreed[word.digest, word.village].add(word.person)
    told = {n["village"] for n in seen.notices if n["hazard"] == hazard and GRADES[n["grade"]] == grade}
    for village in sorted({village for (_, village), people in agreed.items() if len(people) > 1}):
        if village not in told:
            yield f"{grade} {hazard} for {village} was released by two officers, and there is no notice of it"
    logged = {(row["actor"], row["subject"], json.loads(row["detail"]).get("hash")) for row in seen.acts if row["act"] == "approve"}
    for person, proposal, hash_ in sorted({(w.person, w.proposal, w.hash) for w in seen.approvals if w.taken}):
        if (person, proposal, hash_) not in logged:
            yield f"{person} agreed to {hash_} of {proposal}, we took it, and it is not in the audit log"


def unreleased(seen: Evidence) -> Iterator[str]:
    """Nobody hears what waits: nothing without a release in the audit log, and nothing before both officers were about to agree."""
    asked, (notices, deliveries) = _asked(seen), seen.by_id
    for under in (TWO_OFFICERS, SILENCE):
        logged = set(_released(seen, *under))
        for notice in seen.notices:
            if _is(notice, *under) and notice["village"] not in logged:
                yield f"notice {notice['id']} exists, and the audit log has no release of it"
    for entry in seen.world:
        if entry.kind not in ARRIVALS or entry.delivery not in deliveries:
            continue
        notice = notices[deliveries[entry.delivery]["notice"]]
        since = asked.get(notice["village"])
        if _is(notice, *TWO_OFFICERS) and (since is None or entry.at < since):
            yield f"{entry.to} heard {notice['id']} at {entry.at}, before two officers had released it ({since})"


def _is(notice: Mapping[str, Any], hazard: str, grade: str) -> bool:
    return bool(notice["hazard"] == hazard and GRADES[notice["grade"]] == grade and notice["purpose"] == "warn")


def _asked(seen: Evidence) -> Mapping[str, datetime]:
    """Village → when the second officer was about to agree to its grade."""
    first: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
    for word in seen.approvals:
        if word.grade == TWO_OFFICERS[1]:
            first[word.village].setdefault(word.person, word.at)
    return {village: max(people.values()) for village, people in first.items() if len(people) > 1}


def _released(seen: Evidence, hazard: str, grade: str) -> Iterator[str]:
    """The villages of which the audit log has the release to that grade; by two people where two are needed."""
    proposals = {p["id"] for p in seen.proposals if p["hazard"] == hazard}
    for row in seen.acts:
        right = (hazard, grade) != TWO_OFFICERS or len(row["actor"].split(", ")) == PEOPLE
        if row["act"] == "released_release" and row["subject"] in proposals and right:
            yield from (named.split()[0] for named, move in json.loads(row["detail"])["entries"].items() if move.endswith(grade))
