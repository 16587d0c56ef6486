"""The sensors: they send each reading when its time has come, insist until somebody has taken it, and write down who did and when.

What they wrote down is the publishers' own ledger: readings that were accepted, by id.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import aiomqtt
import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.faults.storm import Route, Sent

ANSWER_S = 3.0
PAUSE_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Where the readings go. ``headers`` are those of an API token."""

    mqtt_port: int
    bootstrap: str
    topic: str
    url: str
    headers: dict[str, str]


@dataclass
class Publisher:
    """Runs in a thread of its own; ``accepted`` grows while it does. ``due`` gives the wall seconds until a reading is due."""

    doors: Doors
    readings: Sequence[Sent]
    due: Callable[[Sent], float]
    accepted: dict[str, Route] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    failure: BaseException | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    def done(self) -> bool:
        """Whether everything was accepted; raises what broke it."""
        if self.failure is not None:
            raise self.failure
        return not self._thread.is_alive()

    def stop(self) -> None:
        self.stopping.set()
        if hasattr(self, "_thread"):
            self._thread.join(30)

    def _run(self) -> None:
        try:
            asyncio.run(self._all())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that asks
            self.failure = error

    async def _all(self) -> None:
        def of(route: Route) -> list[Sent]:
            return [one for one in self.readings if one.route is route]

        await asyncio.gather(self._by_mqtt(of(Route.MQTT)), self._by_kafka(of(Route.KAFKA)), self._by_http(of(Route.HTTP)))

    async def _until_due(self, one: Sent) -> bool:
        """False when the run is being stopped."""
        while (wait_s := self.due(one)) > 0:
            if self.stopping.is_set():
                return False
            await asyncio.sleep(min(PAUSE_S, wait_s))
        return not self.stopping.is_set()

    async def _by_mqtt(self, readings: list[Sent]) -> None:
        """QoS 1: accepted once the broker has acknowledged. Retained, so that Mosquitto writes it down at once (docs/deployment.md)."""
        left = list(readings)
        while left and not self.stopping.is_set():
            with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
                async with aiomqtt.Client("127.0.0.1", self.doors.mqtt_port, identifier="sensors", timeout=ANSWER_S) as client:
                    while left and await self._until_due(left[0]):
                        await client.publish(f"readings/{left[0].station}/{left[0].id}", left[0].body, qos=1, retain=True, timeout=ANSWER_S)
                        self.accepted[left.pop(0).id] = Route.MQTT
            await asyncio.sleep(PAUSE_S)

    async def _by_kafka(self, readings: list[Sent]) -> None:
        """Accepted once all replicas have it (there is one)."""
        left = list(readings)
        while left and not self.stopping.is_set():
            producer = AIOKafkaProducer(bootstrap_servers=self.doors.bootstrap, acks="all", request_timeout_ms=int(ANSWER_S * 1000))
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                try:
                    await asyncio.wait_for(producer.start(), ANSWER_S)
                    while left and await self._until_due(left[0]):
                        one = left[0]
                        await asyncio.wait_for(producer.send_and_wait(self.doors.topic, one.body, key=one.station.encode()), 2 * ANSWER_S)
                        self.accepted[left.pop(0).id] = Route.KAFKA
                finally:
                    with contextlib.suppress(KafkaError, OSError, TimeoutError):
                        await asyncio.wait_for(producer.stop(), ANSWER_S)
            await asyncio.sleep(PAUSE_S)

    async def _by_http(self, readings: list[Sent]) -> None:
        """One POST for what is due together; accepted once answered 202."""
        async with httpx.AsyncClient(headers=self.doors.headers, timeout=ANSWER_S * 5) as client:
            for _, group in groupby(readings, key=lambda one: one.at):
                together = list(group)
                if not await self._until_due(together[0]):
                    return
                body = b"\n".join(one.body for one in together)
                while not await _posted(client, f"{self.doors.url}/api/v1/readings", body):
                    await asyncio.sleep(PAUSE_S)
                    if self.stopping.is_set():
                        return
                self.accepted.update(dict.fromkeys((one.id for one in together), Route.HTTP))


async def _posted(client: httpx.AsyncClient, url: str, body: bytes) -> bool:
    try:
        answer = await client.post(url, content=body)
    except httpx.TransportError:
        return False
    if answer.status_code in {429, 500, 503}:
        return False
    answer.raise_for_status()
    return True
