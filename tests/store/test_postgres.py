import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import pytest

from adapters.stores import postgres_dialect
from adapters.stores.postgres import PostgresStore, adapter
from dispatcher.clock import SystemClock
from dispatcher.errors import ConfigurationError, Unreachable
from dispatcher.ports import World
from dispatcher.testing.stores import PROMISES, SHARED_PROMISES
from tests.services.postgres import Postgres
from tests.services.server import free_port
from tests.store.counting import got, put
from tests.store.far_sides import PostgresDatabase

Promise = Callable[[PostgresDatabase], Awaitable[None]]


@pytest.mark.parametrize("promise", PROMISES + SHARED_PROMISES, ids=lambda p: p.__name__)
async def test_a_postgresql_database_keeps(promise: Promise, database: PostgresDatabase) -> None:
    await promise(database)


# ------------------------------------------------------------------------------------------------ opening


async def test_the_schema_carries_its_version(database: PostgresDatabase) -> None:
    await (await database.open()).close()
    assert versions(database.dsn) == [len(postgres_dialect.migrations())]


async def test_a_database_of_a_newer_program_is_refused_untouched(database: PostgresDatabase) -> None:
    await (await database.open()).close()
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute("UPDATE dispatcher_schema SET version = 999")
    with pytest.raises(Unreachable, match=r"999.*newer program"):
        await database.open()
    assert versions(database.dsn) == [999]


async def test_several_that_open_an_empty_database_at_once_make_one_schema(database: PostgresDatabase) -> None:
    opened = await asyncio.gather(*(database.open() for _ in range(4)))
    for one in opened:
        await one.close()
    assert versions(database.dsn) == [len(postgres_dialect.migrations())]


def versions(dsn: str) -> list[int]:
    with psycopg.connect(dsn) as connection:
        return [row[0] for row in connection.execute("SELECT version FROM dispatcher_schema")]


async def test_a_wrong_password_is_said_and_not_shown(postgres: Postgres) -> None:
    with pytest.raises(Unreachable, match="password authentication failed") as refused:
        await PostgresDatabase(postgres.dsn(password="s3cret-and-wrong")).open()
    assert "s3cret" not in str(refused.value)


async def test_a_server_that_is_not_there_is_named() -> None:
    port = free_port()
    with pytest.raises(Unreachable, match=rf"cannot open the database warnings at 127\.0\.0\.1:{port}"):
        await PostgresDatabase(f"postgresql://u:hidden@127.0.0.1:{port}/warnings").open()


async def test_a_database_that_is_not_there_is_named(postgres: Postgres) -> None:
    with pytest.raises(Unreachable, match='"nowhere" does not exist'):
        await PostgresDatabase(postgres.dsn("nowhere")).open()


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://user:hid@den@127.0.0.1/x",
        "postgresql://user:hid/den@127.0.0.1/x",
        "postgresql://user:hid%den@127.0.0.1/x",
        "postgresql://user:hid den",
        "hidden",
    ],
)
async def test_no_part_of_a_connection_string_that_cannot_be_read_is_shown(dsn: str) -> None:
    with pytest.raises(Unreachable, match="DISPATCHER_POSTGRES_DSN") as refused:
        await PostgresDatabase(dsn).open()
    assert "hid" not in str(refused.value)
    assert "den" not in str(refused.value)
    assert refused.value.__cause__ is None


async def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OUR_DSN", raising=False)
    world = World(clock=SystemClock(), county="", public_url="")
    with pytest.raises(ConfigurationError, match="OUR_DSN, which is not set"):
        await adapter.build(adapter.settings(dsn_env="OUR_DSN"), world)


async def test_a_database_that_cannot_hold_chinese_is_refused(postgres: Postgres) -> None:
    postgres.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    with pytest.raises(Unreachable, match=r"server_encoding = LATIN1.*allowed: UTF8"):
        await PostgresDatabase(postgres.dsn("latin")).open()


async def test_a_server_that_would_lose_what_it_committed_is_refused(postgres: Postgres, database: PostgresDatabase) -> None:
    postgres.execute("ALTER SYSTEM SET full_page_writes = off")
    postgres.restart()
    try:
        with pytest.raises(Unreachable, match=r"full_page_writes = off.*allowed: on"):
            await database.open()
    finally:
        postgres.execute("ALTER SYSTEM RESET full_page_writes")
        postgres.restart()


async def test_commits_are_durable_even_where_the_database_has_it_otherwise(postgres: Postgres) -> None:
    dsn = postgres.new_database()
    postgres.execute(f"ALTER DATABASE {psycopg.conninfo.conninfo_to_dict(dsn)['dbname']} SET synchronous_commit = off")
    store = await PostgresDatabase(dsn).open()
    try:
        async with store.write() as tx:
            cursor = await tx._connection.execute("SHOW synchronous_commit")
            assert await cursor.fetchone() == {"synchronous_commit": "on"}
    finally:
        await store.close()


# ------------------------------------------------------------------------------------------------- values


async def test_text_with_a_nul_is_kept_with_its_symbol(store: PostgresStore) -> None:
    await put(store, "a\0b", 1)
    assert await got(store, "a␀b") == 1
    async with store.read() as reader:
        assert await reader.fetch("deliveries.by_ids", {"ids": '["a\\u0000b"]'}) == []


async def test_text_is_ordered_by_code_point_as_in_sqlite(postgres: Postgres, store: PostgresStore) -> None:
    names = ["Zhang", "an", "中", "Éa", "a b", "ab", "A"]
    async with store.write() as tx:
        user = {"role": "viewer", "password": "", "created_at": 0}
        await tx.run_many("accounts.add_user", [{"name": name, **user} for name in names])
    async with store.read() as reader:
        assert [row["name"] for row in await reader.fetch("accounts.users")] == sorted(names)


async def test_yes_and_no_are_one_and_nothing(store: PostgresStore) -> None:
    await put(store, "flag", value=True)
    assert await got(store, "flag") == 1
