"""The store of a larger installation: one PostgreSQL database, one writing transaction at a time over all processes.

The connection string is read from the environment, because it may hold a password.
"""

import asyncio
import logging
import os
import uuid
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, ConfigDict, Field

from adapters.stores.postgres_claims import PostgresClaims
from adapters.stores.postgres_dialect import adapters, queries
from adapters.stores.postgres_opening import Connection, checked, first_line, made_ready
from dispatcher.errors import ConfigurationError, Problem, StoreFailed, Unreachable
from dispatcher.ports import Adapter, Row

_WRITER_LOCK = 7_304_480_215_190_114
"""Ours among the advisory locks of the database; the same in every process and version."""

_BEGIN_READ = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_LAST_WORD_S = 5.0
_LOOK_AGAIN_S = 0.2


class PostgresSettings(BaseModel):
    """How to reach the database, and for how long to wait for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dsn_env: str = Field(
        default="DISPATCHER_POSTGRES_DSN",
        description="Environment variable with the connection string: ``postgresql://user:password@host:5432/database``.",
    )
    readers: int = Field(default=4, ge=1, le=100, description="Most connections that read at the same time; one more writes.")
    connect_s: float = Field(default=10, gt=0, description="Seconds to wait for a connection.")
    lock_s: float = Field(default=10, gt=0, description="Seconds to wait for another process that writes.")
    answer_s: float = Field(default=30, gt=0, description="Seconds after which a statement without an answer has failed.")


@asynccontextmanager
async def _answering(within_s: float) -> AsyncIterator[None]:
    """What PostgreSQL cannot do now is said in our words; a mistake in SQL is not."""
    try:
        async with asyncio.timeout(within_s):
            yield
    except TimeoutError as error:
        raise StoreFailed(f"the database did not answer within {within_s:g} s") from error
    except (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.IdleInTransactionSessionTimeout) as error:
        raise StoreFailed(f"the database cannot do it now: {first_line(error)}") from error


async def _see_through(work: Coroutine[Any, Any, None]) -> None:
    """End the work even when the caller is cancelled meanwhile; a second cancellation, or too long a wait, ends it too."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        try:
            await asyncio.wait([task], timeout=_LAST_WORD_S)
        finally:
            if not task.cancel() and not task.cancelled():
                task.exception()  # seen: the caller is told of the cancellation only
        raise


class _Session:
    """Named queries on one connection."""

    def __init__(self, connection: Connection, queries: Mapping[str, bytes], answer_s: float) -> None:
        self._connection = connection
        self._queries = queries
        self._answer_s = answer_s
        self.wrote = False

    async def fetch(self, query: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        async with _answering(self._answer_s):
            cursor = await self._connection.execute(self._queries[query], params or {})
            return list(await cursor.fetchall())

    async def run(self, query: str, params: Mapping[str, Any] | None = None) -> int:
        self.wrote = True
        async with _answering(self._answer_s):
            return (await self._connection.execute(self._queries[query], params or {})).rowcount

    async def run_many(self, query: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        self.wrote = True
        async with _answering(self._answer_s), self._connection.cursor() as cursor:
            await cursor.executemany(self._queries[query], rows)


class PostgresStore:
    """The ``Store`` port on one database. Made by ``open_store``."""

    def __init__(self, settings: PostgresSettings, conninfo: str) -> None:
        """Nothing is open before ``open``; ``conninfo`` is complete and checked."""
        self._settings = settings
        self._conninfo = conninfo
        self._queries = queries()
        self._writing = asyncio.Lock()
        self._id = uuid.uuid4().hex
        self._commits = 0
        self.claims = PostgresClaims(conninfo, settings.answer_s)
        # One pool of its own for the writer: readers that wait to write must not keep all connections to themselves.
        self._writer = self._pool(1)
        self._readers = self._pool(settings.readers)
        lock_ms = max(1, round(settings.lock_s * 1000))
        self._begin_write = (
            f"BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = on; SET LOCAL lock_timeout = {lock_ms};"
            f" SELECT pg_advisory_xact_lock({_WRITER_LOCK})"
        ).encode()

    def _pool(self, most: int) -> AsyncConnectionPool[Connection]:
        return AsyncConnectionPool(
            self._conninfo,
            connection_class=psycopg.AsyncConnection[dict[str, Any]],
            # We begin and end transactions ourselves: one message says all that the beginning of one needs.
            kwargs={"autocommit": True, "row_factory": dict_row, "context": adapters()},
            min_size=1,
            max_size=most,
            open=False,
            check=AsyncConnectionPool.check_connection,  # a server that was restarted costs nobody a transaction
            timeout=self._settings.connect_s,
        )

    async def open(self) -> None:
        """Connect; Unreachable when no connection comes."""
        try:
            for pool in (self._writer, self._readers):
                await pool.open(wait=True, timeout=self._settings.connect_s)
        except BaseException as error:
            await self.close()
            if isinstance(error, psycopg.OperationalError):
                raise Unreachable(f"cannot connect to the database: {first_line(error)}") from error
            raise

    @asynccontextmanager
    async def _transaction(self, pool: AsyncConnectionPool[Connection], begin: bytes) -> AsyncIterator[Connection]:
        """A connection within a transaction; what is not committed inside is rolled back."""
        async with _answering(self._settings.answer_s):
            connection = await pool.getconn()
        try:
            async with _answering(self._settings.answer_s):
                await connection.execute(begin)
            yield connection
        finally:
            await _see_through(self._give_back(pool, connection))

    async def _give_back(self, pool: AsyncConnectionPool[Connection], connection: Connection) -> None:
        try:
            async with _answering(self._settings.answer_s):
                await connection.rollback()  # nothing when it was committed
        except (StoreFailed, psycopg.Error):
            await connection.close()  # whatever state it is in: the pool makes another
        except asyncio.CancelledError:
            await connection.close()
            raise
        finally:
            await pool.putconn(connection)  # whatever happens: the writer's pool has this one only

    @asynccontextmanager
    async def write(self) -> AsyncIterator[_Session]:
        """The one writing transaction; an outcome in hand is committed even when the caller is cancelled."""
        async with self._writing, self._transaction(self._writer, self._begin_write) as connection:
            session = _Session(connection, self._queries, self._settings.answer_s)
            yield session
            await _see_through(self._commit(connection) if session.wrote else self._end(connection))

    async def _end(self, connection: Connection) -> None:
        """End what changed nothing. Not by a rollback: that would forget the prepared statements."""
        async with _answering(self._settings.answer_s):
            await connection.commit()

    async def _commit(self, connection: Connection) -> None:
        """Commit, or leave nothing. A connection that breaks meanwhile leaves open which: then the mark of the commit tells."""
        number = self._commits + 1
        mark = (
            f"INSERT INTO dispatcher_writers (id, commits) VALUES ('{self._id}', {number})"  # noqa: S608 - both are ours
            " ON CONFLICT (id) DO UPDATE SET commits = excluded.commits, at = now(); COMMIT"
        )
        try:
            async with _answering(self._settings.answer_s):
                await connection.execute(mark.encode())
        except StoreFailed:
            await connection.close()
            if not await self._came_through(number):
                raise
        self._commits = number

    async def _came_through(self, number: int) -> bool:
        """Whether our commit of that number is there; waits for the database for as long as it takes."""
        while True:
            try:
                async with (
                    _answering(self._settings.answer_s),
                    await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as connection,
                ):
                    # Whoever has the lock knows that the transaction in question has ended, even if its server process lived on.
                    await connection.execute(self._begin_write)
                    cursor = await connection.execute("SELECT commits FROM dispatcher_writers WHERE id = %s", [self._id])
                    row = await cursor.fetchone()
                    return row is not None and row[0] == number
            except StoreFailed:
                await asyncio.sleep(_LOOK_AGAIN_S)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[_Session]:
        """The last committed state, the same until the end."""
        async with self._transaction(self._readers, _BEGIN_READ) as connection:
            yield _Session(connection, self._queries, self._settings.answer_s)
            await _see_through(self._end(connection))

    async def close(self) -> None:
        """Wait for the transaction under way, then close."""
        async with self._writing:
            await self._readers.close()
            await self._writer.close()
            await self.claims.close()


async def open_store(settings: PostgresSettings, dsn: str) -> PostgresStore:
    """Connect and bring the schema up to date; Unreachable says in words why that cannot be."""
    # What fails is said by what we raise; a pool that tries to connect again would say it on standard error each time.
    logging.getLogger("psycopg").addHandler(logging.NullHandler())
    conninfo = checked(dsn, settings.dsn_env, settings.connect_s)
    await made_ready(conninfo, _WRITER_LOCK)
    store = PostgresStore(settings, conninfo)
    await store.open()
    return store


async def _build(settings: PostgresSettings) -> PostgresStore:
    dsn = os.environ.get(settings.dsn_env)
    if not dsn:
        what = f"store: dsn_env names {settings.dsn_env}, which is not set; allowed: postgresql://user:password@host:5432/database"
        raise ConfigurationError([Problem("environment", what)])
    return await open_store(settings, dsn)


adapter = Adapter(settings=PostgresSettings, build=lambda settings, _world: _build(settings))
