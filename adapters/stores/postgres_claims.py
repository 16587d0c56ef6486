"""Advisory locks on a connection of their own: the server gives them back when this process dies or its line breaks.

That is all it takes to know who lives: no clocks are compared, and nothing has to be renewed in time.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from adapters.stores.postgres_opening import first_line
from dispatcher.errors import StoreFailed

_OURS = 730_448_021
"""The first half of our keys; the second is made of the schema and the name. Locks are those of the whole database."""

_KEY = "%s, hashtext(current_schema() || '/' || %s)"
_PRESENT = "worker present"
_LOOKS, _LOOK_S = 10, 0.1
"""For so long may the server still keep the line of a worker that has just been killed."""


class PostgresClaims:
    """The ``Claims`` of one process."""

    def __init__(self, conninfo: str, answer_s: float) -> None:
        """Connects when first asked."""
        self._conninfo = conninfo
        self._answer_s = answer_s
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._held: set[str] = set()
        self._present = False
        self._asking = asyncio.Lock()

    async def hold(self, name: str) -> bool:
        """Take the name, or look whether it is still ours; false when another process has it. StoreFailed when nobody can say."""
        async with self._asking:
            if name not in self._held and await self._asked("SELECT pg_try_advisory_lock", name):
                self._held.add(name)
            elif name in self._held:
                await self._asked("SELECT true OR pg_try_advisory_lock", name)  # only whether the line is whole: it stacks
            return name in self._held

    @asynccontextmanager
    async def arriving(self) -> AsyncIterator[bool]:
        """Join those who work on this database: whether nobody else does. Until this is left, no other joins."""
        async with self._asking:
            alone = await self._asked("SELECT pg_try_advisory_lock", _PRESENT)
            for _ in range(_LOOKS):
                if alone:
                    break
                await asyncio.sleep(_LOOK_S)
                alone = await self._asked("SELECT pg_try_advisory_lock", _PRESENT)
        try:
            yield alone
            async with self._asking:
                await self._asked("SELECT pg_advisory_lock_shared", _PRESENT)
                self._present = True
        finally:
            if alone:
                async with self._asking:
                    await self._asked("SELECT pg_advisory_unlock", _PRESENT)

    async def _asked(self, call: str, name: str) -> bool:
        """One call; what was held is taken again when the line had to be made anew, as far as nobody else has it now."""
        try:
            async with asyncio.timeout(self._answer_s):
                connection = await self._connected()
                row = await (await connection.execute(f"{call}({_KEY})".encode(), (_OURS, name))).fetchone()
                return bool(row and row[0] is not False)
        except (psycopg.OperationalError, TimeoutError) as error:
            await self._lose()
            raise StoreFailed(f"the database cannot say who is at work: {first_line(error)}") from error

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
            before, self._held = self._held, set()
            for name in before:
                if await self._again(self._connection, "SELECT pg_try_advisory_lock", name):
                    self._held.add(name)
            if self._present:
                await self._again(self._connection, "SELECT pg_try_advisory_lock_shared", _PRESENT)
        return self._connection

    async def _again(self, connection: psycopg.AsyncConnection[Any], call: str, name: str) -> bool:
        row = await (await connection.execute(f"{call}({_KEY})".encode(), (_OURS, name))).fetchone()
        return bool(row and row[0])

    async def _lose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def close(self) -> None:
        """Give everything back."""
        await self._lose()
