"""Changes of grade to an address of another program, each signed with a shared secret and the time it was sent."""

import asyncio
import hashlib
import hmac
import os
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from dispatcher.clock import Clock
from dispatcher.errors import ConfigurationError, OutletFailed, Problem
from dispatcher.ports import Adapter, Outgoing, Outlet, Status, Stream, World


class WebhookSettings(BaseModel):
    """Whom to tell. The secret is shared with the receiver, who checks the signature and that the time is not old."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="webhook", description="What is said of this outlet in messages.")
    url: str = Field(pattern=r"^https?://[^\s/]+(/\S*)?$", description="The address, http or https.")
    secret_env: str = Field(description="Environment variable that holds the shared secret.")
    timeout_s: float = Field(default=10, gt=0, description="Seconds until a call is given up.")


class WebhookOutlet:
    """One POST for each change, in order; any 2xx means that the receiver has it. Exercises are never sent."""

    streams: tuple[Stream, ...] = (Stream.CHANGES,)

    def __init__(self, settings: WebhookSettings, secret: bytes, clock: Clock) -> None:
        """Opens nothing."""
        self.name = settings.name
        self._settings = settings
        self._secret = secret
        self._clock = clock

    async def publish(self, stream: Stream, records: Sequence[Outgoing]) -> None:  # noqa: ARG002 - it wants one stream only
        """Tell each, in a thread; what was told before one that failed is told again, under the same id."""
        for record in records:
            if record.status is Status.ACTUAL:
                await asyncio.to_thread(self._post, record, str(int(self._clock.now().timestamp())))

    async def close(self) -> None:
        """Nothing stays open."""

    def _post(self, record: Outgoing, at: str) -> None:
        headers = {
            "Content-Type": "application/json",
            "Dispatcher-Id": dict(record.headers)["id"],
            "Dispatcher-Timestamp": at,
            "Dispatcher-Signature": signature(self._secret, at, record.body),
        }
        request = urllib.request.Request(self._settings.url, record.body, headers, method="POST")  # noqa: S310 - http(s) by its pattern
        try:
            with urllib.request.urlopen(request, timeout=self._settings.timeout_s):  # noqa: S310 - as above
                pass
        except urllib.error.HTTPError as error:
            error.close()
            raise OutletFailed(f"{self.name}: the receiver answered {error.code}") from None
        except OSError as error:
            raise OutletFailed(f"{self.name}: the receiver cannot be reached: {type(error).__name__}") from None


def signature(secret: bytes, at: str, body: bytes) -> str:
    """``sha256=`` and the HMAC-SHA256, in hex, of the timestamp, a full stop and the body."""
    return "sha256=" + hmac.new(secret, at.encode() + b"." + body, hashlib.sha256).hexdigest()


def build(settings: WebhookSettings, world: World, environment: Mapping[str, str] = os.environ) -> Outlet:
    """The outlet, with its secret from the environment."""
    secret = environment.get(settings.secret_env, "")
    if not secret:
        raise ConfigurationError([Problem("environment", f"{settings.secret_env} is not set; the outlet {settings.name!r} names it")])
    return WebhookOutlet(settings, secret.encode(), world.clock)


adapter = Adapter(settings=WebhookSettings, build=build)
