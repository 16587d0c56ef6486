"""A real Mosquitto for tests: ``mosquitto.host``, ``.port``, ``.kill()``, ``.restart()``, ``.pause()``."""

import getpass
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services import server
from tests.services.left_out import leave_out

#: Without these a session gets 20 messages per acknowledgement and loses what queues above 1,000 (deploy/mosquitto.conf).
QUEUES = ("max_inflight_messages 1000", "max_queued_messages 0", "set_tcp_nodelay true")


class Mosquitto(server.Server):
    """One broker. ``extra`` are further lines of its configuration; without them anybody on the loopback may connect."""

    def __init__(self, folder: Path, binary: str, extra: tuple[str, ...] = ("allow_anonymous true",)) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        port = server.free_port()
        config = folder / "mosquitto.conf"
        lines = (
            f"listener {port} {server.HOST}",
            f"user {getpass.getuser()}",
            "persistence true",
            f"persistence_location {folder}/",
            "log_dest stdout",
            *QUEUES,
            *extra,
        )
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        super().__init__([binary, "-c", str(config)], port, folder / "mosquitto.log")


@pytest.fixture(scope="session")
def mosquitto_binary() -> str:
    """Path of the Mosquitto program; leaves the test out when there is none."""
    return server.program("mosquitto") or leave_out("mosquitto", "no mosquitto on the path")


@pytest.fixture(scope="session")
def mosquitto(mosquitto_binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One broker for all tests; a test that kills or pauses it gets it back running for the next. Use topics of your own."""
    broker = Mosquitto(tmp_path_factory.mktemp("mosquitto"), mosquitto_binary)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def mosquitto_with(mosquitto_binary: str, tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    """Start brokers of your own with given lines of configuration: ``mosquitto_with("password_file …")``."""
    started: list[Mosquitto] = []

    def start(*extra: str) -> Mosquitto:
        broker = Mosquitto(tmp_path / f"mosquitto-{len(started)}", mosquitto_binary, extra or ("allow_anonymous true",))
        started.append(broker)
        broker.start()
        return broker

    yield start
    for broker in started:
        broker.stop()


@pytest.fixture(autouse=True)
def _mosquitto_comes_back(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "mosquitto" in request.fixturenames and (broker := request.node.funcargs.get("mosquitto")):
        broker.revive()
