"""A delivery is one notice to one address over one channel."""

import hashlib
import uuid
from datetime import datetime

import msgspec

from dispatcher.ports import DeliveryState, Status
from rules.grade import Grade

_NAMESPACE = uuid.UUID("9d1f8a52-6a63-5b0e-9c1c-3a1f0f6d2b11").bytes
_VARIANT = ("8", "9", "a", "b")


def delivery_id(notices: tuple[str, ...], channel: str, address: str, step: int, repeat: int) -> str:
    """The stable id of a delivery: retries of one delivery share it, a deliberate repeat has a new one.

    A version 5 UUID as hexadecimal digits, written out here because the library's way takes four times as long.
    """
    name = "\n".join((*sorted(notices), channel, address, str(step), str(repeat)))
    digits = hashlib.sha1(_NAMESPACE + name.encode(), usedforsecurity=False).hexdigest()
    return f"{digits[:12]}5{digits[13:16]}{_VARIANT[int(digits[16], 16) & 3]}{digits[17:32]}"


# No dataclass: of each ten thousand several are made and changed at every step, and a dataclass takes ten times as long.
class Delivery(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``fallbacks`` are the channels tried next for this person when this one fails for good, in order.

    ``due`` is when it may next be tried, ``lease`` until when a sender has it in hand. ``code`` and ``reason`` say what
    happened last, ``reference`` is the gateway's own id and ``gateway`` the one that has it. ``turn`` is its place among the
    deliveries of its village that were planned with it: in a lane villages take turns.
    ``because`` says why its channel comes in another order than in the plan.
    ``bundle`` is the text about several villages that it carries, ``carried_by`` the delivery on which it rides itself.
    """

    id: str
    notice: str
    county: str
    status: Status
    village: str
    channel: str
    person: str
    role: str
    address: str
    language: str
    grade: Grade
    text: str
    state: DeliveryState
    step: int
    repeat: int
    fallbacks: tuple[tuple[str, ...], ...]
    planned_at: datetime
    due: datetime
    expires_at: datetime
    updated_at: datetime
    lease: datetime | None = None
    attempts: int = 0
    possible_duplicate: bool = False
    reference: str = ""
    code: str = ""
    reason: str = ""
    accepted_at: datetime | None = None
    gateway: str = ""
    turn: int = 0
    carried_by: str = ""
    bundle: str = ""
    because: str = ""
