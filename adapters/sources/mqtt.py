"""Readings from an MQTT broker, acknowledged only after they are durable.

aiomqtt 2.x acknowledges a message as soon as it is in memory, and paho below it reads each packet with several system calls.
aiomqtt connects, subscribes and keeps the connection alive; messages are read and acknowledged by mqtt_line.py (docs/adr/0003).

The broker must be willing to have as many messages unacknowledged as ``receive_maximum`` says: with Mosquitto set
``max_inflight_messages``, whose default of 20 would make batches of 20.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Literal, cast

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions
from pydantic import Field, model_validator

from adapters import mqtt_connection
from adapters.sources.login import LoginSettings, password, tls_context
from adapters.sources.mqtt_frames import Frames, Message
from adapters.sources.mqtt_line import Line
from dispatcher.errors import SourceLost
from dispatcher.intake.codecs.choose import fits
from dispatcher.ports import Adapter, Batch, Item, Kind, Source, World

_MOST_TOPICS = 65_536


class MqttSettings(LoginSettings):
    """How to reach the broker. A stable ``client_id`` is what the broker keeps unacknowledged messages under.

    Several workers share a feed through topics like ``$share/engine/readings/#``, each with a ``client_id`` of its own.
    """

    name: str = Field(default="mqtt", description="What positions, rejects and figures of this source are filed under.")
    host: str = Field(default="127.0.0.1", description="Host of the broker.")
    port: int | None = Field(default=None, ge=1, le=65535, description="Port of the broker; default 1883, with TLS 8883.")
    client_id: str = Field(default="", max_length=128, description="Our name at the broker; default dispatcher-<county>. One per engine.")
    readings: tuple[str, ...] = Field(default=("readings/#",), description="Topics of readings; wildcards and $share/… are allowed.")
    forecasts: tuple[str, ...] = Field(default=(), description="Topics of forecasts.")
    protocol: Literal[5, "3.1.1"] = Field(default=5, description="3.1.1 for brokers that know no other, such as the embedded one.")
    qos: Literal[1, 2] = Field(
        default=1, description="Of our subscriptions. With 2 a message takes twice the packets; either way a reading counts once."
    )
    session_expiry_s: int = Field(
        default=7 * 86_400, ge=60, le=0xFFFFFFFF, description="Seconds the broker keeps our session while we are away (MQTT 5)."
    )
    keepalive_s: int = Field(default=30, ge=5, le=3600, description="Seconds of silence after which the connection is tested.")
    timeout_s: float = Field(default=10, gt=0, description="Seconds until the connection stands or a subscription is confirmed.")
    receive_maximum: int = Field(default=1000, ge=1, le=65535, description="Most messages held that are not yet acknowledged.")
    batch_items: int = Field(default=500, ge=1, description="Most messages of one commit.")
    message_bytes: int = Field(
        default=1 << 20, ge=1024, le=64 << 20, description="Longest body that is read; of a longer one the beginning is kept as a reject."
    )
    batch_wait_ms: float = Field(default=0, ge=0, le=1000, description="Milliseconds to wait for more; 0 takes what is there.")

    @model_validator(mode="after")
    def _complete(self) -> "MqttSettings":
        if not self.readings and not self.forecasts:
            raise ValueError("no topics; allowed: at least one under readings or forecasts")
        return self


def _nobody() -> None:
    """Nobody wants to know."""


class MqttSource:
    """One persistent session at one broker."""

    def __init__(self, settings: MqttSettings, client_id: str, password: str | None) -> None:
        """Opens nothing."""
        self.name = settings.name
        self._settings = settings
        self._client_id = client_id
        self._password = password
        self._port = settings.port or (8883 if settings.tls else 1883)
        self._address = f"{settings.host}:{self._port}"
        self._line: Line | None = None
        self._unacknowledged = 0
        self._room = asyncio.Event()
        self._opened: Callable[[], None] = _nobody
        self._topics: dict[bytes, tuple[str, Kind]] = {}
        self._known, self._forgotten = False, 0

    async def batches(self, positions: Mapping[str, str]) -> AsyncIterator[Batch]:
        """Yield what the broker sends; the broker itself knows the position of the session."""
        del positions
        client, line = self._connection()
        self._line, self._unacknowledged = line, 0
        self._room.set()
        try:
            async with mqtt_connection.connected(client):
                self._forgotten += self._known and not line.remembered
                await self._subscribe(client)
                self._known = True
                mqtt_connection.heed_cancellation()
                self._opened()
                while True:
                    await self._room.wait()
                    yield self._batch(await self._take(client, line), line)
        except aiomqtt.MqttError as error:
            # A broker that was killed need not know any more what it has sent: what is here is taken before anything else.
            while line.waiting:
                yield self._batch(line.take(self._settings.batch_items), line)
            raise SourceLost(f"{self.name}: MQTT broker {self._address}: {error}") from error
        finally:
            line.let_go()

    async def weaknesses(self) -> Sequence[str]:
        """That the broker has forgotten the session it had with us: it cannot be asked for its settings, but this it says."""
        if not self._forgotten:
            return ()
        what = f"the broker at {self._address} has forgotten our session {self._forgotten} times since the start, and what it held for us"
        return (f"{what}; allowed: persistence true, with autosave_on_changes true and autosave_interval 1",)

    def when_open(self, call: Callable[[], None]) -> None:
        """Called once the broker has granted the subscriptions: what is published before the first time is not for us."""
        self._opened = call

    async def ack(self, batch: Batch) -> None:
        """Acknowledge each message of the batch; those of an earlier connection come again and are left alone."""
        line, received = cast("tuple[Line, list[tuple[int, int]]]", batch.token)
        if line is not self._line:  # message ids belong to a connection: the same id is another message now
            return
        line.ack(received)
        self._unacknowledged -= len(batch.items)
        if self._unacknowledged < self._settings.receive_maximum:
            self._room.set()

    def _connection(self) -> tuple[aiomqtt.Client, Line]:
        s = self._settings
        # What aiomqtt asks with a size for its queue gets this one, for which Line takes in the messages.
        arrived: asyncio.Queue[list[Message]] = asyncio.Queue()
        client = aiomqtt.Client(
            hostname=s.host,
            port=self._port,
            identifier=self._client_id,
            username=s.username,
            password=self._password,
            keepalive=s.keepalive_s,
            timeout=s.timeout_s,
            tls_context=tls_context(s),
            queue_type=cast("type[asyncio.Queue[aiomqtt.Message]]", lambda maxsize: arrived),  # noqa: ARG005
            **self._session(),
        )
        frames = Frames(version5=s.protocol == 5, most_bytes=s.message_bytes)  # noqa: PLR2004 - a version, not a quantity
        return client, Line(client, frames, arrived, s.receive_maximum)

    def _session(self) -> dict[str, Any]:
        """What makes the broker keep the session, in the words of either protocol."""
        if self._settings.protocol != 5:  # noqa: PLR2004 - a version, not a quantity
            return {"protocol": aiomqtt.ProtocolVersion.V311, "clean_session": False}
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # as paho left it
        properties.SessionExpiryInterval = self._settings.session_expiry_s
        properties.ReceiveMaximum = self._settings.receive_maximum
        return {"protocol": aiomqtt.ProtocolVersion.V5, "clean_start": False, "properties": properties}

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        topics = (*self._settings.readings, *self._settings.forecasts)
        if self._settings.protocol == 5:  # noqa: PLR2004
            # A retained reading was read when it was new: only a new subscription gets it again.
            options = SubscribeOptions(qos=self._settings.qos, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            codes = await client.subscribe([(topic, options) for topic in topics])
        else:
            qos: int = self._settings.qos
            codes = await client.subscribe([(topic, qos) for topic in topics])
        refused = [f"{topic!r}: {code}" for topic, code in zip(topics, codes, strict=True) if getattr(code, "is_failure", False)]
        if refused:
            raise SourceLost(f"{self.name}: MQTT broker {self._address} refused to subscribe {'; '.join(refused)}")

    async def _take(self, client: aiomqtt.Client, line: Line) -> list[Message]:
        """Wait for a message, then take what is there, at most a batch."""
        if not line.left and line.arrived.empty():
            # The iterator notices a lost connection, but costs a task each time.
            line.left = cast("list[Message]", await anext(aiter(client.messages)))
            if self._settings.batch_wait_ms:
                await asyncio.sleep(self._settings.batch_wait_ms / 1000)
        return line.take(self._settings.batch_items)

    def _batch(self, messages: list[Message], line: Line) -> Batch:
        self._unacknowledged += len(messages)
        if self._unacknowledged >= self._settings.receive_maximum:
            self._room.clear()
        items = tuple(Item(body, *self._topic(topic)) for topic, body, *_ in messages)
        return Batch(self.name, items, token=(line, [(m.mid, m.qos) for m in messages if m.qos]))

    def _topic(self, topic: bytes) -> tuple[str, Kind]:
        """The topic as text and what its messages claim to be; remembered for as many topics as there may be stations."""
        found = self._topics.get(topic)
        if found is None:
            if len(self._topics) >= _MOST_TOPICS:
                self._topics.clear()
            text = topic.decode(errors="replace")
            matches = any(fits(pattern, text) for pattern in self._settings.forecasts)
            found = self._topics[topic] = (text, Kind.FORECASTS if matches else Kind.READINGS)
        return found


def build(settings: MqttSettings, world: World) -> Source:
    """A source for these settings; ConfigurationError when the password's variable is not set."""
    return MqttSource(settings, settings.client_id or f"dispatcher-{world.county}", password(settings))


adapter = Adapter(settings=MqttSettings, build=build)
