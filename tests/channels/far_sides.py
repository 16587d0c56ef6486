"""The far sides of both channels: a running town, and the engine's ears towards it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from adapters.channels import loudspeaker, twilio_sms, twilio_voice
from dispatcher.clock import SystemClock
from dispatcher.errors import SourceLost, TransientFailure
from dispatcher.ports import Awaited, Heard, HookRequest, Message, Receipt, Status, World
from rules.grade import Grade
from simulators.ledger import Kind
from tests.services.mosquitto import Mosquitto
from tests.simulators.towns import ACCOUNT, PHONE, SENDER, TOKEN, Call, Hooks, RunningTown, StartTown, until

TEXT = "河口村立即转移到河口小学！"


def message(delivery: str, address: str, *, minutes: float = 30) -> Message:
    """A red text, told apart from others by the delivery in it."""
    return Message(
        delivery=delivery,
        address=address,
        text=f"{TEXT}({delivery})",
        language="zh",
        grade=Grade.RED,
        status=Status.ACTUAL,
        expires_at=datetime.now(UTC) + timedelta(minutes=minutes),
    )


def world(public_url: str = "http://127.0.0.1:1") -> World:
    return World(clock=SystemClock(), county="990299", public_url=public_url)


def request_of(call: Call, public_url: str) -> HookRequest:
    """A call as the engine's web part hands it over."""
    hook = urlsplit(call.path).path.rpartition("/")[2]
    return HookRequest(hook=hook, url=f"{public_url}{call.path}", headers=call.headers, form=call.form)


def twilio(town_url: str, public_url: str, **more: object) -> twilio_sms.TwilioSms:
    """The SMS channel of a town, with secrets from a made-up environment."""
    settings = twilio_sms.TwilioSettings.model_validate({"sender": SENDER, "base_url": town_url} | more)
    environment = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_AUTH_TOKEN_2": "the-next-token"}
    return twilio_sms.connect(settings, world(public_url), environment)


@dataclass
class SmsSide:
    """A town's phone network."""

    town: RunningTown
    hooks: Hooks
    start: StartTown
    sms: twilio_sms.TwilioSms
    secrets: Sequence[str] = (ACCOUNT, TOKEN)

    def channel(self) -> twilio_sms.TwilioSms:
        return self.sms

    def message(self, delivery: str) -> Message:
        return message(delivery, PHONE["silent"])

    def hopeless(self, delivery: str) -> Message:
        return message(delivery, "12345")

    def arrived(self, delivery: str) -> int:
        return sum(entry.delivery == delivery for entry in self.town.entries(Kind.SMS_ACCEPTED))

    def arrived_as_exercise(self, delivery: str) -> bool:
        return any(e.delivery == delivery and e.body.startswith("【演练】") for e in self.town.entries(Kind.SMS_ACCEPTED))

    def reported(self, delivery: str) -> Sequence[Receipt]:
        heard = [self.sms.hear(request_of(call, self.hooks.url)) for call in self.hooks.at("/hooks/sms/status")]
        return [receipt for report in heard for receipt in report.receipts if receipt.delivery == delivery]

    async def break_off(self) -> None:
        await asyncio.to_thread(self.town.stop)

    async def mend(self) -> None:
        self.town = await self.start("--port", str(self.town.ready["port"]))


@dataclass
class PolledSide(SmsSide):
    """A town's phone network that calls nobody: it is asked, as the engine does, what became of what it took."""

    awaited: dict[str, Awaited] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list)

    def channel(self) -> Any:  # noqa: ANN401 - the channel, with a note taken of what it sent
        return Noting(self)

    def arrived(self, delivery: str) -> int:
        return sum(f"({delivery})" in entry.body for entry in self.town.entries(Kind.SMS_ACCEPTED))

    def arrived_as_exercise(self, delivery: str) -> bool:
        return any(f"({delivery})" in e.body and e.body.startswith("【演练】") for e in self.town.entries(Kind.SMS_ACCEPTED))

    def reported(self, delivery: str) -> Sequence[Receipt]:
        return [receipt for receipt in self.receipts if receipt.delivery == delivery]

    async def ask(self) -> None:
        """Ask again and again about everything that was taken."""
        mark = ""
        while True:
            with contextlib.suppress(TransientFailure):
                look = await self.sms.look(mark, list(self.awaited.values()))
                mark = look.mark
                self.receipts += look.heard.receipts
                for receipt in look.heard.receipts:
                    self.awaited[receipt.delivery] = replace(self.awaited[receipt.delivery], state=receipt.state)
            await asyncio.sleep(0.05)


class Noting:
    """A channel that tells its far side's ear what it has to ask for."""

    def __init__(self, side: PolledSide) -> None:
        self._side = side
        self.name = side.sms.name

    async def close(self) -> None:
        await self._side.sms.close()

    async def find(self, sent: Message, since: datetime) -> Receipt | None:
        return await self._side.sms.find(sent, since)

    async def send(self, sent: Message) -> Receipt:
        receipt = await self._side.sms.send(sent)
        self._side.awaited[sent.delivery] = Awaited(
            delivery=sent.delivery, reference=receipt.reference, state=receipt.state, since=datetime.now(UTC)
        )
        return receipt


@contextlib.asynccontextmanager
async def polled_side(start: StartTown, hooks: Hooks) -> AsyncIterator[PolledSide]:
    town = await start()
    side = PolledSide(town, hooks, start, twilio(town.url, hooks.url, receipts="poll"))
    asking = asyncio.create_task(side.ask())
    yield side
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    await side.sms.close()


@dataclass
class SpeakerSide:
    """A town's speakers behind a broker."""

    town: RunningTown
    broker: Mosquitto
    speaker: loudspeaker.Loudspeaker
    receipts: list[Receipt] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    lost: int = 0
    secrets: Sequence[str] = ("password-of-the-test",)

    def channel(self) -> loudspeaker.Loudspeaker:
        return self.speaker

    def message(self, delivery: str) -> Message:
        return message(delivery, "spk-works")

    def hopeless(self, delivery: str) -> Message:
        return message(delivery, "spk/+/#")

    def arrived(self, delivery: str) -> int:
        return sum(entry.delivery == delivery for entry in self.town.entries(Kind.SPEAKER_COMMAND))

    def arrived_as_exercise(self, delivery: str) -> bool:
        return any(e.delivery == delivery and json.loads(e.body)["status"] == "Exercise" for e in self.town.entries(Kind.SPEAKER_COMMAND))

    def reported(self, delivery: str) -> Sequence[Receipt]:
        return [receipt for receipt in self.receipts if receipt.delivery == delivery]

    async def break_off(self) -> None:
        self.broker.kill()
        await until(lambda: self.lost)

    async def mend(self) -> None:
        connected = len(self.town.entries(Kind.BROKER_CONNECTED))
        self.broker.restart()
        await self.town.wait_for(Kind.BROKER_CONNECTED, connected + 1)

    async def listen(self) -> None:
        """What the engine does: listen, and open again when the connection is lost."""
        while True:
            try:
                async for heard in self.speaker.heard():
                    self.receipts.extend(heard.receipts)
                    self.heard += [heard] if heard.replies else []
            except SourceLost:
                self.lost += 1
            await asyncio.sleep(0.05)


def telephone(town_url: str, public_url: str, **more: object) -> twilio_voice.TwilioVoice:
    """The voice channel of a town."""
    settings = twilio_voice.VoiceSettings.model_validate({"sender": SENDER, "base_url": town_url} | more)
    return twilio_voice.connect(settings, world(public_url), {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN})


@dataclass
class VoiceSide:
    """A town's telephones; ``sent`` is what the engine would have in its store."""

    town: RunningTown
    hooks: Hooks
    start: StartTown
    voice: twilio_voice.TwilioVoice
    secrets: Sequence[str] = (ACCOUNT, TOKEN)
    drills: set[str] = field(default_factory=lambda: {"drill"})

    def channel(self) -> twilio_voice.TwilioVoice:
        return self.voice

    def message(self, delivery: str) -> Message:
        return message(delivery, PHONE["prompt"])

    def hopeless(self, delivery: str) -> Message:
        return message(delivery, "12345")

    def arrived(self, delivery: str) -> int:
        return sum(entry.delivery == delivery for entry in self.town.entries(Kind.CALL_ANSWERED))

    def arrived_as_exercise(self, delivery: str) -> bool:
        return any(e.delivery == delivery and e.body.startswith("【演练】") for e in self.town.entries(Kind.CALL_ANSWERED))

    def reported(self, delivery: str) -> Sequence[Receipt]:
        heard = [self.voice.hear(request_of(call, self.hooks.url)) for call in self.hooks.at("/hooks/voice/status")]
        return [receipt for report in heard for receipt in report.receipts if receipt.delivery == delivery]

    def say(self, call: Call) -> str:
        """What the engine answers a call of the gateway."""
        heard = self.voice.hear(request_of(call, self.hooks.url))
        if not heard.script:
            return heard.body
        status = Status.EXERCISE if heard.script in self.drills else Status.ACTUAL
        return self.voice.script(replace(self.message(heard.script), status=status))

    async def break_off(self) -> None:
        await asyncio.to_thread(self.town.stop)

    async def mend(self) -> None:
        self.town = await self.start("--port", str(self.town.ready["port"]))


@contextlib.asynccontextmanager
async def voice_side(start: StartTown, hooks: Hooks) -> AsyncIterator[VoiceSide]:
    town = await start()
    side = VoiceSide(town, hooks, start, telephone(town.url, hooks.url))
    hooks.says = side.say
    yield side
    await side.voice.close()


@contextlib.asynccontextmanager
async def sms_side(start: StartTown, hooks: Hooks) -> AsyncIterator[SmsSide]:
    town = await start()
    sms = twilio(town.url, hooks.url)
    yield SmsSide(town, hooks, start, sms)
    await sms.close()


@contextlib.asynccontextmanager
async def speaker_side(start: StartTown, broker: Mosquitto, version: Literal[5, "3.1.1"] = 5) -> AsyncIterator[SpeakerSide]:
    town = await start("--mqtt", f"{broker.host}:{broker.port}")
    settings = {"host": broker.host, "port": broker.port, "protocol": version, "timeout_s": 2}
    speaker = loudspeaker.connect(loudspeaker.LoudspeakerSettings.model_validate(settings), world())
    side = SpeakerSide(town, broker, speaker)
    listening = asyncio.create_task(side.listen())
    yield side
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening
    await speaker.close()


Open = Callable[[], contextlib.AbstractAsyncContextManager[SmsSide | SpeakerSide]]
