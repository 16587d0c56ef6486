"""A real Apache Kafka for tests: ``kafka.bootstrap``, ``.create_topic(name, partitions)``, ``.kill()``, ``.restart()``, ``.pause()``."""

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.services import kafka_jars, server
from tests.services.certificates import Authority
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

#: Two more listeners: SASL asks for a password over TLS, TLS for a certificate.
SECURITY = """\
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller},SASL://{host}:{sasl},TLS://{host}:{tls}
advertised.listeners=PLAINTEXT://{host}:{port},SASL://{host}:{sasl},TLS://{host}:{tls}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL:SASL_SSL,TLS:SSL
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
listener.name.sasl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.tls.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={truststore}
"""


@dataclass(frozen=True, slots=True)
class Secured:
    """What a cluster that lets in nobody unknown is made of: who signs, and the one user."""

    authority: Authority
    user: str
    password: str


class Kafka(server.Server):
    """One broker; topics are made by ``create_topic`` only."""

    def __init__(self, folder: Path, java: str, libs: Path, secured: Secured | None = None) -> None:
        ports = {name: server.free_port() for name in ("port", "controller", "sasl", "tls")}
        port = ports["port"]
        text = PROPERTIES.format(host=server.HOST, folder=folder, **ports)
        self._scram: list[str] = []
        if secured is not None:
            its = secured.authority.sign("kafka")
            keystore = folder / "keystore.pem"
            keystore.write_text(its.key.read_text() + its.certificate.read_text(), encoding="ascii")
            text += SECURITY.format(
                host=server.HOST,
                user=secured.user,
                password=secured.password,
                keystore=keystore,
                truststore=secured.authority.ca.certificate,
                **ports,
            )
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
                self._scram += ["--add-scram", f"{mechanism}=[name={secured.user},password={secured.password}]"]
        self.sasl_bootstrap = f"{server.HOST}:{ports['sasl']}"
        self.tls_bootstrap = f"{server.HOST}:{ports['tls']}"
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
        tool = ["kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(self._folder / "server.properties"), "-g", *self._scram]
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
