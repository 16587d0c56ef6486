"""The embedded store: one SQLite file, WAL, synced at every commit, one writer.

A second process cannot open the same file for writing: the lock beside it says who holds it.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Any

import aiosqlite
from pydantic import BaseModel, ConfigDict, Field

from adapters.stores.sqlite_copies import backup, put_back
from dispatcher.errors import StoreFailed, Unreachable
from dispatcher.ports import Adapter, Copies, Row
from dispatcher.queries import load_migrations, load_queries

_WAIT_FOR_LOCK_MS = 10_000
_WRITER_CACHE_KIB = 65_536  # an alert for a county is 50 MB: in SQLite's own 2 MB its pages go to disk and back while it is written


class SqliteSettings(BaseModel):
    """Where the file lies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path = Field(default=Path("var/dispatcher.db"), description="The database file; its folder is made when missing.")


def _each(name: str) -> str:
    return f"(SELECT value FROM json_each(:{name}))"  # noqa: S608 - the name comes from our own SQL


@contextmanager
def _failing() -> Iterator[None]:
    """What SQLite cannot do now (disk full, locked, I/O) is said in our words; a mistake in SQL is not."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) == sqlite3.SQLITE_ERROR:
            raise
        raise StoreFailed(f"the database cannot do it now: {error}") from error


def _named(found: Iterable[sqlite3.Row]) -> list[Row]:
    """Rows by name. To ask each row for its names takes three times as long."""
    rows = list(found)
    names = rows[0].keys() if rows else []
    return [dict(zip(names, row, strict=True)) for row in rows]


class _Session:
    """Named queries on one connection."""

    def __init__(self, connection: aiosqlite.Connection, queries: Mapping[str, str]) -> None:
        self._connection = connection
        self._queries = queries

    async def fetch(self, query: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        with _failing():
            rows = await self._connection.execute_fetchall(self._queries[query], params or {})
        return _named(rows)

    async def run(self, query: str, params: Mapping[str, Any] | None = None) -> int:
        with _failing():
            async with self._connection.execute(self._queries[query], params or {}) as cursor:
                return cursor.rowcount

    async def run_many(self, query: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            with _failing():
                async with self._connection.executemany(self._queries[query], rows):
                    pass


class SqliteStore:
    """The ``Store`` port on one file. Made by ``open_store``."""

    def __init__(self, writer: aiosqlite.Connection, reader: aiosqlite.Connection, lock: IO[str]) -> None:
        """Both connections are open on the same file; ``lock`` is held until ``close``."""
        self._writer = writer
        self._reader = reader
        self._lock_file = lock
        self._queries = load_queries(_each)
        self._writing = asyncio.Lock()
        self._reading = asyncio.Lock()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[_Session]:
        """The one writing transaction; an outcome in hand is committed even when the caller is cancelled."""
        async with self._writing:
            try:  # BEGIN stands inside: when the caller is cancelled meanwhile, it has begun all the same
                with _failing():
                    await self._writer.execute("BEGIN IMMEDIATE")
                yield _Session(self._writer, self._queries)
            except BaseException:
                await asyncio.shield(self._writer.rollback())
                raise
            await asyncio.shield(self._commit())

    async def _commit(self) -> None:
        """Commit, or leave nothing; a caller that is cancelled meanwhile changes neither."""
        try:
            with _failing():
                await self._writer.commit()
        except BaseException:
            await self._writer.rollback()
            raise

    @asynccontextmanager
    async def read(self) -> AsyncIterator[_Session]:
        """The last committed state."""
        async with self._reading:
            try:
                with _failing():
                    await self._reader.execute("BEGIN")
                yield _Session(self._reader, self._queries)
            finally:
                await asyncio.shield(self._reader.rollback())

    async def close(self) -> None:
        """Wait for the transaction under way, then close and give the lock back."""
        async with self._writing, self._reading:
            await self._reader.close()
            await self._writer.close()
            self._lock_file.close()


def _take_lock(path: Path) -> IO[str]:
    """Hold the lock file beside the database, with our process number in it."""
    file = path.with_name(path.name + ".lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise Unreachable(f"{path} is in use by process {holder}: stop that one, or set another store.path") from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


async def _connect(path: Path) -> aiosqlite.Connection:
    connection = await aiosqlite.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={_WAIT_FOR_LOCK_MS}", "foreign_keys=ON"):
            await connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        await connection.close()
        raise
    return connection


async def _migrate(connection: aiosqlite.Connection) -> None:
    """Bring the schema to the newest version, each step in a transaction of its own."""
    rows = list(await connection.execute_fetchall("PRAGMA user_version"))
    version = int(rows[0][0])
    migrations = load_migrations(key="INTEGER PRIMARY KEY AUTOINCREMENT", binary="BLOB")
    if version > len(migrations):
        raise Unreachable(f"the database has schema version {version}, this program knows {len(migrations)}: use a newer program")
    for number, _, text in migrations[version:]:
        await connection.executescript(f"BEGIN IMMEDIATE;\n{text}\nPRAGMA user_version = {number};\nCOMMIT;")


async def open_store(path: Path) -> SqliteStore:
    """Open (and bring up to date) the file; Unreachable when another process holds it or it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _take_lock(path)
        try:
            return await _open_locked(path, lock)
        except BaseException:
            lock.close()
            raise
    except (OSError, sqlite3.DatabaseError) as error:
        raise Unreachable(f"cannot open the database {path}: {error}") from error


async def _open_locked(path: Path, lock: IO[str]) -> SqliteStore:
    writer = await _connect(path)
    try:
        await writer.execute(f"PRAGMA cache_size=-{_WRITER_CACHE_KIB}")
        await _migrate(writer)
        return SqliteStore(writer, await _connect(path), lock)
    except BaseException:
        await writer.close()
        raise


async def _build(settings: SqliteSettings) -> SqliteStore:
    return await open_store(settings.path)


def _restore(settings: SqliteSettings, source: Path) -> Path | None:
    with _take_lock(settings.path):
        return put_back(settings.path, source)


adapter = Adapter(
    settings=SqliteSettings,
    build=lambda settings, _world: _build(settings),
    copies=Copies(
        backup=lambda settings, to: backup(settings.path, to),
        restore=_restore,
        at=lambda settings, path: settings.model_copy(update={"path": path}),
    ),
)
