"""The past again under another plan, in shadow: the journal of the last day, decided anew, and nothing of it sent.

It shows what a new plan would have done, and fills the windows that reach farther back than those of the old one.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dispatcher.intake.codecs.choose import Decoding
from dispatcher.intake.deciding import decide
from dispatcher.intake.decode_together import decode_together
from dispatcher.intake.journal import Damaged, JournalRow, RowKind, read_row
from dispatcher.ports import Row, Store
from dispatcher.timestamps import from_ms
from rules.change import Change
from rules.engine import Engine
from rules.plan import Plan

DAY = timedelta(days=1)
REHEARSED = timedelta(days=3)
"""The farthest that a rehearsal goes back; the journal keeps more (retention.py)."""

_PAGE = 200


@dataclass(slots=True)
class Rehearsal:
    """A fresh engine that sees the last day again, or as much as its longest window needs up to three days; ``now`` is when that ends.

    ``changes`` are what it decided, ``since`` is the time of the first row it saw.
    """

    store: Store
    county: str
    plan: Plan
    decoding: Decoding
    now: datetime
    engine: Engine = field(init=False)
    changes: list[Change] = field(default_factory=list)
    readings: int = 0
    since: datetime | None = None
    seq: int | None = None

    def __post_init__(self) -> None:
        """Nothing seen yet."""
        self.engine = Engine(self.plan)

    async def up_to(self, seq: int) -> None:
        """See all rows up to this one that have not been seen. The deciding is done beside the event loop, a page at a time."""
        if self.seq is None:
            longest = max((timedelta(seconds=s.horizon_s) for s in self.plan.series), default=DAY)
            self.seq = await _before(self.store, self.now - min(max(longest, DAY), REHEARSED), seq)
        while self.seq < seq:
            async with self.store.read() as reader:
                rows = await reader.fetch("plans.rows_between", {"seq": self.seq, "until": seq, "limit": _PAGE})
            if not rows:
                break
            await asyncio.to_thread(self._see, rows)
            self.seq = rows[-1]["seq"]

    def _see(self, rows: Sequence[Row]) -> None:
        for row in rows:
            try:
                one = read_row(row, self.county)
            except Damaged:  # said at the start
                continue
            self.since = self.since or one.now
            if one.decided:
                self._decide(one)

    def _decide(self, row: JournalRow) -> None:
        if row.kind is RowKind.TICK:
            found = self.engine.tick(row.now)
        elif row.kind is RowKind.BATCH:
            parts = decode_together(self.decoding, row.items, row.now)
            self.readings += sum(len(p.readings) for p in parts)
            found = decide(self.engine, parts, row.now)
        else:  # a person's word was on what another plan had decided
            return
        self.changes += found.changes


async def _before(store: Store, at: datetime, last: int) -> int:
    """The number of the last row before a time: rows stand in order of time, so that twenty looks find it among a million."""
    low, high = 0, last + 1
    async with store.read() as reader:
        while low + 1 < high:
            middle = (low + high) // 2
            rows = await reader.fetch("plans.row_at", {"seq": middle})
            if rows and rows[0]["seq"] <= last and from_ms(rows[0]["now"]) < at:
                low = max(middle, rows[0]["seq"])
            else:
                high = middle
    return low
