"""Ways to tell people something, and what comes back on them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

from rules.grade import Grade


class Status(StrEnum):
    """CAP 1.2 alert status; whatever is not Actual must never reach the public."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"


class DeliveryState(StrEnum):
    """Where a delivery stands, in terms of the real world. Order and transitions: dispatcher/deliveries/settle.py."""

    PLANNED = "planned"
    SENDING = "sending"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a channel is asked to carry. ``delivery`` is the stable id: the same for every retry of one delivery.

    ``village`` is the code of the village that it is about.
    """

    delivery: str
    address: str
    text: str
    language: str
    grade: Grade
    status: Status
    expires_at: datetime
    times: int = 1
    village: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a far side says happened to a delivery. Never an answer of a person.

    ``delivery`` is our id; empty when only the far side's ``reference`` is known. ``code`` is the far side's own code.
    """

    delivery: str
    state: DeliveryState
    reference: str = ""
    code: str = ""
    reason: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a person sent back: raw, to be understood by dispatcher/answers/understanding.py.

    ``delivery`` is what he answers, where the far side knows it (a key pressed in a call). ``at`` is when it came to the far side,
    where that may be long before we hear of it. ``status`` is set where it can only be about exercises, or only about what is not.
    """

    channel: str
    address: str
    text: str
    reference: str = ""
    delivery: str = ""
    at: datetime | None = None
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What a far side told us at once. ``body`` is what it is answered, once the rest is durable.

    ``script`` is the delivery it wants to hear (``Scripted``): the answer is then made of that. ``once``: what it says may come
    again under the same references; each counts once.
    """

    receipts: tuple[Receipt, ...] = ()
    replies: tuple[Reply, ...] = ()
    body: str = ""
    script: str = ""
    once: bool = False


class Channel(Protocol):
    """One way to tell people something.

    ``send`` tries once and returns what the far side said at once (``accepted``, ``sent`` or ``delivered``); it raises
    TransientFailure, PermanentFailure or UnknownOutcome otherwise, and nothing else. It may be cancelled: the engine then
    treats the outcome as unknown. It is called concurrently. Retries, limits and time-outs over all belong to the engine.
    """

    name: str

    async def send(self, message: Message) -> Receipt:
        """Hand one message to the far side, with ``message.delivery`` as idempotency key where it takes one."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRequest:
    """One call of a gateway to ``/hooks/<gateway>/<hook>``; ``url`` is the configured public URL of that call.

    ``form`` are the fields of a form, none of anything else; ``body`` are the bytes as they came.
    """

    hook: str
    url: str
    headers: Mapping[str, str]
    form: Sequence[tuple[str, str]]
    body: bytes = b""


class HookRefused(Exception):
    """The call is not proven to come from the gateway."""


@runtime_checkable
class Hooked(Protocol):
    """A channel whose gateway calls us back."""

    def hear(self, request: HookRequest) -> Heard:
        """Verify and read one call; HookRefused when its signature does not hold."""
        ...


@runtime_checkable
class Scripted(Protocol):
    """A channel whose gateway asks what to say when somebody picks up."""

    def script(self, message: Message) -> str:
        """What the gateway is to say and to ask for, in its own language."""
        ...


@runtime_checkable
class Listening(Protocol):
    """A channel that receives receipts over a connection of its own."""

    def heard(self) -> AsyncIterator[Heard]:
        """Yield what the far side reports; raises SourceLost when the connection breaks.

        Replies of persons are durable when the next is asked for: only then may the far side be told that they were received.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """A delivery that the far side took and has not brought to an end. ``state`` is what it said last, ``since`` when it took it."""

    delivery: str
    reference: str
    state: DeliveryState
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a far side said when it was asked. ``mark`` is where to go on, committed with what was heard; ``more``: ask again at once."""

    heard: Heard
    mark: str
    more: bool = False


@runtime_checkable
class Polling(Protocol):
    """A channel whose far side is asked what happened, where it cannot call us back. ``poll_every`` is None where it can.

    A look does a bounded amount of work. Its replies bear the far side's own ``reference``; one that was handed over before may come
    again, it counts once. Raises DeliveryError when the far side does not answer; the engine then asks less often.
    """

    poll_every: timedelta | None

    async def look(self, mark: str, awaited: Sequence[Awaited]) -> Look:
        """What was said since ``mark`` (empty the first time), and what became of the deliveries awaited."""
        ...


@runtime_checkable
class Reconciling(Protocol):
    """A channel whose far side can be asked what became of a delivery."""

    async def find(self, message: Message, since: datetime) -> Receipt | None:
        """What the far side knows of this delivery since that time; None when it never got it."""
        ...


@runtime_checkable
class Confirming(Protocol):
    """A channel whose far side reports on every delivery and takes one id only once, with something in between that may forget.

    What only stands between (a broker) has accepted is not yet with the far side: when no report comes within ``report_within``
    (real time), the engine says it again under the same id.
    """

    report_within: timedelta
