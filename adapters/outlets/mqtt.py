"""The grade that each village stands in, kept on a topic of its own per hazard, for displays and other programs."""

import asyncio
from collections.abc import Sequence

import aiomqtt
from pydantic import Field

from adapters import mqtt_connection
from adapters.sources.login import LoginSettings, password, tls_context
from dispatcher.errors import OutletFailed
from dispatcher.ports import Adapter, Outgoing, Outlet, Status, Stream, World


class MqttOutletSettings(LoginSettings):
    """The broker of those who listen."""

    name: str = Field(default="mqtt", description="What is said of this outlet in messages.")
    host: str = Field(default="127.0.0.1", description="Host of the broker.")
    port: int = Field(default=1883, ge=1, le=65_535, description="Port of the broker.")
    root: str = Field(default="warnings", pattern=r"^[^/+#\s]+(/[^/+#\s]+)*$", description="The topics begin with this.")
    timeout_s: float = Field(default=5, gt=0, description="Seconds until the connection stands or a message is acknowledged.")


class MqttOutlet:
    """Connects for each batch: grades change seldom. Exercises are never published: whoever comes later would take one for true."""

    streams: tuple[Stream, ...] = (Stream.CHANGES,)

    def __init__(self, settings: MqttOutletSettings, county: str, secret: str | None) -> None:
        """Opens nothing."""
        self.name = settings.name
        self._settings = settings
        self._county = county
        self._secret = secret

    async def publish(self, stream: Stream, records: Sequence[Outgoing]) -> None:  # noqa: ARG002 - it wants one stream only
        """The newest of each village and hazard, retained; returns when the broker has them all."""
        newest = {self._topic(r): r.body for r in records if r.status is Status.ACTUAL}
        if not newest:
            return
        settings = self._settings
        client = aiomqtt.Client(
            settings.host,
            settings.port,
            username=settings.username,
            password=self._secret,
            tls_context=tls_context(settings),
            timeout=settings.timeout_s,
            max_inflight_messages=1_000,
        )
        try:
            async with mqtt_connection.connected(client):
                for topic, body in newest.items():
                    async with asyncio.timeout(settings.timeout_s):
                        await client.publish(topic, body, qos=1, retain=True)
        except (aiomqtt.MqttError, TimeoutError) as error:
            raise OutletFailed(f"{self.name}: the broker at {settings.host}:{settings.port}: {type(error).__name__}") from error

    async def close(self) -> None:
        """Nothing stays open."""

    def _topic(self, record: Outgoing) -> str:
        return f"{self._settings.root}/{self._county}/{record.key}/{dict(record.headers)['hazard']}"


def build(settings: MqttOutletSettings, world: World) -> Outlet:
    """The outlet, with its password from the environment."""
    return MqttOutlet(settings, world.county, password(settings))


adapter = Adapter(settings=MqttOutletSettings, build=build)
