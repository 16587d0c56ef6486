"""Kafka behind TLS with a login: a real cluster whose listeners ask for both."""

import asyncio
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.outlets import kafka as outlets
from adapters.sources.kafka import KafkaSettings, adapter
from dispatcher.clock import ManualClock
from dispatcher.errors import OutletFailed, SourceLost
from dispatcher.ports import Outgoing, Outlet, Stream, World
from dispatcher.testing.sources import aclose
from tests.services import kafka_jars, server
from tests.services.certificates import Authority
from tests.services.kafka import Kafka, Secured
from tests.services.left_out import leave_out

WORLD = World(clock=ManualClock(datetime(2026, 7, 20, tzinfo=UTC)), county="990121", public_url="http://127.0.0.1")
USER, PASSWORD = "engine", "geheim-99"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def secured(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A cluster with two more listeners: one that asks for a password over TLS, one that asks for a certificate."""
    java = server.program("java") or leave_out("kafka", "no java on the path")
    try:
        libs = kafka_jars.jars()
    except kafka_jars.JarsMissing as missing:
        leave_out("kafka", str(missing))
    broker = Kafka(tmp_path_factory.mktemp("kafka"), java, libs, Secured(authority, USER, PASSWORD))
    broker.format()
    broker.start()
    yield broker
    broker.stop()


def settings_of(secured: Kafka, authority: Authority, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    topic = f"readings-{uuid.uuid4().hex[:8]}"
    secured.create_topic(topic)
    login = {"username": USER, "password_env": "KAFKA_TEST_PASSWORD", "tls": True, "ca_file": authority.ca.certificate}
    base = {"bootstrap": (secured.sasl_bootstrap,), "timeout_s": 5, **login, **more}
    return {**base, "topic": topic}


def outlet_of(settings: dict[str, Any]) -> Outlet:
    own = {name: value for name, value in settings.items() if name != "topic"}
    return outlets.adapter.build(outlets.KafkaOutletSettings.model_validate({**own, "changes": settings["topic"], "rejects": ""}), WORLD)


async def through(settings: dict[str, Any]) -> bytes:
    """Publish one record and read it back, both with these settings."""
    outlet = outlet_of(settings)
    await outlet.publish(Stream.CHANGES, [Outgoing("k", b"seen")])
    await outlet.close()
    own = {name: value for name, value in settings.items() if name != "topic"}
    source = adapter.build(KafkaSettings.model_validate({**own, "readings": (settings["topic"],), "probe_s": 0.5}), WORLD)
    stream = source.batches({})
    try:
        batch = await asyncio.wait_for(anext(stream), 60)
        await source.ack(batch)
    finally:
        await aclose(stream)
    return batch.items[0].body


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_source_and_outlet_log_in_over_tls(
    secured: Kafka, authority: Authority, mechanism: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_TEST_PASSWORD", PASSWORD)
    assert await through(settings_of(secured, authority, sasl=mechanism)) == b"seen"


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
async def test_a_wrong_password_is_said_without_saying_it(
    secured: Kafka, authority: Authority, mechanism: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_TEST_PASSWORD", "wrong-98")
    settings = settings_of(secured, authority, sasl=mechanism)
    outlet = outlet_of(settings)
    with pytest.raises(OutletFailed) as refused:
        await outlet.publish(Stream.CHANGES, [Outgoing("k", b"x")])
    own = {name: value for name, value in settings.items() if name != "topic"}
    stream = adapter.build(KafkaSettings.model_validate({**own, "readings": (settings["topic"],)}), WORLD).batches({})
    with pytest.raises(SourceLost) as lost:
        await asyncio.wait_for(anext(stream), 60)
    assert "wrong-98" not in f"{refused.value} {lost.value}"


async def test_a_certificate_alone_lets_in_where_the_cluster_asks_for_one(secured: Kafka, authority: Authority, tmp_path: Path) -> None:
    ours = await asyncio.to_thread(authority.sign, "engine")
    login = {"username": None, "password_env": None, "bootstrap": (secured.tls_bootstrap,)}
    proof = {"cert_file": ours.certificate, "key_file": ours.key}
    assert await through(settings_of(secured, authority, **login, **proof)) == b"seen"
    strangers = await asyncio.to_thread(Authority, tmp_path / "strangers")
    for settings in (login, {**login, **proof, "ca_file": strangers.ca.certificate}):
        with pytest.raises(OutletFailed):
            await outlet_of(settings_of(secured, authority, **settings)).publish(Stream.CHANGES, [Outgoing("k", b"x")])
