"""One installation and the world around it: a Mosquitto of its own, a topic of a Kafka, the town with its ledger, sensors, an engine.

The engine is a real process and is killed as such. Engine, town and sensors share one clock that runs ``SPEED`` times faster.
"""

import asyncio
import random
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import yaml

from adapters.stores.sqlite import open_store
from dispatcher.accounts import Role, add_token
from dispatcher.upkeep.commit_points import VARIABLE
from tests.faults import deployment
from tests.faults.nursery import Child, Nursery
from tests.faults.officer import Officer
from tests.faults.publisher import Doors, Publisher
from tests.faults.releasers import Releasers
from tests.faults.storm import START, STEP, STEPS, Sent, storm
from tests.integration.installation import SECRETS
from tests.services.kafka import Kafka
from tests.services.mosquitto import Mosquitto
from tests.services.server import free_port

SPEED = 180.0
BEGINS_IN_S = 4.0
PATIENCE_S = 150.0
LOOK_EVERY_S = 0.05
#: What keeps a Mosquitto from losing what it has acknowledged when it is killed: every change goes to disk (docs/deployment.md).
KEEPS_ALL = ("autosave_on_changes true", "autosave_interval 1", "log_type all")


class NotRunning(Exception):
    """The engine ended although nobody had killed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a site stands on. ``state`` is where its database lies, ``mutant`` the broken engine to run instead of ours."""

    folder: Path
    mosquitto: str
    kafka: Kafka
    nursery: Nursery
    name: str
    state: Path | None = None
    steps: int = STEPS
    mutant: str = ""
    status: str = "Actual"
    town_options: tuple[str, ...] = ()


@dataclass
class Site:
    """``open``, then ``start_engine`` and ``kill_engine`` as often as wanted, ``close`` at the end."""

    on: Surroundings
    engine: Child | None = None
    town: Child | None = None
    robots: Child | None = None
    publisher: Publisher = field(init=False)
    officer: Officer = field(init=False)
    releasers: Releasers = field(init=False)

    def __post_init__(self) -> None:
        """Write the files; nothing runs yet."""
        folder = self.on.folder
        folder.mkdir(parents=True, exist_ok=True)
        self.county = deployment.county(folder / "county")
        self.ledger, self.chat = folder / "town.jsonl", folder / "chat.jsonl"
        self.wrong_by = folder / "wrong-by"
        self.wrong_by.write_text("0", "ascii")
        self.database = (self.on.state or folder) / "dispatcher.db"
        self.web_port, self.town_port, self.robots_port = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.web_port}"
        self.mosquitto = Mosquitto(folder / "mosquitto", self.on.mosquitto, ("allow_anonymous true", *KEEPS_ALL))
        self.topic, self.changes, self.exercises, _ = self.topics = deployment.topics(self.on.name)
        self.config = folder / "deployment.yaml"
        (folder / "habits.yaml").write_text(yaml.safe_dump(deployment.habits(self.county)), "utf-8")
        self.config.write_text(yaml.safe_dump(self._deployment()), "utf-8")

    def _deployment(self) -> dict[str, object]:
        return deployment.sources_and_outlets(self.mosquitto.port, self.on.kafka.bootstrap, self.on.name) | {
            "county": str(self.county),
            "state_dir": str(self.on.folder / "var"),
            "status": self.on.status,
            "web": {"port": self.web_port, "public_url": self.url},
            "store": {"adapter": "sqlite", "path": str(self.database)},
            "channels": deployment.channels(self.county, town=f"http://127.0.0.1:{self.town_port}", mqtt_port=self.mosquitto.port),
        }

    # ------------------------------------------------------------------------------------------- the world

    def open(self) -> None:
        """Start the world, and let the storm begin in a moment."""
        self.mosquitto.start()
        for topic in self.topics:
            self.on.kafka.create_topic(topic)
        headers = {name: {"Authorization": f"Bearer {token}"} for name, token in asyncio.run(self._tokens()).items()}
        self.epoch = time.time() + BEGINS_IN_S
        self.start_town()
        doors = Doors(
            mqtt_port=self.mosquitto.port,
            bootstrap=self.on.kafka.bootstrap,
            topic=self.topic,
            url=self.url,
            headers=headers["sensors"],
        )
        self.publisher = Publisher(doors, storm(self.on.steps), self._due)
        self.officer = Officer(self.url, headers["officer"], random.Random(self.on.name))
        two = {name: said for name, said in headers.items() if deployment.PEOPLE[name] is Role.RELEASING_OFFICER}
        self.releasers = Releasers(self.url, two, deployment.TWO_OFFICERS[0], self._now)

    async def _tokens(self) -> dict[str, str]:
        store = await open_store(self.database)
        try:
            return {name: await add_token(store, name, role, START) for name, role in deployment.PEOPLE.items()}
        finally:
            await store.close()

    def _due(self, one: Sent) -> float:
        """Wall seconds until a reading is measured."""
        return max(0.0, self.epoch + (one.at - START) / timedelta(seconds=SPEED) - time.time())

    def _now(self) -> datetime:
        """The time of the recording, as the town and the engine have it."""
        return START + timedelta(seconds=max(0.0, time.time() - self.epoch) * SPEED)

    def lasts_s(self) -> float:
        """Wall seconds from now until the last reading."""
        return max(0.0, self.epoch + self.on.steps * STEP / timedelta(seconds=SPEED) - time.time())

    def start_town(self) -> None:
        """The phone network, speakers and villagers, going on from their ledger, and the chat groups."""
        command = ["--registry", str(self.county), "--ledger", str(self.ledger), "--port", str(self.town_port)]
        command += ["--inbound-url", f"{self.url}/hooks/sms/inbound", "--mqtt", f"127.0.0.1:{self.mosquitto.port}"]
        command += ["--uncalled", deployment.POLLED_SENDER, "--habits", str(self.on.folder / "habits.yaml")]
        command += [*self._clock("--clock-"), *self.on.town_options]
        self.town = self._start("simulators.town", command, "town", SECRETS)
        command = ["--ledger", str(self.chat), "--port", str(self.robots_port), *self._clock("--clock-")]
        command += ["--callback-url", f"{self.url}/hooks/chat/answer", "--callback-kind", "dingtalk"]
        command += ["--answers", ",".join(deployment.chatting(self.county))]
        self.robots = self._start("simulators.robots", command, "robots", deployment.SIGNED)

    def _start(self, program: str, command: list[str], name: str, environment: Mapping[str, str]) -> Child:
        """A program of the world, once it says that it is ready."""
        said = self.on.folder / f"{name}.out"
        said.write_bytes(b"")
        started = self.on.nursery.start(program, command, self.on.folder / name, environment)
        self._until(lambda: b'"ready"' in said.read_bytes(), started, f"the {name}")
        return started

    def kill_town(self) -> None:
        """As gateways that break down: what they had taken stands in their ledgers."""
        for process in (self.town, self.robots):
            assert process is not None
            process.kill()
            process.wait()

    # ------------------------------------------------------------------------------------------ the engine

    def start_engine(self, die_at: str = "") -> None:
        """Start it; does not wait until it is ready."""
        module, broken = ("tests.faults.mutants", [self.on.mutant]) if self.on.mutant else ("tests.faults.engine", [])
        secrets = deployment.environment(f"http://127.0.0.1:{self.robots_port}")
        command = [*broken, str(self.config), *self._clock("--"), "--wrong-by", str(self.wrong_by)]
        self.engine = self.on.nursery.start(module, command, self.on.folder / "engine", secrets | {VARIABLE: die_at})

    def runs(self) -> bool:
        """Whether the engine is there."""
        return self.engine is not None and self.engine.poll() is None

    def await_answer(self, probe: str = "readyz") -> None:
        """Wait until it is ready, or with ``healthz`` until it is there."""
        assert self.engine is not None
        end = time.monotonic() + PATIENCE_S
        while not self._answers(probe):
            if self.engine.poll() is not None or time.monotonic() > end:
                raise NotRunning(f"/{probe} is not well: {self.engine_says()}")
            time.sleep(LOOK_EVERY_S)

    def _answers(self, probe: str) -> bool:
        try:
            return httpx.get(f"{self.url}/{probe}", timeout=2).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def begin_drill(self) -> None:
        """Some villages exercise while it is still calm; where it is not any more, or all is an exercise, the engine says no."""
        headers = next(iter(self.releasers.headers.values()))
        answer = httpx.post(f"{self.url}/api/v1/drills", json=deployment.DRILL, headers=dict(headers), timeout=PATIENCE_S)
        assert answer.status_code in {httpx.codes.CREATED, httpx.codes.CONFLICT}, answer.text

    def kill_engine(self) -> None:
        """As a power cut would; an engine that has ended by itself is a fault of its own."""
        assert self.engine is not None
        self.check_engine()
        self.engine.kill()
        self.engine.wait()

    def await_death(self, within_s: float) -> bool:
        """Whether an armed engine killed itself, before it was there or in that time behind."""
        assert self.engine is not None
        while self.runs() and not self._answers("healthz"):
            time.sleep(LOOK_EVERY_S)
        try:
            self.engine.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        self.check_engine()
        return True

    def check_engine(self) -> None:
        """NotRunning when the engine has ended, unless by a kill."""
        if self.engine is not None and self.engine.poll() not in (None, -9):
            raise NotRunning(f"the engine ended with {self.engine.returncode}: {self.engine_says()}")

    def engine_says(self) -> str:
        return (self.on.folder / "engine.err").read_text("utf-8", "replace")[-1500:]

    def stop_engine(self) -> None:
        """Ask it to end; what it has in hand is written down."""
        if self.engine is not None and self.engine.poll() is None:
            self.engine.terminate()
            try:
                self.engine.wait(15)
            except subprocess.TimeoutExpired:
                self.engine.kill()
                self.engine.wait()

    # ------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End everything that was started here."""
        if hasattr(self, "publisher") and not self.publisher.stopping.is_set():
            self.publisher.stopping.set()
        if hasattr(self, "officer"):
            self.officer.stopping.set()
            self.releasers.stopping.set()
        for process in (self.engine, self.town, self.robots):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        self.mosquitto.kill()

    def _clock(self, prefix: str) -> list[str]:
        return [f"{prefix}start", START.isoformat(), f"{prefix}epoch", repr(self.epoch), f"{prefix}speed", str(SPEED)]

    def _until(self, holds: Callable[[], bool], process: Child, what: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not holds():
            if process.poll() is not None or time.monotonic() > end:
                raise NotRunning(f"{what} did not start: {self.on.folder}")
            time.sleep(LOOK_EVERY_S)
