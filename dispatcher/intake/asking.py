"""Asks each source that can be asked how safely its far side keeps what that has acknowledged, and says what could be lost."""

import asyncio

from dispatcher.errors import SourceLost
from dispatcher.ports import Candid, Source
from dispatcher.workplace import Workplace

_AGAIN_S = 30.0
_EVERY_S = 600.0


def asking(place: Workplace, source: Source) -> list[asyncio.Task[None]]:
    """The task that asks, until it is cancelled; none for a source that cannot be asked."""
    return [asyncio.create_task(_keep_asking(place, source.name, source))] if isinstance(source, Candid) else []


async def _keep_asking(place: Workplace, name: str, source: Candid) -> None:
    """Ask at the start and every ten minutes, since settings of a broker change; each weakness is said when it is new. Until cancelled."""
    said: frozenset[str] = frozenset()
    while True:
        try:
            found = await source.weaknesses()
        except SourceLost:  # its supervisor says so
            await asyncio.sleep(_AGAIN_S)
            continue
        place.metrics.source_weaknesses.labels(name).set(len(found))
        for weakness in found:
            if weakness not in said:
                place.log.warning("may_lose", source=name, weakness=weakness)
        said = frozenset(found)
        await asyncio.sleep(_EVERY_S)
