"""How a Kafka cluster is reached and believed: the same for what reads from it and what writes to it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Literal

from pydantic import Field, model_validator

from adapters.sources.login import LoginSettings, tls_context
from dispatcher.errors import ConfigurationError, Problem

try:
    import aiokafka  # noqa: F401 - only whether it is there

    INSTALLED = True
except ImportError:  # the extra is missing: said by those who build something, and only to those who configured Kafka
    INSTALLED = False


class KafkaConnection(LoginSettings):
    """The part of the settings that says where the cluster is."""

    bootstrap: tuple[str, ...] = Field(default=("127.0.0.1:9092",), min_length=1, description="Some servers of the cluster, host:port.")
    client_id: str = Field(
        default="dispatcher",
        description="Our name in the cluster's logs, and in the group: a reader of that name is taken for a predecessor that died.",
    )
    timeout_s: float = Field(default=10.0, gt=0, description="Seconds until the cluster has answered.")
    sasl: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        default=None, description="How to log in; needs username and password_env."
    )

    @model_validator(mode="after")
    def _whole_login(self) -> "KafkaConnection":
        if (self.sasl is None) != (self.username is None) or (self.sasl is None) != (self.password_env is None):
            raise ValueError("sasl, username and password_env belong together; allowed: all three or none")
        return self


def installed(what: str) -> None:
    """ConfigurationError when the extra is missing; ``what`` names who needs it."""
    if not INSTALLED:
        message = f"{what}: Kafka needs a package that is not installed; allowed: pip install 'dispatcher[kafka]'"
        raise ConfigurationError([Problem("environment", message)])


def arguments(settings: KafkaConnection, secret: str | None) -> dict[str, Any]:
    """What every client of aiokafka takes."""
    s = settings
    return {
        "bootstrap_servers": list(s.bootstrap),
        "client_id": s.client_id,
        "request_timeout_ms": int(s.timeout_s * 1000),
        "security_protocol": f"{'SASL_' if s.sasl else ''}{'SSL' if s.tls else 'PLAINTEXT'}",
        "ssl_context": tls_context(s),
        "sasl_mechanism": s.sasl or "PLAIN",
        "sasl_plain_username": s.username,
        "sasl_plain_password": secret,
    }


async def ended(closing: Coroutine[Any, Any, None], within_s: float) -> bool:
    """Whether it ended well within the bound. In a task of its own, because aiokafka lets its own cancellations out."""
    task = asyncio.ensure_future(closing)
    await asyncio.wait([task], timeout=within_s)
    if not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=within_s)
        return False
    return not task.cancelled() and task.exception() is None
