"""One number under a name, which is enough to see what a store has kept."""

import asyncio

from dispatcher.errors import StoreFailed
from dispatcher.ports import Store

COUNTER = "journal.set_counter"


async def put(store: Store, name: str, value: int) -> None:
    async with store.write() as tx:
        await tx.run(COUNTER, {"name": name, "value": value})


async def got(store: Store, name: str) -> int | None:
    async with store.read() as reader:
        rows = await reader.fetch("journal.counter", {"name": name})
    return rows[0]["value"] if rows else None


async def until_done(store: Store, name: str, value: int) -> None:
    """Write as the engine does: until the store can."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await put(store, name, value)
            except StoreFailed:
                await asyncio.sleep(0.1)
