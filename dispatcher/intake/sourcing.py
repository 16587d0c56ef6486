"""Keeps each source open: hands its batches to the pipeline, and opens it again with backoff when it breaks."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping

from dispatcher.errors import SourceLost
from dispatcher.intake.codecs.choose import AS_MARKED, Formats
from dispatcher.intake.pipeline import Pipeline
from dispatcher.ports import Announcing, Divided, Lagging, Source
from dispatcher.workplace import Workplace

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 5.0
"""A broker that is back must not wait for us: readings are minutes old by then."""


async def keep_open(place: Workplace, pipeline: Pipeline, source: Source, formats: Formats = AS_MARKED) -> None:
    """Read a source until it ends (a file) or we are cancelled; ``formats`` say how its items are to be read."""
    part = f"source {source.name}"
    chance = random.Random()  # noqa: S311 - spreads reconnections, guards nothing
    wait_s = _FIRST_WAIT_S

    def opened() -> None:
        place.metrics.source_up.labels(source.name).set(1)
        place.health.clear(part)

    positions = _introduced(place, source)
    if isinstance(source, Announcing):
        place.health.set(part, "not connected yet")
        source.when_open(opened)
    while True:
        try:
            known = await positions()
            if not isinstance(source, Announcing):
                opened()
            async for batch in source.batches(known):
                with place.health.at_work(part, "waiting for the pipeline"):
                    await pipeline.offer(source, formats.marked(batch))
                place.health.clear(part)
                wait_s = _FIRST_WAIT_S
        except SourceLost as lost:
            place.health.set(part, str(lost))
            place.log.warning("source_lost", source=source.name, reason=str(lost))
        else:
            return
        finally:
            place.metrics.source_up.labels(source.name).set(0)
        await asyncio.sleep(wait_s * (0.5 + chance.random()))
        wait_s = min(wait_s * 2, _LONGEST_WAIT_S)


def _introduced(place: Workplace, source: Source) -> Callable[[], Awaitable[Mapping[str, str]]]:
    """Make the source and the engine known to each other; gives what reads its committed positions."""

    async def positions() -> Mapping[str, str]:
        async with place.store.read() as reader:
            rows = await reader.fetch("journal.positions", {"source": source.name})
        return {row["name"]: row["position"] for row in rows}

    if isinstance(source, Divided):
        source.look_up(positions)
    if isinstance(source, Lagging):
        place.metrics.lags.of[source.name] = source.lag
    return positions
