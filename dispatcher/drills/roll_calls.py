"""Roll calls (值班点名, 抽查): at a set or random moment everybody on duty is asked to answer within some minutes."""

import asyncio
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median

from dispatcher.calls.calling import Saying, deliver, targets_of_person
from dispatcher.calls.presence import HAZARD, plan_name, within_of
from dispatcher.duty.resolve import on_duty
from dispatcher.errors import NotAllowed, StoreFailed
from dispatcher.house import House
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.model.task import Task, TaskKind
from dispatcher.policy.model import Action, AnsweredBy, GradePlan
from dispatcher.policy.snapshot import plan_as_json
from dispatcher.ports import Reader, Row, Transaction
from dispatcher.rows import row_of, value_of
from dispatcher.timestamps import from_ms, to_ms
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.warnings.issuing import codes
from dispatcher.warnings.releasing import By
from dispatcher.warnings.telling import add_tasks
from dispatcher.workplace import Workplace
from rules.grade import Grade

_COUNTER = "roll_call"
_LOOK_S = 5.0
_LONGEST = timedelta(hours=2)
_BY = (("sms",), ("voice",))


@dataclass(frozen=True, slots=True, kw_only=True)
class RollCall:
    """One roll call. ``due`` is when it is made, ``made_at`` when it was; whoever is on duty at that moment is asked."""

    id: str
    county: str
    due: datetime
    within_s: int
    asked_by: str
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """One person over a period: how often he was asked, answered in time, answered late, and how long it took (median, seconds)."""

    person: str
    asked: int
    in_time: int
    late: int
    median_s: float | None


class RollCalls:
    """One for an engine; ``planned`` is called when something new is to be sent."""

    def __init__(self, place: Workplace, planned: Callable[[], None]) -> None:
        """Nothing is read yet."""
        self._place = place
        self._planned = planned

    async def run(self) -> None:
        """Make each roll call when its moment has come."""
        while True:
            try:
                await self.make_due()
            except StoreFailed as failure:
                self._place.log.error("store_failed", error=str(failure))
            await asyncio.sleep(_LOOK_S)

    async def ask(self, within: timedelta, by: By, spread: timedelta = timedelta(0)) -> RollCall:
        """Ask everybody on duty now, or at a moment that nobody knows within ``spread`` from now."""
        if not timedelta(minutes=1) <= within <= _LONGEST:
            raise NotAllowed("a roll call asks for an answer within 1 to 120 minutes", "点名应答时限须为1至120分钟")
        async with self._place.store.write() as tx:
            now = self._place.clock.now()
            rows = await tx.fetch("journal.counter", {"name": _COUNTER})
            number = int(rows[0]["value"]) + 1 if rows else 1
            await tx.run("journal.set_counter", {"name": _COUNTER, "value": number})
            wait = timedelta(seconds=secrets.randbelow(max(1, int(spread / timedelta(seconds=1)))))
            made = RollCall(
                id=f"r{number}", county=self._place.house.county, due=now + wait, within_s=int(within.total_seconds()), asked_by=by.who.name
            )
            await tx.run("drills.save_roll_call", row_of(made))
            act = Act(actor=by.who.name, origin=by.origin, act="roll_call", subject=made.id, detail={"within_s": made.within_s})
            await write_audit(tx, made.county, now, [act])
        await self.make_due()
        return made

    async def make_due(self) -> int:
        """Make those whose moment has come; gives the number of people asked."""
        now = self._place.clock.now()
        due = {"county": self._place.house.county, "now": to_ms(now)}
        async with self._place.store.read() as reader:
            if not await reader.fetch("drills.roll_calls_due", due):
                return 0
        count = 0
        async with self._place.store.write() as tx:
            for row in await tx.fetch("drills.roll_calls_due", due):
                count += await _make(tx, self._place.house, value_of(RollCall, row), now)
        self._place.broadcast.wake()
        self._planned()
        return count


async def _make(tx: Transaction, house: House, one: RollCall, now: datetime) -> int:
    people = on_duty_now(house, now)
    plan = _plan(timedelta(seconds=one.within_s))
    body = plan_as_json(plan)
    await tx.run("notices.add_plan", {"digest": plan_name(timedelta(seconds=one.within_s)), "policy": HAZARD, "version": 1, "body": body})
    notices = [_notice(house, one, person, code, now) for person, code in zip(people, await codes(tx, house, len(people)), strict=True)]
    deliveries = [d for n, p in zip(notices, people, strict=True) for d in _deliveries(house, n, p, now)]
    reached = {d.person for d in deliveries}
    await tx.run_many("notices.add", [row_of(n) for n in notices])
    await tx.run_many("deliveries.add", [row_of(d) for d in deliveries])
    await add_tasks(tx, house, [_gap(house, one, p, now) for p in people if p not in reached])
    await tx.run("drills.save_roll_call", row_of(replace(one, made_at=now)))
    return len(people)


def on_duty_now(house: House, now: datetime) -> list[str]:
    """Everybody whom a roster has on duty at this moment, once."""
    found = [p for roster in house.duty.rosters.values() for p in on_duty(house.duty, roster, now).people]
    return [p for p in dict.fromkeys(found) if p in house.registry.contacts]


def _plan(within: timedelta) -> GradePlan:
    actions, deadlines = (Action.RECEIVED,), {Action.RECEIVED: within}
    return GradePlan(answer_within=within, actions=actions, deadlines=deadlines, answered_by=AnsweredBy(), repeat=None, steps=())


def _notice(house: House, one: RollCall, person: str, code: str, now: datetime) -> Notice:
    warning = f"{HAZARD}.{one.id}"
    return Notice(
        id=f"{warning}/{person}/1",
        alert=warning,
        warning=warning,
        county=one.county,
        status=house.status,
        hazard=HAZARD,
        village=house.registry.contacts[person].area,
        revision=1,
        grade=Grade.BLUE,
        before=Grade.NONE,
        purpose=Purpose.WARN,
        state=NoticeState.CALLING,
        released_at=now,
        expires_at=now + timedelta(hours=24),
        code=code,
        plan=plan_name(timedelta(seconds=one.within_s)),
        reason_zh="值班点名",
        reason_en="Roll call",
    )


def _deliveries(house: House, notice: Notice, person: str, now: datetime) -> Iterable[Delivery]:
    contact = house.registry.contacts[person]
    said = Saying(house, notice)
    for target in targets_of_person(house, person, contact.role, _BY):
        yield deliver(said, target, 0, 0, now)


def _gap(house: House, one: RollCall, person: str, now: datetime) -> Task:
    contact = house.registry.contacts[person]
    return Task(
        key=f"roll_call/{one.id}/{person}",
        county=one.county,
        status=house.status,
        kind=TaskKind.GAP,
        village=contact.area,
        text_zh=f"点名：{contact.name}没有可用的联系方式",
        text_en=f"Roll call: {contact.name_en or contact.name} cannot be reached by any channel",
        opened_at=now,
    )


async def attendance(reader: Reader, house: House, since: datetime, until: datetime) -> list[Attendance]:
    """The table of a period: who of those on duty was reachable, worst first."""
    asked = await reader.fetch("drills.roll_calls_of", {"county": house.county, "since": to_ms(since), "until": to_ms(until)})
    answers = await reader.fetch("drills.first_answers", {"notices": json.dumps([r["id"] for r in asked])})
    return attended(asked, {r["notice"]: from_ms(r["at"]) for r in answers})


def attended(asked: Sequence[Row], answers: Mapping[str, datetime]) -> list[Attendance]:
    """By person. Rows have ``id`` (whose middle part is the person), ``released_at`` and ``plan``."""
    by_person: dict[str, list[tuple[float | None, float]]] = {}
    for row in asked:
        at = answers.get(row["id"])
        waited = None if at is None else (at - from_ms(row["released_at"])) / timedelta(seconds=1)
        by_person.setdefault(row["id"].split("/")[1], []).append((waited, within_of(row["plan"]) / timedelta(seconds=1)))
    found = []
    for person, calls in by_person.items():
        waits = [w for w, _ in calls if w is not None]
        in_time = sum(w is not None and w <= allowed for w, allowed in calls)
        late, middle = len(waits) - in_time, median(waits) if waits else None
        found.append(Attendance(person=person, asked=len(calls), in_time=in_time, late=late, median_s=middle))
    return sorted(found, key=lambda a: (a.in_time / a.asked, a.person))
