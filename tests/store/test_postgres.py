from collections.abc import Awaitable, Callable

import pytest

from dispatcher.testing.stores import PROMISES
from tests.services.postgres import Postgres
from tests.store.far_sides import PostgresDatabase

Promise = Callable[[PostgresDatabase], Awaitable[None]]


@pytest.fixture
def far_side(postgres: Postgres) -> PostgresDatabase:
    return PostgresDatabase(postgres.new_database())


@pytest.mark.parametrize("promise", PROMISES, ids=lambda p: p.__name__)
async def test_a_postgresql_database_keeps(promise: Promise, far_side: PostgresDatabase) -> None:
    await promise(far_side)
