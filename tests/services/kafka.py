"""A real Apache Kafka for tests: ``kafka.bootstrap``, ``.create_topic(name, partitions)``, ``.kill()``, ``.restart()``, ``.pause()``."""

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.services import kafka_jars, server
from tests.services.left_out import leave_out

#: One node that is broker and controller, with a static quorum, so that formatting needs no further option.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={folder}/data
num.partitions=4
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""
LOGGING = """\
log4j.rootLogger=WARN,o
log4j.appender.o=org.apache.log4j.ConsoleAppender
log4j.appender.o.layout=org.apache.log4j.PatternLayout
log4j.appender.o.layout.ConversionPattern=%d %p %m%n
"""
CLUSTER = "dispatcher-tests-00001"


class Kafka(server.Server):
    """One broker; topics are made by ``create_topic`` only."""

    def __init__(self, folder: Path, java: str, libs: Path) -> None:
        port = server.free_port()
        text = PROPERTIES.format(host=server.HOST, port=port, controller=server.free_port(), folder=folder)
        (folder / "server.properties").write_text(text, encoding="utf-8")
        (folder / "log4j.properties").write_text(LOGGING, encoding="utf-8")
        # The first tier of the compiler alone: it starts in half the time, and tests are short.
        options = ["-Xms256m", "-Xmx384m", "-XX:TieredStopAtLevel=1", f"-Dlog4j.configuration=file:{folder}/log4j.properties"]
        self._java = [java, *options, f"-Dkafka.logs.dir={folder}", "-cp", f"{libs}/*"]
        self._folder = folder
        self.bootstrap = f"{server.HOST}:{port}"
        super().__init__([*self._java, "kafka.Kafka", str(folder / "server.properties")], port, folder / "kafka.log", patience_s=90)

    def format(self) -> None:
        """Prepare the empty data folder, which Kafka insists on."""
        tool = ["kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(self._folder / "server.properties"), "-g"]
        result = subprocess.run([*self._java, *tool], capture_output=True, text=True, timeout=90, check=False)
        if result.returncode != 0:
            raise RuntimeError(f"Kafka's storage tool failed: {result.stdout[-1000:]}{result.stderr[-1000:]}")

    def run(self, program: str, *arguments: str, stdin: IO[bytes] | None = None) -> None:
        """Run one of Kafka's own tools to its end; RuntimeError with what it said when it fails."""
        result = subprocess.run([*self._java, program, *arguments], stdin=stdin, capture_output=True, timeout=600, check=False)
        if result.returncode != 0:
            raise RuntimeError(f"{program} failed: {(result.stdout + result.stderr)[-1000:].decode(errors='replace')}")

    def create_topic(self, name: str, partitions: int = 1) -> None:
        """Make a topic; may be called with or without a running event loop."""
        # A loop of its own in a thread: the caller may be a coroutine, whose loop must not be entered again.
        failed: list[BaseException] = []

        def make() -> None:
            try:
                asyncio.run(self._create(name, partitions))
            except Exception as error:  # noqa: BLE001 - handed to the caller's thread
                failed.append(error)

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]

    async def _create(self, name: str, partitions: int) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(name, partitions, 1)])
        finally:
            await admin.close()


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """One broker for all tests; a test that kills or pauses it gets it back running for the next. Use topics of your own."""
    java = server.program("java") or leave_out("kafka", "no java on the path")
    try:
        libs = kafka_jars.jars()
    except kafka_jars.JarsMissing as missing:
        leave_out("kafka", str(missing))
    broker = Kafka(tmp_path_factory.mktemp("kafka"), java, libs)
    broker.format()
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(autouse=True)
def _kafka_comes_back(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "kafka" in request.fixturenames and (broker := request.node.funcargs.get("kafka")):
        broker.revive()
