"""A soak: readings at a steady rate, faults all the while, and a look at memory and file descriptors of the engine.

``python -m bench.soak --minutes 120 --rate 5000 [--seed N]`` runs the real engine against a real Mosquitto and ends with one JSON line;
1 when memory or descriptors grew, or a reading was lost. Readings come by HTTP, each batch repeated until it is taken, and in bursts by
MQTT. Faults, one every ten seconds by chance: rubbish, requests that break off, a locked database, a broker that is killed or
stands still, an engine that stands still for a moment, a gateway that refuses or never answers.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import yaml

from bench.county import Size, station, write_county
from dispatcher.serving import free_port

STATIONS = 2_000
BATCH = 100
FAULT_EVERY_S = 10.0
SAMPLE_EVERY_S = 2.0
MOST_GROWTH_MIB = 32.0
MOST_MORE_FDS = 8
"""Beyond what the quarter after the first one had: connections come and go."""

_SENDERS = 4
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
    faults: Counter[str] = field(default_factory=Counter)
    samples: list[tuple[float, float, int]] = field(default_factory=list)

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

    def batch(self, number: int) -> bytes:
        """The next hundred gauges; one in two thousand readings is a cloudburst, so that people are called."""
        # Of the last whole five minutes, as gauges report: what comes again within them is a correction, so the windows stay as they are.
        slot = int(time.time()) // 300 * 300
        at, rain = datetime.fromtimestamp(slot, UTC).isoformat(), 0.2 + 0.2 * (number // 20 % 3)
        rows = []
        for n in range(number * BATCH, number * BATCH + BATCH):
            value = 90 if n % 2_000 == number % 5 else rain
            rows.append(f'{{"station":"{station(n % STATIONS)}","variable":"rain","value":{value:.1f},"unit":"mm","time":"{at}"}}\n')
        return "".join(rows).encode()

    async def send(self, numbers: "itertools.count[int]", until_s: float) -> None:
        """One of several senders: a batch at its time, again until it is taken."""
        began = time.monotonic()
        async with httpx.AsyncClient(timeout=30) as client:
            for mine in itertools.count():
                if time.monotonic() > until_s:
                    return
                await asyncio.sleep(max(0.0, began + mine * BATCH * _SENDERS / self.rate - time.monotonic()))
                await self._handed_over(client, self.batch(next(numbers)))

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

    # ------------------------------------------------------------------------------------------- faults

    async def trouble(self, until_s: float) -> None:
        """One fault after another, drawn by chance."""
        kinds: list[Callable[[], Awaitable[None]]] = [
            *(self.rubbish, self.broken_off, self.locked, self.broker_killed, self.broker_paused, self.engine_paused),
            *(self.gateway_refuses, self.gateway_hangs, self.burst),
        ]
        while time.monotonic() < until_s - FAULT_EVERY_S:
            kind = self.chance.choice(kinds)
            self.faults[kind.__name__] += 1
            await kind()
            await asyncio.sleep(FAULT_EVERY_S * self.chance.uniform(0.5, 1.5))

    async def rubbish(self) -> None:
        """Bodies that nobody can read, some of them too large."""
        async with httpx.AsyncClient(timeout=30) as client:
            for _ in range(50):
                body = self.chance.randbytes(self.chance.choice((10, 1_000, 100_000)))
                with contextlib.suppress(httpx.TransportError):
                    await client.post(f"{self.url}/api/v1/readings", content=body, headers=self.headers)

    async def broken_off(self) -> None:
        """Requests that end in their middle, without a goodbye."""
        head = (
            f"POST /api/v1/readings HTTP/1.1\r\nHost: x\r\nAuthorization: {self.headers['Authorization']}\r\nContent-Length: 9999\r\n\r\n["
        )
        for _ in range(50):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.web), 5) as connection:
                connection.sendall(head.encode())
            await asyncio.sleep(0.01)

    async def locked(self) -> None:
        """Somebody else holds the database for a few seconds."""
        with contextlib.closing(sqlite3.connect(self.folder / "soak.db", isolation_level=None, timeout=20)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(3)
            connection.execute("ROLLBACK")

    async def broker_killed(self) -> None:
        """The broker dies and comes back."""
        self.broker.kill()
        self.broker.wait()
        await asyncio.sleep(2)
        self.start_broker()

    async def broker_paused(self) -> None:
        """The broker's connections stay open and nothing comes."""
        await self._paused(self.broker, 8)

    async def engine_paused(self) -> None:
        """As a machine that swaps."""
        await self._paused(self.engine, 3)

    async def _paused(self, process: "subprocess.Popen[bytes]", seconds: float) -> None:
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        process.send_signal(signal.SIGCONT)

    async def gateway_refuses(self) -> None:
        """The gateway answers with 500."""
        await self._gateway(b"HTTP/1.1 500 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    async def gateway_hangs(self) -> None:
        """The gateway takes requests and answers none."""
        await self._gateway(b"")

    async def _gateway(self, answer: bytes) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(answer)
                await asyncio.sleep(0 if answer else 5)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", self.gateway_port)
        await asyncio.sleep(8)
        server.close()

    async def burst(self) -> None:
        """Sensors on the broker."""
        command = ["-m", "bench.gauges", str(self.broker_port), "5000", "0", "5"]
        process = await asyncio.create_subprocess_exec(sys.executable, *command, stderr=subprocess.DEVNULL)
        try:
            async with asyncio.timeout(20):
                await process.wait()
        except TimeoutError:
            process.kill()

    # ------------------------------------------------------------------------------------------- looking

    async def look(self, until_s: float) -> None:
        """Sample the engine's memory and descriptors."""
        process = Path(f"/proc/{self.engine.pid}")
        page = os.sysconf("SC_PAGE_SIZE") / 2**20
        while time.monotonic() < until_s:
            resident = int((process / "statm").read_text(encoding="ascii").split()[1]) * page
            self.samples.append((time.monotonic(), resident, len(list((process / "fd").iterdir()))))
            await asyncio.sleep(SAMPLE_EVERY_S)

    def stored(self) -> int:
        """Readings that the engine says it has decided upon by HTTP."""
        text = httpx.get(f"{self.url}/metrics", timeout=30).text
        found = [line for line in text.splitlines() if line.startswith('dispatcher_readings_total{source="http"}')]
        return int(float(found[0].rpartition(" ")[2])) if found else 0

    async def run(self, minutes: float) -> None:
        """Everything at once until the time is over."""
        until_s = time.monotonic() + minutes * 60
        numbers = itertools.count()
        senders = [self.send(numbers, until_s) for _ in range(_SENDERS)]
        await asyncio.gather(*senders, self.trouble(until_s), self.look(until_s))


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
        "taken": soak.taken,
        "stored": stored,
        "lost": max(0, soak.taken - stored),
        "refused": soak.refused,
        "repeats": soak.repeats,
        "faults": dict(soak.faults),
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
