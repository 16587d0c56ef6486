"""What the engine sees when PostgreSQL breaks, hangs, or is in somebody else's hands."""

import asyncio
from typing import Any

import psycopg
import pytest

from adapters.stores.postgres import PostgresStore
from dispatcher.errors import StoreFailed
from tests.services.postgres import PASSWORD, Postgres
from tests.store.counting import COUNTER, got, put, until_done
from tests.store.far_sides import PostgresDatabase


async def test_a_connection_lost_in_mid_transaction_leaves_nothing_and_the_store_recovers(postgres: Postgres, store: PostgresStore) -> None:
    await put(store, "before", 1)

    async def broken() -> None:
        async with store.write() as tx:
            await tx.run(COUNTER, {"name": "half", "value": 1})
            postgres.kill()
            await tx.run(COUNTER, {"name": "half", "value": 2})

    with pytest.raises(StoreFailed):
        await broken()
    with pytest.raises(StoreFailed):
        await asyncio.wait_for(_short(store), 30)
    postgres.start()
    await until_done(store, "after", 2)
    assert [await got(store, name) for name in ("before", "half", "after")] == [1, None, 2]


async def _short(store: PostgresStore) -> None:
    for pool in (store._writer, store._readers):
        pool.timeout = 1.0
    await got(store, "before")


async def test_a_server_that_was_restarted_between_two_transactions_costs_none(postgres: Postgres, store: PostgresStore) -> None:
    await put(store, "before", 1)
    await got(store, "before")
    postgres.restart()
    await put(store, "after", 2)
    assert await got(store, "after") == 2


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "not_committed"])
async def test_a_connection_lost_while_committing_is_asked_about(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch, *, committed: bool
) -> None:
    await put(store, "first", 1)
    real = psycopg.AsyncConnection.execute
    lost: list[bool] = []

    async def losing(self: psycopg.AsyncConnection[Any], query: Any, *rest: Any, **more: Any) -> object:  # noqa: ANN401
        if lost or not (isinstance(query, bytes) and query.endswith(b"COMMIT")):
            return await real(self, query, *rest, **more)
        lost.append(True)
        if committed:
            await real(self, query)
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(psycopg.AsyncConnection, "execute", losing)
    if committed:
        await put(store, "second", 2)
    else:
        with pytest.raises(StoreFailed, match="closed the connection"):
            await put(store, "second", 2)
    assert lost
    assert await got(store, "second") == (2 if committed else None)
    await put(store, "third", 3)
    assert await got(store, "third") == 3


async def test_a_server_killed_while_it_commits_leaves_all_or_nothing_and_says_which(postgres: Postgres, store: PostgresStore) -> None:
    told: dict[str, bool] = {}
    for n in range(5):
        task = asyncio.create_task(put(store, f"n{n}", n))
        for _ in range(n * 2):
            await asyncio.sleep(0.0003)
        await asyncio.to_thread(postgres.kill)
        await asyncio.to_thread(postgres.start)
        try:
            await asyncio.wait_for(task, 60)
        except StoreFailed:
            told[f"n{n}"] = False
        else:
            told[f"n{n}"] = True
        await until_done(store, "again", n)
    assert {name: await got(store, name) is not None for name in told} == told


async def test_a_server_that_does_not_answer_is_a_store_that_failed(postgres: Postgres) -> None:
    store = await PostgresDatabase(postgres.new_schema(), answer_s=0.5).open()
    locked = psycopg.connect(store._conninfo)
    try:
        locked.execute("LOCK TABLE counters IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreFailed, match=r"did not answer within 0\.5 s"):
            await put(store, "late", 1)
        locked.close()
        await put(store, "later", 2)
        assert await got(store, "late") is None
    finally:
        locked.close()
        await store.close()


async def test_a_transaction_that_cannot_be_serialized_is_a_store_that_failed(store: PostgresStore) -> None:
    store._queries["test.fail"] = b"DO $$ BEGIN RAISE serialization_failure USING MESSAGE = 'could not serialize access'; END $$"
    with pytest.raises(StoreFailed, match="serialize"):
        async with store.write() as tx:
            await tx.run("test.fail")


async def test_a_database_that_has_become_read_only_is_a_store_that_failed(postgres: Postgres) -> None:
    dsn = postgres.new_database()
    store = await PostgresDatabase(dsn).open()
    try:
        name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
        postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        postgres.restart()
        with pytest.raises(StoreFailed, match="read-only"):
            await put(store, "late", 1)
        assert await got(store, "late") is None
    finally:
        await store.close()


async def test_a_mistake_in_what_is_written_is_no_failure_of_the_store(store: PostgresStore) -> None:
    with pytest.raises(psycopg.errors.NotNullViolation):
        await put(store, "wrong", None)  # type: ignore[arg-type]
    await put(store, "right", 1)
    assert await got(store, "right") == 1


async def test_an_error_that_was_swallowed_does_not_pass_for_a_commit(store: PostgresStore) -> None:
    async def swallow() -> None:
        async with store.write() as tx:
            await tx.run(COUNTER, {"name": "before", "value": 1})
            with pytest.raises(psycopg.errors.NotNullViolation):
                await tx.run(COUNTER, {"name": "wrong", "value": None})

    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        await swallow()
    assert await got(store, "before") is None


async def test_what_fails_is_said_once_and_never_with_the_password(
    postgres: Postgres, store: PostgresStore, capfd: pytest.CaptureFixture[str]
) -> None:
    await put(store, "before", 1)
    postgres.kill()
    with pytest.raises(StoreFailed) as failed:
        await asyncio.wait_for(_short(store), 30)
    assert PASSWORD not in str(failed.value)
    assert capfd.readouterr().err == ""
