"""A soak: readings at a steady rate, faults all the while, and a look at memory and file descriptors of the engine.

``python -m bench.soak --minutes 120 --rate 5000 [--seed N]`` runs the real engine against a real Mosquitto and ends with one JSON line;
1 when memory or descriptors grew, or a reading was lost. Readings come by HTTP, each batch repeated until it is taken, and in bursts by
MQTT. Faults, one every ten seconds by chance: rubbish, requests that break off, a locked database, a broker that is killed or
stands still, an engine that stands still for a moment, a gateway that refuses or never answers.

``rss_mib`` and ``fds`` are medians of the four quarters. Before them a day of readings is fed in, so that windows are full; the first
quarter is the warming up (the 64 MiB of pages that SQLite's writer keeps fill within minutes), the second is held against the last.
``cpu`` are shares of one core: of the engine, of the senders with all faults they make, and of the broker.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import yaml

from bench.county import Size, write_county
from bench.soak_faults import Faults
from bench.soak_readings import BATCH, STATIONS, batch, history
from dispatcher.serving import free_port

SAMPLE_EVERY_S = 2.0
MOST_GROWTH_MIB = 16.0
MOST_MORE_FDS = 8
"""Beyond what the quarter after the first one had: connections come and go."""

_SENDERS = 8
_READY_S = 150.0
_SECRETS = {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "token-of-the-soak", "DISPATCHER_SECRET": "secret-of-the-soak"}


@dataclass
class Soak:
    """One run."""

    folder: Path
    rate: float
    chance: random.Random
    web: int = field(default_factory=free_port)
    broker_port: int = field(default_factory=free_port)
    gateway_port: int = field(default_factory=free_port)
    taken: int = 0
    refused: int = 0
    repeats: int = 0
    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    samples: list[tuple[float, float, int]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    _before: int = 0
    _used: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Nothing is broken yet."""
        self.faults = Faults(self, self.chance)

    @property
    def url(self) -> str:
        """Where the engine listens."""
        return f"http://127.0.0.1:{self.web}"

    # ------------------------------------------------------------------------------------------- the programs

    def configure(self) -> None:
        """A county and a deployment file."""
        write_county(self.folder / "county", Size(villages=200, stations=STATIONS, linked=5))
        deployment = {
            "county": "county",
            "status": "Exercise",
            "state_dir": str(self.folder / "var"),
            "journal_days": 0,
            "web": {"port": self.web},
            "store": {"adapter": "sqlite", "path": str(self.folder / "soak.db")},
            "sources": {"mqtt": {"adapter": "mqtt", "host": "127.0.0.1", "port": self.broker_port}},
            "channels": {"sms": {"adapter": "sms", "sender": "+447700900000", "base_url": f"http://127.0.0.1:{self.gateway_port}"}},
        }
        (self.folder / "deployment.yaml").write_text(yaml.safe_dump(deployment), encoding="utf-8")
        (self.folder / "mosquitto.conf").write_text(
            f"listener {self.broker_port} 127.0.0.1\nallow_anonymous true\npersistence false\n", encoding="utf-8"
        )

    def start_broker(self) -> None:
        """A real Mosquitto."""
        program = next(
            (p for p in ("/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto") if Path(p).exists()), "mosquitto"
        )
        config = str(self.folder / "mosquitto.conf")
        self.broker = subprocess.Popen([program, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start_engine(self) -> None:
        """The engine as an operator runs it, and the token of a gauge."""
        command = [sys.executable, "-m", "dispatcher"]
        config = ["-c", str(self.folder / "deployment.yaml")]
        made = subprocess.run(
            [*command, "user", "token", "gauges", "--role", "forecaster", *config], stdout=subprocess.PIPE, text=True, check=True
        )
        self.headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
        with (self.folder / "engine.log").open("wb") as log:
            self.engine = subprocess.Popen([*command, "run", *config], env=os.environ | _SECRETS, stdout=log, stderr=log)

    async def until_ready(self) -> None:
        """Wait for the engine's own word."""
        end_s, said = time.monotonic() + _READY_S, ""
        async with httpx.AsyncClient() as client:
            while time.monotonic() < end_s and self.engine.poll() is None:
                with contextlib.suppress(httpx.TransportError):
                    answer = await client.get(f"{self.url}/readyz")
                    if answer.status_code == 200:
                        return
                    said = answer.text
                await asyncio.sleep(0.2)
        log = (self.folder / "engine.log").read_text("utf-8", "replace")
        raise SystemExit(f"the engine is not ready within {_READY_S:.0f} s: {said or log[-2000:]}")

    def end(self) -> None:
        """End what was started."""
        for process in (self.engine, self.broker):
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

    # ------------------------------------------------------------------------------------------- readings

    async def fill(self) -> None:
        """A day of readings, so that all windows are full before anything is measured."""
        async with httpx.AsyncClient(timeout=60) as client:
            for body in history(time.time()):
                answer = await client.post(f"{self.url}/api/v1/readings", content=body, headers=self.headers)
                answer.raise_for_status()
        self._before = self._counted()

    async def send(self, numbers: "itertools.count[int]", until_s: float) -> None:
        """One of several senders: a batch at its time, again until it is taken; what is late is made up for."""
        began = time.monotonic()
        async with httpx.AsyncClient(timeout=30) as client:
            for mine in itertools.count():
                if time.monotonic() > until_s:
                    return
                await asyncio.sleep(max(0.0, began + mine * BATCH * _SENDERS / self.rate - time.monotonic()))
                await self._handed_over(client, batch(next(numbers), time.time()))

    async def _handed_over(self, client: httpx.AsyncClient, body: bytes) -> None:
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = await client.post(f"{self.url}/api/v1/readings", content=body, headers=self.headers)
                if answer.status_code == 202:
                    self.taken += answer.json()["accepted"]
                    self.refused += answer.json()["rejected"]
                    return
            self.repeats += 1
            await asyncio.sleep(0.5)

    # ------------------------------------------------------------------------------------------- looking

    async def look(self, until_s: float) -> None:
        """Sample the engine's memory and descriptors."""
        process = Path(f"/proc/{self.engine.pid}")
        page = os.sysconf("SC_PAGE_SIZE") / 2**20
        while time.monotonic() < until_s:
            resident = int((process / "statm").read_text(encoding="ascii").split()[1]) * page
            self.samples.append((time.monotonic(), resident, len(list((process / "fd").iterdir()))))
            for pid in (self.engine.pid, self.broker.pid):
                with contextlib.suppress(FileNotFoundError):  # a broker that was killed has had its last sample
                    self._used[pid] = processor_s(pid)
            await asyncio.sleep(SAMPLE_EVERY_S)

    def stored(self) -> int:
        """Readings of the run that the engine says it has decided upon by HTTP."""
        return self._counted() - self._before

    def _counted(self) -> int:
        text = httpx.get(f"{self.url}/metrics", timeout=30).text
        found = [line for line in text.splitlines() if line.startswith('dispatcher_readings_total{source="http"}')]
        return int(float(found[0].rpartition(" ")[2])) if found else 0

    async def run(self, minutes: float) -> None:
        """Everything at once until the time is over."""
        began_s, engine_s, own_s = time.monotonic(), processor_s(self.engine.pid), time.process_time()
        until_s = began_s + minutes * 60
        numbers = itertools.count()

        async def sending() -> None:
            await asyncio.gather(*(self.send(numbers, until_s) for _ in range(_SENDERS)))
            self.seconds = time.monotonic() - began_s

        await asyncio.gather(sending(), self.faults.one_after_another(until_s), self.look(until_s))
        whole_s = time.monotonic() - began_s
        engine_s = self._used.pop(self.engine.pid) - engine_s
        spent = {"engine": engine_s, "senders": time.process_time() - own_s, "broker": sum(self._used.values())}
        self.cpu = {of: round(used_s / whole_s, 3) for of, used_s in spent.items()}


def processor_s(pid: int) -> float:
    """Seconds of processor time that a process has had."""
    numbers = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def quarter(values: Sequence[float], number: int) -> float:
    """The median of one quarter of the run, 0 to 3."""
    part = sorted(values[len(values) * number // 4 : len(values) * (number + 1) // 4] or values)
    return part[len(part) // 2]


def summary(soak: Soak, minutes: float, seed: int, stored: int) -> dict[str, object]:
    """What the one line says. The first quarter is the warming up; the second is held against the last."""
    resident, fds = [s[1] for s in soak.samples], [float(s[2]) for s in soak.samples]
    grown = quarter(resident, 3) - quarter(resident, 1)
    return {
        "soak": "engine",
        "seed": seed,
        "minutes": minutes,
        "rate": soak.rate,
        "achieved": round(soak.taken / soak.seconds) if soak.seconds else 0,
        "taken": soak.taken,
        "stored": stored,
        "lost": max(0, soak.taken - stored),
        "refused": soak.refused,
        "repeats": soak.repeats,
        "faults": dict(soak.faults.count),
        "cpu": soak.cpu,
        "rss_mib": [round(quarter(resident, n), 1) for n in range(4)],
        "rss_max_mib": round(max(resident), 1),
        "fds": [int(quarter(fds, n)) for n in range(4)],
        "fds_max": int(max(fds)),
        "flat": grown <= MOST_GROWTH_MIB and quarter(fds, 3) - quarter(fds, 1) <= MOST_MORE_FDS,
    }


async def soaked(folder: Path, minutes: float, rate: float, seed: int) -> dict[str, object]:
    """One run from start to end."""
    soak = Soak(folder, rate, random.Random(seed))
    soak.configure()
    soak.start_broker()
    try:
        soak.start_engine()
        await soak.until_ready()
        await soak.fill()
        await soak.run(minutes)
        await asyncio.sleep(2)
        return summary(soak, minutes, seed, soak.stored())
    finally:
        soak.end()


def main(arguments: Sequence[str]) -> int:
    """Run, print one JSON line; 1 when something grew or was lost."""
    parser = argparse.ArgumentParser(prog="bench.soak")
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--rate", type=float, default=5_000, help="readings a second by HTTP")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    given = parser.parse_args(arguments)
    sys.stderr.write(f"seed {given.seed}\n")
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        found = asyncio.run(soaked(Path(folder), given.minutes, given.rate, given.seed))
    print(json.dumps(found), flush=True)
    return int(not found["flat"] or bool(found["lost"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
