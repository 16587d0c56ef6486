"""An installation of its own: deployment.yaml on the sample county, real servers, and a town beside it."""

import json
import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.integration.programs import ROOT, Programs, Running, arrivals, count
from tests.services.server import free_port

COUNTY = ROOT / "config" / "sample"
SECRETS = {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "token-of-the-test"}
SENDER = "+447700900999"

#: A river station of the sample county; its bank is at 218.30 m, so that more is red at once, in every season.
RIVER = "990121Z11"
OVER_THE_BANK_M = 218.90
IN_ITS_BED_M = 212.0


def reading(value: float = OVER_THE_BANK_M, **other: object) -> dict[str, Any]:
    """One reading of the river, taken now."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {"station": RIVER, "variable": "level", "value": value, "unit": "m", "time": now} | other


def body(*readings: dict[str, Any]) -> bytes:
    """JSON lines."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in readings)


@dataclass
class Installation:
    """``sources``, ``speakers`` and ``store`` as in deployment.yaml; the SMS channel goes to the town, with more settings in ``sms``."""

    programs: Programs
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    speakers: dict[str, Any] | None = None
    store: dict[str, Any] | None = None
    worker: str = ""
    sms: dict[str, Any] = field(default_factory=dict)
    habits: dict[str, Any] = field(default_factory=dict)
    web_port: int = field(default_factory=free_port)
    town_port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        """Write the file."""
        self.folder = self.programs.folder
        self.database = self.folder / "dispatcher.db"
        self.ledger = self.folder / "town.jsonl"
        self.config = self.folder / f"deployment{self.worker}.yaml"
        self.url = f"http://127.0.0.1:{self.web_port}"
        sms = {"adapter": "sms", "sender": SENDER, "base_url": f"http://127.0.0.1:{self.town_port}"} | self.sms
        channels = {"sms": sms} | ({"loudspeaker": {"adapter": "loudspeaker"} | self.speakers} if self.speakers else {})
        deployment = {
            "county": os.path.relpath(COUNTY, self.folder),
            "state_dir": str(self.folder / "var"),
            "worker": self.worker,
            "web": {"port": self.web_port},
            "store": self.store or {"adapter": "sqlite", "path": str(self.database)},
            "sources": self.sources,
            "channels": channels,
        }
        self.config.write_text(yaml.safe_dump(deployment), "utf-8")

    def start(self) -> Running:
        """The engine, once it is ready."""
        running = self.programs.start("run", "-c", str(self.config), environment=SECRETS)
        running.until(self.is_ready, "an engine that is ready")
        return running

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def start_town(self) -> Running:
        """The world, at the speed of life."""
        options = ["--registry", str(COUNTY), "--ledger", str(self.ledger), "--port", str(self.town_port)]
        if self.sms.get("receipts") != "poll":
            options += ["--inbound-url", f"{self.url}/hooks/sms/inbound"]
        if self.habits:
            (self.folder / "habits.yaml").write_text(yaml.safe_dump(self.habits), "utf-8")
            options += ["--habits", str(self.folder / "habits.yaml")]
        if self.speakers:
            options += ["--mqtt", f"127.0.0.1:{self.speakers['port']}"]
        running = self.programs.start(*options, module="simulators.town", environment=SECRETS)
        running.until(lambda: '"ready"' in running.out, "a town that is ready")
        return running

    def token(self, role: str = "forecaster") -> dict[str, str]:
        """The header of a new API token, made while no engine runs."""
        ran = self.programs.run("user", "token", "gauges", "--role", role, "-c", str(self.config))
        assert ran.code == 0, ran.err
        return {"Authorization": f"Bearer {ran.out.strip()}"}

    def metrics(self) -> dict[str, float]:
        """Every sample by its line without the value."""
        found: dict[str, float] = {}
        for line in httpx.get(f"{self.url}/metrics", timeout=5).text.splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                found[name] = float(value)
        return found

    def told(self) -> dict[str, int]:
        """How often each delivery reached the world."""
        return arrivals(self.ledger)

    def unsettled(self) -> int:
        """Deliveries that are still to be sent."""
        return count(self.database, "deliveries", "state IN ('planned', 'sending', 'unknown')")

    def until_settled(self, running: Running, least: int) -> None:
        """Wait until so many deliveries are planned, and all of them are out."""
        running.until(lambda: count(self.database, "deliveries") >= least and self.unsettled() == 0, f"{least} deliveries that are out")


def await_file(path: Path, words: str, within_s: float = 20.0) -> None:
    """Wait until a file holds these words."""
    end = time.monotonic() + within_s
    while words not in path.read_text("utf-8", "replace"):
        assert time.monotonic() < end, f"{words!r} did not come in {path.name}"
        time.sleep(0.05)
