"""The audit log: append-only, each entry chained to the one before by its hash."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dispatcher.ports import Reader, Transaction
from dispatcher.timestamps import to_ms

_FIELDS = ("county", "at", "actor", "origin", "act", "subject", "detail", "previous")
_PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who (a user, a contact's id, ``policy:auto``) did what to what; ``origin`` is where from, such as an address or ``sms``."""

    actor: str
    act: str
    subject: str
    origin: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)


async def write_audit(tx: Transaction, county: str, now: datetime, acts: Sequence[Act]) -> None:
    """Add entries in the transaction of the acts themselves."""
    if not acts:
        return
    rows = await tx.fetch("desk.last_audit")
    previous = rows[0]["hash"] if rows else ""
    entries = []
    for act in acts:
        detail = json.dumps(act.detail, ensure_ascii=False, sort_keys=True)
        said = {"actor": act.actor, "origin": act.origin, "act": act.act, "subject": act.subject, "detail": detail}
        entry = {"county": county, "at": to_ms(now), **said, "previous": previous}
        previous = hash_of(entry)
        entries.append({**entry, "hash": previous})
    await tx.run_many("desk.add_audit", entries)


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
