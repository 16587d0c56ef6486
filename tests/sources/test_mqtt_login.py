"""Who may connect: passwords, TLS and certificates between the MQTT source and a real Mosquitto."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import aiomqtt
import pytest

from adapters.sources.mqtt import MqttSettings, adapter
from dispatcher.errors import ConfigurationError, SourceLost
from tests.services.certificates import Authority
from tests.services.mosquitto import Mosquitto
from tests.sources.mosquitto_side import WORLD, MosquittoSide, bodies


async def test_a_broker_that_wants_a_password_gets_it_from_the_environment(
    mosquitto_with: Callable[..., Mosquitto], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = tmp_path / "passwords"
    process = await asyncio.create_subprocess_exec("mosquitto_passwd", "-b", "-c", str(passwords), "engine", "geheim-99")
    assert await process.wait() == 0
    passwords.chmod(0o644)
    broker = await asyncio.to_thread(mosquitto_with, "allow_anonymous false", f"password_file {passwords}")
    monkeypatch.setenv("MQTT_TEST_PASSWORD", "geheim-99")
    await MosquittoSide(broker, username="engine", password_env="MQTT_TEST_PASSWORD").introduce()
    monkeypatch.setenv("MQTT_TEST_PASSWORD", "wrong-98")
    async with MosquittoSide(broker, username="engine", password_env="MQTT_TEST_PASSWORD").opened() as (_, stream):
        with pytest.raises(SourceLost) as caught:
            await anext(stream)
    assert "wrong-98" not in str(caught.value)
    assert str(broker.port) in str(caught.value)


# paho drops a socket whose handshake failed without closing it; the collector does.
@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_with_tls_is_believed_only_with_its_authority(mosquitto_with: Callable[..., Mosquitto], tmp_path: Path) -> None:
    authority = await asyncio.to_thread(Authority, tmp_path / "certificates")
    its = await asyncio.to_thread(authority.sign, "broker")
    broker = await asyncio.to_thread(mosquitto_with, "allow_anonymous true", f"certfile {its.certificate}", f"keyfile {its.key}")
    await MosquittoSide(broker, tls=True, ca_file=authority.ca.certificate).introduce()
    async with MosquittoSide(broker, tls=True).opened() as (_, stream):
        with pytest.raises(SourceLost, match="certificate"):
            await anext(stream)


@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")  # as above
async def test_a_broker_that_asks_for_a_certificate_lets_in_only_those_of_its_authority(
    mosquitto_with: Callable[..., Mosquitto], tmp_path: Path
) -> None:
    authority = await asyncio.to_thread(Authority, tmp_path / "certificates")
    others = await asyncio.to_thread(Authority, tmp_path / "others")
    its, ours, theirs = [await asyncio.to_thread(a.sign, n) for a, n in ((authority, "broker"), (authority, "engine"), (others, "engine"))]
    lines = (f"cafile {authority.ca.certificate}", f"certfile {its.certificate}", f"keyfile {its.key}")
    # The name in the certificate is the user; with it alone nobody needs a password.
    broker = await asyncio.to_thread(mosquitto_with, *lines, "require_certificate true", "use_identity_as_username true")
    trust = {"tls": True, "ca_file": authority.ca.certificate}
    side = MosquittoSide(broker, **trust, cert_file=ours.certificate, key_file=ours.key)
    await side.introduce()
    async with side.opened() as (_, stream):
        waiting = asyncio.ensure_future(bodies(stream, 1))
        await asyncio.sleep(0.3)
        context = ssl.create_default_context(cafile=authority.ca.certificate)
        context.load_cert_chain(ours.certificate, ours.key)
        async with aiomqtt.Client(broker.host, broker.port, tls_context=context) as client:
            await client.publish(f"readings/{side.mark}/a", b"x" * 300_000, qos=1)
        assert await waiting == [b"x" * 300_000]
    for wrong in ({}, {"cert_file": theirs.certificate, "key_file": theirs.key}):
        async with MosquittoSide(broker, **trust, **wrong, timeout_s=3).opened() as (_, stream):
            with pytest.raises(SourceLost):
                await asyncio.wait_for(anext(stream), 20)


def test_a_password_variable_that_is_not_set_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MQTT_TEST_PASSWORD", raising=False)
    with pytest.raises(ConfigurationError, match="MQTT_TEST_PASSWORD, which is not set"):
        adapter.build(MqttSettings(username="engine", password_env="MQTT_TEST_PASSWORD"), WORLD)
