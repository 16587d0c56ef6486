"""Keeps each source open: hands its batches to the pipeline, and opens it again with backoff when it breaks."""

import asyncio
import random

from dispatcher.errors import SourceLost
from dispatcher.intake.codecs.choose import AS_MARKED, Formats
from dispatcher.intake.pipeline import Pipeline
from dispatcher.ports import Announcing, Source
from dispatcher.workplace import Workplace

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0


async def keep_open(place: Workplace, pipeline: Pipeline, source: Source, formats: Formats = AS_MARKED) -> None:
    """Read a source until it ends (a file) or we are cancelled; ``formats`` say how its items are to be read."""
    part = f"source {source.name}"
    chance = random.Random()  # noqa: S311 - spreads reconnections, guards nothing
    wait_s = _FIRST_WAIT_S

    def opened() -> None:
        place.metrics.source_up.labels(source.name).set(1)
        place.health.clear(part)

    if isinstance(source, Announcing):
        place.health.set(part, "not connected yet")
        source.when_open(opened)
    while True:
        try:
            async with place.store.read() as reader:
                rows = await reader.fetch("journal.positions", {"source": source.name})
            if not isinstance(source, Announcing):
                opened()
            async for batch in source.batches({row["name"]: row["position"] for row in rows}):
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
