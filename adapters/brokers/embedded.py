"""An MQTT broker in our own process (amqtt), so that a newcomer needs to install none.

For demonstrations: it keeps messages in memory and acknowledges before anybody has journalled them. A county that means it
runs Mosquitto (docs/adr/0004).
"""

import logging

from pydantic import BaseModel, ConfigDict, Field

from dispatcher.errors import ConfigurationError, Problem, Unreachable
from dispatcher.ports import Adapter

try:
    from amqtt.broker import Broker
    from amqtt.errors import BrokerError
except ImportError:  # the optional extra is not installed; said clearly when somebody asks for it
    Broker = None  # type: ignore[assignment,misc]


class EmbeddedSettings(BaseModel):
    """Where the broker listens: the loopback, unless told otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=1883, ge=1, le=65535, description="TCP port to listen on.")


class EmbeddedBroker:
    """The ``Broker`` port: started before every client, stopped after them."""

    def __init__(self, settings: EmbeddedSettings) -> None:
        """Nothing is opened yet."""
        self._settings = settings
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # it logs each client that leaves as an error
        self._broker = Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"{settings.host}:{settings.port}", "max_connections": 200}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            }
        )

    async def start(self) -> None:
        """Listen; Unreachable when the port is taken."""
        try:
            await self._broker.start()
        except (BrokerError, OSError) as error:
            where = f"{self._settings.host}:{self._settings.port}"
            raise Unreachable(
                f"the embedded MQTT broker cannot listen on {where}: {error}; choose another port with --broker-port (demo) or broker.port"
            ) from error

    async def stop(self) -> None:
        """Close all connections."""
        await self._broker.shutdown()


def _build(settings: EmbeddedSettings) -> EmbeddedBroker:
    if Broker is None:
        raise ConfigurationError([Problem("deployment", "the embedded broker needs an extra: pip install 'dispatcher[embedded]'")])
    return EmbeddedBroker(settings)


adapter = Adapter(settings=EmbeddedSettings, build=lambda settings, _world: _build(settings))
