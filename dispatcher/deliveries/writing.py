"""Inside one transaction: deliveries as they are after a decision, written in as few statements as that takes."""

import json
from collections.abc import Sequence

from msgspec.structs import replace

from dispatcher.deliveries.settle import GAVE_UP, RANK
from dispatcher.model.delivery import Delivery
from dispatcher.ports import DeliveryState, Transaction
from dispatcher.rows import row_of, value_of

_LEASED = ("state", "lease", "attempts", "possible_duplicate", "updated_at", "gateway")
_SETTLED = ("id", "state", "due", "lease", "possible_duplicate", "reference", "code", "reason", "accepted_at", "updated_at")


async def lease(tx: Transaction, leased: Sequence[Delivery]) -> None:
    """What a sender takes in hand; one statement for all that are taken alike."""
    alike: dict[tuple[object, ...], list[Delivery]] = {}
    for d in leased:
        alike.setdefault((d.lease, d.attempts, d.possible_duplicate, d.state, d.gateway, d.updated_at), []).append(d)
    for group in alike.values():
        await tx.run("deliveries.lease", {**row_of(group[0], _LEASED), "ids": json.dumps([d.id for d in group])})


async def settle(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """What a try or a report made of them."""
    await tx.run_many("deliveries.settle", [row_of(d, _SETTLED) for d in deliveries])


async def settled_in(tx: Transaction, tried: Sequence[Delivery]) -> list[Delivery]:
    """What to write. A receipt may have overtaken the answer to our request: never go back behind it."""
    rows = await tx.fetch("deliveries.states_of", {"ids": json.dumps([d.id for d in tried])})
    moved = [row["id"] for row in rows if row["state"] != DeliveryState.SENDING]
    if not moved:
        return list(tried)
    full = await tx.fetch("deliveries.by_ids", {"ids": json.dumps(moved)})
    stored = {row["id"]: value_of(Delivery, row) for row in full}
    found = [settled_now(stored[d.id], d) if d.id in stored else d for d in tried]
    return [d for d in found if d is not None]


def settled_now(stored: Delivery, after: Delivery) -> Delivery | None:
    """What to write when the stored delivery may have moved on (a receipt, a supersession) while the try was under way."""
    if stored.state is DeliveryState.SENDING:
        return after
    if after.state not in GAVE_UP and RANK[after.state] > RANK[stored.state]:  # taken for lost, yet it was accepted
        return replace(after, reference=after.reference or stored.reference)
    if not stored.reference and after.reference:
        return replace(stored, reference=after.reference, accepted_at=stored.accepted_at or after.accepted_at)
    return None
