"""The whole product on one machine: the engine, a recorded storm, and a simulated town in a process of its own.

The engine knows the town by its sockets only. A second run goes on from where the first one was.
"""

import asyncio
import contextlib
import json
import os
import secrets
import time
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import dropwhile
from pathlib import Path
from typing import Any, Self

from dispatcher.application import Application, load, open_store
from dispatcher.calls.escalating import plans_of
from dispatcher.clock import ReplayClock
from dispatcher.deliveries.settle import OPEN
from dispatcher.errors import ConfigurationError, Problem
from dispatcher.files.plain_recording import read_plain
from dispatcher.files.recordings import load_profile, read_recording
from dispatcher.model.notice import Notice
from dispatcher.ports import DeliveryState, Source, Store, World
from dispatcher.reckoning import Reckoning, not_coming, read_ledger, reckon
from dispatcher.rows import value_of
from dispatcher.serving import free_port
from dispatcher.settings import AdapterChoice, Deployment, WebSettings, find_adapter
from dispatcher.timestamps import from_ms
from dispatcher.town import town_process
from dispatcher.upkeep.log import Log

_ACCOUNT = "ACdemo0000000000000000000000000000"
_REPORT_WITHIN_S = 3.0
"""The broker in our process forgets what it took when the process is killed; its speakers report within milliseconds."""
_SENDER = "+447700900000"
_LOOK_EVERY_S = 0.2
_LOOKS = 10
_BEFORE_FIRST = timedelta(minutes=1)
_TOWN_STARTS_S = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What ``dispatcher demo`` was asked for. ``town_options`` are passed on to the simulated town (faults and habits)."""

    directory: Path
    recording: Path
    rules: Path | None
    state: Path
    speed: float
    port: int
    broker_port: int
    since: datetime | None = None
    until: datetime | None = None
    town_options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What ``--json`` prints. ``lost`` and ``duplicates`` are read off the town's ledger.

    ``waiting`` is what a run that was stopped has not yet handed over; the next run does, so it is not lost.
    """

    readings: int
    changes: int
    warnings: int
    notices: int
    deliveries: int
    acks: int
    lost: int
    duplicates: int
    seconds: float
    unanswered: int = 0
    waiting: int = 0
    lost_messages: list[list[str]] = field(default_factory=list)


class Demo:
    """``async with Demo(...)`` runs it; ``answered`` waits for the end of the storm and the last answer."""

    def __init__(self, options: DemoOptions, log: Log) -> None:
        """Nothing is opened yet."""
        self.options = options
        self._log = log
        self._started = time.monotonic()
        self.ledger = options.state / "town.jsonl"

    async def __aenter__(self) -> Self:
        """Open the engine, then the town, then let the storm begin."""
        async with contextlib.AsyncExitStack() as stack:
            await self._open(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop in reverse: the town hears the engine's last words."""
        await self._stack.aclose()

    async def _open(self, stack: contextlib.AsyncExitStack) -> None:
        options = self.options
        options.state.mkdir(parents=True, exist_ok=True)
        rows = recorded(options)
        gateway_port = free_port()
        broker_port = options.broker_port or free_port()
        deployment = self._deployment(gateway_port, broker_port)
        loaded = load(deployment)
        token = kept_secret(options.state / "gateway-token")
        os.environ.update(TWILIO_ACCOUNT_SID=_ACCOUNT, TWILIO_AUTH_TOKEN=token)
        store = await open_store(deployment)
        self.clock = await self._clock(store, rows)
        self.app = Application(deployment, loaded, store, self.clock, self._log)
        await self.app.open()
        stack.push_async_callback(self.app.stop)
        await stack.enter_async_context(self._town(gateway_port, broker_port))
        stack.push_async_callback(self.app.stop)  # before the town: what is being sent still gets its answer
        # Only now: what an earlier run left unsent must not find the phone network away.
        self.app.begin()
        self._rows = len(rows)
        self._storm = self.app.read(self._source(rows))

    async def answered(self) -> None:
        """Return when the recording is read out, decided, told, and every notice that asked has its answer."""
        while True:
            if self._storm.done() and await self._readings() == self._rows and await self.open_matters() == 0:
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    async def open_matters(self) -> int:
        """Notices without an answer, deliveries under way, warnings with something untold."""
        async with self.app.store.read() as reader:
            county = {"county": self.app.loaded.files.registry.county.code}
            counts = [await reader.fetch(q, county) for q in ("notices.unanswered", "deliveries.waiting")]
            untold = await reader.fetch("warnings.next_due")
        return int(sum(rows[0]["n"] for rows in counts)) + (untold[0]["due"] is not None)

    async def summary(self) -> Summary:
        """Counts of the store, and the reckoning with the town's ledger."""
        county = {"county": self.app.loaded.files.registry.county.code}
        async with self.app.store.read() as reader:
            counted = (await reader.fetch("warnings.totals", county))[0]
            notices = [value_of(Notice, row) for row in await reader.fetch("notices.all", county)]
            deliveries = await reader.fetch("deliveries.all", county)
            plans = await plans_of(reader, notices)
        waiting = {(d["notice"], d["channel"], d["address"]) for d in deliveries if DeliveryState(d["state"]) in OPEN}
        reckoning = self._reckon(notices, plans, deliveries)
        for _ in range(_LOOKS):  # what a broker has taken is on its way to a speaker: not yet heard is not yet lost
            if not not_coming(reckoning.lost, waiting):
                break
            await asyncio.sleep(_LOOK_EVERY_S)
            reckoning = self._reckon(notices, plans, deliveries)
        lost = not_coming(reckoning.lost, waiting)
        return Summary(
            readings=await self._readings(),
            changes=counted["changes"],
            warnings=counted["warnings"],
            notices=len(notices),
            deliveries=len(deliveries),
            acks=counted["answers"],
            lost=len(lost),
            duplicates=reckoning.duplicates,
            seconds=round(time.monotonic() - self._started, 1),
            unanswered=sum(n.state == "calling" for n in notices),
            waiting=len(waiting),
            lost_messages=[list(message) for message in lost[:20]],
        )

    def _reckon(self, notices: list[Notice], plans: Any, deliveries: list[Any]) -> Reckoning:  # noqa: ANN401 - rows of the store
        with self.ledger.open("rb") as lines:
            ledger = read_ledger(lines)
        reached = [  # a message about several villages has one id in the world: that of the delivery that carries it
            d["carried_by"] or d["id"]
            for d in deliveries
            if d["channel"] != "duty_room" and d["state"] in ("accepted", "sent", "delivered", "undelivered")
        ]
        return reckon(self.app.place.house, notices, plans, {d["id"]: d["notice"] for d in deliveries}, ledger, reached)

    async def _readings(self) -> int:
        async with self.app.store.read() as reader:
            rows = await reader.fetch("journal.positions", {"source": "storm"})
        return sum(int(row["position"]) for row in rows)

    # ------------------------------------------------------------------------------------------- parts

    def _deployment(self, gateway_port: int, broker_port: int) -> Deployment:
        options = self.options
        mqtt = {"host": "127.0.0.1", "port": broker_port, "protocol": "3.1.1"}
        return Deployment(
            county=options.directory,
            rules=options.rules,
            state_dir=options.state,
            web=WebSettings(port=options.port),
            broker=AdapterChoice(adapter="embedded", port=broker_port),
            store=AdapterChoice(adapter="sqlite", path=options.state / "demo.db"),
            sources={"mqtt": AdapterChoice(adapter="mqtt", **mqtt)},
            channels={
                "sms": AdapterChoice(adapter="sms", sender=_SENDER, base_url=f"http://127.0.0.1:{gateway_port}"),
                "loudspeaker": AdapterChoice(adapter="loudspeaker", report_within_s=_REPORT_WITHIN_S, **mqtt),
            },
        )

    async def _clock(self, store: Store, rows: list[dict[str, Any]]) -> ReplayClock:
        """Recording time: from just before the first reading, or from where the last run stopped."""
        async with store.read() as reader:
            latest = (await reader.fetch("warnings.latest"))[0]["at"]
        start = datetime.fromisoformat(rows[0]["time"]).astimezone(UTC) - _BEFORE_FIRST
        begin = max(start, from_ms(latest)) if latest else start
        # It stands still until the town is there, or at a high speed hours would pass meanwhile.
        return ReplayClock(begin, self.options.speed, time.time() + _TOWN_STARTS_S)

    def _source(self, rows: list[dict[str, Any]]) -> Source:
        file = self.options.state / "storm.jsonl"
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        adapter = find_adapter("sources", "file", "demo")
        settings = adapter.settings.model_validate({"name": "storm", "path": file})
        source: Source = adapter.build(settings, World(clock=self.clock, county="", public_url=self.app.url))
        return source

    def _town(self, gateway_port: int, broker_port: int) -> AbstractAsyncContextManager[None]:
        clock = ["--clock-start", self.clock.start.isoformat(), "--clock-epoch", repr(self.clock.epoch_s)]
        clock += ["--clock-speed", str(self.options.speed)]
        world = ["--registry", str(self.options.directory), "--ledger", str(self.ledger), "--port", str(gateway_port)]
        doors = ["--mqtt", f"127.0.0.1:{broker_port}", "--inbound-url", f"{self.app.url}/hooks/sms/inbound"]
        return town_process([*world, *doors, *clock, *self.options.town_options])


def recorded(options: DemoOptions) -> list[dict[str, Any]]:
    """The readings of the recording in time order, within ``since`` and ``until``."""
    profile = options.directory / "recording.yaml"
    if profile.exists():
        rows: list[dict[str, Any]] = [dict(r) for r in read_recording(options.recording, load_profile(profile))]
    else:
        rows = read_plain(options.recording)
    rows.sort(key=lambda row: datetime.fromisoformat(row["time"]))
    since, until = options.since, options.until
    if since is not None:
        rows = list(dropwhile(lambda row: datetime.fromisoformat(row["time"]) < since, rows))
    if until is not None:
        rows = [row for row in rows if datetime.fromisoformat(row["time"]) <= until]
    if not rows:
        raise ConfigurationError([Problem(str(options.recording), "there is no reading in it (within --from and --to)")])
    return rows


def kept_secret(file: Path) -> str:
    """A secret made once, so that a town that goes on still knows us."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(16), encoding="ascii")
    return file.read_text(encoding="ascii")
