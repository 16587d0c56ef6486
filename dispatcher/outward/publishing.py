"""Tells other programs what was committed, in order, from a position of its own that moves only after they have it.

A crash in between says some of it again, under the same ``id``; nothing is left out.
"""

import asyncio
import random
from typing import Final

from dispatcher.errors import OutletFailed, StoreFailed
from dispatcher.outward.records import AT_ONCE, committed_after
from dispatcher.ports import Outlet, Stream
from dispatcher.workplace import Workplace

_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 30.0
_LOOK_S: Final = 5.0
"""Rejects wake nobody; they are looked for this often."""


class Publisher:
    """One outlet, kept up to date."""

    def __init__(self, place: Workplace, name: str, outlet: Outlet) -> None:
        """``name`` is what positions are filed under; nothing is read yet."""
        self._place = place
        self._outlet = outlet
        self._part = f"outlet {name}"
        self._chance = random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._wait_s = _FIRST_WAIT_S
        self._said = ""

    async def run(self) -> None:
        """Until cancelled."""
        with self._place.broadcast.listen() as ear:
            while True:
                try:
                    more = [await self._forward(stream) for stream in self._outlet.streams]
                except (OutletFailed, StoreFailed) as failure:
                    self._say(str(failure))
                    await asyncio.sleep(self._wait_s * (0.5 + self._chance.random()))
                    self._wait_s = min(self._wait_s * 2, _LONGEST_WAIT_S)
                    continue
                self._say("")
                self._wait_s = _FIRST_WAIT_S
                if not any(more):
                    await ear.wait(_LOOK_S)

    async def _forward(self, stream: Stream) -> bool:
        """The next records of a stream; whether there may be more."""
        mark = {"source": self._part, "name": stream.value}
        async with self._place.store.read() as reader:
            known = {row["name"]: int(row["position"]) for row in await reader.fetch("journal.positions", mark)}
            found = await committed_after(reader, self._place.house.county, stream, known.get(stream.value, 0))
        if not found:
            return False
        await self._outlet.publish(stream, [record for _, record in found])
        async with self._place.store.write() as tx:
            await tx.run("journal.set_position", {**mark, "position": str(found[-1][0])})
        self._place.metrics.published.labels(self._part, stream.value).inc(len(found))
        return len(found) == AT_ONCE

    def _say(self, trouble: str) -> None:
        """What is wrong stands in the health; the log hears of it when it changes."""
        if trouble == self._said:
            return
        self._said = trouble
        if trouble:
            self._place.health.set(self._part, trouble)
            self._place.log.warning("outlet_failed", outlet=self._part, reason=trouble)
        else:
            self._place.health.clear(self._part)
