"""What an engine costs while nothing happens: its processor time in percent of one core.

The real program with 1,000 villages, 1,000 gauges, SQLite and a real Mosquitto it is subscribed to; nothing is published.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import yaml

from bench.brokers import mosquitto
from bench.county import Size, write_county
from bench.figure import figure

SIZE = Size(villages=1_000, stations=1_000, linked=1)
SETTLED_S = 5.0
MOST_S = 120.0
WINDOW_S = 30.0
WINDOWS = 3


def cpu_s(process: psutil.Process) -> float:
    """Processor time so far."""
    times = process.cpu_times()
    return times.user + times.system


def settle(process: psutil.Process) -> None:
    """Wait until the start is over: some seconds in a row in which next to nothing was done."""
    quiet, deadline = 0, time.monotonic() + MOST_S
    while quiet < SETTLED_S and time.monotonic() < deadline:
        before = cpu_s(process)
        time.sleep(1)
        quiet = quiet + 1 if cpu_s(process) - before <= 0.05 else 0


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as made, mosquitto(Path(made)) as port:
        folder = Path(made)
        write_county(folder / "county", SIZE)
        deployment = {
            "county": "county",
            "state_dir": str(folder / "state"),
            "web": {"port": 0},
            "store": {"adapter": "sqlite", "path": str(folder / "idle.db")},
            "sources": {"mqtt": {"adapter": "mqtt", "port": port}},
        }
        (folder / "deployment.yaml").write_text(yaml.safe_dump(deployment), encoding="utf-8")
        command = [sys.executable, "-m", "dispatcher", "run", "-c", str(folder / "deployment.yaml")]
        engine = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process = psutil.Process(engine.pid)
            settle(process)
            percents = []
            for _ in range(WINDOWS):
                before, began = cpu_s(process), time.perf_counter()
                time.sleep(WINDOW_S)
                percents.append((cpu_s(process) - before) / (time.perf_counter() - began) * 100)
            if engine.poll() is not None:
                sys.exit(f"the engine ended by itself with {engine.returncode}")
        finally:
            engine.terminate()
            engine.wait()
    figure("idle.cpu_percent", percents, "% of a core", WINDOWS, f"subscribed to Mosquitto, {SIZE.villages} villages, nothing happens")


if __name__ == "__main__":
    main()
