"""From the last snapshot and the journal behind it to the rule state as it was, with effects suppressed."""

from dataclasses import dataclass

from dispatcher.intake.codecs.choose import Decoding
from dispatcher.intake.deciding import decide
from dispatcher.intake.journal import JournalRow, RowKind, read_row
from dispatcher.ports import Store
from rules.engine import Engine

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Recovered:
    """Where the journal ends and how many rows had to be replayed."""

    seq: int
    replayed: int


async def recover(store: Store, engine: Engine, decoding: Decoding, county: str) -> Recovered:
    """Bring a fresh engine to the state after the last committed row."""
    async with store.read() as reader:
        snapshots = await reader.fetch("journal.last_snapshot")
    seq = 0
    if snapshots:
        seq = snapshots[0]["journal_seq"]
        engine.restore(snapshots[0]["data"])
    replayed = 0
    while True:
        async with store.read() as reader:
            rows = await reader.fetch("journal.since", {"seq": seq, "limit": _PAGE})
        for row in rows:
            replay(engine, read_row(row, county), decoding)
            seq = row["seq"]
            replayed += 1
        if len(rows) < _PAGE:
            return Recovered(seq, replayed)


def replay(engine: Engine, row: JournalRow, decoding: Decoding) -> None:
    """Decide a row again; what it decides was committed with it."""
    if not row.decided:
        return
    if row.kind is RowKind.TICK:
        engine.tick(row.now)
        return
    decide(engine, [decoding.decode(item, row.now) for item in row.items], row.now)
