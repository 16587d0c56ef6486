"""A SQLite file as the contract suite sees it."""

import sqlite3
from pathlib import Path

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
