"""Plays the storm of the drill that runs: each piece of it with everything that follows from it, in one transaction.

What was decided up to a moment of the storm is kept with that moment, so an engine that died goes on from there: it lets its own
rules see the storm up to there again, says nothing of that, and is where it was. What it cannot go on with ends with a word.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dispatcher.drills.ending import end_drill, feed_line, running_drill, stored_script
from dispatcher.drills.model import Drill
from dispatcher.drills.script import Script, as_told, begun, play
from dispatcher.drills.storms import Storms
from dispatcher.errors import StoreFailed
from dispatcher.house import House
from dispatcher.model.saying import Saying
from dispatcher.ports import Reader, Status, Transaction
from dispatcher.timestamps import stored, to_ms
from dispatcher.warnings.grading import expired
from dispatcher.warnings.hearing import hear
from dispatcher.warnings.issuing import Issued, change_row, release_due
from dispatcher.warnings.sayings import sayings_of
from dispatcher.warnings.telling import add_feed
from dispatcher.workplace import Workplace
from rules.change import Change
from rules.engine import Engine

_LOOK_S = 1.0
_OTHER_RULES = (
    "规则已更换，演练脚本不能续播，演练结束",
    "the rules were changed: the storm cannot go on, the drill is over",
)
_IN_EARNEST = ("参演村有真实预警，演练结束", "a warning in earnest is in force in a village that takes part, the drill is over")


@dataclass(slots=True)
class _Playing:
    """A drill under way: its script, and rules that have seen it up to ``done``."""

    drill: Drill
    script: Script
    engine: Engine
    done: datetime


class Storming:
    """``run`` until cancelled, where warnings are decided; ``advance`` is one step."""

    def __init__(self, place: Workplace, storms: Storms) -> None:
        """Nothing is read yet."""
        self._place = place
        self._storms = storms
        self._playing: _Playing | None = None

    async def run(self) -> None:
        """Look each second how far the storm is."""
        while True:
            try:
                with self._place.health.at_work("drill", "playing its storm"):
                    await self.advance()
            except StoreFailed as failure:
                self._place.log.error("store_failed", error=str(failure))
            await asyncio.sleep(_LOOK_S)

    async def advance(self) -> bool:
        """Play what has become due; whether anything was."""
        playing, now = await self._under_way(), self._place.clock.now()
        if playing is None or playing.drill.ends_at <= now:
            return False
        drill, script = playing.drill, playing.script
        until = stored(min(script.storm_time(drill.started_at, now), script.ends))
        if until <= playing.done:
            return False
        since, self._playing = playing.done, None  # should the store fail, the rules have seen what was not kept
        changes = await asyncio.to_thread(play, playing.engine, script, since, until)
        async with self._place.store.write() as tx:
            step = {"county": drill.county, "drill": drill.id, "since": to_ms(since), "until": to_ms(until)}
            if not await tx.run("drills.play_on", step):  # it has ended, or another worker plays it
                return False
            if await _in_earnest(tx, drill):
                await self._stop(tx, drill, _IN_EARNEST, now)
                return True
            told = [as_told(change, script, drill.id, drill.started_at, now) for change in changes]
            issued = await take_effect(tx, self._place.house, drill, told, now)
            if until == script.ends:
                zh, en = f"演练脚本播完：{script.name}", f"The storm of the drill is over: {script.name}"
                await add_feed(tx, [feed_line(self._exercise(drill), drill, now, zh, en)])
        playing.done, self._playing = until, playing
        self._count(issued)
        return True

    async def _under_way(self) -> _Playing | None:
        """What is to be played, and rules that stand where it stands in the store."""
        async with self._place.store.read() as reader:
            drill = await running_drill(reader, self._place.house.county)
            row = await _row(reader, drill) if drill is not None and drill.storm else None
        if drill is None or row is None:
            self._playing = None
            return None
        script, plan, done = stored_script(row)
        if self._playing is not None and self._playing.drill.id == drill.id and self._playing.done == done:
            return self._playing
        at_work = self._storms.at_work().plan
        if at_work.digest != plan:
            async with self._place.store.write() as tx:
                await self._stop(tx, drill, _OTHER_RULES, self._place.clock.now())
            return None
        engine = begun(at_work, script)
        await asyncio.to_thread(play, engine, script, script.begin, done)
        self._playing = _Playing(drill, script, engine, done)
        return self._playing

    async def _stop(self, tx: Transaction, drill: Drill, why: tuple[str, str], now: datetime) -> None:
        """End the drill before its time, with a word that stays with it."""
        await tx.run("drills.stop_storm", {"county": drill.county, "drill": drill.id, "why_zh": why[0], "why_en": why[1]})
        await add_feed(tx, [feed_line(self._exercise(drill), drill, now, *why)])
        await end_drill(tx, self._place.house, drill, now)
        self._place.broadcast.wake()

    def _exercise(self, drill: Drill) -> House:
        return exercise_of(self._place.house, drill)

    def _count(self, issued: Issued) -> None:
        metrics = self._place.metrics
        metrics.alerts.inc(issued.alerts)
        metrics.notices.inc(issued.notices)
        metrics.planned.inc(issued.deliveries)
        self._place.broadcast.wake()


def exercise_of(house: House, drill: Drill) -> House:
    """The house in which only those exist who take part."""
    return replace(house, drill=drill.participants).of(Status.EXERCISE)


async def take_effect(tx: Transaction, house: House, drill: Drill, changes: Sequence[Change], now: datetime) -> Issued:
    """What rules say of the villages that take part becomes warnings of status Exercise, by the same policies; of others, nothing."""
    exercise, villages = exercise_of(house, drill), set(drill.villages)
    links = house.registry.villages_of_station
    concerned = [c for c in changes if any(link.village in villages for link in links(c.place))]
    await tx.run_many("warnings.add_change", [change_row(exercise, change) for change in concerned])
    said = sayings_of([c for c in concerned if not expired(c)], house.registry)
    await hear(tx, exercise, [_named(saying, drill) for saying in said if saying.village in villages], now)
    return await release_due(tx, replace(house, drill=drill.participants), now)


def _named(saying: Saying, drill: Drill) -> Saying:
    """Under a name of the drill: what officers do about it never reaches the rules that decide in earnest."""
    return replace(saying, contributor=f"drill:{drill.id}/{saying.contributor}")


async def _row(reader: Reader, drill: Drill) -> dict[str, object] | None:
    rows = await reader.fetch("drills.storm_of", {"county": drill.county, "drill": drill.id})
    return dict(rows[0]) if rows else None


async def _in_earnest(tx: Transaction, drill: Drill) -> bool:
    held = {row["village"] for row in await tx.fetch("drills.in_earnest", {"county": drill.county})}
    return bool(held & set(drill.villages))
