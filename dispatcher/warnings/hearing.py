"""Inside one transaction: what contributors say grades villages at once, or is put up for release.

The shell around routing.py, grading.py and proposing.py: it loads, calls them and stores.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from dispatcher.house import House
from dispatcher.model.proposal import Proposal, ProposalState
from dispatcher.model.saying import Saying
from dispatcher.model.task import Task, TaskKind
from dispatcher.model.warning import Contribution, VillageGrade, Warning
from dispatcher.ports import Transaction
from dispatcher.rows import row_of, value_of
from dispatcher.timestamps import to_ms
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.warnings.feed import proposal_line
from dispatcher.warnings.grading import Graded, Standing, grade_villages
from dispatcher.warnings.paging import topic_of
from dispatcher.warnings.proposal_rows import entries_as_json, proposal_of, proposal_row
from dispatcher.warnings.proposing import Amended, decide
from dispatcher.warnings.routing import amend, blank_proposal, route
from dispatcher.warnings.telling import add_feed, add_tasks


async def hear(tx: Transaction, house: House, sayings: Sequence[Saying], now: datetime) -> list[Proposal]:
    """Let each hazard's policy part what may leave from what waits; gives the proposals that are new or changed."""
    found: list[Proposal] = []
    for hazard in dict.fromkeys(saying.hazard for saying in sayings):
        found += await _hear_hazard(tx, house, hazard, [s for s in sayings if s.hazard == hazard], now)
    return found


async def _hear_hazard(tx: Transaction, house: House, hazard: str, sayings: Sequence[Saying], now: datetime) -> list[Proposal]:
    contributions = await contributions_of(tx, house, hazard, sayings)
    routed = route(sayings, house.policies.for_hazard(hazard), contributions, now)
    await grade(tx, house, hazard, routed.free, contributions, now, house.coalesce)
    scope = {"county": house.county, "status": house.status.value, "hazard": hazard}
    waiting = [proposal_of(row) for row in await tx.fetch("proposals.waiting", scope)]
    if not waiting and not routed.waiting:
        return []
    changed, opened = amend(waiting, routed, blank_proposal(house.county, house.status, hazard, now), now)
    numbered = await _numbered(tx, opened)
    await save_proposals(tx, [*changed, *numbered])
    await announce(tx, house, changed, "amended", now)
    await announce(tx, house, numbered, "proposed", now)
    return [*changed, *numbered]


async def apply_released(tx: Transaction, house: House, hazard: str, sayings: Sequence[Saying], now: datetime) -> tuple[Warning, ...]:
    """What was let go counts now, and is told at once; gives the warnings it concerns."""
    contributions = await contributions_of(tx, house, hazard, sayings)
    return await grade(tx, house, hazard, sayings, contributions, now, timedelta(0))


async def contributions_of(tx: Transaction, house: House, hazard: str, sayings: Iterable[Saying]) -> list[Contribution]:
    """What the villages spoken of hold so far."""
    villages = json.dumps(sorted({saying.village for saying in sayings}))
    scope = {"county": house.county, "status": house.status.value, "hazard": hazard, "villages": villages}
    return [value_of(Contribution, row) for row in await tx.fetch("warnings.contributions", scope)]


async def grade(
    tx: Transaction,
    house: House,
    hazard: str,
    sayings: Sequence[Saying],
    contributions: Sequence[Contribution],
    now: datetime,
    coalesce: timedelta,
) -> tuple[Warning, ...]:
    """Grade the villages by what may leave; gives the warnings it concerns."""
    if not sayings:
        return ()
    scope = {"county": house.county, "status": house.status.value, "hazard": hazard}
    standing = Standing(
        contributions=contributions,
        warnings=[value_of(Warning, row) for row in await tx.fetch("warnings.open", scope)],
        villages=[value_of(VillageGrade, row) for row in await tx.fetch("warnings.villages_of_open", scope)],
    )
    graded = grade_villages(hazard, sayings, standing, house.registry, status=house.status, now=now, coalesce=coalesce)
    await _store_graded(tx, graded)
    return graded.warnings


async def _store_graded(tx: Transaction, graded: Graded) -> None:
    await tx.run_many("warnings.withdraw", [row_of(c) for c in graded.withdrawn])
    await tx.run_many("warnings.contribute", [row_of(c) for c in graded.contributed])
    await tx.run_many("warnings.save", [row_of(w) for w in graded.warnings])
    await tx.run_many("warnings.save_village", [row_of(v) for v in graded.villages])


# ------------------------------------------------------------------------------------------------ proposals


async def save_proposals(tx: Transaction, proposals: Sequence[Proposal]) -> None:
    """Keep them, and each content that somebody may agree to."""
    rows = [proposal_row(p) for p in proposals]
    await tx.run_many("proposals.save", rows)
    contents = [{"proposal": r["id"], "hash": r["hash"], "at": r["updated_at"], "content": r["content"]} for r in rows]
    await tx.run_many("proposals.keep_content", [c for c in contents if c["content"] != entries_as_json(())])
    over = [
        {"key": task_key(p), "closed_at": to_ms(p.updated_at), "closed_by": p.closed_by}
        for p in proposals
        if p.state is not ProposalState.WAITING
    ]
    await tx.run_many("desk.close_task_of", over)
    decided = [p for p in proposals if p.paged and p.state is not ProposalState.WAITING]
    await stop_calls(tx, decided, "decided", "the proposal is decided")


async def stop_calls(tx: Transaction, proposals: Sequence[Proposal], code: str, reason: str) -> None:
    """What has not left of the calls about them does not leave any more, also what a sender has in hand and gives back."""
    rows = [{"topic": topic_of(p), "now": to_ms(p.updated_at), "code": code, "reason": reason} for p in proposals]
    await tx.run_many("proposals.stop_calls", rows)
    await tx.run_many("proposals.end_calls", rows)


async def take_off(tx: Transaction, house: House, hazard: str, villages: Iterable[str], now: datetime) -> None:
    """What waits about these villages waits no more."""
    scope = {"county": house.county, "status": house.status.value, "hazard": hazard}
    wanted = set(villages)
    changed = []
    for proposal in [proposal_of(row) for row in await tx.fetch("proposals.waiting", scope)]:
        gone = frozenset(e.key for e in proposal.entries if e.saying.village in wanted)
        if gone:
            changed.append(decide(proposal, Amended(gone=gone), now).proposal)
    await save_proposals(tx, changed)
    await announce(tx, house, changed, "amended", now)


async def _numbered(tx: Transaction, proposals: Sequence[Proposal]) -> list[Proposal]:
    """New proposals with their ids: p1, p2 and so on."""
    if not proposals:
        return []
    rows = await tx.fetch("journal.counter", {"name": "proposal"})
    start = int(rows[0]["value"]) if rows else 0
    await tx.run("journal.set_counter", {"name": "proposal", "value": start + len(proposals)})
    return [replace(p, id=f"p{n}") for n, p in enumerate(proposals, start + 1)]


async def announce(tx: Transaction, house: House, proposals: Sequence[Proposal], act: str, now: datetime) -> None:
    """Say on the live stream and in the audit log what was put up for release or amended, and give the duty room its task."""
    if not proposals:
        return
    await add_feed(tx, [proposal_line(house, p, act, now) for p in proposals])
    await add_tasks(tx, house, [release_task(house, p, now) for p in proposals if p.state is ProposalState.WAITING])
    await write_audit(tx, house.county, now, [proposal_act(p, act) for p in proposals])


def proposal_act(proposal: Proposal, act: str) -> Act:
    """Who put up or changed what."""
    detail = {
        "hash": proposal.hash,
        "state": proposal.state.value,
        "hazard": proposal.hazard,
        "area": proposal.area,
        "entries": {f"{e.saying.village} {e.saying.contributor}": f"{e.before.word} → {e.saying.grade.word}" for e in proposal.entries},
    }
    return Act(actor=proposal.proposer or "rules", act=f"{act}_release", subject=proposal.id, detail=detail)


def task_key(proposal: Proposal) -> str:
    """The task of a proposal: one, however often officers are called."""
    return f"release/{proposal.id}/{proposal.paged}"


def release_task(house: House, proposal: Proposal, now: datetime) -> Task:
    """Officers must look at a proposal."""
    line = proposal_line(house, proposal, "paged" if proposal.paged else "proposed", now)
    return Task(
        key=task_key(proposal),
        county=proposal.county,
        status=proposal.status,
        kind=TaskKind.RELEASE,
        village="",
        text_zh=line.text_zh,
        text_en=line.text_en,
        opened_at=now,
    )
