"""The faults of a soak, one every ten seconds by chance."""

import asyncio
import contextlib
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import httpx

FAULT_EVERY_S = 10.0


class Programs(Protocol):
    """What there is to disturb."""

    folder: Path
    web: int
    broker_port: int
    gateway_port: int
    headers: dict[str, str]
    engine: "subprocess.Popen[bytes]"
    broker: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        """Where the engine listens."""

    def start_broker(self) -> None:
        """A new one in the place of the one before."""


class Faults:
    """One fault after another, and how many of each there were."""

    def __init__(self, programs: Programs, chance: random.Random) -> None:
        """None yet."""
        self._programs = programs
        self._chance = chance
        self.count: Counter[str] = Counter()

    async def one_after_another(self, until_s: float) -> None:
        """One fault after another, drawn by chance."""
        kinds: list[Callable[[], Awaitable[None]]] = [
            *(self.rubbish, self.broken_off, self.locked, self.broker_killed, self.broker_paused, self.engine_paused),
            *(self.gateway_refuses, self.gateway_hangs, self.burst),
        ]
        while time.monotonic() < until_s - FAULT_EVERY_S:
            kind = self._chance.choice(kinds)
            self.count[kind.__name__] += 1
            await kind()
            await asyncio.sleep(FAULT_EVERY_S * self._chance.uniform(0.5, 1.5))

    async def rubbish(self) -> None:
        """Bodies that nobody can read, some of them too large."""
        async with httpx.AsyncClient(timeout=30) as client:
            for _ in range(50):
                body = self._chance.randbytes(self._chance.choice((10, 1_000, 100_000)))
                with contextlib.suppress(httpx.TransportError):
                    await client.post(f"{self._programs.url}/api/v1/readings", content=body, headers=self._programs.headers)

    async def broken_off(self) -> None:
        """Requests that end in their middle, without a goodbye."""
        token = self._programs.headers["Authorization"]
        head = f"POST /api/v1/readings HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Length: 9999\r\n\r\n["
        for _ in range(50):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._programs.web), 5) as connection:
                connection.sendall(head.encode())
            await asyncio.sleep(0.01)

    async def locked(self) -> None:
        """Somebody else holds the database for a few seconds."""
        with contextlib.closing(sqlite3.connect(self._programs.folder / "soak.db", isolation_level=None, timeout=20)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(3)
            connection.execute("ROLLBACK")

    async def broker_killed(self) -> None:
        """The broker dies and comes back."""
        self._programs.broker.kill()
        self._programs.broker.wait()
        await asyncio.sleep(2)
        self._programs.start_broker()

    async def broker_paused(self) -> None:
        """The broker's connections stay open and nothing comes."""
        await self._paused(self._programs.broker, 8)

    async def engine_paused(self) -> None:
        """As a machine that swaps."""
        await self._paused(self._programs.engine, 3)

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

        server = await asyncio.start_server(serve, "127.0.0.1", self._programs.gateway_port)
        await asyncio.sleep(8)
        server.close()

    async def burst(self) -> None:
        """Sensors on the broker, two in five of them known."""
        command = ["-m", "bench.gauges", str(self._programs.broker_port), "5000", "0", "5"]
        process = await asyncio.create_subprocess_exec(sys.executable, *command, stderr=subprocess.DEVNULL)
        try:
            async with asyncio.timeout(20):
                await process.wait()
        except TimeoutError:
            process.kill()
