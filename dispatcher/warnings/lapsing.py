"""Inside one transaction: what time alone decides about warnings: proposals nobody looked at, words that end, warnings to be renewed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from dispatcher.house import House
from dispatcher.model.proposal import Entry, Proposal, ProposalState
from dispatcher.model.saying import Saying
from dispatcher.model.warning import Alert, Contribution, VillageGrade, Warning
from dispatcher.policy.snapshot import plan_as_json
from dispatcher.ports import Reader, Transaction
from dispatcher.rows import row_of, value_of
from dispatcher.timestamps import to_ms
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.warnings.alerting import renew
from dispatcher.warnings.feed import proposal_line, renewal_line
from dispatcher.warnings.hearing import apply_released, release_task, save_proposals, stop_calls
from dispatcher.warnings.issuing import Issued, put_out, release_warning
from dispatcher.warnings.paging import HAZARD, PLAN, page
from dispatcher.warnings.proposal_rows import proposal_of
from dispatcher.warnings.proposing import Decided, TimedOut, decide
from dispatcher.warnings.sayings import taken_back
from dispatcher.warnings.telling import add_feed, add_tasks

_AT_ONCE = 50
EXPIRY = "policy:expiry"
RENEWAL = "policy:renewal"
DUE = ("proposals.next_due", "warnings.next_expiry", "warnings.next_renewal")
"""The queries that say when there is something to do here."""


async def lapse_due(tx: Transaction, house: House, now: datetime) -> Issued:
    """Do all of it that is due; gives what went out."""
    issued = await _time_out(tx, house, now)
    issued += await _expire(tx, house, now)
    return issued + await _renew(tx, house, now)


async def _time_out(tx: Transaction, house: House, now: datetime) -> Issued:
    total = Issued()
    for row in await tx.fetch("proposals.due", {"now": to_ms(now), "limit": _AT_ONCE}):
        proposal = proposal_of(row)
        total += await settle_proposal(tx, house.of(proposal.status), decide(proposal, TimedOut(), now), now)
    return total


async def settle_proposal(tx: Transaction, house: House, decided: Decided, now: datetime) -> Issued:
    """Write what became of a proposal, say so, and let go what was released."""
    proposal = decided.proposal
    await save_proposals(tx, [proposal])
    by = decided.released_by
    outcomes = [("released", by, decided.released), ("dropped", "", decided.dropped), ("stale", "", decided.stale)]
    if decided.dropped and proposal.closed_by and proposal.state is ProposalState.REFUSED:
        outcomes[1] = ("refused", proposal.closed_by, decided.dropped)
    if decided.paged:
        outcomes.append(("paged", "", proposal.entries))
    lines = [proposal_line(house, proposal, act, now, who, entries) for act, who, entries in outcomes if entries]
    await add_feed(tx, lines)
    await write_audit(tx, house.county, now, [outcome_act(proposal, act, who, entries) for act, who, entries in outcomes if entries])
    if decided.paged:
        await add_tasks(tx, house, [release_task(house, proposal, now)])
        calls = await call_officers(tx, house, proposal, now)
        return await let_go(tx, house, proposal, decided.released, by, now) + Issued(deliveries=calls)
    return await let_go(tx, house, proposal, decided.released, by, now)


async def call_officers(tx: Transaction, house: House, proposal: Proposal, now: datetime) -> int:
    """Call those who can decide, instead of what has not left of earlier calls; gives how many calls and texts are planned."""
    paged = page(house, proposal, now)
    await stop_calls(tx, [proposal], "superseded", "a newer call")
    await tx.run("notices.add_plan", {"digest": HAZARD, "policy": HAZARD, "version": 1, "body": plan_as_json(PLAN)})
    await tx.run_many("notices.add", [row_of(n) for n in paged.notices])
    await tx.run_many("deliveries.add", [row_of(d) for d in paged.deliveries])
    await add_tasks(tx, house, paged.tasks)
    detail = {"times": proposal.paged, "roles": list(paged.roles), "people": [n.id.split("/")[1] for n in paged.notices]}
    await write_audit(tx, house.county, now, [Act(actor="policy:timeout", act="call_officers", subject=proposal.id, detail=detail)])
    return len(paged.deliveries)


async def let_go(tx: Transaction, house: House, proposal: Proposal, entries: Sequence[Entry], by: str, now: datetime) -> Issued:
    """Released entries count from now on and are told at once."""
    sayings = [entry.saying for entry in entries]
    total = Issued()
    for warning in await apply_released(tx, house, proposal.hazard, sayings, now):
        total += await release_warning(tx, house, warning, now, by)
    return total


def outcome_act(proposal: Proposal, act: str, by: str, entries: Sequence[Entry]) -> Act:
    """What became of entries, for the audit log."""
    detail = {
        "hash": proposal.hash,
        "left": len(proposal.entries),
        "entries": {f"{e.saying.village} {e.saying.contributor}": f"{e.before.word} → {e.saying.grade.word}" for e in entries},
    }
    return Act(actor=by or "policy:timeout", act=f"{act}_release", subject=proposal.id, detail=detail)


async def _expire(tx: Transaction, house: House, now: datetime) -> Issued:
    """What people and upper levels said ends when they said it would; it was released with its end, so nobody is asked again."""
    ended = [value_of(Contribution, row) for row in await tx.fetch("warnings.expiring", {"now": to_ms(now)})]
    total = Issued()
    for status, hazard in dict.fromkeys((c.status, c.hazard) for c in ended):
        sayings = [_ended(c, now) for c in ended if (c.status, c.hazard) == (status, hazard)]
        for warning in await apply_released(tx, house.of(status), hazard, sayings, now):
            total += await release_warning(tx, house, warning, now, EXPIRY)
    return total


def _ended(contribution: Contribution, now: datetime) -> Saying:
    zh = f"预警有效期已过：{contribution.reason_zh}"
    en = f"The term of this warning is over: {contribution.reason_en}"
    return taken_back(contribution, now, zh, en, origin=contribution.origin)


async def _renew(tx: Transaction, house: House, now: datetime) -> Issued:
    """What is in force and near its end is said to hold on; no village is asked anew for it."""
    count = 0
    for row in await tx.fetch("warnings.to_renew", {"now": to_ms(now), "limit": _AT_ONCE}):
        warning = value_of(Warning, row)
        villages = [value_of(VillageGrade, v) for v in await tx.fetch("warnings.villages", {"warning": warning.id})]
        alerts = [value_of(Alert, a) for a in await tx.fetch("warnings.alerts", {"warning": warning.id})]
        renewed = renew(warning, villages, alerts, house.policies.for_hazard(warning.hazard), now=now, released_by=RENEWAL)
        if renewed is None:
            await tx.run("warnings.save", row_of(replace(warning, renew_at=None)))
            continue
        await tx.run("warnings.save", row_of(renewed.warning))
        await put_out(tx, house.of(warning.status), renewed.warning, renewed.alert, villages, alerts)
        terms = [{"expires_at": to_ms(renewed.terms[v.village]), **_notice_key(v)} for v in renewed.held]
        await tx.run_many("notices.hold_on", terms)
        await tx.run_many("deliveries.hold_on", terms)
        await add_feed(tx, [renewal_line(house, renewed.alert, renewed.warning)])
        count += 1
    return Issued(alerts=count)


def _notice_key(village: VillageGrade) -> dict[str, object]:
    name = f"{village.warning}/{village.village}/{village.revision}"
    return {"warning": village.warning, "village": village.village, "revision": village.revision, "notice": name}


async def next_lapse(reader: Reader) -> list[int]:
    """When each kind of thing here is due next, in stored milliseconds."""
    return [row["due"] for query in DUE for row in await reader.fetch(query) if row["due"] is not None]
