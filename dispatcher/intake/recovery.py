"""From the last snapshot and the journal behind it to the rule state as it was, with effects suppressed.

The plan is the one that was in force there, compiled again from what was kept of it; a row of its own says where another took over.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from dispatcher.intake.acts import act_of, perform
from dispatcher.intake.basis import Compiled, compile_stored
from dispatcher.intake.codecs.choose import Decoding
from dispatcher.intake.deciding import decide
from dispatcher.intake.decode_together import decode_together
from dispatcher.intake.journal import Damaged, JournalRow, RowKind, read_row
from dispatcher.intake.rehearsal import Rehearsal
from dispatcher.ports import Item, Row, Store
from dispatcher.timestamps import from_ms, to_ms
from rules.engine import Engine
from rules.errors import RuleErrors, SnapshotError

_PAGE = 100
_NO_CHECKSUM = -1
"""Of snapshots from before there were any."""


@dataclass(slots=True)
class Deciding:
    """What decides now: a plan, the engine that runs it, and how what comes in is read."""

    compiled: Compiled
    engine: Engine
    decoding: Decoding


@dataclass(frozen=True, slots=True)
class Recovered:
    """Where the journal ends and how many rows had to be replayed.

    ``known`` is false while the store knows of no plan; ``lost`` is the digest of one that it had and that can be compiled no more.
    ``damaged`` are rows whose bytes are not those that were written: left out. ``snapshot`` says why the snapshot could not be
    used; then all of the journal was replayed, which holds as much as any rule looks back.
    """

    seq: int
    replayed: int
    deciding: Deciding
    known: bool = True
    lost: str = ""
    damaged: tuple[int, ...] = ()
    snapshot: str = ""


Reading = Callable[[Compiled], Decoding]
"""How what comes in is read under a plan."""


async def recover(store: Store, files: Compiled, reading: Reading, county: str) -> Recovered:
    """The state after the last committed row. ``files`` decide where the store does not say what did."""
    async with store.read() as reader:
        snapshots = await reader.fetch("journal.last_chain")
    seq = snapshots[-1]["journal_seq"] if snapshots else 0
    compiled, known, lost = await _in_force(store, county, seq, files)
    deciding = Deciding(compiled, Engine(compiled.plan), reading(compiled))
    replayed, damaged, unusable = 0, list[int](), ""
    try:
        if snapshots:
            whole = [_checked(row) for row in snapshots]
            deciding.engine.restore(whole[0], whole[1:])
    except SnapshotError as error:  # the journal holds as much as any rule looks back
        unusable, seq = str(error), await _before_the_oldest(store)
        compiled, known, lost = await _in_force(store, county, seq, files)
        deciding = Deciding(compiled, Engine(compiled.plan), reading(compiled))
    while True:
        async with store.read() as reader:
            rows = await reader.fetch("journal.since", {"seq": seq, "limit": _PAGE})
        for row in rows:
            seq = row["seq"]
            try:
                one = read_row(row, county)
            except Damaged:
                damaged.append(seq)
                continue
            if one.kind is RowKind.ACTIVATION:
                digest, _ = activated(one)
                after, lost = await _stored(store, digest, files, lost)
                deciding = await _succeed(store, deciding, Deciding(after, Engine(after.plan), reading(after)), one)
                known = True
            else:
                replay(deciding.engine, one, deciding.decoding)
            replayed += 1
        if len(rows) < _PAGE:
            last = max(seq, snapshots[-1]["journal_seq"]) if snapshots else seq
            return Recovered(last, replayed, deciding, known, lost, tuple(damaged), unusable)


def _checked(row: Row) -> bytes:
    """The data of a snapshot; SnapshotError when it is not what was written."""
    data: bytes = row["data"]
    if row["checksum"] not in (_NO_CHECKSUM, zlib.crc32(data)):
        raise SnapshotError("its checksum does not hold")
    return data


async def _before_the_oldest(store: Store) -> int:
    async with store.read() as reader:
        rows = await reader.fetch("journal.oldest", {"limit": 1})
    return int(rows[0]["seq"]) - 1 if rows else 0


async def _in_force(store: Store, county: str, seq: int, files: Compiled) -> tuple[Compiled, bool, str]:
    async with store.read() as reader:
        rows = await reader.fetch("plans.in_force", {"county": county, "seq": seq})
    if not rows:
        return files, False, ""
    compiled, lost = await _stored(store, rows[0]["digest"], files, "")
    return compiled, True, lost


async def _stored(store: Store, digest: str, files: Compiled, lost: str) -> tuple[Compiled, str]:
    """The plan of a digest: that of the files when it is the same, else what was kept."""
    if digest == files.digest:
        return files, lost
    async with store.read() as reader:
        rows = await reader.fetch("plans.basis", {"digest": digest})
    try:
        return (compile_stored(rows[0]["data"]), lost) if rows else (files, digest)
    except (RuleErrors, ValueError, msgspec.MsgspecError):
        return files, digest


async def _succeed(store: Store, before: Deciding, after: Deciding, row: JournalRow) -> Deciding:
    """The next plan takes over, exactly as it did when the row was written."""
    past = Rehearsal(store, row.county, after.compiled.plan, after.decoding, activated(row)[1])
    await past.up_to(row.seq - 1)
    after.engine.succeed(before.engine, past.engine)
    return after


def activation_item(digest: str, rehearsed_at: datetime) -> Item:
    """The one item of the journal row by which another plan takes over; the second is the ``now`` of its rehearsal."""
    return Item(f"{digest} {to_ms(rehearsed_at)}".encode(), "rules")


def activated(row: JournalRow) -> tuple[str, datetime]:
    """What ``activation_item`` wrote."""
    digest, at_ms = row.items[0].body.decode().split()
    return digest, from_ms(int(at_ms))


def replay(engine: Engine, row: JournalRow, decoding: Decoding) -> None:
    """Decide a row again; what it decides was committed with it."""
    if not row.decided:
        return
    if row.kind is RowKind.TICK:
        engine.tick(row.now)
    elif row.kind is RowKind.ACT:
        perform(engine, act_of(row.items[0]), row.now)
    else:
        decide(engine, decode_together(decoding, row.items, row.now), row.now)
