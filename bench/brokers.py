"""A real Mosquitto on a free port for one benchmark."""

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from dispatcher.serving import free_port

_READY_S = 5.0


@contextlib.contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """Start it with room for many unacknowledged messages, give its port, stop it; exits with 3 when there is none."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        sys.stderr.write("this benchmark needs mosquitto on the path\n")
        sys.exit(3)
    port = free_port()
    config = folder / "mosquitto.conf"
    lines = [
        f"listener {port} 127.0.0.1",
        "allow_anonymous true",
        "max_inflight_messages 0",
        "max_queued_messages 0",
        "persistence false",
        "set_tcp_nodelay true",
    ]
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    process = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()
