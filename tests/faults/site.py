"""One installation and the world around it: a Mosquitto of its own, a topic of a Kafka, the town with its ledger, sensors, an engine.

The engine is a real process and is killed as such. Engine, town and sensors share one clock that runs ``SPEED`` times faster.
"""

import asyncio
import random
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import yaml

from adapters.stores.sqlite import open_store
from dispatcher.accounts import Role, add_token
from dispatcher.upkeep.commit_points import VARIABLE
from tests.faults.evidence import SESSION
from tests.faults.nursery import Child, Nursery
from tests.faults.officer import Officer
from tests.faults.publisher import Doors, Publisher
from tests.faults.storm import START, STEP, STEPS, Sent, storm
from tests.integration.installation import COUNTY, SECRETS, SENDER
from tests.services.kafka import Kafka
from tests.services.mosquitto import Mosquitto
from tests.services.server import free_port

SPEED = 180.0
BEGINS_IN_S = 4.0
PATIENCE_S = 150.0
OUTLET = "board"
LOOK_EVERY_S = 0.05
#: Everybody answers sooner than in the demonstration, so that a run is short.
DELAYS = {"prompt": [10, 60], "slow": [60, 300], "evacuating": [20, 90], "evacuated": [60, 240], "undelivered": [5, 15]}
DELAYS |= {"speaker_start": [1, 4], "speaker_play": [5, 15]}

HOLDS = "600h"
AT_ONCE = "to: [village.party_secretary, village.head, village.warden], by: [sms]"
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
    publisher: Publisher = field(init=False)
    officer: Officer = field(init=False)

    def __post_init__(self) -> None:
        """Write the files; nothing runs yet."""
        folder = self.on.folder
        folder.mkdir(parents=True, exist_ok=True)
        self.county = _county(folder / "county")
        self.ledger = folder / "town.jsonl"
        self.wrong_by = folder / "wrong-by"
        self.wrong_by.write_text("0", "ascii")
        self.database = (self.on.state or folder) / "dispatcher.db"
        self.web_port, self.town_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.web_port}"
        self.mosquitto = Mosquitto(folder / "mosquitto", self.on.mosquitto, ("allow_anonymous true", *KEEPS_ALL))
        self.topic = f"readings.{self.on.name}"
        self.changes, self.exercises = f"changes.{self.on.name}", f"exercises.{self.on.name}"
        self.config = folder / "deployment.yaml"
        (folder / "habits.yaml").write_text(yaml.safe_dump({"delays": DELAYS}), "utf-8")
        self.config.write_text(yaml.safe_dump(self._deployment()), "utf-8")

    def _deployment(self) -> dict[str, object]:
        mqtt = {"adapter": "mqtt", "client_id": SESSION, "port": self.mosquitto.port, "keepalive_s": 5, "timeout_s": 3}
        kafka = {"adapter": "kafka", "bootstrap": [self.on.kafka.bootstrap], "readings": [self.topic], "group": self.topic}
        sms = {"adapter": "sms", "sender": SENDER, "base_url": f"http://127.0.0.1:{self.town_port}", "timeout_s": 2, "connect_timeout_s": 1}
        speakers = {"adapter": "loudspeaker", "port": self.mosquitto.port, "report_within_s": 3, "timeout_s": 2}
        board = {"adapter": "kafka", "bootstrap": [self.on.kafka.bootstrap], "changes": self.changes, "exercises": self.exercises}
        return {
            "county": str(self.county),
            "state_dir": str(self.on.folder / "var"),
            "status": self.on.status,
            "web": {"port": self.web_port, "public_url": self.url},
            "store": {"adapter": "sqlite", "path": str(self.database)},
            "sources": {"mqtt": mqtt, "kafka": kafka | {"probe_s": 1}},
            "channels": {"sms": sms, "second": sms | {"serves": "sms"}, "voice": sms | {"adapter": "voice"}, "loudspeaker": speakers},
            "outlets": {OUTLET: board | {"rejects": f"rejects.{self.on.name}", "timeout_s": 2}},
        }

    # ------------------------------------------------------------------------------------------- the world

    def open(self) -> None:
        """Start the world, and let the storm begin in a moment."""
        self.mosquitto.start()
        for topic in (self.topic, self.changes, self.exercises, f"rejects.{self.on.name}"):
            self.on.kafka.create_topic(topic)
        headers = {role: {"Authorization": f"Bearer {token}"} for role, token in asyncio.run(self._tokens()).items()}
        self.epoch = time.time() + BEGINS_IN_S
        self.start_town()
        doors = Doors(
            mqtt_port=self.mosquitto.port,
            bootstrap=self.on.kafka.bootstrap,
            topic=self.topic,
            url=self.url,
            headers=headers[Role.FORECASTER],
        )
        self.publisher = Publisher(doors, storm(self.on.steps), self._due)
        self.officer = Officer(self.url, headers[Role.DUTY_OFFICER], random.Random(self.on.name))

    async def _tokens(self) -> dict[Role, str]:
        store = await open_store(self.database)
        try:
            return {role: await add_token(store, role.word, role, START) for role in (Role.FORECASTER, Role.DUTY_OFFICER)}
        finally:
            await store.close()

    def _due(self, one: Sent) -> float:
        """Wall seconds until a reading is measured."""
        return max(0.0, self.epoch + (one.at - START) / timedelta(seconds=SPEED) - time.time())

    def lasts_s(self) -> float:
        """Wall seconds from now until the last reading."""
        return max(0.0, self.epoch + self.on.steps * STEP / timedelta(seconds=SPEED) - time.time())

    def start_town(self) -> None:
        """The phone network, speakers and villagers, going on from their ledger."""
        command = ["--registry", str(self.county), "--ledger", str(self.ledger), "--port", str(self.town_port)]
        command += ["--inbound-url", f"{self.url}/hooks/sms/inbound", "--mqtt", f"127.0.0.1:{self.mosquitto.port}"]
        command += ["--habits", str(self.on.folder / "habits.yaml"), *self._clock("--clock-"), *self.on.town_options]
        (self.on.folder / "town.out").write_bytes(b"")
        self.town = self.on.nursery.start("simulators.town", command, self.on.folder / "town", SECRETS)
        self._until(lambda: b'"ready"' in (self.on.folder / "town.out").read_bytes(), self.town, "the town")

    def kill_town(self) -> None:
        """As a gateway that breaks down: what it had taken stands in its ledger."""
        assert self.town is not None
        self.town.kill()
        self.town.wait()

    # ------------------------------------------------------------------------------------------ the engine

    def start_engine(self, die_at: str = "") -> None:
        """Start it; does not wait until it is ready."""
        module, broken = ("tests.faults.mutants", [self.on.mutant]) if self.on.mutant else ("tests.faults.engine", [])
        command = [*broken, str(self.config), *self._clock("--"), "--wrong-by", str(self.wrong_by)]
        self.engine = self.on.nursery.start(module, command, self.on.folder / "engine", SECRETS | {VARIABLE: die_at})

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
        for process in (self.engine, self.town):
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


def _county(folder: Path) -> Path:
    """The sample county, with notices that hold for weeks: on a slow machine hours of the recording pass while an engine starts.

    Whom a red or orange notice calls at once is telephoned as well.
    """
    shutil.copytree(COUNTY, folder)
    for policy in (folder / "policies").glob("*.yaml"):
        text = re.sub(r"valid_for: \w+", f"valid_for: {HOLDS}", policy.read_text("utf-8"))
        policy.write_text(text.replace(AT_ONCE, AT_ONCE.replace("[sms]", "[[voice, sms]]")), "utf-8")
    contacts = folder / "contacts.csv"
    contacts.write_text(re.sub(r",sms$", ",sms voice", contacts.read_text("utf-8"), flags=re.MULTILINE), "utf-8")
    return folder
