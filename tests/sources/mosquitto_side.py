"""The side of a Mosquitto in tests of the MQTT source: a topic and a session of one's own."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiomqtt
import pytest

from adapters.sources.mqtt import MqttSettings, adapter
from dispatcher.clock import ManualClock
from dispatcher.ports import Batch, Source, World
from dispatcher.testing.sources import aclose
from tests.services.mosquitto import Mosquitto

WORLD = World(clock=ManualClock(datetime(2026, 7, 20, tzinfo=UTC)), county="990121", public_url="http://127.0.0.1")


class MosquittoSide:
    """A topic and a session of their own at the common broker."""

    def __init__(self, broker: Mosquitto, **settings: object) -> None:
        self.broker = broker
        self.mark = uuid.uuid4().hex[:8]
        self.settings = MqttSettings.model_validate(
            {
                "host": broker.host,
                "port": broker.port,
                "client_id": f"engine-{self.mark}",
                "readings": (f"readings/{self.mark}/#",),
                "timeout_s": 5,
                **settings,
            }
        )

    def source(self) -> Source:
        return adapter.build(self.settings, WORLD)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[tuple[Source, AsyncIterator[Batch]]]:
        source = self.source()
        stream = source.batches({})
        try:
            yield source, stream
        finally:
            await aclose(stream)

    async def introduce(self) -> None:
        """Make the session: open the source until it waits for messages."""
        async with self.opened() as (_, stream):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 0.5)

    async def publish(self, bodies: Sequence[bytes], key: str = "a", qos: int = 1) -> None:
        async with aiomqtt.Client(self.broker.host, self.broker.port, timeout=30) as client:
            for body in bodies:
                await client.publish(f"readings/{self.mark}/{key}", body, qos=qos)

    async def break_off(self) -> None:
        # Stopped, not killed: what Mosquitto loses in a power cut is its own loss and not the subject here.
        await asyncio.to_thread(self.broker.stop)

    async def mend(self) -> None:
        await asyncio.to_thread(self.broker.start)


async def bodies(stream: AsyncIterator[Batch], count: int) -> list[bytes]:
    got: list[bytes] = []
    while len(got) < count:
        got.extend(item.body for item in (await asyncio.wait_for(anext(stream), 10)).items)
    return got
