"""Inside one transaction: the next step for the villages that have not answered in time, and only for them.

The shell around agenda.py and calling.py.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from dispatcher.calls.agenda import agenda, entries_due, next_due, passed, satisfied_actions
from dispatcher.calls.bundling import bundle
from dispatcher.calls.calling import call_on
from dispatcher.calls.helping import with_helpers
from dispatcher.house import House
from dispatcher.model.answer import Answer
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice
from dispatcher.model.task import FeedLine, Task
from dispatcher.policy.model import Action, GradePlan
from dispatcher.policy.snapshot import plan_from_json
from dispatcher.ports import Reader, Transaction
from dispatcher.registry.helping import HELPERS
from dispatcher.registry.model import DUTY_ROOM as DUTY_ROOM_ROLE
from dispatcher.rows import row_of, value_of
from dispatcher.timestamps import to_ms
from dispatcher.warnings.feed import escalation_line
from dispatcher.warnings.telling import add_feed, add_tasks

_AT_ONCE = 500


async def escalate_due(tx: Transaction, house: House, now: datetime) -> int:
    """Take the entries that have come due; gives the number of deliveries planned."""
    rows = await tx.fetch("notices.due", {"now": to_ms(now), "limit": _AT_ONCE})
    notices = [value_of(Notice, row) for row in rows]
    if not notices:
        return 0
    plans = await plans_of(tx, notices)
    house = await with_helpers(tx, house, plans.values(), (n.village for n in notices))
    answers = await answers_of(tx, [n.id for n in notices])
    deliveries: list[Delivery] = []
    tasks: list[Task] = []
    lines: list[FeedLine] = []
    moved: list[Notice] = []
    for notice in notices:
        after, made, opened, said = escalate(house, notice, plans[notice.plan], answers.get(notice.id, []), now)
        moved.append(after)
        deliveries += made
        tasks += opened
        lines += said
    of_notice = {n.id: plans[n.plan] for n in notices}
    tied = bundle(house, {n.id: n for n in notices}, of_notice, deliveries)
    await tx.run_many("deliveries.add", [row_of(d) for d in tied])
    await tx.run_many("notices.set_agenda", [row_of(n) for n in moved])
    await add_feed(tx, lines)
    await add_tasks(tx, house, tasks)
    return len(deliveries)


def escalate(
    house: House, notice: Notice, plan: GradePlan, answers: Sequence[Answer], now: datetime
) -> tuple[Notice, tuple[Delivery, ...], tuple[Task, ...], tuple[FeedLine, ...]]:
    """What an overdue notice does now: its place in the agenda afterwards, deliveries, tasks and what to say of it."""
    house = house.of(notice.status)
    entries = agenda(plan)
    satisfied = satisfied_of(house, notice, plan, answers)
    due = entries_due(entries, notice.steps_done, satisfied, notice.released_at, now)
    done = max(notice.steps_done, passed(entries, notice.released_at, now))
    called = call_on(house, notice, plan, due, [e for e in entries[done:] if e.action not in satisfied], now)
    roles = tuple(dict.fromkeys(role for e in due if not e.repeat for role in plan.steps[e.step].to))
    lines = (escalation_line(house, notice, roles, now),) if roles else ()
    after = replace(notice, steps_done=done, next_due=next_due(entries, done, satisfied, notice.released_at))
    return after, called.deliveries, called.tasks, lines


def satisfied_of(house: House, notice: Notice, plan: GradePlan, answers: Sequence[Answer]) -> frozenset[Action]:
    """The actions that count as answered: what helpers say of their households does not.

    Somebody with two roles is one person, whichever of them he answers in.
    """
    house = house.of(notice.status)
    one = [replace(a, person=_person(house, a.person)) for a in answers if not a.helper]
    return satisfied_actions(plan, one, frozenset(_person(house, p) for p in asked(house, notice, plan)))


def _person(house: House, contact: str) -> str:
    known = house.registry.contacts.get(contact)
    same = house.registry.contacts_with_phone(known.phone) if known and known.phone else ()
    return same[0].id if same else contact


def asked(house: House, notice: Notice, plan: GradePlan) -> frozenset[str]:
    """The people the plan asks at release; the duty room's page is not one of them."""
    first = [step for step in plan.steps if not step.after and step.action is Action.RECEIVED]
    roles = [r for step in first for r in step.to if r not in (DUTY_ROOM_ROLE, HELPERS)]
    return frozenset(c.id for role in roles for c in house.resolve(role, notice.village, notice.released_at))


async def plans_of(reader: Reader, notices: Sequence[Notice]) -> dict[str, GradePlan]:
    """The snapshotted plans of these notices by digest; a handful, however many notices there are."""
    plans = {}
    for digest in sorted({n.plan for n in notices}):
        rows = await reader.fetch("notices.plan", {"digest": digest})
        plans[digest] = plan_from_json(rows[0]["body"])
    return plans


async def answers_of(reader: Reader, notices: Sequence[str]) -> dict[str, list[Answer]]:
    """All answers to these notices, oldest first."""
    answers: dict[str, list[Answer]] = {}
    for row in await reader.fetch("desk.answers_of", {"notices": json.dumps(notices)}):
        answer = value_of(Answer, row)
        answers.setdefault(answer.notice, []).append(answer)
    return answers
