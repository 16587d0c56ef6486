"""A person's word to the rules: lower as proposed, keep, or lift. Journaled, with its effects and who said it."""

from datetime import datetime

from dispatcher.errors import NotProposed
from dispatcher.intake.acts import RuleAct, Verb, item_of, perform
from dispatcher.intake.journal import JournalRow, RowKind
from dispatcher.intake.keeping import keep, lift_key
from dispatcher.intake.pipeline import Pipeline
from dispatcher.ports import Row, Transaction
from dispatcher.timestamps import to_ms
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.workplace import Workplace
from rules.change import Change, Decisions, Evidence, Mode
from rules.grade import Grade


async def give_word(place: Workplace, pipeline: Pipeline, act: RuleAct, origin: str = "", *, task: int | None = None) -> Decisions:
    """Let the rules hear it and do what follows; durable on return. NotProposed when there is nothing to say it to (any more).

    ``task`` is the task that asked for it: it is closed.
    """
    house = place.house

    async def write(tx: Transaction, seq: int, now: datetime) -> Decisions:
        said, found = act, Decisions()
        scope = {"county": house.county, "status": house.status.value, "contributor": f"rule:{act.rule}/{act.place}"}
        outside = await tx.fetch("plans.standing_outside", scope)
        if act.verb is Verb.LIFT:
            standing = max((Grade(row["grade"]) for row in outside), default=Grade.NONE)
            said = RuleAct(verb=act.verb, rule=act.rule, place=act.place, by=act.by, standing=standing)
        known = pipeline.engine.grades(act.rule, act.place)
        if known or act.verb is not Verb.LIFT:
            found = perform(pipeline.engine, said, now)
        elif not outside:
            raise NotProposed(f"no rule {act.rule!r} grades {act.place!r}, and nothing of it is in force")
        row = JournalRow(seq=seq, county=house.county, kind=RowKind.ACT, source="", now=now, items=(item_of(said),), decided=known)
        await keep(tx, row, None, ())
        await _settle_tasks(tx, house.county, act, task, now)
        detail = {"rule": act.rule, "to": [c.after.word for c in found.changes], "journal_seq": seq}
        said_by = Act(actor=act.by, origin=origin, act=f"rule_{act.verb}", subject=act.place, detail=detail)
        await write_audit(tx, house.county, now, [said_by])
        if act.verb is not Verb.LIFT:
            return found
        return Decisions(changes=(*found.changes, *_lifted(act, found.changes, outside, seq, now)), remarks=found.remarks)

    return await pipeline.between(lambda: pipeline.commit_alone(write))


async def _settle_tasks(tx: Transaction, county: str, act: RuleAct, task: int | None, now: datetime) -> None:
    if task is not None:
        await tx.run("desk.close_task", {"seq": task, "county": county, "closed_at": to_ms(now), "closed_by": act.by})
    if act.verb is Verb.LIFT:
        await tx.run("desk.settle_task", {"key": lift_key(act.rule, act.place), "county": county, "at": to_ms(now)})


def _lifted(act: RuleAct, changes: tuple[Change, ...], outside: list[Row], seq: int, now: datetime) -> list[Change]:
    """What ends outside although the rules at work do not say so: their rule is gone, is in shadow, or warns of something else by now."""
    said = {c.hazard for c in changes if c.mode is Mode.LIVE}
    return [
        Change(
            id=f"{act.rule}/{act.place}/lifted/{seq}" + (f"/{n}" if n else ""), rule=act.rule, version=0, table="", hazard=row["hazard"],
            place=act.place, before=Grade(row["grade"]), after=Grade.NONE, at=now, decided_at=now,
            because=(Evidence(row="lift", value=0.0, unit="", met=Grade.NONE),),
        )
        for n, row in enumerate(outside)
        if row["hazard"] not in said
    ]  # fmt: skip
