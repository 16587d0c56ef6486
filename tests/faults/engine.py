"""The engine as ``dispatcher run`` runs it, on a clock of N recording seconds in one.

The wall clock can be stepped from outside: a file says by how many seconds it is wrong. Snapshots come more often, and it waits for a
locked store for a shorter time, so that a storm of a minute has enough of both.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import uvloop

from adapters.stores import sqlite
from dispatcher import clock
from dispatcher.application import Application, load, open_store
from dispatcher.cli.running import until_told
from dispatcher.clock import ReplayClock
from dispatcher.errors import Unreachable
from dispatcher.intake import pipeline
from dispatcher.settings import load_deployment
from dispatcher.upkeep.log import make_log

SNAPSHOT_EVERY_S = 2.0
LOCK_PATIENCE_MS = 2_000
OUT_OF_REACH = 3


class WrongTime:
    """The module ``time`` as a machine whose wall clock is stepped would have it."""

    monotonic = staticmethod(time.monotonic)

    def __init__(self, file: Path) -> None:
        self._file = file

    def time(self) -> float:
        return time.time() + float(self._file.read_text("ascii") or 0)


async def run(given: argparse.Namespace) -> None:
    deployment = load_deployment(given.config)
    loaded = load(deployment)
    moment = ReplayClock(given.start, given.speed, given.epoch)
    app = Application(deployment, loaded, await open_store(deployment), moment, make_log(as_json=True))
    await app.start()
    try:
        await until_told(app.finished)
    finally:
        await app.stop()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("--start", type=datetime.fromisoformat, required=True)
    parser.add_argument("--epoch", type=float, required=True)
    parser.add_argument("--speed", type=float, required=True)
    parser.add_argument("--wrong-by", type=Path, required=True)
    given = parser.parse_args(arguments)
    vars(clock)["time"] = WrongTime(given.wrong_by)
    pipeline.SNAPSHOT_EVERY_S = SNAPSHOT_EVERY_S
    vars(sqlite)["_WAIT_FOR_LOCK_MS"] = LOCK_PATIENCE_MS
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(given))
    except Unreachable as error:  # as ``dispatcher run``: whoever supervises it starts it again
        sys.stderr.write(f"{error}\n")
        return OUT_OF_REACH
    return 0


if __name__ == "__main__":
    sys.exit(main())
