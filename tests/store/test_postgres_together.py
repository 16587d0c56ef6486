"""Several at one PostgreSQL: other processes, readers and writers of one, and callers that are cancelled."""

import asyncio

import psycopg
import pytest

from adapters.stores.postgres import PostgresStore
from dispatcher.errors import StoreFailed
from dispatcher.ports import Store
from tests.services.postgres import Postgres
from tests.store.counting import COUNTER, got, put, until_done
from tests.store.far_sides import PostgresDatabase


async def test_another_process_that_writes_too_long_is_a_store_that_failed(postgres: Postgres) -> None:
    dsn = postgres.new_schema()
    first, second = await PostgresDatabase(dsn).open(), await PostgresDatabase(dsn, lock_s=0.3).open()
    try:
        async with first.write() as tx:
            await tx.run(COUNTER, {"name": "first", "value": 1})
            with pytest.raises(StoreFailed, match="lock timeout"):
                await put(second, "second", 1)
        await put(second, "second", 2)
        assert (await got(first, "first"), await got(first, "second")) == (1, 2)
    finally:
        await first.close()
        await second.close()


async def test_two_processes_write_one_after_the_other_and_no_update_is_lost(database: PostgresDatabase) -> None:
    stores = [await database.open() for _ in range(2)]

    async def count(store: Store) -> None:
        for _ in range(20):
            async with store.write() as tx:
                rows = await tx.fetch("journal.counter", {"name": "count"})
                await tx.run(COUNTER, {"name": "count", "value": (rows[0]["value"] if rows else 0) + 1})

    try:
        await asyncio.gather(*(count(store) for store in stores))
        assert await got(stores[0], "count") == 40
    finally:
        for store in stores:
            await store.close()


async def test_a_deadlock_with_somebody_else_is_a_store_that_failed(store: PostgresStore) -> None:
    await put(store, "a", 1)
    await put(store, "b", 1)
    async with await psycopg.AsyncConnection.connect(store._conninfo) as other:
        await other.execute("SET deadlock_timeout = '1h'")  # let ours be the one that is ended
        await other.execute("UPDATE counters SET value = 2 WHERE name = 'b'")
        crossing: list[asyncio.Task[object]] = []

        async def cross() -> None:
            async with store.write() as tx:
                await tx.run(COUNTER, {"name": "a", "value": 3})
                crossing.append(asyncio.create_task(other.execute("UPDATE counters SET value = 2 WHERE name = 'a'")))
                await asyncio.sleep(0.1)
                await tx.run(COUNTER, {"name": "b", "value": 3})

        with pytest.raises(StoreFailed, match="deadlock"):
            await cross()
        await asyncio.wait(crossing)
        await other.rollback()
    assert (await got(store, "a"), await got(store, "b")) == (1, 1)


async def test_a_caller_cancelled_among_many_rows_leaves_none_of_them(store: PostgresStore) -> None:
    rows = [{"name": f"n{n}", "value": n} for n in range(5_000)]

    async def write() -> None:
        async with store.write() as tx:
            await tx.run_many(COUNTER, rows)
            await asyncio.sleep(30)

    for steps in range(6):
        task = asyncio.create_task(write())
        await asyncio.sleep(0.02 * steps)
        task.cancel()
        await asyncio.wait([task])
        assert await got(store, "n0") is None
        await put(store, "after", steps)
    assert await got(store, "after") == 5


async def test_a_caller_cancelled_again_and_again_under_a_server_that_hangs_does_not_take_the_writer_along(
    postgres: Postgres, store: PostgresStore
) -> None:
    async def write() -> None:
        async with store.write() as tx:
            for n in range(100_000):
                await tx.run(COUNTER, {"name": "endless", "value": n})

    for cancels in (1, 2, 3):
        task = asyncio.create_task(write())
        await asyncio.sleep(0.1)
        with postgres.paused():
            for _ in range(cancels):
                task.cancel()
                await asyncio.sleep(0.05)
        await asyncio.wait_for(asyncio.wait([task]), 60)
        await until_done(store, "after", cancels)
    assert (await got(store, "after"), await got(store, "endless")) == (3, None)


async def test_readers_that_wait_to_write_do_not_keep_the_writer_out(postgres: Postgres) -> None:
    store = await PostgresDatabase(postgres.new_schema(), readers=2).open()

    async def look_and_write(n: int) -> None:
        async with store.read() as reader:
            await reader.fetch("journal.counter", {"name": "x"})
            await put(store, f"n{n}", n)

    try:
        await asyncio.wait_for(asyncio.gather(*(look_and_write(n) for n in range(12))), 30)
        assert await got(store, "n11") == 11
    finally:
        await store.close()
