"""Inside one transaction: CAP messages of other authorities are kept, understood, and heard like any other contributor."""

import json
from collections.abc import Sequence
from datetime import datetime

from dispatcher.house import House
from dispatcher.model.cap import CapAlert
from dispatcher.model.task import Task, TaskKind
from dispatcher.ports import Transaction
from dispatcher.timestamps import from_ms, to_ms
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.warnings.feed import upstream_line
from dispatcher.warnings.hearing import hear
from dispatcher.warnings.issuing import Issued, release_due
from dispatcher.warnings.proposal_rows import proposal_of
from dispatcher.warnings.telling import add_feed, add_tasks
from dispatcher.warnings.upstream import FOR_A_PERSON, Chain, Outcome, Understood, contributor_of_chain, root_of, understand_alert


async def relay(tx: Transaction, house: House, alerts: Sequence[CapAlert], now: datetime) -> Issued:
    """Take the messages in the order they came; one that was taken before changes nothing."""
    total = Issued()
    for alert in alerts:
        total += await _relay_one(tx, house, alert, now)
    return total


async def _relay_one(tx: Transaction, house: House, alert: CapAlert, now: datetime) -> Issued:
    chain = await _chain(tx, house, alert)
    understood = understand_alert(alert, chain, house, now)
    row = {
        "county": house.county,
        "sender": alert.sender,
        "identifier": alert.identifier,
        "sent": alert.sent_text,
        "sent_at": to_ms(alert.sent),
        "root": chain.root,
        "at": to_ms(now),
        "status": alert.status,
        "msg_type": alert.msg_type,
        "outcome": understood.outcome.value,
        "villages": len({s.village for s in understood.sayings}),
    }
    if not await tx.run("upstream.add", row):
        return Issued()
    await write_audit(tx, house.county, now, [_act(alert, understood)])
    if understood.outcome not in (Outcome.NOT_ACTUAL, Outcome.OWN, Outcome.NOTHING_SAID, Outcome.ELSEWHERE):
        await add_feed(tx, [upstream_line(house, alert, understood, now)])
    if understood.outcome in FOR_A_PERSON:
        await add_tasks(tx, house, [_task(house, alert, understood, now)])
    if not understood.sayings:
        return Issued()
    await hear(tx, house, understood.sayings, now)
    return await release_due(tx, house, now)


async def _chain(tx: Transaction, house: House, alert: CapAlert) -> Chain:
    """What is known of the messages that this one belongs to."""
    names = json.dumps([identifier for _, identifier, _ in alert.references])
    rows = await tx.fetch("upstream.known", {"county": house.county, "sender": alert.sender, "identifiers": names})
    root = root_of(alert, {(row["sender"], row["identifier"]): row["root"] for row in rows})
    sent = await tx.fetch("upstream.newest", {"county": house.county, "sender": alert.sender, "root": root})
    contributor = contributor_of_chain(alert.sender, root)
    scope = {"county": house.county, "status": house.status.value, "contributor": contributor}
    held = {(row["hazard"], row["village"]): row["area"] for row in await tx.fetch("upstream.held", scope)}
    for row in await tx.fetch("upstream.waiting", {"county": house.county, "status": house.status.value, "topic": contributor}):
        proposal = proposal_of(row)
        held |= {(proposal.hazard, e.saying.village): proposal.area for e in proposal.entries}
    newest = sent[0]["sent_at"] if sent else None
    return Chain(root=root, newest=from_ms(newest) if newest is not None else None, held=held)


def _act(alert: CapAlert, understood: Understood) -> Act:
    detail = {
        "msg_type": alert.msg_type,
        "status": alert.status,
        "sent": alert.sent_text,
        "outcome": understood.outcome.value,
        "grades": {f"{s.hazard} {s.village}": s.grade.word for s in understood.sayings},
    }
    return Act(actor=alert.sender, origin="cap", act="upstream", subject=alert.identifier, detail=detail)


def _task(house: House, alert: CapAlert, understood: Understood, now: datetime) -> Task:
    line = upstream_line(house, alert, understood, now)
    return Task(
        key=f"upstream/{alert.sender}/{alert.identifier}",
        county=house.county,
        status=house.status,
        kind=TaskKind.UPSTREAM,
        village="",
        text_zh=line.text_zh,
        text_en=line.text_en,
        opened_at=now,
    )
