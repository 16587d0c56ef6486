"""Keeps what the inputs of places in a warning were worth, every five minutes of event time, so that a report can show why."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from dispatcher.errors import StoreFailed
from dispatcher.intake.pipeline import Pipeline
from dispatcher.ports import Row
from dispatcher.timestamps import from_ms, to_ms
from dispatcher.workplace import Workplace

STEP = timedelta(minutes=5)
_STEP_MS = STEP // timedelta(milliseconds=1)
BEFORE = timedelta(hours=6)
"""How far back the first sample of a place reaches: the engine still holds what led to the warning."""
KEPT = timedelta(days=400)
_HELD = timedelta(hours=24)
_LOOK_S = 1.0
_FORGET_EVERY = timedelta(days=1)


class Sampler:
    """``run`` until cancelled; ``sample`` alone is one round."""

    def __init__(self, place: Workplace, pipeline: Pipeline) -> None:
        """Samples from the engine of the pipeline."""
        self._place = place
        self._pipeline = pipeline
        self._sampled_at: datetime | None = None
        self._forgot_at: datetime | None = None

    async def run(self) -> None:
        """Look each second whether a step of the engine's time is over."""
        while True:
            await asyncio.sleep(_LOOK_S)
            now = self._place.clock.now()
            if self._sampled_at is not None and now - self._sampled_at < STEP:
                continue
            try:
                await self.sample(now)
            except StoreFailed as failure:
                self._place.log.error("store_failed", error=str(failure))

    async def sample(self, now: datetime) -> int:
        """Write what is new of every place that has a say in a warning; gives the number of samples."""
        self._sampled_at = now
        county = self._place.house.county
        async with self._place.store.read() as reader:
            having = await reader.fetch("reports.contributors", {"county": county})
            places = sorted({_place_of(row) for row in having})
            last = await reader.fetch("reports.last_samples", {"county": county, "places": json.dumps(places)}) if places else []
        since = {(row["status"], row["place"]): from_ms(row["at"]) for row in last}
        rows = [
            {"county": county, "status": status, "place": place, "at": to_ms(at), "inputs": json.dumps(values)}
            for status, place in sorted({(row["status"], _place_of(row)) for row in having})
            for at, values in self._values(place, since.get((status, place)), now)
        ]
        if rows or self._forgot_at is None or now - self._forgot_at > _FORGET_EVERY:
            async with self._place.store.write() as tx:
                await tx.run_many("reports.add_sample", rows)
                await tx.run("reports.forget_samples", {"before": to_ms(now - KEPT)})
            self._forgot_at = now
        return len(rows)

    def _values(self, place: str, since: datetime | None, now: datetime) -> Iterator[tuple[datetime, Mapping[str, float]]]:
        for at in steps(max(since or now - BEFORE, now - _HELD), now):
            try:
                values = self._pipeline.engine.values(place, at)
            except LookupError:  # a rule or place that is no more
                return
            if values:
                yield at, {name: round(value, 4) for name, value in values.items()}


def _place_of(row: Row) -> str:
    """The place in ``rule:<rule>/<place>``."""
    return str(row["contributor"]).partition("/")[2]


def steps(after: datetime, until: datetime) -> Sequence[datetime]:
    """The round times behind ``after``, up to ``until``."""
    first = to_ms(after) // _STEP_MS + 1
    return [from_ms(n * _STEP_MS) for n in range(first, to_ms(until) // _STEP_MS + 1)]
