"""A heartbeat to an address that raises the alarm when it is not called in time (a dead-man's switch)."""

import asyncio
import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from dispatcher.errors import BeatFailed, ConfigurationError, Problem
from dispatcher.ports import Adapter, Beat, World


class UrlSettings(BaseModel):
    """The address is a secret: whoever knows it can beat in our name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url_env: str = Field(default="DISPATCHER_BEACON_URL", description="Environment variable that holds the address, http or https.")
    timeout_s: float = Field(default=10, gt=0, description="Seconds until a beat is given up.")


class UrlBeacon:
    """Posts a small JSON object; any 2xx is well."""

    name = "url"

    def __init__(self, url: str, timeout_s: float) -> None:
        """Opens nothing."""
        self._url = url
        self._timeout_s = timeout_s

    async def beat(self, beat: Beat) -> None:
        """Post once; in a thread, because once a minute is no reason for another library."""
        body = json.dumps({"county": beat.county, "status": beat.status.value, "at": beat.at.isoformat()}).encode()
        await asyncio.to_thread(self._post, body)

    def _post(self, body: bytes) -> None:
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked when it was built
            self._url, data=body, method="POST", headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s):  # noqa: S310 - as above
                pass
        except urllib.error.HTTPError as error:
            error.close()
            raise BeatFailed(f"the beacon answered {error.code}") from None
        except OSError as error:
            raise BeatFailed(f"the beacon cannot be reached: {type(error).__name__}") from None


def build(settings: UrlSettings, world: World, environment: Mapping[str, str] = os.environ) -> UrlBeacon:  # noqa: ARG001 - the port's shape
    """The beacon, with its address from the environment."""
    url = environment.get(settings.url_env, "")
    if not url.startswith(("http://", "https://")):
        raise ConfigurationError([Problem("environment", f"{settings.url_env} must hold an address that begins with http:// or https://")])
    return UrlBeacon(url, settings.timeout_s)


adapter = Adapter(settings=UrlSettings, build=build)
