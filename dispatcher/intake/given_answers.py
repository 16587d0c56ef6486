"""What the sender of a batch is told of it, and how that is remembered under the sender's key: a repeat gets the same answer."""

import json
from datetime import timedelta
from typing import Any, Final

from dispatcher.intake.journal import JournalRow
from dispatcher.model.reject import Decoded, Reject, digest
from dispatcher.ports import Batch, Reader, Transaction
from dispatcher.timestamps import to_ms

KEPT_FOR: Final = timedelta(hours=24)
_MOST_LISTED: Final = 1_000


def answer_to(decoded: Decoded) -> dict[str, Any]:
    """Counts, and the reason for each item that was refused."""
    return {
        "accepted": len(decoded.readings) + len(decoded.forecasts) + len(decoded.alerts),
        "rejected": sum(r.count for r in decoded.rejects),
        "rejects": [_reject_as_json(r) for r in decoded.rejects[:_MOST_LISTED]],
    }


def _reject_as_json(reject: Reject) -> dict[str, Any]:
    return {
        "code": reject.code.value,
        "message": reject.message,
        "item": reject.index,
        "line": reject.line,
        "excerpt": reject.excerpt.decode("utf-8", "replace"),
    }


async def remember(tx: Transaction, row: JournalRow, batch: Batch, decoded: Decoded) -> None:
    """Keep the answer under the key of the batch, with what the batch causes; what is older than a day goes."""
    answer = json.dumps(answer_to(decoded), ensure_ascii=False)
    now = to_ms(row.now)
    kept = {"county": row.county, "key": batch.key, "sha256": digest(batch.items[0].body), "answer": answer, "at": now}
    await tx.run("journal.forget_answers", {"before": to_ms(row.now - KEPT_FOR)})
    await tx.run("journal.keep_answer", kept)


async def remembered(reader: Reader, county: str, key: str) -> tuple[str, dict[str, Any]] | None:
    """The hash of the body that first came with this key and what was answered; None for a new key."""
    rows = await reader.fetch("journal.given_answer", {"county": county, "key": key})
    return (rows[0]["sha256"], json.loads(rows[0]["answer"])) if rows else None
