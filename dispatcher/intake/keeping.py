"""Inside one transaction: a journal row with the position of its source and what could not be read; and the tasks of intake."""

from collections.abc import Sequence

from dispatcher.house import House
from dispatcher.intake.journal import JournalRow, reject_row
from dispatcher.model.reject import Decoded
from dispatcher.model.task import Task, TaskKind
from dispatcher.ports import Batch, Transaction
from rules.change import Remark, RemarkKind

TASK_KINDS = {
    RemarkKind.NO_DATA: TaskKind.NO_DATA,
    RemarkKind.CLOCK: TaskKind.QUALITY,
    RemarkKind.SUSPECT: TaskKind.QUALITY,
    RemarkKind.ASK: TaskKind.CONFIRM,
}


async def keep(tx: Transaction, row: JournalRow, batch: Batch | None, parts: Sequence[Decoded]) -> None:
    """Write the row itself, the position of its source, and what could not be read."""
    await tx.run("journal.append", row.stored())
    if batch is None:
        return
    positions = [{"source": batch.source, "name": n, "position": p} for n, p in batch.positions.items()]
    await tx.run_many("journal.set_position", positions)
    rejects = [reject_row(r, county=row.county, source=batch.source, at=row.now) for part in parts for r in part.rejects]
    await tx.run_many("journal.reject", rejects)


def undecided_task(house: House, row: JournalRow, error: Exception) -> Task:
    """The bytes are kept, and a person must look at the rules."""
    return Task(
        key=f"undecided/{row.seq}",
        county=row.county,
        status=house.status,
        kind=TaskKind.UNDECIDED,
        village="",
        text_zh=f"第 {row.seq} 批数据已保存，但判定出错（{type(error).__name__}），请检查规则",
        text_en=f"Batch {row.seq} is stored but deciding failed ({type(error).__name__}): look at the rules",
        opened_at=row.now,
    )


def remark_task(house: House, remark: Remark) -> Task:
    """Something the rules noticed that is not a change of grade; its kind is one of ``TASK_KINDS``."""
    return Task(
        key=remark.key,
        county=house.county,
        status=house.status,
        kind=TASK_KINDS[remark.kind],
        village="",
        text_zh=remark.text_zh,
        text_en=remark.text_en,
        opened_at=remark.at,
    )
