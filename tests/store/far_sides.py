"""A SQLite file and a PostgreSQL database as the contract suite sees them."""

import re
import sqlite3
from pathlib import Path

import psycopg

from adapters.stores import postgres, postgres_dialect
from adapters.stores.sqlite import SqliteStore, _each, open_store
from dispatcher.ports import Store
from dispatcher.queries import load_queries


class SqliteFile:
    """One file; its room ends where ``fill_up`` says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._queries = load_queries(_each)

    async def open(self) -> SqliteStore:
        return await open_store(self.path)

    async def prepare(self, query: str) -> None:
        connection = sqlite3.connect(self.path)
        try:
            connection.execute(f"EXPLAIN {self._queries[query]}", _Anything())
        finally:
            connection.close()

    async def fill_up(self, store: Store) -> None:
        await self._bound(store, 2)

    async def make_room(self, store: Store) -> None:
        await self._bound(store, 1_000_000)

    async def _bound(self, store: Store, more: int) -> None:
        assert isinstance(store, SqliteStore)
        rows = list(await store._writer.execute_fetchall("PRAGMA page_count"))
        await store._writer.execute_fetchall(f"PRAGMA max_page_count = {rows[0][0] + more}")


class _Anything(dict[str, object]):
    """A value for every name."""

    def __missing__(self, key: str) -> object:
        return 0


class PostgresDatabase:
    """One database."""

    def __init__(self, dsn: str, **settings: float) -> None:
        self.dsn = dsn
        self._settings = postgres.PostgresSettings.model_validate(settings)
        self._queries = postgres_dialect.queries()

    async def open(self) -> postgres.PostgresStore:
        return await postgres.open_store(self._settings, self.dsn)

    async def prepare(self, query: str) -> None:
        text = self._queries[query].decode()
        for number, name in enumerate(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)), start=1):
            text = text.replace(f"%({name})s", f"${number}")
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            await connection.execute(f"PREPARE prepared AS {text}".encode())
