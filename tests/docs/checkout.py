"""A copy of the checkout in which a newcomer's commands run, on free ports, without touching the real one."""

import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PUBLISH = """\
#!{python}
# For machines without Mosquitto's own programs.
import argparse

import paho.mqtt.publish

parser = argparse.ArgumentParser()
for name in ("-p", "-q", "-t", "-m"):
    parser.add_argument(name)
given = parser.parse_args()
paho.mqtt.publish.single(given.t, given.m, qos=int(given.q), port=int(given.p), hostname="127.0.0.1")
"""


@dataclass(frozen=True, slots=True)
class Checkout:
    """The copy, with the ports that stand for 8080 and 1883 in it."""

    folder: Path
    web_port: int
    mqtt_port: int

    def fitted(self, script: str) -> str:
        """A script with the ports of this copy."""
        return script.replace(":8080", f":{self.web_port}").replace("-p 1883", f"-p {self.mqtt_port}")

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a shell script in the copy, as somebody does who has nothing set in his environment."""
        hidden = ("TWILIO_", "DISPATCHER_", "PYTEST", "VIRTUAL_ENV", "VENV", "MAKE", "MFLAGS", "RUN", "COV_")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
        environment |= {"PYTHONPATH": str(self.folder), "PATH": f"{self.folder / 'stand-ins'}:{environment['PATH']}", "NO_COLOR": "1"}
        whole = (Path(__file__).parent / "prelude.sh").read_text(encoding="utf-8") + self.fitted(script)
        return subprocess.run(
            ["bash", "-c", whole], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=240, check=False
        )


def make_checkout(folder: Path) -> Checkout:
    """Copy every file that git knows or would add, with an environment that holds the lock."""
    listed = subprocess.run(["git", "ls-files", "-zco", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    _environment(folder)
    web_port, mqtt_port = free_ports(2)
    deployment = folder / "config" / "sample" / "deployment.yaml"
    text = deployment.read_text(encoding="utf-8").replace("port: 8080", f"port: {web_port}").replace("port: 1883", f"port: {mqtt_port}")
    deployment.write_text(text, encoding="utf-8")
    return Checkout(folder, web_port, mqtt_port)


def _environment(folder: Path) -> None:
    """``.venv`` is the environment of the tests, seen through links, with a stamp that says it is up to date."""
    venv = folder / ".venv"
    venv.mkdir()
    for part in Path(sys.prefix).iterdir():
        if not part.name.startswith(".stamp"):
            (venv / part.name).symlink_to(part)
    stamp = "cksum requirements/dev.lock pyproject.toml | tr '\\n' ' '"
    (venv / ".stamp-dev").write_text(subprocess.run(["sh", "-c", stamp], cwd=folder, capture_output=True, text=True, check=True).stdout)
    stand_ins = folder / "stand-ins"
    stand_ins.mkdir()
    if shutil.which("mosquitto_pub") is None:
        publish = stand_ins / "mosquitto_pub"
        publish.write_text(_PUBLISH.format(python=sys.executable))
        publish.chmod(0o755)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listening.getsockname()[1] for listening in held]
    for listening in held:
        listening.close()
    return ports
