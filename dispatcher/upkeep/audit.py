"""The audit log: append-only, each entry chained to the one before by its hash."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from dispatcher.ports import Reader, Transaction
from dispatcher.timestamps import to_ms

_FIELDS = ("county", "at", "actor", "origin", "act", "subject", "detail", "previous")
_PAGE = 1_000


async def write_audit(  # noqa: PLR0913 - who, from where, did what, to what, when
    tx: Transaction, county: str, now: datetime, *, actor: str, origin: str, act: str, subject: str, detail: Mapping[str, object]
) -> None:
    """Add one entry in the transaction of the act itself."""
    rows = await tx.fetch("desk.last_audit")
    entry = {
        "county": county,
        "at": to_ms(now),
        "actor": actor,
        "origin": origin,
        "act": act,
        "subject": subject,
        "detail": json.dumps(detail, ensure_ascii=False, sort_keys=True),
        "previous": rows[0]["hash"] if rows else "",
    }
    await tx.run("desk.add_audit", {**entry, "hash": hash_of(entry)})


def hash_of(entry: Mapping[str, object]) -> str:
    """SHA-256 over the fields of an entry, the hash of the one before among them."""
    return hashlib.sha256(json.dumps([entry[f] for f in _FIELDS], ensure_ascii=False).encode()).hexdigest()


async def verify_audit(reader: Reader) -> int | None:
    """The number of the first entry that was altered or whose predecessor is gone; None when the chain holds."""
    previous, after = "", 0
    while True:
        rows = await reader.fetch("desk.audit", {"after": after, "limit": _PAGE})
        for row in rows:
            if row["previous"] != previous or row["hash"] != hash_of(row):
                return int(row["seq"])
            previous, after = row["hash"], row["seq"]
        if len(rows) < _PAGE:
            return None
