import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from adapters.stores.sqlite import open_store
from dispatcher.errors import Unreachable
from dispatcher.queries import load_migrations
from dispatcher.testing.stores import BOUNDED_PROMISES, OWNED_PROMISES, PROMISES
from tests.store.far_sides import SqliteFile

Promise = Callable[[SqliteFile], Awaitable[None]]


@pytest.fixture
def far_side(tmp_path: Path) -> SqliteFile:
    return SqliteFile(tmp_path / "deeper" / "dispatcher.db")


@pytest.mark.parametrize("promise", [*PROMISES, *BOUNDED_PROMISES, *OWNED_PROMISES], ids=lambda p: p.__name__)
async def test_a_sqlite_file_keeps(promise: Promise, far_side: SqliteFile) -> None:
    await promise(far_side)


async def test_the_schema_carries_its_version(far_side: SqliteFile) -> None:
    store = await far_side.open()
    await store.close()
    assert _version(far_side.path) == len(load_migrations("INTEGER PRIMARY KEY", "BLOB"))


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = [number for number, _, _ in load_migrations("INTEGER PRIMARY KEY", "BLOB")]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_a_file_of_a_newer_program_is_refused_untouched(far_side: SqliteFile) -> None:
    store = await far_side.open()
    await store.close()
    with sqlite3.connect(far_side.path) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(Unreachable, match=r"999.*newer program"):
        await far_side.open()
    assert _version(far_side.path) == 999


async def test_commits_are_synced_to_disk_and_the_log_is_a_wal(far_side: SqliteFile) -> None:
    store = await far_side.open()
    try:
        modes = [next(iter(await store._writer.execute_fetchall(f"PRAGMA {name}")))[0] for name in ("journal_mode", "synchronous")]
    finally:
        await store.close()
    assert modes == ["wal", 2]


async def test_another_process_is_told_who_holds_the_file(far_side: SqliteFile) -> None:
    store = await far_side.open()
    script = (
        "import asyncio, sys, pathlib\nfrom adapters.stores.sqlite import open_store\n"
        "try: asyncio.run(open_store(pathlib.Path(sys.argv[1])))\nexcept Exception as e: print(type(e).__name__, e)\n"
    )
    try:
        ended = subprocess.run([sys.executable, "-c", script, str(far_side.path)], capture_output=True, text=True, check=True)  # noqa: ASYNC221
    finally:
        await store.close()
    assert ended.stdout.startswith("Unreachable ")
    assert "in use by process" in ended.stdout
    assert "store.path" in ended.stdout


async def test_what_is_no_database_is_refused_in_words_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_text("this is no database at all, " * 50, encoding="utf-8")
    before = file.read_bytes()
    with pytest.raises(Unreachable, match=r"notes\.db"):
        await open_store(file)
    assert file.read_bytes() == before


async def test_a_place_that_cannot_be_written_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(Unreachable, match="cannot open the database"):
        await open_store(tmp_path / "file" / "dispatcher.db")


def _version(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()
