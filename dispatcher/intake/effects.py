"""Inside one transaction: everything that decisions of the rules set going outside of them."""

from datetime import datetime

from dispatcher.house import House
from dispatcher.intake.keeping import TASK_KINDS, lift_key, lift_task, remark_task
from dispatcher.ports import Transaction
from dispatcher.timestamps import to_ms
from dispatcher.warnings.grading import expired, live
from dispatcher.warnings.issuing import Issued, apply_changes
from dispatcher.warnings.telling import add_tasks
from rules.change import Decisions


async def take_effect(tx: Transaction, house: House, decisions: Decisions, now: datetime) -> Issued:
    """Warnings of the changes, tasks of the remarks. What silence withdraws stays in force until a person lifts it: that is a task."""
    issued = await apply_changes(tx, house, decisions.changes, now)
    alive = live(decisions.changes)
    # A place that is graded again by what is measured there needs nobody's word any more.
    settled = [{"key": lift_key(c.rule, c.place), "county": house.county, "at": to_ms(now)} for c in alive if not expired(c)]
    await tx.run_many("desk.settle_task", settled)
    tasks = [lift_task(house, c.rule, c.place, c.before, now) for c in alive if expired(c) and c.before]
    tasks += [remark_task(house, r) for r in decisions.remarks if r.kind in TASK_KINDS]
    await add_tasks(tx, house, tasks)
    return issued
