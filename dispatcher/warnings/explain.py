"""A change as the JSON record that explains it: which row, which values, which thresholds (design: rules.md section 3)."""

import json
from typing import Any

from rules.change import Change, Evidence


def change_as_json(change: Change) -> str:
    """The whole record; times in RFC 3339."""
    return json.dumps(change_record(change), ensure_ascii=False)


def change_record(change: Change) -> dict[str, Any]:
    """The record as plain values."""
    return {
        "id": change.id,
        "rule": change.rule,
        "version": change.version,
        "table": change.table,
        "hazard": change.hazard,
        "place": change.place,
        "from": change.before.word,
        "to": change.after.word,
        "at": change.at.isoformat(),
        "decided_at": change.decided_at.isoformat(),
        "onset": change.onset.isoformat() if change.onset else None,
        "because": [_evidence(e) for e in change.because],
        "also": [_evidence(e) for e in change.also],
        "late_s": int(change.late_by.total_seconds()),
        "incomplete": change.incomplete,
        "scale": {"by": change.scale.by, "when": change.scale.text, "values": dict(change.scale.values)} if change.scale else None,
        "mode": change.mode.value,
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    record: dict[str, Any] = {"row": evidence.row, "value": evidence.value, "unit": evidence.unit, "met": evidence.met.word}
    if evidence.thresholds:
        record["thresholds"] = list(evidence.thresholds)
    if evidence.text:
        record["text"] = evidence.text
    if evidence.values:
        record["values"] = dict(evidence.values)
    if evidence.suspect:
        record |= {"suspect": evidence.suspect, "doubts": list(evidence.doubts)}
    return record | {"readings": evidence.readings, "expected": evidence.expected, "late": evidence.late}
