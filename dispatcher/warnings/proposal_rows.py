"""Proposals as rows and back."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from dispatcher.accounts import Role
from dispatcher.model.proposal import Approval, Entry, Proposal, ProposalState
from dispatcher.model.saying import Saying
from dispatcher.policy.paging import CALLING, Paging
from dispatcher.policy.release import Origin, ReleaseRule, Then, Way
from dispatcher.ports import Row, Status
from dispatcher.timestamps import from_ms, to_ms
from rules.grade import Grade


def proposal_row(proposal: Proposal) -> dict[str, Any]:
    """The row of a proposal."""
    deadline = proposal.deadline if proposal.state is ProposalState.WAITING else None
    return {
        "id": proposal.id,
        "county": proposal.county,
        "status": proposal.status.value,
        "hazard": proposal.hazard,
        "area": proposal.area,
        "topic": proposal.topic,
        "proposer": proposal.proposer,
        "state": proposal.state.value,
        "grade": int(proposal.grade),
        "opened_at": to_ms(proposal.opened_at),
        "updated_at": to_ms(proposal.updated_at),
        "deadline": to_ms(deadline) if deadline else None,
        "hash": proposal.hash,
        "content": entries_as_json(proposal.entries),
        "approvals": json.dumps([_approval_record(a) for a in proposal.approvals], ensure_ascii=False),
        "paged": proposal.paged,
        "closed_at": to_ms(proposal.closed_at) if proposal.closed_at else None,
        "closed_by": proposal.closed_by,
        "note": proposal.note,
    }


def proposal_of(row: Row) -> Proposal:
    """The proposal of a row."""
    return Proposal(
        id=row["id"],
        county=row["county"],
        status=Status(row["status"]),
        hazard=row["hazard"],
        area=row["area"],
        topic=row["topic"],
        proposer=row["proposer"],
        opened_at=from_ms(row["opened_at"]),
        updated_at=from_ms(row["updated_at"]),
        state=ProposalState(row["state"]),
        entries=entries_of(row["content"], row["hazard"], row["area"]),
        approvals=tuple(_approval(one) for one in json.loads(row["approvals"])),
        paged=row["paged"],
        closed_at=from_ms(row["closed_at"]) if row["closed_at"] is not None else None,
        closed_by=row["closed_by"],
        note=row["note"],
    )


def entries_as_json(entries: Sequence[Entry]) -> str:
    """What is proposed, whole: this is what a hash stands for."""
    return json.dumps([_entry_record(e) for e in entries], ensure_ascii=False, separators=(",", ":"))


def entries_of(text: str, hazard: str, area: str) -> tuple[Entry, ...]:
    """The entries that ``entries_as_json`` wrote."""
    return tuple(_entry(record, hazard, area) for record in json.loads(text))


def _entry_record(entry: Entry) -> dict[str, Any]:
    said, rule = entry.saying, entry.rule
    return {
        "village": said.village,
        "contributor": said.contributor,
        "before": int(entry.before),
        "grade": int(said.grade),
        "since": to_ms(said.since),
        "reason_zh": said.reason_zh,
        "reason_en": said.reason_en,
        "origin": said.origin.value,
        "person": said.person,
        "expires_at": to_ms(said.expires_at) if said.expires_at else None,
        "onset": to_ms(said.onset) if said.onset else None,
        "rule": [rule.way.value, rule.by.word, rule.within.total_seconds(), rule.then.value, _paging_record(rule.page)],
        "deadline": to_ms(entry.deadline),
    }


def _entry(record: dict[str, Any], hazard: str, area: str) -> Entry:
    way, by, within_s, then, *more = record["rule"]  # before 0.2 nothing was said of whom a page calls
    said = Saying(
        hazard=hazard,
        village=record["village"],
        contributor=record["contributor"],
        area=area,
        grade=Grade(record["grade"]),
        since=from_ms(record["since"]),
        reason_zh=record["reason_zh"],
        reason_en=record["reason_en"],
        origin=Origin(record["origin"]),
        person=record["person"],
        expires_at=from_ms(record["expires_at"]) if record["expires_at"] is not None else None,
        onset=from_ms(record["onset"]) if record.get("onset") is not None else None,
    )
    rule = ReleaseRule(way=Way(way), by=Role.from_word(by), within=timedelta(seconds=within_s), then=Then(then), page=_paging(more))
    return Entry(saying=said, before=Grade(record["before"]), rule=rule, deadline=from_ms(record["deadline"]))


def _paging_record(page: Paging) -> list[Any]:
    return [list(page.to), list(page.by), page.after.total_seconds(), list(page.then_to)]


def _paging(record: Sequence[Any]) -> Paging:
    if not record:
        return CALLING
    to, by, after_s, then_to = record[0]
    return Paging(to=tuple(to), by=tuple(by), after=timedelta(seconds=after_s), then_to=tuple(then_to))


def _approval_record(approval: Approval) -> dict[str, Any]:
    return {
        "by": approval.by,
        "role": approval.role,
        "at": to_ms(approval.at),
        "entries": list(approval.entries),
        "override": approval.override,
        "note": approval.note,
    }


def _approval(record: dict[str, Any]) -> Approval:
    return Approval(
        by=record["by"],
        role=record["role"],
        at=from_ms(record["at"]),
        entries=tuple(record["entries"]),
        override=record["override"],
        note=record["note"],
    )
