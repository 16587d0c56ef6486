"""What is under review leaves when it was released and not before, from the officers' own ledger and the town's."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from simulators.ledger import ARRIVALS
from tests.faults.deployment import SILENCE, TWO_OFFICERS
from tests.faults.evidence import Evidence
from tests.faults.officer import REFUSED
from tests.faults.releasers import OVERRIDE

GRADES = ("none", "blue", "yellow", "orange", "red")
PAGES, ROLL_CALL = "release-page", "roll-call"
#: Calls to people on duty, which are no warnings of a village.
INWARD = (PAGES, ROLL_CALL)
PEOPLE = 2
_Where = tuple[str, str]


def unsent(seen: Evidence) -> Iterator[str]:
    """What both officers agreed to, and the engine said so, is a notice (that it reaches the world is judged with all notices)."""
    hazard, grade = TWO_OFFICERS
    agreed: defaultdict[tuple[str, str, _Where], set[str]] = defaultdict(set)
    for word in seen.approvals:
        if word.taken and word.grade == grade:
            agreed[word.proposal, word.digest, (word.status, word.village)].update(word.voices)
    told = {_where(n) for n in seen.notices if _is(n, *TWO_OFFICERS)}
    for status, village in sorted({where for (*_, where), people in agreed.items() if len(people) > 1} - told):
        yield f"{grade} {hazard} for {village} ({status}) was released by two officers, and there is no notice of it"
    logged = {(_act(row), row["actor"], row["subject"], json.loads(row["detail"]).get("hash")) for row in seen.acts}
    for act, person, proposal, hash_ in sorted({(w.act, w.person, w.proposal, w.hash) for w in seen.approvals if w.taken} - logged):
        yield f"the {act} of {person} about {hash_} of {proposal} was taken, and it is not in the audit log"


def _act(row: Mapping[str, Any]) -> str:
    return OVERRIDE if json.loads(row["detail"]).get("override") else str(row["act"])


def uncalled(seen: Evidence) -> Iterator[str]:
    """A roll call that was taken has asked somebody (that it reaches him is judged with all notices)."""
    asked = {n["warning"].removeprefix(f"{ROLL_CALL}.") for n in seen.notices if n["hazard"] == ROLL_CALL}
    yield from (f"roll call {one} was taken and nobody was asked" for one in sorted(seen.roll_calls - asked))


def unreleased(seen: Evidence) -> Iterator[str]:
    """Nobody hears what waits: nothing without a release in the audit log, and nothing before both officers were about to agree."""
    asked, (notices, deliveries) = _asked(seen), seen.by_id
    for under in (TWO_OFFICERS, SILENCE):
        logged = set(_released(seen, *under))
        for notice in seen.notices:
            if _is(notice, *under) and _where(notice) not in logged:
                yield f"notice {notice['id']} exists, and the audit log has no release of it"
    for entry in seen.world:
        if entry.kind in ARRIVALS and REFUSED in entry.body:
            yield f"{entry.to} heard of a warning that was refused"
        if entry.kind not in ARRIVALS or entry.delivery not in deliveries:
            continue
        notice = notices[deliveries[entry.delivery]["notice"]]
        since = asked.get(_where(notice))
        if _is(notice, *TWO_OFFICERS) and (since is None or entry.at < since):
            yield f"{entry.to} heard {notice['id']} at {entry.at}, before two officers had released it ({since})"


def _is(notice: Mapping[str, Any], hazard: str, grade: str) -> bool:
    return bool(notice["hazard"] == hazard and GRADES[notice["grade"]] == grade and notice["purpose"] == "warn")


def _where(notice: Mapping[str, Any]) -> _Where:
    return notice["status"], notice["village"]


def _asked(seen: Evidence) -> Mapping[_Where, datetime]:
    """Status and village → when the second officer was about to agree to its grade."""
    first: defaultdict[_Where, dict[str, datetime]] = defaultdict(dict)
    for word in seen.approvals:
        for voice in word.voices if word.grade == TWO_OFFICERS[1] else ():
            first[word.status, word.village].setdefault(voice, word.at)
    return {where: sorted(people.values())[PEOPLE - 1] for where, people in first.items() if len(people) >= PEOPLE}


def _released(seen: Evidence, hazard: str, grade: str) -> Iterator[_Where]:
    """The villages of which the audit log has the release to that grade; where two people are needed, by two or by one alone."""
    proposals = {p["id"]: p["status"] for p in seen.proposals if p["hazard"] == hazard}
    for row in seen.acts:
        right = (hazard, grade) != TWO_OFFICERS or len(row["actor"].split(", ")) == PEOPLE or f"({OVERRIDE})" in row["actor"]
        if row["act"] == "released_release" and row["subject"] in proposals and right:
            status = proposals[row["subject"]]
            yield from ((status, named.split()[0]) for named, move in json.loads(row["detail"])["entries"].items() if move.endswith(grade))
