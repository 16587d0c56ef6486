"""The real program as an operator starts it, and looks into what it leaves behind."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0
LOOK_EVERY_S = 0.05


@dataclass
class Ran:
    """How a program ended."""

    code: int
    out: str
    err: str

    @property
    def summary(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass
class Running:
    """A program that was started. Its output goes to files, so that nobody needs to read it for it to go on."""

    process: subprocess.Popen[bytes]
    folder: Path
    started: float = field(default_factory=time.monotonic)

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text("utf-8", "replace")

    @property
    def err(self) -> str:
        return (self.folder / "err").read_text("utf-8", "replace")

    def signal(self, how: signal.Signals) -> None:
        self.process.send_signal(how)

    def wait(self, within_s: float = PATIENCE_S) -> Ran:
        """Its end; fails with what it said when it does not come."""
        try:
            code = self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            message = f"the program did not end within {within_s} s; it said: {self.out[-2000:]}\n{self.err[-2000:]}"
            raise AssertionError(message) from None
        return Ran(code, self.out, self.err)

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait()

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait until something holds while the program runs."""
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert self.process.poll() is None, f"it ended with {self.process.returncode} before {what}: {self.err[-2000:]}"
            assert time.monotonic() < end, f"in {PATIENCE_S} s there was not: {what}; it said: {self.out[-1000:]}\n{self.err[-2000:]}"
            time.sleep(LOOK_EVERY_S)


@dataclass
class Programs:
    """Starts ``dispatcher …``; whatever still runs at the end of the test is killed."""

    folder: Path
    started: list[Running] = field(default_factory=list)

    def start(self, *arguments: str, module: str = "dispatcher", environment: Mapping[str, str] | None = None) -> Running:
        """Start it and go on."""
        folder = self.folder / f"run-{len(self.started)}"
        folder.mkdir(parents=True)
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=self.folder,
                env=os.environ | {"PYTHONPATH": str(ROOT)} | dict(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        running = Running(process, folder)
        self.started.append(running)
        return running

    def run(self, *arguments: str, within_s: float = PATIENCE_S, environment: Mapping[str, str] | None = None) -> Ran:
        """Start it and wait for its end."""
        return self.start(*arguments, environment=environment).wait(within_s)

    def end(self) -> None:
        """Kill what still runs."""
        for running in self.started:
            if running.process.poll() is None:
                running.kill()


def rows(database: Path, query: str, *values: object) -> list[sqlite3.Row]:
    """What a query finds; none while there is no such table yet."""
    if not database.exists():
        return []
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        connection.row_factory = sqlite3.Row
        try:
            return connection.execute(query, values).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise


def count(database: Path, table: str, where: str = "1") -> int:
    """How many rows of a table there are."""
    found = rows(database, f"SELECT count(*) AS n FROM {table} WHERE {where}")  # noqa: S608 - the words are the test's own
    return int(found[0]["n"]) if found else 0


def ledger(file: Path) -> Iterator[dict[str, Any]]:
    """Whole lines of a town's ledger."""
    for line in file.read_bytes().splitlines(keepends=True) if file.exists() else ():
        if line.endswith(b"\n"):
            yield json.loads(line)


def arrivals(file: Path) -> dict[str, int]:
    """How often each delivery reached the world."""
    found: dict[str, int] = {}
    for entry in ledger(file):
        if entry["kind"] in ("sms.accepted", "speaker.command"):
            found[entry["delivery"]] = found.get(entry["delivery"], 0) + 1
    return found
