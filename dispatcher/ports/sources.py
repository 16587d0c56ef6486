"""Where readings and forecasts come from."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol, overload, runtime_checkable

from dispatcher.model.reject import Decoded


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
