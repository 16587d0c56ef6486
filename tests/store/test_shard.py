"""Whose turn it is, on a real PostgreSQL: one decides, and whoever decided before can commit no more."""

import asyncio

import psycopg
import pytest

from dispatcher.errors import ShardLost, StoreFailed, Unreachable
from dispatcher.shard import Turn
from dispatcher.testing.stores import PATIENCE_S
from tests.dispatch.making import COUNTY, START
from tests.dispatch.running import Running, batch, rain, running
from tests.services.postgres import Postgres
from tests.store.far_sides import PostgresDatabase


async def test_one_of_two_named_workers_has_the_turn_and_the_other_gets_it_when_that_one_is_gone(database: PostgresDatabase) -> None:
    first, second = await database.open(), await database.open()
    one, two = Turn(first, COUNTY, "one"), Turn(second, COUNTY, "two")
    async with one.arriving() as alone:
        assert alone
    async with two.arriving() as alone:
        assert not alone
    assert (await one.take(), await two.take()) == (True, False)
    await one.keep()
    await first.close()
    async with asyncio.timeout(PATIENCE_S):
        while not await two.take():  # noqa: ASYNC110 - the database decides it
            await asyncio.sleep(0.05)
    await second.close()


async def test_an_engine_without_a_name_is_refused_beside_another_and_so_is_a_name_that_is_taken(database: PostgresDatabase) -> None:
    first, second = await database.open(), await database.open()
    try:
        one = Turn(first, COUNTY, "one")
        async with one.arriving():
            assert await one.take()
        with pytest.raises(Unreachable, match=f"another engine runs for county {COUNTY}.*setting worker"):
            await Turn(second, COUNTY, "").take()
        with pytest.raises(Unreachable, match="a worker 'one' runs"):
            async with Turn(second, COUNTY, "one").arriving():
                pass
    finally:
        await first.close()
        await second.close()


async def deciding(engine: Running, turn: Turn) -> None:
    engine.pipeline.shard = await turn.begin(START)


async def test_what_a_worker_decides_after_another_took_over_is_not_committed(database: PostgresDatabase) -> None:
    async with running(database) as late, running(database) as prompt:
        await deciding(late, Turn(late.store.store, COUNTY, "late"))
        await late.read(batch(rain(3, START)))
        await deciding(prompt, Turn(prompt.store.store, COUNTY, "prompt"))
        await prompt.pipeline.start()
        await prompt.read(batch(rain(2, START)))
        with pytest.raises(ShardLost, match="'prompt' decides"):
            await late.read(batch(rain(30, START)))
        with pytest.raises(ShardLost):
            await late.pipeline.snapshot()
        assert len(late.tap.acked) == 1
        assert [row["seq"] for row in await prompt.rows("journal.since", seq=0, limit=9)] == [1, 2]
        assert await prompt.notices() == []


async def test_a_turn_whose_line_broke_is_taken_again_unless_another_has_it(database: PostgresDatabase) -> None:
    first, second = await database.open(), await database.open()
    try:
        one, two = Turn(first, COUNTY, "one"), Turn(second, COUNTY, "two")
        assert await one.take()
        _cut(database.dsn, first.claims._connection)
        await _settled(one)
        await one.keep()
        _cut(database.dsn, first.claims._connection)
        async with asyncio.timeout(PATIENCE_S):
            while not await two.take():  # noqa: ASYNC110 - the database decides it
                await asyncio.sleep(0.05)
        with pytest.raises(ShardLost):
            await _settled(one)
    finally:
        await first.close()
        await second.close()


def _cut(dsn: str, connection: psycopg.AsyncConnection[object] | None) -> None:
    assert connection is not None
    with psycopg.connect(dsn) as administrator:
        administrator.execute("SELECT pg_terminate_backend(%s, 10000)", [connection.info.backend_pid])


async def _settled(turn: Turn) -> None:
    """The first question over a broken line fails, the next is asked over another."""
    try:
        await turn.keep()
    except StoreFailed:
        await turn.keep()


async def test_after_a_power_cut_of_the_database_the_turn_is_still_ours(postgres: Postgres, database: PostgresDatabase) -> None:
    store = await database.open()
    try:
        turn = Turn(store, COUNTY, "one")
        assert await turn.take()
        postgres.kill()
        postgres.start()
        await _settled(turn)
    finally:
        await store.close()
