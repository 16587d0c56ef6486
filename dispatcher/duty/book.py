"""The duty book: every act of a person in one durable transaction with its entry in the audit log, and in force at once.

What others write (another worker, the command line) is seen at the next look, which also opens a task for each gap to come.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dispatcher.duty.gaps import DutyGap, Lack, duty_gaps
from dispatcher.duty.model import Absence, DutyTable, Entry, Override, Roster
from dispatcher.duty.resolve import turn_at
from dispatcher.duty.stored import SaidOfDuty
from dispatcher.errors import NotAllowed, StoreFailed
from dispatcher.house import House
from dispatcher.model.task import Task, TaskKind
from dispatcher.registry.model import Registry
from dispatcher.timestamps import to_ms
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.warnings.telling import add_tasks
from dispatcher.workplace import Workplace

LOOK_EVERY_S = 30.0
AHEAD = timedelta(hours=24)
LONGEST = timedelta(days=62)
LONGEST_NOTE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes, and from where."""

    name: str
    origin: str

    def act(self, act: str, subject: str, **detail: object) -> Act:
        """What he did, for the audit log."""
        return Act(actor=self.name, origin=self.origin, act=act, subject=subject, detail=detail)


class DutyBook:
    """``look`` once before use; ``run`` goes on looking."""

    def __init__(self, place: Workplace, said: SaidOfDuty | None = None) -> None:
        """Nothing is read yet. ``said`` is shared with whoever makes another house of new files."""
        self._place = place
        self._said = said or SaidOfDuty()

    @property
    def table(self) -> DutyTable:
        """The table as it stands."""
        return self._place.house.duty

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except StoreFailed as failure:
                self._place.log.error("store_failed", error=str(failure))

    async def look(self) -> None:
        """Take in what the store says, and open a task for each gap of the next hours."""
        place, now = self._place, self._place.clock.now()
        if not place.house.registry.duty.rosters:
            return
        await self._take_in(now)
        tasks = [gap_task(place.house, gap, now) for gap in self.gaps(now, now + AHEAD) if gap.lack is not Lack.NO_SHIFT]
        if tasks:
            async with place.store.write() as tx:
                await add_tasks(tx, place.house, tasks)
            place.broadcast.wake()

    async def _take_in(self, now: datetime) -> None:
        """Under the rosters of the registry that is at work now."""
        place = self._place
        async with place.store.read() as reader:
            await self._said.read(reader, place.house.county, now)
        place.house = replace(place.house, duty=self._said.over(place.house.registry.duty))

    def gaps(self, since: datetime, until: datetime) -> list[DutyGap]:
        """When nobody who can be reached is on duty."""
        return duty_gaps(self.table, reachable(self._place.house.registry), since, until)

    async def enter(self, entries: Sequence[Entry], who: Writer) -> None:
        """Who has which shifts, in place of what was entered before; all of them or none."""
        await self.take(entries, (), who)

    async def override(self, given: Override, who: Writer) -> None:
        """Somebody else is on duty for a time."""
        await self.take((), (given,), who)

    async def take(self, entries: Sequence[Entry], overrides: Sequence[Override], who: Writer) -> None:
        """Entries and overrides together; all of them or none."""
        for entry in entries:
            roster = self._roster(entry.roster)
            if entry.shift not in roster.shift_names():
                raise NotAllowed(
                    f"{entry.shift!r} is no shift of {roster.id!r}; its shifts: {', '.join(roster.shift_names())}",
                    f"{roster.id} 没有班次 {entry.shift}",
                )
            self._people(entry.people)
        for given in overrides:
            self._roster(given.roster)
            self._people(given.people)
            _time(given.begins, given.ends)
        rows = [{"roster": e.roster, "day": e.day.isoformat(), "shift": e.shift, "people": json.dumps(e.people)} for e in entries]
        acts = [who.act("enter duty", ", ".join(dict.fromkeys(e.roster for e in entries)), n=len(rows))] if rows else []
        acts += [
            who.act("override duty", o.roster, begins=o.begins.isoformat(), ends=o.ends.isoformat(), people=list(o.people))
            for o in overrides
        ]
        if acts:
            await self._write({"duty.enter": rows, "duty.add_override": [_row_of(o) for o in overrides]}, acts, who)

    async def report_absence(self, given: Absence, who: Writer) -> None:
        """Somebody is away, and who stands in (外出报备)."""
        self._people((given.person, *([given.stand_in] if given.stand_in else [])))
        if given.person == given.stand_in:
            raise NotAllowed("nobody stands in for himself; allowed: another contact, or none", "不能由本人顶班")
        _time(given.begins, given.ends)
        row = {
            "person": given.person, "begins": to_ms(given.begins), "ends": to_ms(given.ends), "stand_in": given.stand_in,
            "reason": given.reason[:LONGEST_NOTE],
        }  # fmt: skip
        detail = {"begins": given.begins.isoformat(), "ends": given.ends.isoformat(), "stand_in": given.stand_in}
        await self._write({"duty.add_absence": [row]}, [who.act("report absence", given.person, **detail)], who)

    async def hand_over(self, roster: str, note: str, who: Writer) -> None:
        """What the next shift must know, written down for the shift that is on now."""
        if not note.strip():
            raise NotAllowed("a hand-over note needs a text", "交班记录不能为空")
        now = self._place.clock.now()
        turn = turn_at(self.table, self._roster(roster), now)
        day = turn.day if turn else now.astimezone(self.table.zone).date()
        row = {"roster": roster, "day": day.isoformat(), "shift": turn.shift if turn else "", "note": note.strip()[:LONGEST_NOTE]}
        await self._write({"duty.add_handover": [row]}, [who.act("hand over duty", roster)], who)

    async def withdraw(self, what: str, seq: int, who: Writer) -> None:
        """Take back an ``override`` or an ``absence``; NotAllowed when there is none with this number."""
        place, now = self._place, self._place.clock.now()
        async with place.store.write() as tx:
            if not await tx.run(f"duty.withdraw_{what}", {"county": place.house.county, "seq": seq, "now": to_ms(now)}):
                raise NotAllowed(f"there is no {what} {seq} that could be taken back", "没有可撤销的记录")
            await write_audit(tx, place.house.county, now, [who.act(f"withdraw {what}", str(seq))])
        await self.look()

    async def _write(self, rows: Mapping[str, Sequence[Mapping[str, object]]], acts: Sequence[Act], who: Writer) -> None:
        """Rows for each named query, and what was done, in one transaction."""
        place, now = self._place, self._place.clock.now()
        made: dict[str, object] = {"county": place.house.county, "made_by": who.name, "made_at": to_ms(now)}
        async with place.store.write() as tx:
            for query, given in rows.items():
                await tx.run_many(query, [{**row, **made} for row in given])
            await write_audit(tx, place.house.county, now, acts)
        await self.look()

    def _roster(self, roster: str) -> Roster:
        if roster not in self.table.rosters:
            raise NotAllowed(f"there is no roster {roster!r}; there are: {', '.join(self.table.rosters) or 'none'}", f"没有值班表 {roster}")
        return self.table.rosters[roster]

    def _people(self, people: Sequence[str]) -> None:
        for person in people:
            if person not in self._place.house.registry.contacts:
                raise NotAllowed(f"there is no contact {person!r}; allowed: ids of the registry's contacts", f"没有联系人 {person}")


def _row_of(given: Override) -> dict[str, object]:
    times = {"begins": to_ms(given.begins), "ends": to_ms(given.ends)}
    return {"roster": given.roster, **times, "people": json.dumps(given.people), "note": given.note[:LONGEST_NOTE]}


def _time(begins: datetime, ends: datetime) -> None:
    if not begins < ends <= begins + LONGEST:
        raise NotAllowed(
            f"the time must end after it begins, and last at most {LONGEST.days} days", f"结束须晚于开始，且不超过 {LONGEST.days} 天"
        )


def reachable(registry: Registry) -> frozenset[str]:
    """The contacts that some channel reaches."""
    return frozenset(c.id for c in registry.contacts.values() if c.channels)


def gap_task(house: House, gap: DutyGap, now: datetime) -> Task:
    """What the duty room must see to before it comes."""
    roster = house.duty.rosters[gap.roster]
    begins, ends = (t.astimezone(house.duty.zone).strftime("%m-%d %H:%M") for t in (gap.begins, gap.ends))
    zh = {Lack.NOBODY: "无人值班", Lack.AWAY: "值班人员外出且无人顶班", Lack.UNREACHABLE: "值班人员没有可用的联系方式"}
    en = {
        Lack.NOBODY: "nobody is on duty",
        Lack.AWAY: "who is on duty is away and nobody stands in",
        Lack.UNREACHABLE: "who is on duty cannot be reached",
    }
    return Task(
        # By its end: while its beginning is now, it is still the same gap.
        key=f"duty/{gap.roster}/{to_ms(gap.ends)}/{gap.lack}",
        county=house.county,
        status=house.status,
        kind=TaskKind.GAP,
        village="",
        text_zh=f"{roster.name}：{begins} 至 {ends} {zh.get(gap.lack, '无人值班')}",
        text_en=f"{roster.name_en or roster.name}: from {begins} to {ends} {en.get(gap.lack, 'nobody is on duty')}",
        opened_at=now,
    )
