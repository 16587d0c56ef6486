"""The journal: everything the rule state depends on, in one order, each row with its ``now``.

A batch is stored as the raw bytes that arrived, a person's act and the change to another plan as one item of their own; a tick has no
payload. Rows carry a checksum.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from dispatcher.model.reject import Reject
from dispatcher.ports import Alike, Item, Kind, Row
from dispatcher.timestamps import from_ms, to_ms


class RowKind(StrEnum):
    """What a row is."""

    BATCH = "batch"
    TICK = "tick"
    ACT = "act"
    """A person's word to the rules (dispatcher/intake/acts.py)."""
    ACTIVATION = "activation"
    """From here on another plan decides; its one item holds the digest of what that is compiled from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """One row. ``decided`` is false when deciding failed and only the bytes were kept."""

    seq: int
    county: str
    kind: RowKind
    source: str
    now: datetime
    items: Sequence[Item] = ()
    decided: bool = True

    def stored(self) -> dict[str, object]:
        """The row as the store takes it."""
        payload = pack(self.items)
        return {
            "seq": self.seq,
            "county": self.county,
            "kind": self.kind.value,
            "source": self.source,
            "now": to_ms(self.now),
            "payload": payload,
            "checksum": zlib.crc32(payload),
            "decided": int(self.decided),
        }


class Damaged(Exception):
    """A journal row does not have the bytes it was written with."""


def read_row(row: Row, county: str) -> JournalRow:
    """A stored row; Damaged when its checksum does not hold, or it is none of ours."""
    if zlib.crc32(row["payload"]) != row["checksum"]:
        raise Damaged(f"journal row {row['seq']} is damaged: its checksum does not hold")
    try:
        return JournalRow(
            seq=row["seq"],
            county=county,
            kind=RowKind(row["kind"]),
            source=row["source"],
            now=from_ms(row["now"]),
            items=unpack(row["payload"]),
            decided=bool(row["decided"]),
        )
    except (ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise Damaged(f"journal row {row['seq']} is damaged: {error}") from error


def pack(items: Sequence[Item]) -> bytes:
    """Items as bytes. What all of them have in common is written once: Kafka's records and a file's lines have all but the body."""
    if isinstance(items, Alike):
        return msgspec.msgpack.encode((items.kind.value, items.subject, items.format, items.bodies))
    first = items[0] if items else None
    if first is not None and all(i.subject == first.subject and i.kind is first.kind and i.format == first.format for i in items):
        return msgspec.msgpack.encode((first.kind.value, first.subject, first.format, [i.body for i in items]))
    return msgspec.msgpack.encode([(i.kind.value, i.subject, i.body, *([i.format] if i.format else ())) for i in items])


def unpack(payload: bytes) -> Sequence[Item]:
    """The items that ``pack`` wrote."""
    if payload[:1] == _FOUR and payload[1] & _TEXT_MASK == _TEXT:  # not a list of items, each a list
        alike = _ALIKE.decode(payload)
        return Alike(alike.bodies, alike.subject, Kind(alike.kind), alike.format)
    return tuple(Item(i.body, i.subject, Kind(i.kind), i.format) for i in _DECODER.decode(payload))


class _Stored(msgspec.Struct, array_like=True, gc=False):
    kind: str
    subject: str
    body: bytes
    format: str = ""


class _Alike(msgspec.Struct, array_like=True, gc=False):
    kind: str
    subject: str
    format: str
    bodies: list[bytes]


_DECODER = msgspec.msgpack.Decoder(list[_Stored])
_ALIKE = msgspec.msgpack.Decoder(_Alike)
_FOUR, _TEXT, _TEXT_MASK = b"\x94", 0xA0, 0xE0
"""MessagePack: a list of four; a short text."""


def reject_row(reject: Reject, row: JournalRow, part: int) -> dict[str, object]:
    """A reject as the store takes it; its whole bytes are those of the ``part``-th item of its journal row."""
    return {
        "county": row.county,
        "source": row.source,
        "subject": reject.subject,
        "at": to_ms(row.now),
        "code": reject.code.value,
        "reason": reject.message,
        "item": reject.index,
        "excerpt": reject.excerpt,
        "sha256": reject.sha256,
        "size": reject.size_bytes,
        "journal_seq": row.seq,
        "part": part,
    }
