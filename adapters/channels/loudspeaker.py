"""Loudspeakers over MQTT: commands out, their reports and the keys of their terminals back, over one connection kept open."""

import asyncio
import json
import logging
import os
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, cast

import aiomqtt
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from pydantic import BaseModel, ConfigDict, Field

from adapters import mqtt_connection
from adapters.sources.mqtt_frames import Frames
from adapters.sources.mqtt_frames import Message as Said
from adapters.sources.mqtt_line import Line
from dispatcher.errors import ConfigurationError, PermanentFailure, Problem, SourceLost, TooLate, TransientFailure, UnknownOutcome
from dispatcher.ports import Adapter, DeliveryState, Heard, Message, Receipt, Reply, Status, World

STATUS_TOPICS: Final = ("speakers/+/status", "drill/speakers/+/status")
KEY_TOPICS: Final = ("speakers/+/{}", "drill/speakers/+/{}")
LONGEST_ID: Final = 100
SESSION_KEPT_S: Final = 86_400
_AT_ONCE: Final = 50
_MOST_HELD: Final = 5_000
_LONGEST_REPORT: Final = 65_536
REPORTED: Final[Mapping[str, DeliveryState]] = {
    "queued": DeliveryState.ACCEPTED,
    "playing": DeliveryState.SENT,
    "played": DeliveryState.DELIVERED,
    "failed": DeliveryState.UNDELIVERED,
    "offline": DeliveryState.UNDELIVERED,
}


class LoudspeakerSettings(BaseModel):
    """The broker of the speakers. The password is named here and read from the environment."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(default="127.0.0.1", description="Host of the broker.")
    port: int = Field(default=1883, ge=1, le=65_535, description="Port of the broker.")
    client_id: str = Field(default="", description="Our name at the broker; default: speakers-<county>, then -<worker> if named.")
    username: str | None = Field(default=None, description="User at the broker.")
    password_env: str | None = Field(default=None, description="Environment variable that holds the password.")
    tls: bool = Field(default=False, description="Speak TLS and check the broker's certificate.")
    ca_file: Path | None = Field(default=None, description="Certificates to trust instead of the system's.")
    protocol: Literal[5, "3.1.1"] = Field(default=5, description="3.1.1 for brokers that know no other; then without message expiry.")
    keys: dict[str, Literal["received", "evacuating", "evacuated", "help", "refused"]] = Field(
        default={"1": "received", "2": "evacuating", "3": "evacuated", "9": "help"},
        description="Keys of the terminals to what they say; empty: keys are not listened to.",
    )
    key_topic: Annotated[str, Field(pattern=r"^[^/+#]+$")] = Field(
        default="key", description="Last part of the topic on which a terminal tells of a key: speakers/<id>/<key_topic>."
    )
    report_within_s: float = Field(
        default=30, gt=0, description="Seconds in which a speaker must report on a command the broker took; else it is sent again."
    )
    timeout_s: float = Field(default=5, gt=0, description="Seconds until the connection stands or a command is acknowledged.")


class Loudspeaker:
    """Channel ``loudspeaker``; an address is the id of a speaker. ``heard`` holds the connection that ``send`` uses."""

    name = "loudspeaker"

    def __init__(self, settings: LoudspeakerSettings, world: World, password: str | None) -> None:
        """Opens nothing."""
        self._settings = settings
        self._world = world
        self._password = password
        self._client: aiomqtt.Client | None = None
        self._connected = asyncio.Event()
        self._expiry: tuple[int, Properties | None] = (0, None)
        self.report_within = timedelta(seconds=settings.report_within_s)

    async def send(self, message: Message) -> Receipt:
        """Publish one command; accepted means that the broker has it. A speaker plays one id once, so that sending again is safe.

        Needs ``heard`` to be running; waits for its connection up to ``timeout_s``.
        """
        if not message.address or set(message.address) & set("/+#"):
            raise PermanentFailure("bad-address", "the id of a speaker must not be empty nor contain / + #")
        left_s = int((message.expires_at - self._world.clock.now()).total_seconds())
        if left_s < 1:
            raise TooLate
        client = await self._connection()
        try:
            topic = f"{_root(message.status)}/{message.address}/command"
            await client.publish(topic, _command(message), qos=1, retain=False, properties=self._expiring(left_s))
        except aiomqtt.MqttCodeError:
            raise TransientFailure("not-connected", "the connection to the broker broke before the command left") from None
        except (aiomqtt.MqttError, ValueError):
            raise UnknownOutcome("no-answer", "the command left and the broker did not acknowledge it") from None
        return Receipt(delivery=message.delivery, state=DeliveryState.ACCEPTED, reference=message.delivery)

    async def heard(self) -> AsyncIterator[Heard]:
        """Connect and yield what the speakers report; SourceLost when the connection cannot be had or breaks."""
        client, line = self._connect()
        try:
            async with mqtt_connection.connected(client):
                topics = self._topics()
                granted = [code for topic in topics for code in await client.subscribe(topic, qos=1)]
                mqtt_connection.heed_cancellation()
                if any(getattr(code, "value", code) not in (0, 1, 2) for code in granted):
                    raise SourceLost(f"the broker of the speakers does not let us subscribe to {' and '.join(topics)}")
                self._client = client
                self._connected.set()
                while True:
                    came = await _came(client, line)
                    for heard in self._read(came):
                        yield heard
                    line.ack([(one.mid, one.qos) for one in came if one.qos])
        except aiomqtt.MqttError as error:
            for heard in self._read(line.take(_MOST_HELD)):  # a broker that was killed need not know it any more
                yield heard
            raise SourceLost(f"the broker of the speakers at {self._settings.host}:{self._settings.port}: {error}") from error
        finally:
            line.let_go()
            self._connected.clear()
            self._client = None

    async def close(self) -> None:
        """Forget the connection; it closes when ``heard`` is closed."""
        self._connected.clear()
        self._client = None

    def _topics(self) -> tuple[str, ...]:
        keys = tuple(topic.format(self._settings.key_topic) for topic in KEY_TOPICS) if self._settings.keys else ()
        return STATUS_TOPICS + keys

    def _read(self, came: Sequence[Said]) -> Iterator[Heard]:
        """Reports and keys; what a broker kept from earlier is no key that somebody presses now."""
        named = [(one.topic.decode(errors="replace"), one) for one in came]
        receipts = [_receipt(topic, one.body) for topic, one in named if topic.endswith("/status")]
        if any(receipts):
            yield Heard(receipts=tuple(filter(None, receipts)))
        pressed = [_pressed(topic, one.body, self._settings.keys) for topic, one in named if not one.kept and not topic.endswith("/status")]
        if any(pressed):
            yield Heard(replies=tuple(filter(None, pressed)), once=True)

    async def _connection(self) -> aiomqtt.Client:
        try:
            await asyncio.wait_for(self._connected.wait(), self._settings.timeout_s)
        except TimeoutError:
            raise TransientFailure("not-connected", "no connection to the broker of the speakers") from None
        if self._client is None:
            raise TransientFailure("not-connected", "the connection to the broker of the speakers was closed")
        return self._client

    def _connect(self) -> tuple[aiomqtt.Client, Line]:
        """A connection whose reports are read below aiomqtt (docs/adr/0003): thousands come at once, and its way takes half of all time."""
        arrived: asyncio.Queue[list[Said]] = asyncio.Queue()
        five = self._settings.protocol != "3.1.1"
        session = None
        if five:
            session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            session.SessionExpiryInterval = SESSION_KEPT_S
        client = aiomqtt.Client(
            self._settings.host,
            self._settings.port,
            identifier=self._settings.client_id or "-".join(filter(None, ("speakers", self._world.county, self._world.worker))),
            username=self._settings.username,
            password=self._password,
            protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
            clean_session=None if five else False,
            clean_start=False if five else MQTT_CLEAN_START_FIRST_ONLY,  # what the speakers say while we are away waits for us
            properties=session,
            tls_context=ssl.create_default_context(cafile=self._settings.ca_file) if self._settings.tls else None,
            timeout=self._settings.timeout_s,
            max_inflight_messages=1000,
            logger=logging.Logger("speakers", logging.ERROR),  # noqa: LOG001  # its warnings count pending calls, which we do ourselves
            queue_type=cast("type[asyncio.Queue[aiomqtt.Message]]", lambda maxsize: arrived),  # noqa: ARG005
        )
        return client, Line(client, Frames(version5=five, most_bytes=_LONGEST_REPORT), arrived, _MOST_HELD)

    def _expiring(self, left_s: int) -> Properties | None:
        """The same object for all commands that expire together: to make one takes longer than to send a command."""
        if self._settings.protocol == "3.1.1":
            return None
        if self._expiry[0] == left_s:
            return self._expiry[1]
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = left_s
        self._expiry = left_s, properties
        return properties


def _root(status: Status) -> str:
    """Exercises have topics of their own: a speaker that does not listen there cannot play one by mistake."""
    return "speakers" if status is Status.ACTUAL else "drill/speakers"


def _command(message: Message) -> str:
    command = {
        "id": message.delivery,
        "status": message.status,
        "grade": message.grade.word,
        "text": message.text,
        "language": message.language,
        "times": message.times,
        "expires": message.expires_at.isoformat(),
    }
    return json.dumps(command, ensure_ascii=False)


async def _came(client: aiomqtt.Client, line: Line) -> list[Said]:
    """What has come, at most so much; waits for the next when there is nothing."""
    if not line.left and line.arrived.empty():
        line.left = cast("list[Said]", await anext(aiter(client.messages)))
    return line.take(_AT_ONCE)


def _receipt(topic: str, payload: bytes) -> Receipt | None:
    """A report, read; None for what is not one: a foreign program on our topic must not stop the others."""
    try:
        found = json.loads(payload)
        state = REPORTED[found["state"]]
        at = datetime.fromisoformat(found["at"]) if found.get("at") else None
        told = f"played {found.get('played', 0)} of {found.get('of', '?')}"
        reason = ": ".join(part for part in (told, str(found.get("reason") or "")) if part)
        delivery = str(found["id"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    code = found["state"] if state is DeliveryState.UNDELIVERED else ""
    return Receipt(
        delivery=delivery, state=state, reference=topic.split("/")[-2], code=code, reason=reason, at=at if at and at.tzinfo else None
    )


def _pressed(topic: str, payload: bytes, keys: Mapping[str, str]) -> Reply | None:
    """A key, read; the speaker is that of the topic, whatever else is said. None for what is not one, or cannot be told from its repeat."""
    *_, speaker, _ = topic.split("/")
    try:
        found = json.loads(payload)
        said = keys[str(found["key"])]
        at = datetime.fromisoformat(found["at"]) if found.get("at") else None
        named = str(found.get("id") or found["at"])[:LONGEST_ID]
        command = str(found.get("command") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if str(found.get("speaker") or speaker) != speaker:
        return None
    return Reply(
        channel="loudspeaker",
        address=speaker,
        text=said,
        reference=f"{speaker}/{named}",
        delivery=command,
        at=at if at and at.tzinfo else None,
        status=Status.EXERCISE if topic.startswith("drill/") else None,
    )


def connect(settings: LoudspeakerSettings, world: World, environment: Mapping[str, str] = os.environ) -> Loudspeaker:
    """The channel, with its password from the environment; opens nothing."""
    password = environment.get(settings.password_env) if settings.password_env else None
    if settings.password_env and password is None:
        raise ConfigurationError([Problem("environment", f"{settings.password_env} is not set; the loudspeaker channel names it")])
    return Loudspeaker(settings, world, password)


adapter = Adapter(settings=LoudspeakerSettings, build=connect)
