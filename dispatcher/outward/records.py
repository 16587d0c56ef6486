"""What other programs are told: rows of the store as records, each with the key within which its order holds."""

import json
from collections.abc import Sequence

from dispatcher.intake.journal import unpack
from dispatcher.ports import Outgoing, Reader, Row, Status, Stream
from dispatcher.timestamps import from_ms
from rules.grade import Grade

AT_ONCE = 500


async def committed_after(reader: Reader, county: str, stream: Stream, position: int) -> list[tuple[int, Outgoing]]:
    """The next records of a stream with their positions, in the order in which they were committed."""
    rows = await reader.fetch(f"outward.{stream.value}", {"county": county, "seq": position, "limit": AT_ONCE})
    make = _change if stream is Stream.CHANGES else _reject
    return [(row["seq"], make(row)) for row in rows]


def _change(row: Row) -> Outgoing:
    """A notice: a village went from one grade to another, and was told so."""
    body = {
        "id": row["id"],
        "status": row["status"],
        "village": row["village"],
        "hazard": row["hazard"],
        "from": Grade(row["before"]).word,
        "to": Grade(row["grade"]).word,
        "warning": row["warning"],
        "alert": row["alert"],
        "revision": row["revision"],
        "purpose": row["purpose"],
        "released_at": from_ms(row["released_at"]).isoformat(),
        "expires_at": from_ms(row["expires_at"]).isoformat(),
        "reason": {"zh": row["reason_zh"], "en": row["reason_en"]},
    }
    headers = (("id", row["id"]), ("status", row["status"]), ("hazard", row["hazard"]))
    return Outgoing(row["village"], json.dumps(body, ensure_ascii=False).encode(), headers, Status(row["status"]))


def _reject(row: Row) -> Outgoing:
    """What could not be used: the body it came in while the journal has it, else the beginning of it, and the reason beside it."""
    headers: Sequence[tuple[str, object]] = (
        ("id", f"{row['county']}/{row['seq']}"),
        ("code", row["code"]),
        ("reason", row["reason"]),
        ("source", row["source"]),
        ("subject", row["subject"]),
        ("item", row["item"]),
        ("at", from_ms(row["at"]).isoformat()),
        ("sha256", row["sha256"]),
        ("size", row["size"]),
    )
    return Outgoing(row["subject"], _bytes(row), tuple((name, str(value)) for name, value in headers))


def _bytes(row: Row) -> bytes:
    items = unpack(bytes(row["payload"])) if row["payload"] is not None else ()
    return items[row["part"]].body if row["part"] < len(items) else bytes(row["excerpt"])
