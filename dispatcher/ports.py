"""The three ports to the world. Adapters implement them; nothing here imports an adapter."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, overload, runtime_checkable

from pydantic import BaseModel

from dispatcher.clock import Clock
from dispatcher.model.reject import Decoded
from dispatcher.reports.sheet import Sheet
from rules.grade import Grade

# ---------------------------------------------------------------------------------------------- sources


class Kind(StrEnum):
    """What the bytes of an item claim to be."""

    READINGS = "readings"
    FORECASTS = "forecasts"
    ALERTS = "alerts"


class Item(NamedTuple):
    """One message as it arrived: bytes, untouched. ``subject`` is its topic, path or file, for the reject store.

    A NamedTuple because a hundred thousand are made each second. ``format`` names how the bytes are to be read
    (dispatcher/intake/codecs/choose.py); empty is our own JSON and CSV.
    """

    body: bytes
    subject: str
    kind: Kind = Kind.READINGS
    format: str = ""


class Alike(Sequence[Item]):
    """Items that differ in nothing but their bodies, without making any: at hundreds of thousands a second that costs more than reading."""

    __slots__ = ("bodies", "format", "kind", "subject")

    def __init__(self, bodies: list[bytes], subject: str, kind: Kind = Kind.READINGS, format: str = "") -> None:  # noqa: A002 - as Item
        """The list belongs to it from now on."""
        self.bodies = bodies
        self.subject = subject
        self.kind = kind
        self.format = format

    def __len__(self) -> int:
        """How many items there are."""
        return len(self.bodies)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> "Alike": ...
    def __getitem__(self, index: int | slice) -> "Item | Alike":
        """One item, or some of them."""
        if isinstance(index, slice):
            return Alike(self.bodies[index], self.subject, self.kind, self.format)
        return Item(self.bodies[index], self.subject, self.kind, self.format)

    def __iter__(self) -> Iterator[Item]:
        """Every item, in order."""
        return (Item(body, self.subject, self.kind, self.format) for body in self.bodies)

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same items in the same order."""
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # as with every other list

    def __repr__(self) -> str:
        """As a list of items."""
        return repr(list(self))


@dataclass(frozen=True, slots=True)
class Batch:
    """What a source hands over at once.

    ``positions`` (name → position, both text) is committed in the same transaction as the effects of the batch.
    ``token`` is the source's own handle for ``ack``. ``since`` are the positions from which it goes on, empty text for none:
    where it says so, the batch is used only if these are still the committed ones. ``key`` is the sender's own name for the
    batch: what became of it is remembered under it, in the same transaction.
    """

    source: str
    items: Sequence[Item]
    positions: Mapping[str, str] = field(default_factory=dict)
    token: object = None
    since: Mapping[str, str] = field(default_factory=dict)
    key: str = ""


class Source(Protocol):
    """Where readings and forecasts come from.

    The engine calls ``batches`` once per connection and ``ack`` exactly once for each batch, after it is durable, in order.
    A source must not tell the far side "received" before ``ack``. It tries once: when the connection breaks it raises
    SourceLost out of ``batches`` and the engine opens it again with backoff. It must hold at most a bounded number of
    items that are not yet acknowledged.
    """

    name: str

    def batches(self, positions: Mapping[str, str]) -> AsyncIterator[Batch]:
        """Yield batches, starting behind the positions committed last; ends when a finite source (a file) is read out."""
        ...

    async def ack(self, batch: Batch) -> None:
        """The batch is durable: the far side may forget it."""
        ...


@runtime_checkable
class Reporting(Protocol):
    """A source whose far side wants to know what became of each item (an HTTP request)."""

    def report(self, batch: Batch, decoded: Sequence[Decoded]) -> None:
        """What the items of the batch held, in their order; called before ``ack``. Empty when deciding failed."""
        ...


@runtime_checkable
class Announcing(Protocol):
    """A source that knows when it is connected and subscribed: until then the engine is not ready."""

    def when_open(self, call: Callable[[], None]) -> None:
        """Have this called each time the far side has let us in."""
        ...


@runtime_checkable
class Divided(Protocol):
    """A source whose far side divides its parts among workers and may take one away or give it back at any time.

    Its batches say ``since``: so what two workers hold at the same moment counts once.
    """

    def look_up(self, read: Callable[[], Awaitable[Mapping[str, str]]]) -> None:
        """Have the committed positions read by this when parts are given: those handed to ``batches`` may be old by then."""
        ...

    def overtaken(self, batch: Batch) -> None:
        """The committed positions are others than ``since``: the batch was not used. Begin again from them; ``ack`` follows."""
        ...


@runtime_checkable
class Lagging(Protocol):
    """A source that knows how far it is behind."""

    def lag(self) -> Mapping[str, int]:
        """How many records of each of its parts are not durable yet."""
        ...


@runtime_checkable
class Candid(Protocol):
    """A source whose far side can be asked how safely it keeps what it has acknowledged: we cannot make up for what it loses."""

    async def weaknesses(self) -> Sequence[str]:
        """What could make it lose something, a sentence each with what is allowed; none when it is safe. SourceLost without an answer."""
        ...


# ---------------------------------------------------------------------------------------------- channels


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
        """Yield what the far side reports; raises SourceLost when the connection breaks."""
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


# ---------------------------------------------------------------------------------------------- beacons


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """The engine of this county can do its job, and what was released was told."""

    county: str
    status: Status
    at: datetime


class Beacon(Protocol):
    """Where a heartbeat goes: a dead-man's switch outside that raises the alarm when it stays away.

    ``beat`` tries once, within a bound, and raises BeatFailed when it did not get out. It is called by one task.
    """

    name: str

    async def beat(self, beat: Beat) -> None:
        """Say that all is well."""
        ...


# ---------------------------------------------------------------------------------------------- printers


class Printer(Protocol):
    """What turns a report into paper. Pure: the same sheet gives a document with the same content."""

    def print(self, sheet: Sheet) -> bytes:
        """A whole document (PDF); called in a thread."""
        ...


# ---------------------------------------------------------------------------------------------- outlets


class Stream(StrEnum):
    """What other programs may follow."""

    CHANGES = "changes"
    REJECTS = "rejects"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record for other programs. The order of records of one ``key`` holds; the header ``id`` is the same when it is said again."""

    key: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    status: Status = Status.ACTUAL


class Outlet(Protocol):
    """Where other programs hear of what was committed.

    ``publish`` returns when the far side has all records durably and raises OutletFailed otherwise: then the engine publishes them
    again later, from the first. It is called by one task. What is not Actual must stay apart from what is.
    """

    name: str

    @property
    def streams(self) -> Sequence[Stream]:
        """What it wants to be told."""
        ...

    async def publish(self, stream: Stream, records: Sequence[Outgoing]) -> None:
        """Hand over records, in their order."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


# ---------------------------------------------------------------------------------------------- store

Row = Mapping[str, Any]


class Reader(Protocol):
    """Runs named queries (``file.name`` of dispatcher/sql) that change nothing."""

    async def fetch(self, query: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        """All rows of a query."""
        ...


class Transaction(Reader, Protocol):
    """Runs named queries that are committed together or not at all."""

    async def run(self, query: str, params: Mapping[str, Any] | None = None) -> int:
        """Run one statement; gives the number of rows it touched."""
        ...

    async def run_many(self, query: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run one statement for each row."""
        ...


class Store(Protocol):
    """Everything that has a life, in transactions.

    ``write`` admits one transaction at a time and commits on leaving (durable: synced to disk before it returns), rolls
    back on an exception. ``read`` sees the last committed state and never waits for a writer.
    """

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """The one writing transaction."""
        ...

    def read(self) -> AbstractAsyncContextManager[Reader]:
        """A consistent view."""
        ...

    async def close(self) -> None:
        """Finish what is under way and close."""
        ...


class Claims(Protocol):
    """Names that one process at a time may hold; they are free again as soon as it dies or loses its line to the store."""

    async def hold(self, name: str) -> bool:
        """Take a name, or look whether it is still ours; false when another process has it. StoreFailed when nobody can say."""
        ...

    def arriving(self) -> AbstractAsyncContextManager[bool]:
        """Join those who work on this store: whether nobody else does. Until this is left, no other joins."""
        ...


@runtime_checkable
class Shared(Protocol):
    """A store that several processes may have open at once."""

    @property
    def claims(self) -> Claims:
        """What one of them may hold."""
        ...


# ---------------------------------------------------------------------------------------------- adapters


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What every adapter may need from the engine. ``worker`` is the name of this process among several, empty when it is alone.

    ``name`` is what the deployment calls this adapter; the hooks of a channel are ``/hooks/<name>/``.
    """

    clock: Clock
    county: str
    public_url: str
    worker: str = ""
    name: str = ""


S = TypeVar("S", bound=BaseModel)
P_co = TypeVar("P_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Copies(Generic[S]):
    """How a store in a file is copied; one without has means of its own. Each raises Unreachable in words.

    ``backup`` writes a checked copy beside a running engine. ``restore`` puts one back while no engine runs, and gives the name under
    which it kept what was there. ``at`` is the same settings for a copy.
    """

    backup: Callable[[S, Path], None]
    restore: Callable[[S, Path], Path | None]
    at: Callable[[S, Path], S]


@dataclass(frozen=True, slots=True)
class Adapter(Generic[S, P_co]):
    """What an entry point names: how an adapter is configured and how it is made. ``build`` opens nothing."""

    settings: type[S]
    build: Callable[[S, World], P_co]
    copies: Copies[S] | None = None
