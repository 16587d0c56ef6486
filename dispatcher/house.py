"""What every decision of one installation rests on: its registry, policies, texts and its own settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from dispatcher.incidents.model import Reporting
from dispatcher.policy.model import Policies
from dispatcher.ports import Status
from dispatcher.registry.model import Registry
from dispatcher.templates.model import Templates


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """One installation. ``secret`` signs answer links and sessions; ``public_url`` has no slash at its end.

    ``coalesce`` is how long changes of one warning are gathered into one alert (red waits for nothing).
    ``cap_sender`` names us in CAP messages; default ``alerts@`` and the host of the public address.
    """

    registry: Registry
    policies: Policies
    templates: Templates
    status: Status
    public_url: str
    secret: bytes
    coalesce: timedelta = timedelta(seconds=10)
    cap_sender: str = ""
    reporting: Reporting = field(default_factory=Reporting)
    travel_times: Mapping[str, timedelta] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Find each village's shortest travel time, and our name."""
        if not self.cap_sender:
            object.__setattr__(self, "cap_sender", f"alerts@{urlsplit(self.public_url).hostname or 'localhost'}")
        times: dict[str, timedelta] = {}
        for link in self.registry.links:
            times[link.village] = min(times.get(link.village, link.travel_time), link.travel_time)
        object.__setattr__(self, "travel_times", times)

    @property
    def county(self) -> str:
        """The code of the county."""
        return self.registry.county.code
