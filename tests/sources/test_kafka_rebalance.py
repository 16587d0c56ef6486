"""A Kafka group that is divided anew again and again, with a real store: what counts, counts once.

The workers here share a store. They are as careless as can be: slow to commit, and one of them hangs for longer than the group waits.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import adapters.sources.kafka as module
from adapters.stores.sqlite import SqliteStore, open_store
from dispatcher.errors import SourceLost
from dispatcher.intake.journal import JournalRow, RowKind, read_row
from dispatcher.intake.keeping import keep, overtaken
from dispatcher.ports import Batch, Divided, Source, Store
from dispatcher.testing.sources import aclose
from tests.services.kafka import Kafka
from tests.sources.test_kafka import KafkaSide, publish

NOW = datetime(2026, 7, 20, tzinfo=UTC)
PARTITIONS = 3


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await open_store(tmp_path / "shared.db")
    yield opened
    await opened.close()


class Worker:
    """Reads, and commits as the pipeline does: positions checked and moved in the transaction of the row."""

    def __init__(self, side: KafkaSide, store: Store, slowest_s: float, chance: random.Random) -> None:
        self._side, self._store, self._slowest_s, self._chance = side, store, slowest_s, chance
        self.overtaken = 0
        self.task = asyncio.create_task(self._run())

    async def _positions(self) -> dict[str, str]:
        async with self._store.read() as reader:
            return {r["name"]: r["position"] for r in await reader.fetch("journal.positions", {"source": "kafka"})}

    async def _run(self) -> None:
        while True:
            source = self._side.source()
            assert isinstance(source, Divided)
            source.look_up(self._positions)
            stream = source.batches(await self._positions())
            pending: asyncio.Queue[Batch] = asyncio.Queue(maxsize=5)
            committing = asyncio.create_task(self._commit(source, pending))
            try:
                async for batch in stream:
                    await pending.put(batch)
            except SourceLost:
                continue
            finally:
                committing.cancel()
                await aclose(stream)

    async def _commit(self, source: Source, pending: asyncio.Queue[Batch]) -> None:
        """Behind a queue, so that several batches are under way when the group is divided."""
        while True:
            batch = await pending.get()
            await asyncio.sleep(self._chance.uniform(0, self._slowest_s))
            async with self._store.write() as tx:
                if await overtaken(tx, [batch]):
                    assert isinstance(source, Divided)
                    source.overtaken(batch)
                    self.overtaken += 1
                else:
                    seq = (await tx.fetch("journal.last"))[0]["seq"] + 1
                    row = JournalRow(seq=seq, county="c", kind=RowKind.BATCH, source="kafka", now=NOW, items=batch.items)
                    await keep(tx, row, batch, ())
            await source.ack(batch)

    async def leave(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


async def counted(store: Store) -> list[bytes]:
    async with store.read() as reader:
        rows = await reader.fetch("journal.since", {"seq": 0, "limit": 100_000})
    return [item.body for row in rows for item in read_row(row, "c").items]


@pytest.mark.parametrize(
    "patience_s", [pytest.param(5.0, id="all is durable before partitions move"), pytest.param(0.02, id="partitions move before")]
)
async def test_workers_that_come_and_go_count_every_record_once_and_in_order(
    kafka: Kafka, store: SqliteStore, monkeypatch: pytest.MonkeyPatch, patience_s: float
) -> None:
    monkeypatch.setattr(module, "_FAREWELL_S", patience_s)
    side = KafkaSide(kafka, partitions=PARTITIONS, batch_items=3, probe_s=0.2)
    chance = random.Random(7)
    workers = [Worker(side, store, 0.05, chance)]
    sent = 0
    for _round in range(4):
        for key in range(6):
            await publish(kafka, side.topic, [f"{key}/{n}".encode() for n in range(sent, sent + 15)], str(key).encode())
        sent += 15
        workers.append(Worker(side, store, 0.05, chance))
        await asyncio.sleep(0.5)
        if len(workers) > 2:
            await workers.pop(0).leave()
    wanted = {f"{key}/{n}".encode() for key in range(6) for n in range(sent)}
    async with asyncio.timeout(60):
        while set(await counted(store)) != wanted:
            assert not any(worker.task.done() for worker in workers)
            await asyncio.sleep(0.2)
    for worker in workers:
        await worker.leave()
    bodies = await counted(store)
    assert len(bodies) == len(wanted), "something was counted twice"
    for key in range(6):
        of_key = [int(body.split(b"/")[1]) for body in bodies if body.startswith(b"%d/" % key)]
        assert of_key == list(range(sent))
