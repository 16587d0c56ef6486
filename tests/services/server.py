"""A real server as a child process: on a free port, in a folder of its own, to be killed, paused and started again by tests."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"

#: Where Debian puts servers although it is not on the path of an ordinary user.
ELSEWHERE = "/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin:/bin"


def program(*names: str) -> str | None:
    """Path of the first of these programs that is there."""
    return next((path for name in names if (path := shutil.which(name) or shutil.which(name, path=ELSEWHERE))), None)


def free_port() -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Server:
    """A program that listens on a port. ``log`` is the file that its output goes to."""

    def __init__(self, command: list[str], port: int, log: Path, patience_s: float = 90.0) -> None:
        self.host = HOST
        self.port = port
        self.log = log
        self._command = command
        self._patience_s = patience_s
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id; 0 when it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else 0

    def start(self) -> None:
        """Start it and wait until it accepts connections; does nothing when it runs."""
        if self.pid:
            return
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.log.parent)
        end = time.monotonic() + self._patience_s
        while not self._accepts():
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                tail = self.log.read_text(errors="replace")[-2000:]
                message = f"{self._command[0]} did not listen on port {self.port}; its log ends: {tail}"
                raise RuntimeError(message)
            time.sleep(0.05)

    def _accepts(self) -> bool:
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        """End it without warning, as a power cut would (SIGKILL); ``start`` brings it back with what it had on disk."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end (SIGTERM), so that it can save."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self.resume()
        self._process.send_signal(how)
        try:
            self._process.wait(self._patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def restart(self) -> None:
        """Stop it if it runs, and start it on the same port with the same data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Hold it still: connections stay open and nothing answers (SIGSTOP)."""
        if self.pid and self._process:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        if self.pid and self._process:
            self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Hold it still for as long as the block lasts."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def revive(self) -> None:
        """Bring it back to a state that the next test expects: running and not paused."""
        self.resume()
        self.start()


def random_seed(variable: str) -> int:
    """A seed for this run, or the one that the variable gives; printed, so that a failure shows how to do it again."""
    seed = int(os.environ.get(variable) or time.time_ns() % 1_000_000)
    print(f"{variable}={seed}")  # noqa: T201 - shown when a test fails
    return seed
