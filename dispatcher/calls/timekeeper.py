"""Fires what time alone sets going: gathered changes to be told, next steps of call plans, silent stations.

All of it is stored state; this task only looks when the next thing is due.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from dispatcher.calls.escalating import escalate_due
from dispatcher.errors import StoreFailed
from dispatcher.incidents.reminding import remind_due
from dispatcher.intake.pipeline import Pipeline
from dispatcher.timestamps import from_ms
from dispatcher.upkeep.commit_points import Point, passing
from dispatcher.warnings.issuing import release_due
from dispatcher.warnings.lapsing import lapse_due, next_lapse
from dispatcher.workplace import Workplace
from rules.grade import Grade

_LONGEST_NAP_S = 1.0
_SHORTEST_NAP_S = 0.02
_MEASURE_EVERY_S = 1.0


class Timekeeper:
    """``run`` until cancelled; ``fire`` alone does what is due now (tests move the clock and call it)."""

    def __init__(self, place: Workplace, pipeline: Pipeline, planned: Callable[[], None]) -> None:
        """``planned`` is called when something new is to be sent."""
        self._place = place
        self._pipeline = pipeline
        self._planned = planned
        self._measured_at = 0.0

    async def run(self) -> None:
        """Look, fire, and nap until the next thing is due or something was committed."""
        with self._place.broadcast.listen() as ear:
            while True:
                try:
                    with self._place.health.at_work("timekeeper", "doing what is due"):
                        nap_s = await self.fire()
                except StoreFailed as failure:
                    self._place.log.error("store_failed", error=str(failure))
                    nap_s = _LONGEST_NAP_S
                await asyncio.sleep(min(nap_s, _SHORTEST_NAP_S))  # a thousand commits a second do not make us look as often
                if await ear.wait(max(0.0, nap_s - _SHORTEST_NAP_S)):
                    self._planned()  # whatever was committed may want to be sent

    async def fire(self) -> float:
        """Do everything that is due; gives the real seconds until it is worth looking again."""
        now = self._place.clock.now()
        tick = self._pipeline.engine.next_tick()
        if tick is not None and tick <= now:
            await self._pipeline.offer_tick()
        due = await self._stored_due()
        if due <= now:
            async with self._place.store.write() as tx:
                issued = await lapse_due(tx, self._place.house, now)
                issued += await release_due(tx, self._place.house, now)
                escalated = await escalate_due(tx, self._place.house, now)
                await remind_due(tx, self._place.house, now)
                passing(Point.TIMERS_WRITTEN)
            passing(Point.TIMERS_KEPT)
            metrics = self._place.metrics
            metrics.alerts.inc(issued.alerts)
            metrics.notices.inc(issued.notices)
            metrics.planned.inc(issued.deliveries + escalated)
            metrics.escalated.inc(escalated)
            self._place.broadcast.wake()
            self._planned()
        if time.monotonic() - self._measured_at > _MEASURE_EVERY_S:
            await self._measure()
        return 0.0 if due <= now else self._nap_s(min(due, tick or due) - now)

    async def _stored_due(self) -> datetime:
        """When the next stored timer is due."""
        async with self._place.store.read() as reader:
            found = [row["due"] for q in ("warnings.next_due", "notices.next_due", "incidents.next_due") for row in await reader.fetch(q)]
            found += await next_lapse(reader)
        return min((from_ms(ms) for ms in found if ms is not None), default=datetime.max.replace(tzinfo=self._place.clock.now().tzinfo))

    def _nap_s(self, wait: timedelta) -> float:
        """Real seconds for a time on a clock that may run faster than the wall; never longer than a second."""
        return min(_LONGEST_NAP_S, max(_SHORTEST_NAP_S, wait / timedelta(seconds=self._place.clock.speed)))

    async def _measure(self) -> None:
        """Gauges that are counts of rows."""
        self._measured_at = time.monotonic()
        async with self._place.store.read() as reader:
            unanswered = await reader.fetch("notices.unanswered", {"county": self._place.house.county})
            in_force = await reader.fetch("warnings.count_in_force", {"county": self._place.house.county})
        self._place.metrics.unanswered.set(unanswered[0]["n"])
        counts = {row["grade"]: row["n"] for row in in_force}
        for grade in Grade:
            if grade:
                self._place.metrics.in_force.labels(grade.word).set(counts.get(int(grade), 0))
