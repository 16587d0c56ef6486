"""The loudspeakers, behind one connection to the broker: they take commands, play, and report."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import aiomqtt

from simulators import agenda, chance, ground, habits, mqtt_connection, playing
from simulators.ledger import Entry, Kind

COMMANDS = ("speakers/+/command", "drill/speakers/+/command")
LONGEST_PAUSE_S = 2.0
PUBLISH_TIMEOUT_S = 10.0
_KEYS_KEPT = 500
KIND_OF = {
    "queued": Kind.SPEAKER_QUEUED,
    "playing": Kind.SPEAKER_PLAYING,
    "played": Kind.SPEAKER_PLAYED,
    "failed": Kind.SPEAKER_FAILED,
    "offline": Kind.SPEAKER_OFFLINE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker is, and who we are there."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    identifier: str = "town-speakers"


class Speakers:
    """Every speaker of the registry. A speaker plays one id once, whatever is repeated."""

    def __init__(
        self,
        *,
        broker: Broker,
        on: ground.Ground,
        habit_of: Mapping[str, habits.SpeakerHabit],
        plans: agenda.Agenda,
    ) -> None:
        """``habit_of`` goes by speaker id."""
        self._broker = broker
        self._on = on
        self._habit_of = habit_of
        self._plans = plans
        self._known: dict[tuple[str, str], Entry] = {}
        self._done: set[str] = set()
        self._keys: dict[str, tuple[str, str]] = {}
        self._client: aiomqtt.Client | None = None
        self.connected = asyncio.Event()

    def remember(self, entry: Entry) -> None:
        """Take up what the ledger says of an earlier run."""
        if entry.kind is Kind.SPEAKER_COMMAND:
            self._known[entry.to, entry.delivery] = entry
        elif entry.kind in {Kind.SPEAKER_REPORTED, Kind.SPEAKER_PRESSED}:
            self._done.add(entry.act)
            if entry.kind is Kind.SPEAKER_PRESSED and entry.body:
                self._keys[entry.act] = entry.more["topic"], entry.body

    def resume(self) -> None:
        """Go on with every command that was not played to its end."""
        for entry in self._known.values():
            self._plan(playing.read(entry.more["topic"], entry.body.encode()), entry.at)

    async def run(self) -> None:
        """Stay connected until cancelled; a broker that goes away is sought again, less often each time."""
        pause_s = 0.1
        while True:
            try:
                async with mqtt_connection.connected(self._connect()) as client:
                    for topic in COMMANDS:
                        await client.subscribe(topic, qos=1)
                    self._client, pause_s = client, 0.1
                    self._note(Kind.BROKER_CONNECTED)
                    self.connected.set()
                    await self._press_again(client)
                    async for message in client.messages:
                        self._hear(str(message.topic), bytes(message.payload))
            except aiomqtt.MqttError:
                if self.connected.is_set():
                    self._note(Kind.BROKER_LOST)
            finally:
                self.connected.clear()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _connect(self) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.username,
            password=self._broker.password,
            identifier=self._broker.identifier,
            protocol=aiomqtt.ProtocolVersion.V311,  # embedded brokers know no other
            clean_session=False,  # what is said while we are away waits for us
            timeout=PUBLISH_TIMEOUT_S,
            max_inflight_messages=100,
            logger=logging.Logger("speakers", logging.ERROR),  # noqa: LOG001  # a storm has more reports under way than it likes
        )

    def _hear(self, topic: str, payload: bytes) -> None:
        now = self._on.clock.now()
        try:
            command = playing.read(topic, payload)
        except (ValueError, TypeError) as error:
            self._on.book.write(
                Entry(at=now, kind=Kind.SPEAKER_UNREADABLE, to=topic, body=payload.decode(errors="replace"), code=str(error))
            )
            return
        heard = Entry(
            at=now,
            kind=Kind.SPEAKER_COMMAND,
            delivery=command.id,
            to=command.speaker,
            body=json.dumps(json.loads(payload), ensure_ascii=False),
            more={"topic": topic},
        )
        if (command.speaker, command.id) in self._known:
            self._on.book.write(Entry(at=now, kind=Kind.SPEAKER_REPEATED, delivery=command.id, to=command.speaker))
            return
        self._on.book.write(heard)
        self._known[command.speaker, command.id] = heard
        self._plan(command, now)

    def _plan(self, command: playing.Command, arrived_at: datetime) -> None:
        habit = self._habit_of.get(command.speaker)
        for report in playing.reports(command, habit, self._on.settings.delays, self._on.seed, arrived_at):
            act = f"{command.speaker}/{command.id}/{report.state}"
            if act not in self._done:
                self._plans.put(report.at, partial(self._report, command, report, act))
            key = self._on.settings.terminals.get(command.speaker)
            pressed = f"{command.speaker}/{command.id}/key"
            if key and report.state == "played" and pressed not in self._done:
                waits = chance.between(*self._on.settings.delays.prompt, self._on.seed, pressed)
                self._plans.put(report.at + waits, partial(self._press, command, key, pressed))

    async def _press_again(self, client: aiomqtt.Client) -> None:
        """A broker that was away may have lost a key that it took: the terminals say it again, under the same id."""
        for topic, told in tuple(self._keys.values())[-_KEYS_KEPT:]:
            await client.publish(topic, told, qos=1)

    async def _press(self, command: playing.Command, key: str, act: str) -> None:
        """Somebody at the speaker presses a key; the terminal says it again, under the same id, whenever it is connected anew."""
        now = self._on.clock.now()
        reference = chance.identity("KE", self._on.seed, act)
        told = json.dumps({"id": reference, "key": key, "command": command.id, "at": now.isoformat()})
        topic = f"{playing.ROOTS.get(command.status, playing.ROOTS['Actual'])}/{command.speaker}/key"
        await self._publish(topic, told)
        self._done.add(act)
        self._keys[act] = topic, told
        named = {"delivery": command.id, "to": command.speaker, "reference": reference, "act": act, "code": key}
        self._on.book.write(Entry(at=now, kind=Kind.SPEAKER_PRESSED, body=told, more={"topic": topic}, **named))

    async def _report(self, command: playing.Command, report: playing.Report, act: str) -> None:
        kind = Kind.SPEAKER_EXPIRED if report.reason == "expired" else KIND_OF[report.state]
        body = playing.spoken(command) if report.state in {"playing", "played"} else ""
        more = {"played": str(report.played), "of": str(command.times)}
        now = self._on.clock.now()
        self._on.book.write(Entry(at=now, kind=kind, delivery=command.id, to=command.speaker, body=body, code=report.reason, more=more))
        root = playing.ROOTS.get(command.status, playing.ROOTS["Actual"])
        await self._publish(f"{root}/{command.speaker}/status", report.payload(command, now))
        self._done.add(act)
        self._on.book.write(Entry(at=self._on.clock.now(), kind=Kind.SPEAKER_REPORTED, delivery=command.id, to=command.speaker, act=act))

    async def _publish(self, topic: str, payload: str) -> None:
        while True:
            await self.connected.wait()
            try:
                if self._client is not None:
                    await self._client.publish(topic, payload, qos=1)
                    return
            except aiomqtt.MqttError:
                await asyncio.sleep(0.1)

    def _note(self, kind: Kind) -> None:
        self._on.book.write(Entry(at=self._on.clock.now(), kind=kind))
