"""A heartbeat on a topic, for a monitor that listens there; connected for one beat at a time."""

import asyncio
import json
import os
import ssl
from collections.abc import Mapping
from pathlib import Path

import aiomqtt
from pydantic import BaseModel, ConfigDict, Field

from adapters import mqtt_connection
from dispatcher.errors import BeatFailed, ConfigurationError, Problem
from dispatcher.ports import Adapter, Beat, World


class MqttBeaconSettings(BaseModel):
    """The broker of whoever watches us, best not the one that the readings come from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(default="127.0.0.1", description="Host of the broker.")
    port: int = Field(default=1883, ge=1, le=65_535, description="Port of the broker.")
    topic: str = Field(default="heartbeats/{county}", description="Where the beat goes; {county} is the county's code. Never retained.")
    username: str | None = Field(default=None, description="User at the broker.")
    password_env: str | None = Field(default=None, description="Environment variable that holds the password.")
    tls: bool = Field(default=False, description="Speak TLS and check the broker's certificate.")
    ca_file: Path | None = Field(default=None, description="Certificates to trust instead of the system's.")
    timeout_s: float = Field(default=5, gt=0, description="Seconds until a beat is given up.")


class MqttBeacon:
    """Connects, publishes with QoS 1, leaves."""

    name = "mqtt"

    def __init__(self, settings: MqttBeaconSettings, password: str | None) -> None:
        """Opens nothing."""
        self._settings = settings
        self._password = password

    async def beat(self, beat: Beat) -> None:
        """Publish once and wait for the broker's word that it has it."""
        body = json.dumps({"county": beat.county, "status": beat.status.value, "at": beat.at.isoformat()})
        settings = self._settings
        client = aiomqtt.Client(
            settings.host,
            settings.port,
            username=settings.username,
            password=self._password,
            tls_context=ssl.create_default_context(cafile=settings.ca_file) if settings.tls else None,
            timeout=settings.timeout_s,
        )
        try:
            async with asyncio.timeout(settings.timeout_s * 2), mqtt_connection.connected(client):
                await client.publish(settings.topic.replace("{county}", beat.county), body, qos=1, retain=False)
        except (aiomqtt.MqttError, TimeoutError) as error:
            raise BeatFailed(f"the broker of the beacon did not take it: {type(error).__name__}") from None


def build(settings: MqttBeaconSettings, world: World, environment: Mapping[str, str] = os.environ) -> MqttBeacon:  # noqa: ARG001 - the port's shape
    """The beacon, with its password from the environment."""
    password = environment.get(settings.password_env) if settings.password_env else None
    if settings.password_env and password is None:
        raise ConfigurationError([Problem("environment", f"{settings.password_env} is not set; the mqtt beacon names it")])
    return MqttBeacon(settings, password)


adapter = Adapter(settings=MqttBeaconSettings, build=build)
