"""Readings from Kafka: a consumer group whose truth about positions is the engine's own store.

Offsets are committed to Kafka too, about once a second and only after the batch is durable: so that lag monitors see
something, and for partitions whose position this engine does not know.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from typing import Any, Literal, cast

from pydantic import Field, model_validator

from adapters.sources.login import LoginSettings, password, tls_context
from dispatcher.errors import ConfigurationError, Problem, SourceLost
from dispatcher.ports import Adapter, Batch, Item, Kind, Source, World

try:
    import aiokafka
    from aiokafka import errors as kafka_errors

    INSTALLED = True
except ImportError:  # the extra is missing: said by build, and only to those who configured Kafka
    INSTALLED = False

_COMMIT_EVERY_S = 1.0
_FAREWELL_S = 5.0


class KafkaSettings(LoginSettings):
    """How to reach the cluster. All workers of one engine share a ``group``."""

    name: str = Field(default="kafka", description="What positions, rejects and figures of this source are filed under.")
    bootstrap: tuple[str, ...] = Field(default=("127.0.0.1:9092",), min_length=1, description="Some servers of the cluster, host:port.")
    group: str = Field(default="", max_length=200, description="Consumer group; default dispatcher-<county>.")
    client_id: str = Field(default="dispatcher", description="Our name in the cluster's logs.")
    readings: tuple[str, ...] = Field(default=("readings",), description="Topics of readings.")
    forecasts: tuple[str, ...] = Field(default=(), description="Topics of forecasts.")
    start: Literal["earliest", "latest"] = Field(default="earliest", description="Where to begin in a partition nobody knows yet.")
    batch_items: int = Field(default=500, ge=1, description="Most records of one commit.")
    unacknowledged_items: int = Field(default=5000, ge=1, description="Most records held that are not yet durable here.")
    probe_s: float = Field(default=5.0, gt=0, description="After so many seconds without a record, ask whether the cluster is there.")
    timeout_s: float = Field(default=10.0, gt=0, description="Seconds until the cluster has answered.")
    sasl: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        default=None, description="How to log in; needs username and password_env."
    )

    @model_validator(mode="after")
    def _complete(self) -> "KafkaSettings":
        if not self.readings and not self.forecasts:
            raise ValueError("no topics; allowed: at least one under readings or forecasts")
        if (self.sasl is None) != (self.username is None) or (self.sasl is None) != (self.password_env is None):
            raise ValueError("sasl, username and password_env belong together; allowed: all three or none")
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
        self._durable: dict[Any, int] = {}
        self._commit_at = 0.0
        self._unacknowledged = 0
        self._room = asyncio.Event()
        self._opened: Callable[[], None] = _nobody

    async def batches(self, positions: Mapping[str, str]) -> AsyncIterator[Batch]:
        """Yield what the group's share of the partitions holds, each first taken up at its position in ``positions``."""
        consumer = self._connection()
        self._consumer, self._durable, self._unacknowledged = consumer, {}, 0
        self._room.set()
        topics = [*self._settings.readings, *self._settings.forecasts]
        consumer.subscribe(topics, listener=_listener(consumer, dict(positions)))
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                await consumer.start()
            self._opened()
            while True:
                await self._room.wait()
                records = await consumer.getmany(timeout_ms=int(self._settings.probe_s * 1000), max_records=self._settings.batch_items)
                if records:
                    yield self._batch(consumer, records)
                else:
                    await self._probe(consumer)
        except (kafka_errors.KafkaError, OSError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            raise SourceLost(f"{self.name}: Kafka at {', '.join(self._settings.bootstrap)}: {reason}") from error
        finally:
            await self._close(consumer)

    def when_open(self, call: Callable[[], None]) -> None:
        """Called once the cluster has answered and the group has let us in."""
        self._opened = call

    async def ack(self, batch: Batch) -> None:
        """Remember what is durable and tell Kafka now and then; a failure of that is no loss, the truth is elsewhere."""
        consumer, offsets = cast("tuple[Any, dict[Any, int]]", batch.token)
        if consumer is not self._consumer:
            return
        self._durable.update(offsets)
        self._unacknowledged -= len(batch.items)
        if self._unacknowledged < self._settings.unacknowledged_items:
            self._room.set()
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._commit_at:
            self._commit_at = now_s + _COMMIT_EVERY_S
            await self._commit(consumer)

    async def _commit(self, consumer: Any) -> None:  # noqa: ANN401 - aiokafka has no types
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

    async def _close(self, consumer: Any) -> None:  # noqa: ANN401
        """Commit what is durable and leave the group, within a bound: the cluster may be gone."""
        self._consumer = None
        await self._commit(consumer)
        if not await _ended(consumer.stop(), _FAREWELL_S):
            # aiokafka stops its parts one after the other and leaves out the rest when one of them fails, as the
            # fetcher does when its connection broke; what is left would try to connect for ever.
            for part in (consumer._coordinator, consumer._fetcher, consumer._client):  # noqa: SLF001
                if part is not None:
                    await _ended(part.close(), _FAREWELL_S / 5)

    def _batch(self, consumer: Any, records: Mapping[Any, list[Any]]) -> Batch:  # noqa: ANN401
        forecasts = frozenset(self._settings.forecasts)
        items = tuple(
            Item(record.value or b"", partition.topic, Kind.FORECASTS if partition.topic in forecasts else Kind.READINGS)
            for partition, found in records.items()
            for record in found
        )
        offsets = {partition: found[-1].offset + 1 for partition, found in records.items()}
        self._unacknowledged += len(items)
        if self._unacknowledged >= self._settings.unacknowledged_items:
            self._room.clear()
        positions = {f"{partition.topic}/{partition.partition}": str(offset) for partition, offset in offsets.items()}
        return Batch(self.name, items, positions, (consumer, offsets))

    def _connection(self) -> Any:  # noqa: ANN401
        s = self._settings
        return aiokafka.AIOKafkaConsumer(
            bootstrap_servers=list(s.bootstrap),
            client_id=s.client_id,
            group_id=self._group,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset=s.start,
            request_timeout_ms=int(s.timeout_s * 1000),
            security_protocol=f"{'SASL_' if s.sasl else ''}{'SSL' if s.tls else 'PLAINTEXT'}",
            ssl_context=tls_context(s),
            sasl_mechanism=s.sasl or "PLAIN",
            sasl_plain_username=s.username,
            sasl_plain_password=self._password,
        )


async def _ended(closing: Coroutine[Any, Any, None], within_s: float) -> bool:
    """Whether it ended well within the bound. In a task of its own, because aiokafka lets its own cancellations out."""
    task = asyncio.ensure_future(closing)
    await asyncio.wait([task], timeout=within_s)
    if not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=within_s)
        return False
    return not task.cancelled() and task.exception() is None


def _listener(consumer: Any, positions: dict[str, str]) -> Any:  # noqa: ANN401
    """Takes up each partition at its durable position the first time it is given to this consumer.

    When a partition comes back after another worker had it, the position known here is old; what the group committed
    is newer and never ahead of what is durable.
    """

    class Listener(aiokafka.ConsumerRebalanceListener):
        async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
            """Nothing is held back here that would have to be written."""

        async def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
            for partition in assigned:
                position = positions.pop(f"{partition.topic}/{partition.partition}", None)
                if position is not None:
                    consumer.seek(partition, int(position))

    return Listener()


def build(settings: KafkaSettings, world: World) -> Source:
    """A source for these settings; ConfigurationError when the extra or the password's variable is missing."""
    if not INSTALLED:
        what = f"source {settings.name!r}: Kafka needs a package that is not installed; allowed: pip install 'dispatcher[kafka]'"
        raise ConfigurationError([Problem("environment", what)])
    return KafkaSource(settings, settings.group or f"dispatcher-{world.county}", password(settings))


adapter = Adapter(settings=KafkaSettings, build=build)
