"""The web over a seeded store: ``bench`` speaks to it without sockets."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.stores.sqlite import open_store
from dispatcher.ports import Store
from tests.web.bench import Bench, make_bench
from tests.web.seed import seed
from tests.web.terminal import terminal

__all__ = ["terminal"]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "web.db")
    yield opened
    await opened.close()


@pytest.fixture
async def bench(store: Store) -> AsyncIterator[Bench]:
    await seed(store)
    made = await make_bench(store)
    async with made.client:
        task = asyncio.create_task(made.desk.run())
        yield made
        await made.desk.stop()
        await task
