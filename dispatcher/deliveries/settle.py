"""The life of a delivery. Everything that affects its state lives in this file.

planned → sending → accepted → sent → delivered | undelivered | failed
planned → expired | superseded;  sending → expired;  sending → planned (try again) | unknown → sending (marked a possible duplicate)
accepted → planned, where what stands between has accepted but the far side does not report (one id counts only once there)

Far sides report late, twice and out of order: a report never moves a delivery to a lower rank.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from dispatcher.errors import DeliveryError, PermanentFailure, TooLate, UnknownOutcome
from dispatcher.model.delivery import Delivery
from dispatcher.ports import DeliveryState, Receipt

RANK = {
    DeliveryState.PLANNED: 0,
    DeliveryState.SENDING: 1,
    DeliveryState.UNKNOWN: 1,
    DeliveryState.EXPIRED: 2,
    DeliveryState.SUPERSEDED: 2,
    DeliveryState.ACCEPTED: 3,
    DeliveryState.SENT: 4,
    DeliveryState.UNDELIVERED: 5,
    DeliveryState.FAILED: 5,
    DeliveryState.DELIVERED: 6,
}
OPEN = frozenset({DeliveryState.PLANNED, DeliveryState.SENDING, DeliveryState.UNKNOWN})
GAVE_UP = frozenset({DeliveryState.UNDELIVERED, DeliveryState.FAILED})

FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=2)
LEASE = timedelta(seconds=60)
CIRCUIT = "circuit"
"""The code of a try that did not leave because no gateway of the channel works."""

PATIENCE = 3
"""Tries after which the person's next channel starts beside this one, which goes on."""


def on_receipt(delivery: Delivery, receipt: Receipt, now: datetime) -> Delivery | None:
    """The delivery after a report; None when the report tells nothing new."""
    if delivery.state is receipt.state is DeliveryState.ACCEPTED and delivery.lease is not None:
        return replace(delivery, lease=None, updated_at=now)  # the far side itself has it: no longer only what stands between
    if RANK[receipt.state] <= RANK[delivery.state]:
        return None
    reached = RANK[receipt.state] >= RANK[DeliveryState.ACCEPTED]
    return replace(
        delivery,
        state=receipt.state,
        lease=None,
        reference=receipt.reference or delivery.reference,
        code=receipt.code,
        reason=receipt.reason,
        accepted_at=delivery.accepted_at or (now if reached else None),
        updated_at=now,
    )


def on_failure(delivery: Delivery, error: DeliveryError, now: datetime, jitter: float) -> Delivery:
    """The delivery after a try that raised. ``jitter`` in 0…1 spreads the next try.

    Whatever may still succeed is tried again while the notice holds: a gateway that is away for an hour delays, it discards
    nothing. After an unknown outcome, told twice is better than not told, and it is marked.
    """
    if isinstance(error, TooLate):
        return on_expiry(delivery, now)
    failed = replace(delivery, state=DeliveryState.FAILED, lease=None, code=error.code, reason=error.reason, updated_at=now)
    if isinstance(error, PermanentFailure):
        return failed
    due = now + wait_after(delivery.attempts, jitter)
    if due >= delivery.expires_at:
        return failed
    return replace(failed, state=DeliveryState.UNKNOWN if isinstance(error, UnknownOutcome) else DeliveryState.PLANNED, due=due)


def needs_next_channel(delivery: Delivery) -> bool:
    """Whether the person's next channel must not wait any longer for this one. When all gateways are away it starts at once."""
    if delivery.state in OPEN and delivery.code == CIRCUIT and delivery.fallbacks:
        return True
    awaited = delivery.state in OPEN or delivery.lease is not None
    return delivery.state in GAVE_UP or (awaited and delivery.attempts >= PATIENCE)


def await_report(delivery: Delivery, by: datetime) -> Delivery:
    """Accepted by what stands between: the far side itself must report by then, else it is said again."""
    return replace(delivery, lease=by) if delivery.state is DeliveryState.ACCEPTED else delivery


def wait_after(attempts: int, jitter: float) -> timedelta:
    """Exponential wait before the next try: 2 s, 4 s, 8 s … 2 min, spread by half either way."""
    wait: timedelta = min(FIRST_WAIT * (1 << max(0, min(attempts - 1, 10))), LONGEST_WAIT)
    return wait * (0.5 + jitter)


def on_lost_lease(delivery: Delivery, now: datetime) -> Delivery:
    """A sender died with this in hand: the request may have left. Or no report came in time: the same id is said again."""
    if delivery.state is DeliveryState.ACCEPTED:
        silent = replace(delivery, state=DeliveryState.PLANNED, due=now, lease=None, updated_at=now)
        return replace(silent, code="silent", reason="accepted on the way, but no report came")
    return replace(delivery, state=DeliveryState.UNKNOWN, due=now, lease=None, code="lease", reason="the sender stopped", updated_at=now)


def on_expiry(delivery: Delivery, now: datetime) -> Delivery:
    """Too old to be said: dropped with a record."""
    return _dropped(delivery, DeliveryState.EXPIRED, "expired", "the notice no longer holds", now)


def on_supersession(delivery: Delivery, now: datetime) -> Delivery:
    """A newer notice for the village was released meanwhile: dropped with a record."""
    return _dropped(delivery, DeliveryState.SUPERSEDED, "superseded", "a newer notice", now)


def _dropped(delivery: Delivery, state: DeliveryState, code: str, reason: str, now: datetime) -> Delivery:
    """It keeps the mark that it may have arrived: who may have been told is told of the lift."""
    perhaps = delivery.possible_duplicate or delivery.state is DeliveryState.UNKNOWN
    return replace(delivery, state=state, lease=None, code=code, reason=reason, possible_duplicate=perhaps, updated_at=now)


def on_lease(delivery: Delivery, now: datetime, lease: timedelta = LEASE, gateway: str = "") -> Delivery:
    """A sender takes it in hand, for that gateway. Once the outcome of a try was unknown, every later one may be a duplicate."""
    return replace(
        delivery,
        state=DeliveryState.SENDING,
        lease=now + lease,
        attempts=delivery.attempts + 1,
        gateway=gateway,
        possible_duplicate=delivery.possible_duplicate or delivery.state is DeliveryState.UNKNOWN,
        updated_at=now,
    )
