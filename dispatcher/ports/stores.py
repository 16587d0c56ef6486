"""Where everything is kept that has a life."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, runtime_checkable

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
