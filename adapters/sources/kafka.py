"""Readings from Kafka: a consumer group whose truth about positions is the engine's own store.

Each batch says from which positions it goes on, and the engine uses it only if these are still those of the store. When the group
is divided anew, what was handed out is made durable first, and every partition is taken up where the store says (docs/adr/0007).

Offsets are committed to Kafka too, about once a second and only after the batch is durable: so that lag monitors see
something, and for partitions whose position this engine does not know.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from itertools import chain
from typing import Any, Literal, cast

from pydantic import Field, model_validator

from adapters import kafka_connection
from adapters.kafka_connection import KafkaConnection
from adapters.sources import kafka_keeping
from adapters.sources.kafka_bodies import Bodies, bodies_of, give_bodies
from adapters.sources.kafka_group import sign_off
from adapters.sources.login import password
from dispatcher.errors import SourceLost
from dispatcher.ports import Adapter, Alike, Batch, Kind, Source, World

with contextlib.suppress(ImportError):  # the extra is missing: said by build, and only to those who configured Kafka
    import aiokafka
    from aiokafka import errors as kafka_errors

_COMMIT_EVERY_S = 1.0
_FAREWELL_S = 5.0


class KafkaSettings(KafkaConnection):
    """How to reach the cluster. All workers of one engine share a ``group``."""

    name: str = Field(default="kafka", description="What positions, rejects and figures of this source are filed under.")
    group: str = Field(default="", max_length=200, description="Consumer group; default dispatcher-<county>.")
    readings: tuple[str, ...] = Field(default=("readings",), description="Topics of readings.")
    forecasts: tuple[str, ...] = Field(default=(), description="Topics of forecasts.")
    start: Literal["earliest", "latest"] = Field(default="earliest", description="Where to begin in a partition nobody knows yet.")
    batch_items: int = Field(default=2000, ge=1, description="Most records of one commit.")
    unacknowledged_items: int = Field(default=8000, ge=1, description="Most records held that are not yet durable here.")
    probe_s: float = Field(default=5.0, gt=0, description="After so many seconds without a record, ask whether the cluster is there.")

    @model_validator(mode="after")
    def _complete(self) -> "KafkaSettings":
        if not self.readings and not self.forecasts:
            raise ValueError("no topics; allowed: at least one under readings or forecasts")
        return self


def _nobody() -> None:
    """Nobody wants to know."""


class KafkaSource:
    """One member of a consumer group."""

    def __init__(self, settings: KafkaSettings, group: str, password: str | None) -> None:
        """Opens nothing."""
        self.name = settings.name
        self._settings = settings
        self._group = group
        self._password = password
        self._consumer: Any = None
        self._opened: Callable[[], None] = _nobody
        self._look_up: Callable[[], Awaitable[Mapping[str, str]]] | None = None
        self._forget()

    def _forget(self) -> None:
        """A connection begins: nothing is handed out, nothing assigned."""
        self._at: dict[Any, int] = {}
        self._durable: dict[Any, int] = {}
        self._ends: dict[Any, int] = {}
        self._division = 0
        self._commit_at = 0.0
        self._unacknowledged = 0
        self._overtaken = False
        self._room, self._drained = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._drained.set()

    async def batches(self, positions: Mapping[str, str]) -> AsyncIterator[Batch]:
        """Yield what the group's share of the partitions holds, each taken up at its position in the store."""
        consumer = self._connection()
        self._forget()
        self._consumer = consumer

        async def given() -> Mapping[str, str]:
            return positions

        listener = _listener(self, consumer, self._look_up or given)
        consumer.subscribe([*self._settings.readings, *self._settings.forecasts], listener=listener)
        watching: asyncio.Task[None] | None = None
        try:
            await sign_off(kafka_connection.arguments(self._settings, self._password), self._group, self._settings.timeout_s / 2)
            async with asyncio.timeout(self._settings.timeout_s):
                await consumer.start()
            give_bodies(consumer)
            self._opened()
            watching = asyncio.create_task(self._watch_ends(consumer))
            while True:
                records = await self._records(consumer)
                for topic in dict.fromkeys(partition.topic for partition in records):
                    yield self._batch(consumer, topic, records)
        except (kafka_errors.KafkaError, OSError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            raise SourceLost(f"{self.name}: Kafka at {', '.join(self._settings.bootstrap)}: {reason}") from error
        finally:
            if watching is not None:
                watching.cancel()
            await self._close(consumer)

    async def weaknesses(self) -> Sequence[str]:
        """What the cluster's own settings for our topics could make it lose."""
        topics = [*self._settings.readings, *self._settings.forecasts]
        client = kafka_connection.arguments(self._settings, self._password)
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                return await kafka_keeping.weaknesses(client, topics)
        except (kafka_errors.KafkaError, OSError, TimeoutError) as error:
            raise SourceLost(f"{self.name}: Kafka does not say how it keeps {', '.join(topics)}") from error

    def when_open(self, call: Callable[[], None]) -> None:
        """Called once the cluster has answered and the group has let us in."""
        self._opened = call

    def look_up(self, read: Callable[[], Awaitable[Mapping[str, str]]]) -> None:
        """Have positions read by this whenever the group is divided."""
        self._look_up = read

    def overtaken(self, batch: Batch) -> None:
        """The store's positions are not those this batch goes on from: begin again from the store's."""
        if cast("_Handed", batch.token)[0] is self._consumer:
            self._overtaken = True
            self._room.set()

    def lag(self) -> Mapping[str, int]:
        """How many records of each partition that is ours are not durable here yet, as of the last look."""
        known = {**self._at, **self._durable}
        return {_name(p): max(0, end - known[p]) for p, end in self._ends.items() if p in known}

    async def ack(self, batch: Batch) -> None:
        """Remember what is durable and tell Kafka now and then; a failure of that is no loss, the truth is elsewhere."""
        consumer, division, offsets = cast("_Handed", batch.token)
        if consumer is not self._consumer:
            return
        self._unacknowledged -= len(batch.items)
        if self._unacknowledged < self._settings.unacknowledged_items:
            self._room.set()
        if not self._unacknowledged:
            self._drained.set()
        if division == self._division and not self._overtaken:
            self._durable.update(offsets)
            now_s = asyncio.get_running_loop().time()
            if now_s >= self._commit_at:
                self._commit_at = now_s + _COMMIT_EVERY_S
                await self._commit(consumer)

    async def drain(self) -> None:
        """Partitions are to be given up: wait, within a bound, until all that was handed out is durable. Hand out nothing more."""
        self._division += 1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL_S):
                await self._drained.wait()

    def assigned(self, at: Mapping[Any, int]) -> None:
        """These partitions are ours from now on, each from its position in the store, where it has one."""
        self._division += 1
        self._at, self._durable, self._ends = dict(at), {}, {}

    async def _records(self, consumer: Any) -> Mapping[Any, Bodies]:  # noqa: ANN401 - aiokafka has no types
        """The next records; none after a while, or when the group was divided meanwhile: then they are not ours, or come again."""
        await self._room.wait()
        if self._overtaken:
            raise SourceLost(f"{self.name}: another worker went on from positions that were ours; beginning again from those of the store")
        division = self._division
        found = await consumer.getmany(timeout_ms=int(self._settings.probe_s * 1000), max_records=self._settings.batch_items)
        records = {partition: bodies_of(several) for partition, several in found.items()}
        if division != self._division:
            for partition in consumer.assignment() & records.keys():
                consumer.seek(partition, self._at.get(partition, records[partition].first.offset))
            return {}
        if not records:
            await self._probe(consumer)
        return records

    async def _commit(self, consumer: Any) -> None:  # noqa: ANN401
        owned = consumer.assignment()
        offsets = {partition: offset for partition, offset in self._durable.items() if partition in owned}
        if offsets:
            with contextlib.suppress(kafka_errors.KafkaError, TimeoutError):
                async with asyncio.timeout(_FAREWELL_S):
                    await consumer.commit(offsets)

    async def _probe(self, consumer: Any) -> None:  # noqa: ANN401
        """The client waits for a lost cluster in silence and for ever; asking for the topics does not."""
        async with asyncio.timeout(self._settings.timeout_s):
            await consumer.topics()

    async def _watch_ends(self, consumer: Any) -> None:  # noqa: ANN401
        """Look now and then where the partitions end; also while we are too far behind to read on."""
        while True:
            with contextlib.suppress(kafka_errors.KafkaError, TimeoutError):
                ends = await consumer.end_offsets(list(consumer.assignment()))
                self._ends = {partition: end for partition, end in ends.items() if partition in consumer.assignment()}
            await asyncio.sleep(self._settings.probe_s)

    async def _close(self, consumer: Any) -> None:  # noqa: ANN401
        """Commit what is durable and leave the group, within a bound: the cluster may be gone."""
        self._consumer = None
        self._drained.set()
        await self._commit(consumer)
        if not await kafka_connection.ended(consumer.stop(), _FAREWELL_S):
            # aiokafka stops its parts one after the other and leaves out the rest when one of them fails, as the
            # fetcher does when its connection broke; what is left would try to connect for ever.
            for part in (consumer._coordinator, consumer._fetcher, consumer._client):  # noqa: SLF001
                if part is not None:
                    await kafka_connection.ended(part.close(), _FAREWELL_S / 5)

    def _batch(self, consumer: Any, topic: str, records: Mapping[Any, Bodies]) -> Batch:  # noqa: ANN401
        """What was found of one topic."""
        its = {partition: found for partition, found in records.items() if partition.topic == topic}
        bodies = list(chain.from_iterable(its.values()))
        items = Alike(bodies, topic, Kind.FORECASTS if topic in self._settings.forecasts else Kind.READINGS)
        offsets = {partition: found.last.offset + 1 for partition, found in its.items()}
        since = {_name(p): str(self._at[p]) if p in self._at else "" for p in offsets}
        self._at.update(offsets)
        self._unacknowledged += len(items)
        self._drained.clear()
        if self._unacknowledged >= self._settings.unacknowledged_items:
            self._room.clear()
        positions = {_name(partition): str(offset) for partition, offset in offsets.items()}
        return Batch(self.name, items, positions, (consumer, self._division, offsets), since)

    def _connection(self) -> Any:  # noqa: ANN401
        return aiokafka.AIOKafkaConsumer(
            **kafka_connection.arguments(self._settings, self._password),
            group_id=self._group,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset=self._settings.start,
        )


_Handed = tuple[Any, int, dict[Any, int]]
"""The token of a batch: by which consumer, in which division of the group, up to which offsets."""


def _name(partition: Any) -> str:  # noqa: ANN401
    return f"{partition.topic}/{partition.partition}"


def _listener(source: KafkaSource, consumer: Any, look_up: Callable[[], Awaitable[Mapping[str, str]]]) -> Any:  # noqa: ANN401
    """Takes up each partition at its position in the store, as it is when the group has been divided.

    The group gives all partitions up and divides them anew (aiokafka knows no other protocol): what was handed out is durable
    by then, or is refused by the store because its positions have moved.
    """

    class Listener(aiokafka.ConsumerRebalanceListener):
        async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
            if revoked:
                await source.drain()

        async def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
            positions = await look_up()
            at = {partition: int(positions[_name(partition)]) for partition in assigned if _name(partition) in positions}
            for partition, offset in at.items():
                consumer.seek(partition, offset)
            source.assigned(at)

    return Listener()


def build(settings: KafkaSettings, world: World) -> Source:
    """A source for these settings; ConfigurationError when the extra or the password's variable is missing."""
    kafka_connection.installed(f"source {settings.name!r}")
    return KafkaSource(settings, settings.group or f"dispatcher-{world.county}", password(settings))


adapter = Adapter(settings=KafkaSettings, build=build)
