"""Inside one transaction: whoever owes a report is reminded at the shares of the limit, and told when it is over."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from dispatcher.house import House
from dispatcher.incidents.life import DUE, Deadline, Owed, Reminder, deadlines, next_reminder, reminders
from dispatcher.incidents.model import Incident, Report
from dispatcher.model.task import Task, TaskKind
from dispatcher.ports import Reader, Transaction
from dispatcher.rows import row_of, value_of
from dispatcher.timestamps import to_ms
from dispatcher.warnings.telling import add_tasks

_AT_ONCE = 100
_OWED = {
    Owed.TELEPHONE: ("电话报告", "the telephone report"),
    Owed.FIRST: ("书面初报", "the first written report"),
    Owed.FOLLOW_UP: ("续报", "the follow-up report"),
}


async def remind_due(tx: Transaction, house: House, now: datetime) -> int:
    """Open a task for every reminder whose time has come; gives how many."""
    incidents = [value_of(Incident, row) for row in await tx.fetch("incidents.due", {"now": to_ms(now), "limit": _AT_ONCE})]
    if not incidents:
        return 0
    reports = await reports_of(tx, [i.id for i in incidents])
    tasks: list[Task] = []
    for one in incidents:
        owed = owed_of(house, one, reports.get(one.id, []))
        after = one.reminded_at or one.known_at
        tasks += [_task(house, one, r, now) for r in _newest(reminders(owed, house.reporting), after, now)]
    await tx.run_many("incidents.save", [row_of(reminded(house, one, reports.get(one.id, []), now)) for one in incidents])
    await add_tasks(tx, house, tasks)
    return len(tasks)


def _newest(all_of_them: Sequence[Reminder], after: datetime, now: datetime) -> list[Reminder]:
    """Of each deadline the last reminder that has come due since: after an hour's outage nobody needs both halves."""
    newest = {r.deadline: r for r in all_of_them if after < r.at <= now}
    return list(newest.values())


def reminded(house: House, incident: Incident, reports: Sequence[Report], now: datetime) -> Incident:
    """The incident with its next reminder after ``now``."""
    owed = owed_of(house, incident, reports)
    return replace(incident, reminded_at=now, next_due=next_reminder(owed, house.reporting, now))


def owed_of(house: House, incident: Incident, reports: Sequence[Report]) -> tuple[Deadline, ...]:
    """What is owed of an incident now, by the county's table and clock."""
    return deadlines(incident, reports, house.reporting, house.registry.county.timezone)


async def reports_of(reader: Reader, incidents: Sequence[str]) -> dict[str, list[Report]]:
    """The reports of these incidents, in order."""
    found: dict[str, list[Report]] = {}
    for row in await reader.fetch("incidents.reports", {"incidents": json.dumps(list(incidents))}):
        found.setdefault(row["incident"], []).append(value_of(Report, row))
    return found


def reminder_key(incident: str, deadline: Deadline, percent: int) -> str:
    """The key of a reminder's task: the same one is given once."""
    return f"report/{incident}/{deadline.owed.value}/{to_ms(deadline.due)}/{percent}"


def _task(house: House, incident: Incident, reminder: Reminder, now: datetime) -> Task:
    zh, en = _OWED[reminder.deadline.owed]
    due = reminder.deadline.due.astimezone(house.registry.county.timezone).strftime("%H:%M")
    if reminder.percent >= DUE:
        text_zh, text_en = f"{incident.title}：{zh}已超时（应于{due}前）", f"{incident.title}: {en} is overdue (was due at {due})"
    else:
        text_zh = f"{incident.title}：{zh}须于{due}前完成（时限已过{reminder.percent}%）"
        text_en = f"{incident.title}: {en} is due at {due} ({reminder.percent} % of the limit is over)"
    return Task(
        key=reminder_key(incident.id, reminder.deadline, reminder.percent),
        county=incident.county,
        status=incident.status,
        kind=TaskKind.REPORT,
        village="",
        text_zh=text_zh,
        text_en=text_en,
        opened_at=now,
    )
