"""Changes and rejects to Kafka topics: an idempotent producer that waits until all replicas have them."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from pydantic import Field, model_validator

from adapters import kafka_connection
from adapters.kafka_connection import KafkaConnection
from adapters.sources.login import password
from dispatcher.errors import OutletFailed
from dispatcher.ports import Adapter, Outgoing, Outlet, Status, Stream, World

with contextlib.suppress(ImportError):  # the extra is missing: said by build, and only to those who configured Kafka
    import aiokafka
    from aiokafka import errors as kafka_errors

_FAREWELL_S = 1.0


class KafkaOutletSettings(KafkaConnection):
    """The cluster and its topics; an empty topic publishes nothing."""

    name: str = Field(default="kafka", description="What is said of this outlet in messages.")
    changes: str = Field(default="warnings", description="Topic of released changes of grade, keyed by village.")
    exercises: str = Field(default="", description="Topic of the same in exercises, which never go to the topic of real ones.")
    rejects: str = Field(default="readings.rejected", description="Topic of what could not be used, with the reason in headers.")

    @model_validator(mode="after")
    def _some_topic(self) -> "KafkaOutletSettings":
        if not (self.changes or self.exercises or self.rejects):
            raise ValueError("no topics; allowed: at least one of changes, exercises, rejects")
        if self.exercises and self.exercises == self.changes:
            raise ValueError("exercises go to a topic of their own; allowed: another name than that of changes")
        return self


class KafkaOutlet:
    """Connects when there is something to publish, and again after a failure."""

    def __init__(self, settings: KafkaOutletSettings, secret: str | None) -> None:
        """Opens nothing."""
        self.name = settings.name
        self._settings = settings
        self._secret = secret
        self._producer: Any = None
        changes = (Stream.CHANGES,) if settings.changes or settings.exercises else ()
        self.streams: tuple[Stream, ...] = (*changes, *((Stream.REJECTS,) if settings.rejects else ()))

    async def publish(self, stream: Stream, records: Sequence[Outgoing]) -> None:
        """Every record in its topic, in order within a key; returns when all replicas in sync have them."""
        try:
            async with asyncio.timeout(self._settings.timeout_s * 2):
                producer = await self._connected()
                sent = [await self._send(producer, topic, r) for r in records if (topic := self._topic(stream, r))]
                for one in sent:
                    await one
        except (kafka_errors.KafkaError, OSError, TimeoutError) as error:
            await self.close()
            reason = str(error) or type(error).__name__
            raise OutletFailed(f"{self.name}: Kafka at {', '.join(self._settings.bootstrap)}: {reason}") from error

    async def close(self) -> None:
        """Let go of the connection; what was not acknowledged is published again."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stopped(producer)

    def _topic(self, stream: Stream, record: Outgoing) -> str:
        if stream is Stream.REJECTS:
            return self._settings.rejects
        return self._settings.changes if record.status is Status.ACTUAL else self._settings.exercises

    async def _send(self, producer: Any, topic: str, record: Outgoing) -> Any:  # noqa: ANN401 - aiokafka has no types
        headers = [(name, value.encode()) for name, value in record.headers]
        return await producer.send(topic, record.body, key=record.key.encode(), headers=headers)

    async def _connected(self) -> Any:  # noqa: ANN401
        if self._producer is None:
            producer = aiokafka.AIOKafkaProducer(
                **kafka_connection.arguments(self._settings, self._secret),
                acks="all",
                enable_idempotence=True,  # what is sent again after a lost answer is stored once, and in order
                max_request_size=2 << 20,  # a reject may be as large as the largest body
            )
            try:
                await producer.start()
            except BaseException:
                await _stopped(producer)
                raise
            self._producer = producer
        return self._producer


async def _stopped(producer: Any) -> None:  # noqa: ANN401
    """Stop it within a bound: it would wait for ever for a cluster that is gone, and keep its connections."""
    if not await kafka_connection.ended(producer.stop(), _FAREWELL_S):
        for part in (producer._sender, producer.client):  # noqa: SLF001 - what stop leaves out when it is cut short
            await kafka_connection.ended(part.close(), _FAREWELL_S)


def build(settings: KafkaOutletSettings, world: World) -> Outlet:
    """An outlet for these settings; ConfigurationError when the extra or the password's variable is missing."""
    del world
    kafka_connection.installed(f"outlet {settings.name!r}")
    return KafkaOutlet(settings, password(settings))


adapter = Adapter(settings=KafkaOutletSettings, build=build)
