"""Readings from an MQTT broker, acknowledged only after they are durable.

aiomqtt 2.x acknowledges a message as soon as it is in memory. The paho client below it can be told not to; the touch
of what aiomqtt keeps private is in ``_Line`` and nowhere else (docs/adr/0003).

The broker must be willing to have as many messages unacknowledged as ``receive_maximum`` says: with Mosquitto set
``max_inflight_messages``, whose default of 20 would make batches of 20.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from functools import lru_cache
from typing import Any, Literal, cast

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions
from pydantic import Field, model_validator

from adapters import mqtt_connection
from adapters.sources.login import LoginSettings, password, tls_context
from dispatcher.errors import SourceLost
from dispatcher.ports import Adapter, Batch, Item, Kind, Source, World


class MqttSettings(LoginSettings):
    """How to reach the broker. A stable ``client_id`` is what the broker keeps unacknowledged messages under.

    Subscriptions are of QoS 1 whatever the publisher uses: with QoS 2 the broker would count a message as received
    before it is durable here. Several workers share a feed through topics like ``$share/engine/readings/#``.
    """

    name: str = Field(default="mqtt", description="What positions, rejects and figures of this source are filed under.")
    host: str = Field(default="127.0.0.1", description="Host of the broker.")
    port: int | None = Field(default=None, ge=1, le=65535, description="Port of the broker; default 1883, with TLS 8883.")
    client_id: str = Field(default="", max_length=128, description="Our name at the broker; default dispatcher-<county>. One per engine.")
    readings: tuple[str, ...] = Field(default=("readings/#",), description="Topics of readings; wildcards and $share/… are allowed.")
    forecasts: tuple[str, ...] = Field(default=(), description="Topics of forecasts.")
    protocol: Literal[5, "3.1.1"] = Field(default=5, description="3.1.1 for brokers that know no other, such as the embedded one.")
    session_expiry_s: int = Field(
        default=7 * 86_400, ge=60, le=0xFFFFFFFF, description="Seconds the broker keeps our session while we are away (MQTT 5)."
    )
    keepalive_s: int = Field(default=30, ge=5, le=3600, description="Seconds of silence after which the connection is tested.")
    timeout_s: float = Field(default=10, gt=0, description="Seconds until the connection stands or a subscription is confirmed.")
    receive_maximum: int = Field(default=1000, ge=1, le=65535, description="Most messages held that are not yet acknowledged.")
    batch_items: int = Field(default=500, ge=1, description="Most messages of one commit.")
    batch_wait_ms: float = Field(default=0, ge=0, le=1000, description="Milliseconds to wait for more; 0 takes what is there.")

    @model_validator(mode="after")
    def _complete(self) -> "MqttSettings":
        if not self.readings and not self.forecasts:
            raise ValueError("no topics; allowed: at least one under readings or forecasts")
        return self


class _Inbox(asyncio.Queue[aiomqtt.Message]):
    """Never refuses, so aiomqtt never discards; tells the line that something came in."""

    def __init__(self) -> None:
        super().__init__()
        self.line: _Line | None = None

    def put_nowait(self, item: aiomqtt.Message) -> None:
        """Take the message and have the line look whether there are too many."""
        super().put_nowait(item)
        if self.line is not None:
            self.line.filled()


class _Line:
    """One connection, seen below aiomqtt: acknowledges by hand, and stops reading when too much is held."""

    def __init__(self, client: aiomqtt.Client, inbox: _Inbox, most: int) -> None:
        """Must be made before the client connects."""
        self._paho = client._client  # noqa: SLF001 - the one touch; tests/sources/test_mqtt.py fails when it breaks
        self._paho.manual_ack_set(on=True)
        self._most = most
        self._held = False
        self.inbox = inbox
        inbox.line = self

    def ack(self, mid: int, qos: int) -> None:
        """Tell the broker; without a connection it does nothing, and the broker will send the message again."""
        self._paho.ack(mid, qos)

    def filled(self) -> None:
        """Stop reading the socket when more is held than allowed; TCP then holds the broker back.

        Only messages the broker need not wait for an acknowledgement of get this far: QoS 0, or those of a broker
        without a limit under MQTT 3.1.1.
        """
        sock = self._paho.socket()
        if not self._held and sock is not None and self.inbox.qsize() > self._most:
            self._held = True
            asyncio.get_running_loop().remove_reader(sock)

    def emptied(self) -> None:
        """Read on when there is room again."""
        if self._held and self.inbox.qsize() <= self._most // 2:
            self._held = False
            sock = self._paho.socket()
            if sock is not None:
                asyncio.get_running_loop().add_reader(sock, self._read)
                self._read()

    def _read(self) -> None:
        """What aiomqtt does when its socket can be read: TLS may hold decoded bytes that no selector sees."""
        while not self._held:
            self._paho.loop_read()
            sock = self._paho.socket()
            if not (isinstance(sock, ssl.SSLSocket) and sock.pending()):
                return


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
        self._line: _Line | None = None
        self._unacknowledged = 0
        self._room = asyncio.Event()
        self._opened: Callable[[], None] = _nobody
        self._kind = lru_cache(maxsize=65_536)(self._kind_of)

    async def batches(self, positions: Mapping[str, str]) -> AsyncIterator[Batch]:
        """Yield what the broker sends; the broker itself knows the position of the session."""
        del positions
        client, line = self._connection()
        self._line, self._unacknowledged = line, 0
        self._room.set()
        try:
            async with mqtt_connection.connected(client):
                await self._subscribe(client)
                mqtt_connection.heed_cancellation()
                self._opened()
                while True:
                    await self._room.wait()
                    yield self._batch(await self._take(client, line), line)
        except aiomqtt.MqttError as error:
            raise SourceLost(f"{self.name}: MQTT broker {self._address}: {error}") from error

    def when_open(self, call: Callable[[], None]) -> None:
        """Called once the broker has granted the subscriptions: what is published before the first time is not for us."""
        self._opened = call

    async def ack(self, batch: Batch) -> None:
        """Acknowledge each message of the batch; those of an earlier connection come again and are left alone."""
        line, mids = cast("tuple[_Line, tuple[tuple[int, int], ...]]", batch.token)
        if line is not self._line:  # message ids belong to a connection: the same id is another message now
            return
        for mid, qos in mids:
            line.ack(mid, qos)
        self._unacknowledged -= len(batch.items)
        if self._unacknowledged < self._settings.receive_maximum:
            self._room.set()

    def _connection(self) -> tuple[aiomqtt.Client, _Line]:
        s, inbox = self._settings, _Inbox()
        client = aiomqtt.Client(
            hostname=s.host,
            port=self._port,
            identifier=self._client_id,
            username=s.username,
            password=self._password,
            keepalive=s.keepalive_s,
            timeout=s.timeout_s,
            tls_context=tls_context(s),
            # It asks for its queue by calling this with a size; ours is already there.
            queue_type=cast("type[asyncio.Queue[aiomqtt.Message]]", lambda maxsize: inbox),  # noqa: ARG005
            **self._session(),
        )
        return client, _Line(client, inbox, s.receive_maximum)

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
            options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            codes = await client.subscribe([(topic, options) for topic in topics])
        else:
            codes = await client.subscribe([(topic, 1) for topic in topics])
        refused = [f"{topic!r}: {code}" for topic, code in zip(topics, codes, strict=True) if getattr(code, "is_failure", False)]
        if refused:
            raise SourceLost(f"{self.name}: MQTT broker {self._address} refused to subscribe {'; '.join(refused)}")

    async def _take(self, client: aiomqtt.Client, line: _Line) -> list[aiomqtt.Message]:
        """Wait for a message, then take what is there."""
        inbox, most = line.inbox, self._settings.batch_items
        # The iterator notices a lost connection, but costs a task for each message.
        taken = [await anext(aiter(client.messages)) if inbox.empty() else inbox.get_nowait()]
        if self._settings.batch_wait_ms and inbox.qsize() + 1 < most:
            await asyncio.sleep(self._settings.batch_wait_ms / 1000)
        while len(taken) < most and not inbox.empty():
            taken.append(inbox.get_nowait())
        line.emptied()
        return taken

    def _batch(self, messages: list[aiomqtt.Message], line: _Line) -> Batch:
        self._unacknowledged += len(messages)
        if self._unacknowledged >= self._settings.receive_maximum:
            self._room.clear()
        items = tuple(Item(m.payload, m.topic.value, self._kind(m.topic.value)) for m in messages)
        return Batch(self.name, items, token=(line, tuple((m.mid, m.qos) for m in messages if m.qos)))

    def _kind_of(self, topic: str) -> Kind:
        matches = any(aiomqtt.Topic(topic).matches(pattern) for pattern in self._settings.forecasts)
        return Kind.FORECASTS if matches else Kind.READINGS


def build(settings: MqttSettings, world: World) -> Source:
    """A source for these settings; ConfigurationError when the password's variable is not set."""
    return MqttSource(settings, settings.client_id or f"dispatcher-{world.county}", password(settings))


adapter = Adapter(settings=MqttSettings, build=build)
