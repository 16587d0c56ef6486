"""Whose turn it is to decide for a county, where several workers share a store. One decides, the others send, hear and stand by.

A lock of the store says who lives; a number that grows with each take-over is proven in every transaction that decides. So a worker
that was paused, or cut off from the store, cannot commit what another has decided meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from dispatcher.errors import ShardLost, Unreachable
from dispatcher.ports import Reader, Shared, Store
from dispatcher.timestamps import to_ms

LOOK_S = 1.0
"""How often a worker looks whose turn it is: what a take-over takes, beside reading the journal."""

_LOOKS = 3


@dataclass(frozen=True, slots=True)
class Shard:
    """The right to decide for one county, since one take-over."""

    county: str
    epoch: int

    async def prove(self, tx: Reader) -> None:
        """ShardLost when another worker has taken over since; asked inside the transaction that is to be committed."""
        rows = await tx.fetch("journal.shard", {"county": self.county})
        if not rows or rows[0]["epoch"] != self.epoch:
            worker = rows[0]["worker"] if rows else "nobody"
            raise ShardLost(f"worker {worker!r} decides for county {self.county} now: this one ends; start it again to stand by")


class Turn:
    """What one worker knows about whose turn it is. A store that only one process opens gives every turn to it."""

    def __init__(self, store: Store, county: str, worker: str) -> None:
        """Nothing is asked yet; ``worker`` is empty for one that wants to be alone."""
        self._store = store
        self._claims = store.claims if isinstance(store, Shared) else None
        self.county = county
        self.worker = worker
        self.ours = self._claims is None

    @property
    def shared(self) -> bool:
        """Whether there may be others."""
        return self._claims is not None

    @asynccontextmanager
    async def arriving(self) -> AsyncIterator[bool]:
        """Join the others: whether there are none. Unreachable when one of the same name is there."""
        if self._claims is None:
            yield True
            return
        async with self._claims.arriving() as alone:
            if self.worker and not await self._claims.hold(f"worker {self.worker}"):
                raise Unreachable(f"a worker {self.worker!r} runs on this database already: give each a name of its own (setting worker)")
            yield alone

    async def take(self) -> bool:
        """Try to have the turn; false when another worker has it and we may stand by, Unreachable when we may not."""
        if self._claims is not None:
            self.ours = await self._claims.hold(f"county {self.county}")
            for _ in range(0 if self.worker else _LOOKS):  # the one before us may have been killed this moment
                if self.ours:
                    break
                await asyncio.sleep(LOOK_S)
                self.ours = await self._claims.hold(f"county {self.county}")
            if not self.ours and not self.worker:
                raise Unreachable(
                    f"another engine runs for county {self.county} on this database: stop that one, or give both a name (setting worker)"
                )
        return self.ours

    async def keep(self) -> None:
        """Look whether the turn is still ours; ShardLost when another has it. StoreFailed while nobody can say."""
        if self._claims is not None and not await self._claims.hold(f"county {self.county}"):
            raise ShardLost(f"another worker decides for county {self.county} now: this one ends; start it again to stand by")

    async def begin(self, now: datetime) -> Shard | None:
        """From now on, whoever decided before can commit no more."""
        if self._claims is None:
            return None
        async with self._store.write() as tx:
            await tx.run("journal.take_shard", {"county": self.county, "worker": self.worker, "since": to_ms(now)})
            rows = await tx.fetch("journal.shard", {"county": self.county})
        return Shard(self.county, rows[0]["epoch"])
