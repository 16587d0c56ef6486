"""Copies of a SQLite store: whole although the engine writes, refused when they are not, and never over what is there."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from adapters.stores.sqlite import SqliteSettings, adapter, open_store
from dispatcher.errors import Unreachable
from dispatcher.ports import Store
from tests.store.counting import got, put

assert adapter.copies is not None
COPIES = adapter.copies


async def write_on(store: Store, stop: asyncio.Event) -> int:
    """Two values that are always the same, one transaction after the other."""
    n = 0
    while not stop.is_set():
        n += 1
        async with store.write() as tx:
            await tx.run("journal.set_counter", {"name": "left", "value": n})
            await tx.run("journal.set_counter", {"name": "right", "value": n})
        await asyncio.sleep(0)
    return n


async def test_a_copy_made_while_the_engine_writes_is_one_of_its_states_and_can_be_put_back(tmp_path: Path) -> None:
    settings = SqliteSettings(path=tmp_path / "a.db")
    store, stop = await open_store(settings.path), asyncio.Event()
    await put(store, "before", 1)
    writing = asyncio.create_task(write_on(store, stop))
    for n in range(3):
        await asyncio.to_thread(COPIES.backup, settings, tmp_path / "copies" / f"{n}.db")
    stop.set()
    last = await writing
    with pytest.raises(Unreachable, match="in use by process"):
        COPIES.restore(settings, tmp_path / "copies" / "2.db")
    await store.close()
    assert [file.name for file in sorted((tmp_path / "copies").iterdir())] == ["0.db", "1.db", "2.db"], "one file each"

    kept = COPIES.restore(settings, tmp_path / "copies" / "2.db")
    assert kept == tmp_path / "a.db.before-1"
    store = await open_store(settings.path)
    left, right = await got(store, "left"), await got(store, "right")
    assert left == right
    assert (left or 0) < last
    assert await got(store, "before") == 1
    await store.close()
    store = await open_store(kept)
    assert await got(store, "left") == last, "what was there is there under its new name"
    await store.close()


async def test_a_copy_is_never_written_over_a_file_and_leaves_none_when_it_fails(tmp_path: Path) -> None:
    settings = SqliteSettings(path=tmp_path / "a.db")
    with pytest.raises(Unreachable, match="there is no database"):
        COPIES.backup(settings, tmp_path / "b.db")
    await (await open_store(settings.path)).close()
    COPIES.backup(settings, tmp_path / "b.db")
    with pytest.raises(Unreachable, match="there already"):
        COPIES.backup(settings, tmp_path / "b.db")
    (tmp_path / "file").touch()
    with pytest.raises(Unreachable, match="cannot copy"):
        COPIES.backup(settings, tmp_path / "file" / "c.db")


def _cut(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])


def _scratched(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[8192:12288] = b"\xa5" * 4096
    file.write_bytes(data)


def _newer(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 9999")


def _foreign(file: Path) -> None:
    file.write_bytes(b"not a database, by far" * 100)


@pytest.mark.parametrize("spoil", [_cut, _scratched, _newer, _foreign])
async def test_what_is_no_whole_copy_of_ours_is_refused_and_the_database_stays(tmp_path: Path, spoil: object) -> None:
    settings = SqliteSettings(path=tmp_path / "a.db")
    store = await open_store(settings.path)
    await put(store, "kept", 7)
    await store.close()
    COPIES.backup(settings, tmp_path / "b.db")
    assert callable(spoil)
    spoil(tmp_path / "b.db")
    with pytest.raises(Unreachable, match=r"not a whole database|schema version 9999|cannot copy"):
        COPIES.restore(settings, tmp_path / "b.db")
    store = await open_store(settings.path)
    assert await got(store, "kept") == 7
    await store.close()
