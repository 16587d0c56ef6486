"""Starts engines and towns quickly: one process has imported everything and forks; what it forks is a process of its own, killed as such.

Asked on standard input, a line of JSON for each; says on standard output who has started and who has ended.
"""

import importlib
import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.programs import ROOT

PROGRAMS = ("tests.faults.engine", "tests.faults.mutants", "simulators.town", "simulators.robots")
#: What these would import only when they run.
AHEAD = (
    "adapters.channels.twilio_sms",
    "adapters.channels.chat",
    "adapters.channels.loudspeaker",
    "adapters.sources.mqtt",
    "adapters.sources.kafka",
    "adapters.outlets.kafka",
    "uvicorn",
)
LOOK_EVERY_S = 0.02
STARTS_WITHIN_S = 120.0


@dataclass
class Child:
    """A process that the nursery has started; the part of ``subprocess.Popen`` that the harness needs."""

    pid: int = 0
    returncode: int | None = None
    started: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        if not self.ended.wait(timeout):
            raise subprocess.TimeoutExpired("a child of the nursery", timeout or 0)
        return self.returncode

    def send_signal(self, how: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, how)

    def kill(self) -> None:
        self.send_signal(9)

    def terminate(self) -> None:
        self.send_signal(15)


class Nursery:
    """One for all storms; may be used by several threads."""

    def __init__(self) -> None:
        """Start it; it imports while the servers start."""
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.faults.nursery"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True, bufsize=1)
        self._lock = threading.Lock()
        self._waiting: list[Child] = []
        self._children: dict[int, Child] = {}
        self._listening = threading.Thread(target=self._listen, name="nursery", daemon=True)
        self._listening.start()

    def start(self, program: str, arguments: Sequence[str], name: Path, environment: Mapping[str, str]) -> Child:
        """Fork; output goes to files beginning with ``name``, whose folder is the working directory."""
        child = Child()
        asked = {"program": program, "arguments": list(arguments), "name": str(name), "environment": dict(environment)}
        with self._lock:
            self._waiting.append(child)
            assert self._process.stdin
            self._process.stdin.write(json.dumps(asked) + "\n")
        assert child.started.wait(STARTS_WITHIN_S), "the nursery does not answer"
        return child

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            said = json.loads(line)
            if "started" in said:
                with self._lock:
                    child = self._children[said["started"]] = self._waiting.pop(0)
                child.pid = said["started"]
                child.started.set()
            else:
                child = self._children.pop(said["ended"])
                child.returncode = said["code"]
                child.ended.set()

    def close(self) -> None:
        """End it; those that it started are not its business."""
        self._process.kill()
        self._process.wait()
        self._listening.join(STARTS_WITHIN_S)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            pipe.close()


def serve() -> None:
    """Fork whoever is asked for, until standard input closes."""
    mains: Mapping[str, Any] = {program: importlib.import_module(program).main for program in PROGRAMS}
    for name in AHEAD:
        importlib.import_module(name)
    pending = b""
    while True:
        ready = select.select([0], [], [], LOOK_EVERY_S)[0]
        if ready:
            data = os.read(0, 1 << 16)
            if not data:
                return
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                asked = json.loads(line)
                pid = os.fork()
                if not pid:
                    os._exit(_live(mains[asked["program"]], asked))
                _say({"started": pid})
        _say_who_ended()


def _say_who_ended() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _say({"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def _live(main: Any, asked: Mapping[str, Any]) -> int:  # noqa: ANN401 - any program's entry
    """The life of a child: its own output, its own environment, and the program; gives the exit code."""
    name = Path(asked["name"])
    os.setsid()
    os.chdir(name.parent)
    os.environ.update(asked["environment"])
    for number, file in ((0, Path(os.devnull)), (1, Path(f"{name}.out")), (2, Path(f"{name}.err"))):
        os.dup2(os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644), number)
    try:
        code = main(asked["arguments"])
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - what Python would do at the end of a program
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return int(code or 0)


def _say(what: Mapping[str, int]) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    serve()
