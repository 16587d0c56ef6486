"""The one writer of the rule state: batches and ticks become journal rows with all their effects, in one transaction.

Acknowledged only after the commit. If deciding fails, the bytes alone are committed and a task is raised. A person's word and
another plan of rules take their turn between two batches (dispatcher/intake/turns.py).
"""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar, cast

from dispatcher.errors import DispatcherError, ShardLost, StoreFailed
from dispatcher.intake.basis import Compiled
from dispatcher.intake.chain import Chain, Link, next_link
from dispatcher.intake.codecs.choose import Codecs, Decoding, built_in
from dispatcher.intake.deciding import decide
from dispatcher.intake.decode import Limits
from dispatcher.intake.decode_together import decode_together
from dispatcher.intake.effects import take_effect
from dispatcher.intake.journal import JournalRow, RowKind
from dispatcher.intake.keeping import damaged_tasks, keep, overtaken, undecided_task
from dispatcher.intake.recovery import Deciding, Recovered, recover
from dispatcher.intake.turns import Turn, settle
from dispatcher.model.reject import Decoded
from dispatcher.ports import Batch, Divided, Reporting, Source, Transaction
from dispatcher.shard import Shard
from dispatcher.timestamps import stored, to_ms
from dispatcher.upkeep.commit_points import Point, passing
from dispatcher.warnings.issuing import Issued
from dispatcher.warnings.relaying import relay
from dispatcher.warnings.telling import add_tasks
from dispatcher.workplace import Workplace
from rules.change import Decisions
from rules.engine import Engine

ITEMS_AT_ONCE = 2_000
SNAPSHOT_EVERY_S = 60.0
_RETRY_S = 1.0
_PART = "pipeline"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Arrived:
    source: Source | None
    batch: Batch | None


class Pipeline:
    """Takes what sources hand over. ``start`` before ``run``; ``offer`` from any task."""

    def __init__(self, place: Workplace, compiled: Compiled, limits: Limits, codecs: Codecs | None = None) -> None:
        """``compiled`` is what the files say; ``codecs`` are the formats, default those built in. Nothing is read yet."""
        self._place = place
        self._limits, self._codecs = limits, codecs or built_in()
        self._queue: asyncio.Queue[_Arrived | Turn | None] = asyncio.Queue(maxsize=64)
        self._held: Turn | None = None
        self._running = False
        self._seq = 0
        self._snapshot_seq = 0
        self._chain: Chain | None = None
        self._tick_waits = False
        self._snapshot_at = time.monotonic()
        self.shard: Shard | None = None  # where others may decide too, our right to; proven in each transaction
        self.ruling = self.ruling_by(compiled)

    @property
    def engine(self) -> Engine:
        """The rules at work."""
        return self.ruling.engine

    @property
    def seq(self) -> int:
        """The number of the last journal row."""
        return self._seq

    def reading(self, compiled: Compiled) -> Decoding:
        """How what comes in is read under a plan."""
        return Decoding(compiled.catalogue, self._limits, self._codecs)

    def ruling_by(self, compiled: Compiled) -> Deciding:
        """A plan with a fresh engine."""
        return Deciding(compiled, Engine(compiled.plan), self.reading(compiled))

    async def start(self) -> Recovered:
        """Come back to the state after the last committed row, under the plan that was in force there."""
        recovered = await recover(self._place.store, self.ruling.compiled, self.reading, self._place.house.county)
        self.ruling = recovered.deciding
        self._chain = None
        self._seq = recovered.seq
        self._place.metrics.replayed.set(recovered.replayed)
        if recovered.damaged or recovered.snapshot:
            await self._tell_damage(recovered)
        return recovered

    async def _tell_damage(self, recovered: Recovered) -> None:
        """What was saved goes on; what was not is a task for a person, and a note for whoever asks how we are."""
        tasks = damaged_tasks(self._place.house, recovered.damaged, recovered.snapshot, self._place.clock.now())
        for task in tasks:
            self._place.health.set(task.key, task.text_en, bearable=True)
        self._place.log.error("damaged", rows=len(recovered.damaged), snapshot=recovered.snapshot)
        async with self._place.store.write() as tx:
            await add_tasks(tx, self._place.house, tasks)

    async def offer(self, source: Source, batch: Batch) -> None:
        """Hand over a batch; waits while too many are waiting. It is acknowledged to ``source`` once durable."""
        await self._queue.put(_Arrived(source, batch))

    async def offer_tick(self) -> None:
        """Let the rules notice that time has passed; while one tick waits, another adds nothing."""
        if not self._tick_waits:
            self._tick_waits = True
            await self._queue.put(_Arrived(None, None))

    async def stop(self) -> None:
        """Let ``run`` finish what was offered so far and return."""
        await self._queue.put(None)

    async def run(self) -> None:
        """Take what is offered until ``stop``."""
        going = self._running = True
        while going:
            arrived, going = self._gather(await self._queue.get())
            if arrived:
                with self._place.health.at_work(_PART, "deciding and storing"):
                    await self._take(arrived)
            if self._held:
                with self._place.health.at_work(_PART, "taking over other rules, or a person's word"):
                    await self._have_turn(self._held)
                self._held = None
            if time.monotonic() - self._snapshot_at > SNAPSHOT_EVERY_S:
                with self._place.health.at_work(_PART, "writing a snapshot"):
                    await self._snapshot_or_later()
        self._running = False

    def _gather(self, first: _Arrived | Turn | None) -> tuple[list[_Arrived], bool]:
        """What is waiting, up to the bound of one transaction or to a turn, which is held; false when it is the last."""
        arrived, one = list[_Arrived](), first
        while one is not None:
            if isinstance(one, Turn):
                self._held = one
                return arrived, True
            arrived.append(one)
            self._tick_waits = self._tick_waits and one.batch is not None
            if sum(map(_size, arrived)) >= ITEMS_AT_ONCE or self._queue.empty():
                return arrived, True
            one = self._queue.get_nowait()
        return arrived, False

    async def between(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something between two batches, as nobody else writes; again when the store failed. Gives what it gives, or raises it.

        What raises one of our own errors has not touched the rule state yet.
        """
        if not self._running:
            return await work()
        turn = Turn(work, asyncio.get_running_loop().create_future())
        await self._queue.put(turn)
        return cast("T", await turn.done)

    async def _have_turn(self, turn: Turn) -> None:
        while not turn.done.done():
            try:
                result = await turn.work()
            except StoreFailed as failure:
                await self._rebuild(failure)
            except ShardLost as lost:
                settle(turn.done, error=lost)
                raise
            except Exception as error:  # noqa: BLE001 - supervision point: whoever asked is told, the engine goes on
                if not isinstance(error, DispatcherError):
                    await self._rebuild(None)
                settle(turn.done, error=error)
            else:
                settle(turn.done, result=result)

    async def commit_alone(self, write: Callable[[Transaction, int, datetime], Awaitable[Decisions]]) -> Decisions:
        """One journal row of another kind, written by ``write``, with the effects of what it decides. Only in one's turn."""
        now, seq = self._now(), self._seq + 1
        async with self._deciding() as tx:
            decisions = await write(tx, seq, now)
            issued = await take_effect(tx, self._place.house, decisions, now)
            passing(Point.ACT_WRITTEN)
        passing(Point.ACT_KEPT)
        self._seq = seq
        self._count([(decisions, issued)])
        self._place.broadcast.wake()
        return decisions

    def taken_over(self, deciding: Deciding) -> None:
        """Another plan decides from now on; its state is kept with its row already."""
        self.ruling = deciding
        self._chain = None
        self._snapshot_at, self._snapshot_seq = time.monotonic(), self._seq

    async def _snapshot_or_later(self) -> None:
        try:
            await self.snapshot()
        except StoreFailed as failure:  # the journal is longer for it, nothing else
            self._place.log.error("store_failed", error=str(failure))

    async def snapshot(self) -> None:
        """Keep the rule state, or what has changed of it, so that the journal before it need not be replayed."""
        self._snapshot_at = time.monotonic()
        if self._seq == self._snapshot_seq:
            return
        # Should it fail, there is no chain any more, and the next one is whole.
        chain, self._chain = self._chain, None
        with self._place.metrics.snapshot_s.time():
            link, chain = next_link(self.engine, self._seq, chain)
            async with self._deciding() as tx:
                await self._keep(tx, link, self.ruling)
                passing(Point.SNAPSHOT_WRITTEN)
            passing(Point.SNAPSHOT_KEPT)
        self._snapshot_seq, self._chain = self._seq, chain

    async def keep_state(self, tx: Transaction, seq: int, deciding: Deciding) -> None:
        """The rule state after a row, in place of those before it."""
        await self._keep(tx, Link(seq, seq, deciding.engine.snapshot()), deciding)

    async def _keep(self, tx: Transaction, link: Link, deciding: Deciding) -> None:
        taken_at, plan = to_ms(self._place.clock.now()), deciding.compiled.plan.digest
        row = {"journal_seq": link.seq, "base_seq": link.base_seq, "taken_at": taken_at, "plan": plan, "data": link.data}
        row |= {"checksum": zlib.crc32(link.data)}
        await tx.run("journal.save_snapshot", row)
        if link.whole:
            await tx.run("journal.forget_snapshots", {"journal_seq": link.seq})

    async def _take(self, arrived: Sequence[_Arrived]) -> None:
        """Make all of it durable, whatever it takes, then acknowledge."""
        started = time.perf_counter()
        waiting = [arrived]
        while waiting:
            batches = waiting.pop(0)
            try:
                decoded = await self._commit(batches)
            except StoreFailed as failure:
                waiting.insert(0, batches)
                await self._rebuild(failure)
            except ShardLost:
                raise
            except Exception as error:  # noqa: BLE001 - supervision point: a fault in deciding must not lose the bytes
                await self._rebuild(None)
                if len(batches) > 1:  # find the one that cannot be decided; the others are not to suffer for it
                    waiting = [[one] for one in batches] + waiting
                else:
                    await self._keep_undecided(batches[0], error)
                    await self._acknowledge(batches[0], ())
            else:
                for one, parts in zip(batches, decoded, strict=True):
                    await self._acknowledge(one, parts)
                passing(Point.BATCH_ACKNOWLEDGED)
        self._place.metrics.commit_s.observe(time.perf_counter() - started)

    @asynccontextmanager
    async def _deciding(self) -> AsyncIterator[Transaction]:
        """A transaction that only the worker whose turn it is may commit; ShardLost for another."""
        async with self._place.store.write() as tx:
            if self.shard is not None:
                await self.shard.prove(tx)
            yield tx

    async def _commit(self, arrived: Sequence[_Arrived]) -> list[list[Decoded]]:
        """Decide and store all of it in one transaction; gives what each batch held."""
        now = self._now()
        decoded = [decode_together(self.ruling.decoding, a.batch.items, now) if a.batch else [] for a in arrived]
        total: list[tuple[Decisions, Issued]] = []
        seq = self._seq
        async with self._deciding() as tx:
            late = await overtaken(tx, [one.batch for one in arrived])
            for n, (one, parts) in enumerate(zip(arrived, decoded, strict=True)):
                if n in late:
                    parts.clear()
                    continue
                seq += 1
                total.append(await self._decide(tx, seq, one.batch, parts, now))
            passing(Point.BATCH_WRITTEN)
        passing(Point.BATCH_KEPT)
        self._seq = seq
        self._tell_overtaken([arrived[n] for n in sorted(late)])
        self._count(total)
        if any(d.changes or d.remarks for d, _ in total) or any(part.alerts for parts in decoded for part in parts):
            self._place.broadcast.wake()
        return decoded

    def _tell_overtaken(self, late: Sequence[_Arrived]) -> None:
        """These were not used: the positions have moved since they were handed over."""
        for one in late:
            source, batch = one.source, one.batch
            if source is None or batch is None:
                continue
            self._place.log.warning("overtaken", source=batch.source, positions=dict(batch.since))
            self._place.metrics.overtaken.labels(batch.source).inc()
            if isinstance(source, Divided):
                source.overtaken(batch)

    def _now(self) -> datetime:
        """The time as the journal will give it back: deciding again must see the very same."""
        return stored(self._place.clock.now())

    async def _decide(
        self, tx: Transaction, seq: int, batch: Batch | None, parts: Sequence[Decoded], now: datetime
    ) -> tuple[Decisions, Issued]:
        """One journal row and its effects."""
        county = self._place.house.county
        if batch is None:
            row = JournalRow(seq=seq, county=county, kind=RowKind.TICK, source="", now=now)
            decisions = self.engine.tick(now)
        else:
            row = JournalRow(seq=seq, county=county, kind=RowKind.BATCH, source=batch.source, now=now, items=batch.items)
            decisions = decide(self.engine, parts, now)
        await keep(tx, row, batch, parts)
        issued = await take_effect(tx, self._place.house, decisions, now)
        return decisions, issued + await relay(tx, self._place.house, [a for part in parts for a in part.alerts], now)

    async def _keep_undecided(self, one: _Arrived, error: Exception) -> None:
        """The bytes alone, and a task: nothing accepted is lost, even when we do not know what to make of it."""
        while True:
            row = self._undecided_row(one.batch)
            try:
                async with self._deciding() as tx:
                    if await overtaken(tx, [one.batch]):
                        self._tell_overtaken([one])
                        return
                    await keep(tx, row, one.batch, ())
                    await add_tasks(tx, self._place.house, [undecided_task(self._place.house, row, error)])
            except StoreFailed as failure:
                await self._rebuild(failure)
                continue
            break
        self._seq = row.seq
        self._place.log.error("undecided", seq=row.seq, error=repr(error))
        self._place.metrics.undecided.inc()
        self._place.broadcast.wake()

    def _undecided_row(self, batch: Batch | None) -> JournalRow:
        return JournalRow(
            seq=self._seq + 1,
            county=self._place.house.county,
            kind=RowKind.BATCH if batch else RowKind.TICK,
            source=batch.source if batch else "",
            now=self._now(),
            items=batch.items if batch else (),
            decided=False,
        )

    async def _rebuild(self, failure: StoreFailed | None) -> None:
        """The transaction was rolled back but the rule state went on: bring it back to what is committed."""
        while True:
            if failure is not None:
                self._place.health.set("store", str(failure))
                self._place.log.error("store_failed", error=str(failure))
                await asyncio.sleep(_RETRY_S)
            try:
                await self.start()
            except StoreFailed as again:
                failure = again
                continue
            self._place.health.clear("store")
            return

    async def _acknowledge(self, one: _Arrived, parts: Sequence[Decoded]) -> None:
        if one.source is None or one.batch is None:
            return
        try:
            if isinstance(one.source, Reporting):
                one.source.report(one.batch, parts)
            with self._place.health.at_work(_PART, f"acknowledging to {one.batch.source}"):
                await one.source.ack(one.batch)
        except Exception as error:  # noqa: BLE001 - supervision point: it is durable, whatever its source makes of that
            self._place.log.error("ack_failed", source=one.batch.source, error=type(error).__name__)
        metrics, name = self._place.metrics, one.batch.source
        metrics.batches.labels(name).inc()
        metrics.readings.labels(name).inc(sum(len(p.readings) for p in parts))
        for part in parts:
            for reject in part.rejects:
                metrics.rejects.labels(name, reject.code.value).inc(reject.count)

    def _count(self, total: Sequence[tuple[Decisions, Issued]]) -> None:
        metrics = self._place.metrics
        metrics.journal_seq.set(self._seq)
        for decisions, issued in total:
            for change in decisions.changes:
                metrics.changes.labels(change.after.word).inc()
            metrics.alerts.inc(issued.alerts)
            metrics.notices.inc(issued.notices)
            metrics.planned.inc(issued.deliveries)


def _size(one: _Arrived) -> int:
    return len(one.batch.items) if one.batch else 1
