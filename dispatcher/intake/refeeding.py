"""Rejects that a person asked to be fed again, after a fix, come in as from a source: decoded anew from the bytes the journal has.

What was good in the same body comes again too, which changes nothing. What is still bad is a new reject.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from dispatcher.errors import SourceLost, StoreFailed
from dispatcher.intake.journal import Damaged, read_row
from dispatcher.ports import Batch, Item, Reader, Transaction
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.workplace import Workplace

_AT_ONCE = 100
_LOOK_EVERY_S = 5.0


class Refeeding:
    """A source whose far side is our own store."""

    name = "refeed"

    def __init__(self, place: Workplace) -> None:
        """Nothing is read yet."""
        self._place = place
        self._in_hand: set[int] = set()

    async def batches(self, positions: Mapping[str, str]) -> AsyncIterator[Batch]:  # noqa: ARG002 - the rows themselves say what is left
        """One batch for each body that is asked for."""
        self._in_hand.clear()
        with self._place.broadcast.listen() as ear:
            while True:
                try:
                    found = await self._asked()
                except StoreFailed as failure:
                    raise SourceLost(f"refeed: {failure}") from failure
                for batch in found:
                    yield batch
                await ear.wait(_LOOK_EVERY_S)

    async def _asked(self) -> list[Batch]:
        bodies: dict[tuple[int, int], list[int]] = {}
        async with self._place.store.read() as reader:
            for row in await reader.fetch("rejects.asked", {"limit": _AT_ONCE}):
                if row["seq"] not in self._in_hand:
                    bodies.setdefault((row["journal_seq"], row["part"]), []).append(row["seq"])
            items = {key: await _item(reader, *key, self._place.house.county) for key in bodies}
        gone = [seq for key, seqs in bodies.items() if items[key] is None for seq in seqs]
        if gone:
            async with self._place.store.write() as tx:
                await _settle(tx, gone, "gone")
        found = [Batch(self.name, (item,), token=tuple(seqs)) for key, seqs in bodies.items() if (item := items[key]) is not None]
        self._in_hand.update(seq for key, seqs in bodies.items() if items[key] is not None for seq in seqs)
        return found

    async def ack(self, batch: Batch) -> None:
        """The body is decided upon again: its rejects are done with."""
        seqs = cast("tuple[int, ...]", batch.token)
        self._in_hand.difference_update(seqs)
        async with self._place.store.write() as tx:
            await _settle(tx, seqs, "refed")


async def _item(reader: Reader, seq: int, part: int, county: str) -> Item | None:
    rows = await reader.fetch("journal.row", {"seq": seq})
    try:
        return read_row(rows[0], county).items[part] if rows else None
    except (Damaged, IndexError):
        return None


async def _settle(tx: Transaction, seqs: Sequence[int], state: str) -> None:
    await tx.run_many("rejects.settle", [{"seq": seq, "state": state} for seq in seqs])


async def ask(tx: Transaction, county: str, rejects: Sequence[int], act: Act, now: datetime) -> int:
    """Mark rejects to be fed again by the engine; gives how many have their bytes. ``act`` goes into the audit log."""
    marked = 0
    for seq in rejects:
        marked += await tx.run("rejects.ask", {"seq": seq})
    if marked:
        await write_audit(tx, county, now, [replace(act, detail={**act.detail, "rejects": marked})])
    return marked
