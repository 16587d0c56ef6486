"""Which registry, policies, texts and rules decide from now on: written down whenever they are other than before.

Another plan of rules takes over by a journal row of its own, so that a restart decides every row by the plan that decided it then.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatcher.house import House
from dispatcher.intake.basis import Compiled
from dispatcher.intake.journal import JournalRow, RowKind
from dispatcher.intake.keeping import keep, lift_task
from dispatcher.intake.recovery import Deciding, activation_item
from dispatcher.intake.rehearsal import DAY, Rehearsal
from dispatcher.ports import Transaction
from dispatcher.timestamps import to_ms
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.warnings.feed import rules_line
from dispatcher.warnings.telling import add_feed, add_tasks
from dispatcher.workplace import Workplace
from rules.apart import Apart, apart
from rules.change import Change, Mode
from rules.grade import Grade

START = "start"
MOST_DIFFERENCES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What the last day before ``at`` would have been under the next plan. ``since`` is None when nothing of it was kept."""

    at: datetime
    since: datetime | None = None
    readings: int = 0
    found: tuple[Apart, ...] = ()


def compared(old: Sequence[Change], new: Rehearsal) -> Differences:
    """Hold two rehearsals of the last day against each other."""
    if new.since is None:
        return Differences(at=new.now)
    since = max(new.since, new.now - DAY)
    found = tuple(a for a in apart(old, new.changes) if a.end is None or a.end > since)
    return Differences(at=new.now, since=since, readings=new.readings, found=found)


async def write_digests(tx: Transaction, county: str, now: datetime, digests: Mapping[str, str], actor: str, origin: str = "") -> None:
    """Record each kind of file whose digest has changed since it was recorded last."""
    changed = []
    for kind, digest in digests.items():  # four kinds
        rows = await tx.fetch("journal.last_activation", {"county": county, "kind": kind})
        if not rows or rows[0]["digest"] != digest:
            changed.append((kind, digest))
    await tx.run_many("journal.activate", [{"county": county, "kind": k, "digest": d, "at": to_ms(now)} for k, d in changed])
    acts = [Act(actor=actor, origin=origin, act=f"activate {k}", subject=d) for k, d in changed]
    await write_audit(tx, county, now, acts)


async def write_first(place: Workplace, compiled: Compiled) -> None:
    """The plan that has decided everything so far, where the store did not know: nothing is to be replayed for it."""
    now, county = place.clock.now(), place.house.county
    async with place.store.write() as tx:
        await tx.run("plans.keep_basis", {"digest": compiled.digest, "kept_at": to_ms(now), "data": compiled.packed})
        await tx.run("plans.activate", _row(county, 0, compiled, now, START, Differences(at=now)))


async def write_activation(
    tx: Transaction, house: House, seq: int, now: datetime, after: Deciding, *, actor: str, differences: Differences
) -> None:
    """The journal row by which another plan takes over, with what that is made of, its state, and what it changes for people."""
    county, compiled = house.county, after.compiled
    row = JournalRow(
        seq=seq, county=county, kind=RowKind.ACTIVATION, source="", now=now, items=(activation_item(compiled.digest, differences.at),)
    )  # fmt: skip
    await keep(tx, row, None, ())
    await tx.run("plans.keep_basis", {"digest": compiled.digest, "kept_at": to_ms(now), "data": compiled.packed})
    await tx.run("plans.activate", _row(county, seq, compiled, now, actor, differences))
    await add_tasks(tx, house, [lift_task(house, *gone, now) for gone in await _unsupported(tx, house, after)])
    await add_feed(tx, [rules_line(house, actor, differences.found, now)])


def _row(county: str, seq: int, compiled: Compiled, now: datetime, actor: str, differences: Differences) -> dict[str, object]:
    return {
        "county": county, "journal_seq": seq, "digest": compiled.digest, "rules": compiled.plan.digest, "at": to_ms(now), "actor": actor,
        "rehearsed_from": to_ms(differences.since) if differences.since else None, "readings": differences.readings,
        "differences": json.dumps([difference(a) for a in differences.found[:MOST_DIFFERENCES]]),
    }  # fmt: skip


def difference(a: Apart) -> dict[str, object]:
    """One difference as plain values."""
    times = {"from": a.begin.isoformat(), "to": a.end.isoformat() if a.end else None}
    return {"place": a.place, "rule": a.rule, **times, "old": a.old.word, "new": a.new.word}


async def _unsupported(tx: Transaction, house: House, after: Deciding) -> list[tuple[str, str, Grade]]:
    """What is in force because of rules and places that the next plan does not grade: rule, place, grade."""
    rows = await tx.fetch("plans.standing", {"county": house.county, "status": house.status.value})
    graded = {
        (f"rule:{x.compiled.rule.name}/{x.place}", x.compiled.rule.hazard)
        for x in after.compiled.plan.ladders
        if x.compiled.rule.mode is Mode.LIVE
    }
    gone = [(row["contributor"], Grade(row["grade"])) for row in rows if (row["contributor"], row["hazard"]) not in graded]
    parts = [(*name.removeprefix("rule:").partition("/"), grade) for name, grade in gone if name.startswith("rule:")]
    return [(rule, place, grade) for rule, _, place, grade in parts]
