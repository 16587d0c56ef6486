from collections.abc import AsyncIterator

import pytest

from adapters.stores.postgres import PostgresStore
from tests.services.postgres import Postgres
from tests.store.far_sides import PostgresDatabase


@pytest.fixture
def database(postgres: Postgres) -> PostgresDatabase:
    return PostgresDatabase(postgres.new_schema())


@pytest.fixture
async def store(database: PostgresDatabase) -> AsyncIterator[PostgresStore]:
    made = await database.open()
    yield made
    await made.close()
