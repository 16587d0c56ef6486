"""An exercise, of the whole house or of some villages while a storm comes up, is told apart from what is in earnest by all who hear it."""

import json
from collections.abc import Iterator

from simulators.ledger import ARRIVALS, Entry, Kind
from tests.faults.evidence import Evidence
from tests.faults.owners import MARKS


def leaks(seen: Evidence) -> Iterator[str]:
    """An exercise says so first, only who takes part hears it, and the topic of real changes has nothing of it."""
    notices, deliveries = seen.by_id
    exercises = {n["id"] for n in seen.notices if n["status"] == "Exercise"}
    for notice in sorted(seen.published & exercises):
        yield f"notice {notice} of an exercise was published as a real one"
    for entry in seen.world:
        if entry.kind not in ARRIVALS or entry.delivery not in deliveries:
            continue
        delivery = deliveries[entry.delivery]
        status = notices[delivery["notice"]]["status"]
        if _says(entry) not in {status, ""}:
            yield f"{entry.to} got {entry.kind} of {delivery['notice']}, which is {status} and does not say so"
        if status == "Exercise" != seen.status and delivery["address"] not in seen.participants:
            yield f"{entry.to} got {entry.kind} of the exercise {delivery['notice']} and takes no part in it"


def _says(entry: Entry) -> str:
    """The status that somebody hears; a call is told what to say later."""
    if entry.kind is Kind.SPEAKER_COMMAND:
        return str(json.loads(entry.body)["status"])
    return "" if entry.kind is Kind.CALL_ACCEPTED else "Exercise" if entry.body.startswith(MARKS) else "Actual"
