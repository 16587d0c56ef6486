"""Inside one transaction: grade changes are heard, due warnings become alerts, alerts notices with their first deliveries.

The shell around alerting.py, agenda.py and calling.py: it loads, calls them and stores.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dispatcher.calls.agenda import Entry, agenda, next_due, passed
from dispatcher.calls.bundling import bundle
from dispatcher.calls.calling import DUTY_ROOM, Target, call_on, tell_again
from dispatcher.calls.helping import calls_helpers, knowing_helpers
from dispatcher.house import House
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.model.task import Task
from dispatcher.model.warning import Alert, Contribution, VillageGrade, Warning
from dispatcher.policy.model import Action, GradePlan, Policy
from dispatcher.policy.snapshot import plan_as_json
from dispatcher.policy.stages import staged
from dispatcher.ports import Status, Transaction
from dispatcher.registry.helping import listed_of
from dispatcher.rows import row_of, value_of
from dispatcher.timestamps import to_ms
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.warnings.alerting import Released, plan_for, release
from dispatcher.warnings.cap_out import Said, cap_message, identifier_of
from dispatcher.warnings.explain import change_as_json
from dispatcher.warnings.feed import alert_line, change_line
from dispatcher.warnings.grading import expired, live
from dispatcher.warnings.hearing import hear
from dispatcher.warnings.sayings import sayings_of
from dispatcher.warnings.telling import add_feed, add_tasks
from rules.change import Change
from rules.grade import Grade
from rules.sentence import sentence

AUTO = "policy:auto"
_ALERTS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Issued:
    """What one transaction added, for metrics."""

    changes: int = 0
    alerts: int = 0
    notices: int = 0
    deliveries: int = 0

    def __add__(self, other: "Issued") -> "Issued":
        """Both together."""
        return Issued(
            changes=self.changes + other.changes,
            alerts=self.alerts + other.alerts,
            notices=self.notices + other.notices,
            deliveries=self.deliveries + other.deliveries,
        )


async def apply_changes(tx: Transaction, house: House, changes: Sequence[Change], now: datetime) -> Issued:
    """Record the changes; grade the villages of the live ones; release at once what must not wait."""
    if not changes:
        return Issued()
    await tx.run_many("warnings.add_change", [change_row(house, change) for change in changes])
    alive = [change for change in live(changes) if not expired(change)]
    await hear(tx, house, sayings_of(alive, house.registry), now)
    await add_feed(tx, [change_line(house, change) for change in changes])
    released = await release_due(tx, house, now)
    return replace(released, changes=len(changes))


async def release_due(tx: Transaction, house: House, now: datetime) -> Issued:
    """Release every warning whose time to tell has come."""
    rows = await tx.fetch("warnings.due", {"now": to_ms(now), "limit": _ALERTS_AT_ONCE})
    total = Issued()
    for row in rows:
        total += await release_warning(tx, house, value_of(Warning, row), now)
    return total


async def release_warning(tx: Transaction, house: House, warning: Warning, now: datetime, by: str = AUTO, note: str = "") -> Issued:
    """Tell every village of a warning what it was not told yet, in the name of who released it; ``note`` is for the world."""
    house = house.of(warning.status)
    policy = house.policies.for_hazard(warning.hazard)
    villages = [value_of(VillageGrade, row) for row in await tx.fetch("warnings.villages", {"warning": warning.id})]
    alerts = [value_of(Alert, row) for row in await tx.fetch("warnings.alerts", {"warning": warning.id})]
    digests = await _snapshot_plans(tx, policy)
    released = release(warning, villages, alerts, policy, digests, now=now, released_by=by, stages=house.stages)
    await tx.run("warnings.save", row_of(released.warning))
    if released.alert is None:
        return Issued()
    notices, deliveries, tasks = await _call_all(tx, house, policy, released, now)
    told = {v.village: v for v in released.villages}
    await put_out(tx, house, released.warning, replace(released.alert, note=note), [told.get(v.village, v) for v in villages], alerts)
    await tx.run_many("warnings.save_village", [row_of(v) for v in released.villages])
    await _supersede(tx, notices, now)
    await tx.run_many("notices.add", [row_of(n) for n in notices])
    await tx.run_many("deliveries.add", [row_of(d) for d in deliveries])
    if house.status is Status.ACTUAL and house.drill is not None:  # whoever is warned in earnest is asked nothing by the drill any more
        await tx.run_many("drills.close_notices_of", [{"address": a} for a in sorted({d.address for d in deliveries if d.person})])
    await add_tasks(tx, house, tasks)
    await add_feed(tx, [alert_line(house, released.alert, released.warning)])
    return Issued(alerts=1, notices=len(notices), deliveries=len(deliveries))


async def put_out(
    tx: Transaction, house: House, warning: Warning, alert: Alert, villages: Sequence[VillageGrade], earlier: Sequence[Alert]
) -> None:
    """Freeze an alert as it leaves the house; ``villages`` are all of the warning, as told with it, ``earlier`` its alerts so far."""
    scope = {"county": house.county, "status": house.status.value, "hazard": warning.hazard, "warning": warning.id}
    named = replace(alert, identifier=identifier_of(alert))
    said = Said(
        warning=warning,
        alert=named,
        villages=villages,
        contributions=[value_of(Contribution, row) for row in await tx.fetch("warnings.contributions_of", scope)],
        earlier=earlier,
    )
    await tx.run("warnings.add_alert", row_of(replace(named, cap=cap_message(house, said))))
    await write_audit(tx, house.county, alert.sent_at, [_release_act(alert)])


def _release_act(alert: Alert) -> Act:
    places = {village: Grade(now).word for village, _, now in alert.places}
    detail = {"message_type": alert.message_type.value, "status": alert.status.value, "places": places}
    news = any(before != now for _, before, now in alert.places)  # a renewal owes nobody a message
    return Act(actor=alert.released_by, act="release" if news else "renew", subject=alert.id, detail=detail)


async def _call_all(
    tx: Transaction, house: House, policy: Policy, released: Released, now: datetime
) -> tuple[list[Notice], list[Delivery], list[Task]]:
    told = await _told(tx, released.warning.id, [n.village for n in released.notices])
    worded = [n if _reached(told, n.village) else asked_after_all(n, policy) for n in released.notices]
    if any(calls_helpers(plan) or Action.EVACUATED in plan.actions for plan in policy.grades.values()):
        house = await knowing_helpers(tx, house, (n.village for n in worded))
        worded = [_listed(house, notice) for notice in worded]
    given = iter(await codes(tx, house, sum(n.purpose is Purpose.WARN for n in worded)))
    worded = [await _staged(tx, house, policy, notice) for notice in worded]
    agendas = {grade: agenda(plan) for grade, plan in policy.grades.items()}
    notices: list[Notice] = []
    deliveries: list[Delivery] = []
    tasks: list[Task] = []
    for notice in worded:
        if notice.purpose is Purpose.WARN:
            coded = replace(notice, code=next(given))
            plan = stage_plan(house, policy, notice)
            early = plan is not plan_for(policy, notice.grade, notice.before)
            opened, made, gaps = first_call(house, coded, plan, now, None if early else agendas[notice.grade or notice.before])
            tasks += gaps
        else:
            opened, made = notice, tell_again(house, notice, _concerned(told, notice), now)
        notices.append(opened)
        deliveries += made
    plans = {n.id: stage_plan(house, policy, n) for n in notices}
    return notices, bundle(house, {n.id: n for n in notices}, plans, deliveries), tasks


def stage_plan(house: House, policy: Policy, notice: Notice) -> GradePlan:
    """The call plan of a notice: that of its grade, for those whom its stage tells."""
    return staged(plan_for(policy, notice.grade, notice.before), house.stages.named(notice.stage))


async def _staged(tx: Transaction, house: House, policy: Policy, notice: Notice) -> Notice:
    """A notice of an early stage runs by the plan of that stage, which is kept like any other."""
    plan = stage_plan(house, policy, notice)
    if not notice.stage or plan is plan_for(policy, notice.grade, notice.before):
        return notice
    body = plan_as_json(plan)
    digest = _digest(policy, f"{notice.grade.word}/{notice.stage}", body)
    await tx.run("notices.add_plan", {"digest": digest, "policy": policy.id, "version": policy.version, "body": body})
    return replace(notice, plan=digest, state=NoticeState.CALLING if plan.actions else NoticeState.INFORMED)


def _digest(policy: Policy, of: str, body: str) -> str:
    return hashlib.sha256(f"{policy.id}@{policy.version}/{of}\n{body}".encode()).hexdigest()[:32]


def _listed(house: House, notice: Notice) -> Notice:
    """A notice keeps what the lists say of its village, in numbers: they may be erased before its report is read."""
    found = listed_of(house.registry.refuge, house.helpers, notice.village)
    return replace(notice, listed=found.people, helped=found.helped) if found.people else notice


def first_call(
    house: House, notice: Notice, plan: GradePlan, now: datetime, entries: Sequence[Entry] | None = None
) -> tuple[Notice, tuple[Delivery, ...], tuple[Task, ...]]:
    """Everything that is due at release. A step that reaches nobody lets the next one start at once.

    ``entries`` is the plan's agenda, for whoever has made it already.
    """
    entries = agenda(plan) if entries is None else entries
    done = passed(entries, notice.released_at, now)
    called = call_on(house, notice, plan, entries[:done], entries[done:], now)
    due = next_due(entries, done, frozenset(), notice.released_at)
    return replace(notice, steps_done=done, next_due=due), called.deliveries, called.tasks


def asked_after_all(notice: Notice, policy: Policy) -> Notice:
    """A lowering in a village that nothing has reached yet: it is warned of the grade that is left, as of a first one, and must answer."""
    if notice.purpose is not Purpose.LOWER:
        return notice
    asks = bool(policy.grades[notice.grade].actions)
    return replace(notice, purpose=Purpose.WARN, before=Grade.NONE, state=NoticeState.CALLING if asks else NoticeState.INFORMED)


def _reached(told: Mapping[str, Sequence[tuple[Target, bool]]], village: str) -> bool:
    return any(heard for _, heard in told.get(village, ()))


def _concerned(told: Mapping[str, Sequence[tuple[Target, bool]]], notice: Notice) -> list[Target]:
    """Of a lift those who heard of the warning; of a lowering also those for whom a message still waits, which it replaces."""
    return [target for target, heard in told.get(notice.village, ()) if heard or notice.purpose is Purpose.LOWER]


async def _told(tx: Transaction, warning: str, villages: Sequence[str]) -> dict[str, list[tuple[Target, bool]]]:
    """Who was told of this warning so far in these villages, by village, or waits to be (false)."""
    told: dict[str, list[tuple[Target, bool]]] = {}
    for row in await tx.fetch("deliveries.told", {"warning": warning, "villages": json.dumps(villages)}):
        if row["channel"] != DUTY_ROOM and (row["heard"] or row["waits"]):
            target = Target(
                person=row["person"], role=row["role"], channel=row["channel"], address=row["address"], language=row["language"]
            )
            told.setdefault(row["village"], []).append((target, bool(row["heard"])))
    return told


async def _snapshot_plans(tx: Transaction, policy: Policy) -> Mapping[Grade, str]:
    """Store the call plans as they are now; a notice points to the one it was released under."""
    digests = {}
    for grade, plan in policy.grades.items():
        body = plan_as_json(plan)
        digests[grade] = _digest(policy, grade.word, body)
        await tx.run("notices.add_plan", {"digest": digests[grade], "policy": policy.id, "version": policy.version, "body": body})
    return digests


async def _supersede(tx: Transaction, notices: Iterable[Notice], now: datetime) -> None:
    """What is not yet sent of an older revision is not sent any more; its timers stop."""
    rows = [
        {"warning": n.warning, "village": n.village, "revision": n.revision, "now": to_ms(now), "reason": "a newer notice"}
        for n in notices
        if n.revision > 1
    ]
    await tx.run_many("notices.supersede", rows)
    await tx.run_many("deliveries.supersede_village", rows)


async def codes(tx: Transaction, house: House, count: int) -> list[str]:
    """Short codes for this many notices, from a counter that walks through all codes before one comes again."""
    rows = await tx.fetch("journal.counter", {"name": "code"})
    start = int(rows[0]["value"]) if rows else 0
    await tx.run("journal.set_counter", {"name": "code", "value": start + count})
    return [code_of(n, code_digits(house)) for n in range(start, start + count)]


def code_digits(house: House) -> int:
    """Four digits for a county, six for a province: a code must not come again within 30 days."""
    return 4 if len(house.registry.villages) <= 1000 else 6  # noqa: PLR2004 - 9,000 codes / 1,000 villages = 9 notices each in 30 days


def code_of(number: int, digits: int) -> str:
    """The ``number``-th code: neighbours in time look nothing alike, and none begins with 0."""
    lowest = 10 ** (digits - 1)
    return str(lowest + (number * 7919 + 4217) % (9 * lowest))


def change_row(house: House, change: Change) -> dict[str, object]:
    """A change as it is kept."""
    return {
        "id": change.id,
        "county": house.county,
        "status": house.status.value,
        "mode": change.mode.value,
        "rule": change.rule,
        "hazard": change.hazard,
        "place": change.place,
        "before": int(change.before),
        "after": int(change.after),
        "at": to_ms(change.at),
        "decided_at": to_ms(change.decided_at),
        "reason_zh": sentence(change, "zh", house.registry.name_of(change.place, "zh")),
        "reason_en": sentence(change, "en", house.registry.name_of(change.place, "en")),
        "record": change_as_json(change),
    }
