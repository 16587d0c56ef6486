"""Fetches Apache Kafka from Maven artefacts into .services/ of the checkout, once; run as a module it does so beforehand."""

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services import server

#: 3.9 runs on Java 11, 17 and 21 and brings its logging backend along (4.x does not).
VERSION = "3.9.1"
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
CACHE = Path(__file__).resolve().parents[2] / ".services"

# kafka-server by hand: some releases of kafka_2.13 forget it in their metadata. kafka-tools for the logging backend.
DEPENDENCY = "<dependency><groupId>org.apache.kafka</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>"
POM = (
    "<project><modelVersion>4.0.0</modelVersion><groupId>dispatcher.tests</groupId><artifactId>kafka</artifactId>"
    "<version>1</version><packaging>pom</packaging><dependencies>{dependencies}</dependencies></project>\n"
)


class JarsMissing(Exception):
    """Why there are no jars."""


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process at a time, also across xdist workers."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def jars(timeout_s: float = 240.0) -> Path:
    """Folder of the jars, fetched if need be; JarsMissing says why it cannot be had."""
    folder = CACHE / f"kafka-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / "lock"):
        done = folder / "complete"
        if not done.exists():
            _fetch(folder, timeout_s)
            done.touch()
    return folder / "libs"


def _fetch(folder: Path, timeout_s: float) -> None:
    maven = server.program("mvn")
    if maven is None:
        raise JarsMissing("no mvn on the path")
    names = ("kafka_2.13", "kafka-server", "kafka-tools")
    dependencies = "".join(DEPENDENCY.format(name=name, version=VERSION) for name in names)
    (folder / "pom.xml").write_text(POM.format(dependencies=dependencies), encoding="utf-8")
    goal = [f"{PLUGIN}:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder / 'libs'}"]
    command = [maven, "-B", "-q", "-ntp", "-Dstyle.color=never", "-f", str(folder / "pom.xml"), *goal]
    try:
        result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        raise JarsMissing(f"Maven did not fetch Kafka {VERSION} within {timeout_s:.0f} s") from None
    if result.returncode != 0:
        first = next((line for line in result.stdout.splitlines() if "ERROR" in line), "no reason given")
        raise JarsMissing(f"Maven could not fetch Kafka {VERSION}: {first[:200]}")


if __name__ == "__main__":
    try:
        jars(timeout_s=900.0)
    except JarsMissing as missing:
        sys.stderr.write(f"Kafka is not to be had: {missing}\n")
