"""Inside one transaction: a journal row with the position of its source and what could not be read; and the tasks of intake."""

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate

from dispatcher.house import House
from dispatcher.intake.given_answers import remember
from dispatcher.intake.journal import JournalRow, reject_row
from dispatcher.model.reject import Decoded
from dispatcher.model.task import Task, TaskKind
from dispatcher.ports import Batch, Transaction
from rules.change import Remark, RemarkKind
from rules.grade import Grade

TASK_KINDS = {
    RemarkKind.NO_DATA: TaskKind.NO_DATA,
    RemarkKind.CLOCK: TaskKind.QUALITY,
    RemarkKind.SUSPECT: TaskKind.QUALITY,
    RemarkKind.ASK: TaskKind.CONFIRM,
}

_MOST_NAMED = 10


async def keep(tx: Transaction, row: JournalRow, batch: Batch | None, parts: Sequence[Decoded]) -> None:
    """Write the row itself, the position of its source, what could not be read, and what its sender is told."""
    await tx.run("journal.append", row.stored())
    if batch is None:
        return
    positions = [{"source": batch.source, "name": n, "position": p} for n, p in batch.positions.items()]
    await tx.run_many("journal.set_position", positions)
    before = accumulate((part.items for part in parts), initial=0)
    rejects = [reject_row(r, row, number) for number, part in zip(before, parts, strict=False) for r in part.rejects]
    await tx.run_many("rejects.add", rejects)
    if batch.key:
        await remember(tx, row, batch, parts[0] if parts else Decoded([], []))


async def overtaken(tx: Transaction, batches: Sequence[Batch | None]) -> frozenset[int]:
    """The numbers of those batches that go on from other positions than the committed ones: their records are another's, or come again."""
    late: set[int] = set()
    committed: dict[str, dict[str, str]] = {}
    for n, batch in enumerate(batches):
        if batch is None or not batch.since:
            continue
        if batch.source not in committed:  # once for each source, not for each batch
            rows = await tx.fetch("journal.positions", {"source": batch.source})
            committed[batch.source] = {row["name"]: row["position"] for row in rows}
        at = committed[batch.source]
        if any(at.get(name, "") != since for name, since in batch.since.items()):
            late.add(n)
        else:
            at.update(batch.positions)
    return frozenset(late)


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


_GRADES_ZH = {Grade.BLUE: "蓝色", Grade.YELLOW: "黄色", Grade.ORANGE: "橙色", Grade.RED: "红色"}


def asked_of(key: str) -> tuple[str, str] | None:
    """The rule and the place that a task asks about, from its key; None for other tasks."""
    kind, _, rest = key.partition("/")
    rule, _, rest = rest.partition("/")
    if kind == RemarkKind.ASK.value:
        return rule, rest.rsplit("/", 2)[0]
    return (rule, rest) if kind == TaskKind.LIFT.value else None


def lift_key(rule: str, place: str) -> str:
    """The key of the task that proposes to lift a place."""
    return f"{TaskKind.LIFT.value}/{rule}/{place}"


def lift_task(house: House, rule: str, place: str, grade: Grade, now: datetime) -> Task:
    """Nothing supports a grade any more, neither readings nor a rule: a person decides whether it is lifted."""
    zh, en = house.registry.name_of(place, "zh"), house.registry.name_of(place, "en")
    return Task(
        key=lift_key(rule, place), county=house.county, status=house.status, kind=TaskKind.LIFT, village="",
        text_zh=f"{zh}（{rule}）的{_GRADES_ZH[grade]}预警已无数据或规则支持，仍在生效；请核实后决定是否解除",
        text_en=f"{en} ({rule}): {grade.word} is in force, but no data or no rule supports it any more. Check, then decide to lift it",
        opened_at=now,
    )  # fmt: skip


def damaged_tasks(house: House, rows: Sequence[int], snapshot: str, now: datetime) -> list[Task]:
    """Parts of the stored state are damaged and the engine went on without them: journal rows, the snapshot (why, or empty)."""
    found = []
    if rows:
        listed = ", ".join(map(str, rows[:_MOST_NAMED])) + (" …" if len(rows) > _MOST_NAMED else "")
        zh = f"日志有 {len(rows)} 行损坏（{listed}），其中的监测数据不再计入规则的时段"
        en = f"{len(rows)} journal rows are damaged ({listed}): their readings are missing from the windows of rules"
        found.append(_damaged(house, f"journal/{rows[0]}-{rows[-1]}", zh, en, now))
    if snapshot:
        zh = "规则状态快照损坏，已根据日志重新计算"
        en = f"The snapshot of the rules is damaged ({snapshot}): the state was worked out anew from the journal"
        found.append(_damaged(house, "snapshot", zh, en, now))
    return found


def _damaged(house: House, key: str, zh: str, en: str, now: datetime) -> Task:
    return Task(
        key=f"damaged/{key}",
        county=house.county,
        status=house.status,
        kind=TaskKind.DAMAGED,
        village="",
        text_zh=f"{zh}。请检查磁盘，必要时恢复备份（dispatcher db verify）",
        text_en=f"{en}. Look at the disk; restore a backup if need be (dispatcher db verify)",
        opened_at=now,
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
