"""Starts and ends drills, and keeps the house such that only participants exist for what is marked as an exercise."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from dispatcher.drills.ending import end_drill, feed_line, running_drill, script_row
from dispatcher.drills.model import Drill, DrillPlan
from dispatcher.drills.planning import planned, sayings_of
from dispatcher.drills.script import Foreseen, foreseen
from dispatcher.drills.storms import Storms
from dispatcher.errors import NotAllowed, StoreFailed
from dispatcher.house import House
from dispatcher.model.saying import Saying
from dispatcher.ports import Status, Transaction
from dispatcher.rows import row_of
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.warnings.hearing import apply_released
from dispatcher.warnings.issuing import Issued, release_warning
from dispatcher.warnings.releasing import By
from dispatcher.warnings.telling import add_feed
from dispatcher.workplace import Workplace
from rules.plan import Plan

_COUNTER = "drill"
_LOOK_S = 5.0


class Drills:
    """One for an engine. One drill at a time: two of them would be one to those who take part."""

    def __init__(self, place: Workplace, planned: Callable[[], None], storms: Storms | None = None) -> None:
        """``planned`` is called when something new is to be sent; ``storms`` are what drills may play, none when nothing decides."""
        self._place = place
        self._planned = planned
        self._storms = storms

    @property
    def house(self) -> House:
        """What every decision here rests on, as it is now."""
        return self._place.house

    @property
    def plan(self) -> Plan | None:
        """The rules that decide; None on a worker that does not."""
        return self._storms.at_work().plan if self._storms else None

    def storms(self) -> list[str]:
        """The storms that a drill may name."""
        return self._storms.names() if self._storms else []

    async def run(self) -> None:
        """Know at all times which drill runs, also after a restart or when another worker began it, and end it when its time is over."""
        while True:
            try:
                await self.look()
            except StoreFailed as failure:
                self._place.log.error("store_failed", error=str(failure))
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        """One look: take up the drill that runs, or end it."""
        async with self._place.store.read() as reader:
            running = await running_drill(reader, self._place.house.county)
        if running is None or running.ends_at > self._place.clock.now():
            self._enter(running)
            return
        async with self._place.store.write() as tx:
            found = await running_drill(tx, running.county)
            if found is not None:
                await end_drill(tx, self._place.house, found, self._place.clock.now())
        self._enter(None)
        self._place.broadcast.wake()
        self._planned()

    async def start(self, plan: DrillPlan, by: By) -> Drill:
        """Warn the participants, and only them; NotAllowed says why not."""
        house = self._place.house
        if house.status is not Status.ACTUAL:
            raise NotAllowed("this installation only drills: propose a warning instead", "本系统为演练系统，请直接拟发预警")
        storm = await asyncio.to_thread(self._script, plan) if plan.storm else None
        async with self._place.store.write() as tx:
            now = self._place.clock.now()
            if await running_drill(tx, house.county) is not None:
                raise NotAllowed("another drill is running; end it first", "已有演练正在进行，请先结束")
            rows = await tx.fetch("journal.counter", {"name": _COUNTER})
            number = int(rows[0]["value"]) + 1 if rows else 1
            drill = planned(house, plan, f"d{number}", by.who.name, now, storm)
            await self._refuse_in_earnest(tx, drill)
            await tx.run("journal.set_counter", {"name": _COUNTER, "value": number})
            await tx.run("drills.save", row_of(drill))
            detail = {
                "title": drill.title,
                "grade": drill.grade.word,
                "villages": len(drill.villages),
                "people": len(drill.people),
                "storm": drill.storm,
            }
            act = Act(actor=by.who.name, origin=by.origin, act="start_drill", subject=drill.id, detail=detail)
            await write_audit(tx, house.county, now, [act])
            exercise = replace(house, drill=drill.participants).of(Status.EXERCISE)
            await add_feed(tx, [feed_line(exercise, drill, now, f"演练开始：{drill.title}", f"Drill begins: {drill.title}")])
            if storm is not None and self._storms is not None:
                await tx.run("drills.save_storm", script_row(drill, storm.script, self._storms.at_work().plan))
            else:
                await self._say(tx, exercise, sayings_of(exercise, drill, drill.grade, now), now, f"drill:{drill.id}")
        self._enter(drill)
        self._place.broadcast.wake()
        self._planned()
        return drill

    async def end(self, by: By) -> Drill:
        """End the running drill: its participants are told that it is over."""
        async with self._place.store.write() as tx:
            now = self._place.clock.now()
            drill = await running_drill(tx, self._place.house.county)
            if drill is None:
                raise NotAllowed("no drill is running", "没有正在进行的演练")
            ended = await end_drill(tx, self._place.house, drill, now)
            await write_audit(tx, drill.county, now, [Act(actor=by.who.name, origin=by.origin, act="end_drill", subject=drill.id)])
        self._enter(None)
        self._place.broadcast.wake()
        self._planned()
        return ended

    def _script(self, plan: DrillPlan) -> Foreseen:
        """The storm of a plan, and what the rules will make of it; NotAllowed says what is wrong."""
        if self._storms is None:
            raise NotAllowed("this engine plays no storms", "本机不能回放脚本")
        script = self._storms.read(plan.storm, plan.speed)
        return Foreseen(script=script, changes=tuple(foreseen(self._storms.at_work().plan, script)))

    def _enter(self, drill: Drill | None) -> None:
        participants = drill.participants if drill else None
        if participants != self._place.house.drill:
            self._place.house = replace(self._place.house, drill=participants)

    async def _refuse_in_earnest(self, tx: Transaction, drill: Drill) -> None:
        """No drill where a warning in earnest is in force: nobody must wonder which of two texts is true."""
        held = {row["village"] for row in await tx.fetch("drills.in_earnest", {"county": drill.county})}
        if held & set(drill.villages):
            raise NotAllowed("a warning in earnest is in force in one of these villages", "其中有村正处于真实预警中，不得演练")

    async def _say(self, tx: Transaction, house: House, sayings: Sequence[Saying], now: datetime, by: str) -> Issued:
        total = Issued()
        for warning in await apply_released(tx, house, sayings[0].hazard, sayings, now):
            total += await release_warning(tx, house, warning, now, by)
        return total
