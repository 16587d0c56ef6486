"""Runs a benchmark in the pure variant or in the compiled one; a figure of the wrong variant is worse than none.

Times are of the processor, not of the clock: what other programs take away on a shared machine does not count.
"""

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

import rules as rules_package
from dispatcher.intake.catalogue import Catalogue
from dispatcher.intake.decode import decode
from dispatcher.ports import Item
from rules.engine import Engine
from rules.variant import PURE

Work = Iterable[tuple[datetime, bytes]]


def in_variant(module: str, *arguments: str, pure: bool) -> list[float]:
    """What ``python -m module measure`` prints as a list at last, in one variant; empty where that is not there."""
    if not pure and not rules_package.COMPILED:
        sys.stderr.write("the compiled variant is not built: make compiled\n")
        return []
    environment = {name: value for name, value in os.environ.items() if name != PURE} | ({PURE: "1"} if pure else {})
    command = [sys.executable, "-m", module, "measure", *arguments]
    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: list[float] = json.loads(ran.stdout.splitlines()[-1])
    return found


Result = TypeVar("Result")


def cpu_s(work: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds of processor time, and the result."""
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def decided(engine: Engine, known: Catalogue, work: Work) -> int:
    """Decode and decide all of it; gives the number of changes."""
    return sum(len(engine.observe(decode(Item(body, "bench"), known).readings, at).changes) for at, body in work)


def frozen(work: Callable[[], Result]) -> tuple[float, Result]:
    """The same with everything that exists now out of the collector's way."""
    gc.collect()
    gc.freeze()
    found = cpu_s(work)
    gc.unfreeze()
    return found
