"""The hours in which people sleep: a call wakes, a text does not. Local times of the county."""

import re
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from dispatcher.files.document import Spot

NEVER = "never"
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """From ``begins`` (included) to ``ends`` (not included); it may hold midnight."""

    begins: time
    ends: time

    def holds(self, now: datetime, zone: ZoneInfo) -> bool:
        """Whether it is night there now."""
        at = now.astimezone(zone).time()
        if self.begins < self.ends:
            return self.begins <= at < self.ends
        return at >= self.begins or at < self.ends

    @property
    def text(self) -> str:
        """As people write it: ``22:00-06:00``."""
        return f"{self.begins:%H:%M}-{self.ends:%H:%M}"


NIGHT = Night(begins=time(22), ends=time(6))
"""What holds where a policy says nothing."""


def read_night(spot: Spot | None) -> Night | None:
    """``{from: 22:00, to: 06:00}``, or ``never``. Mistakes are noted where they stand."""
    if spot is None:
        return NIGHT
    if not spot.is_mapping():
        word = spot.text()
        if word and word != NEVER:
            spot.wrong(f"unknown night {word!r}; allowed: {{from: 22:00, to: 06:00}} or {NEVER}")
        return None
    found = spot.entries(("from", "to"))
    if len(found) < 2:  # noqa: PLR2004 - both are needed, and the lack is noted
        return NIGHT
    begins, ends = _time(found["from"]), _time(found["to"])
    if begins == ends:
        found["to"].wrong(f"a night ends at another time than it begins; for none write: night: {NEVER}")
    return Night(begins=begins, ends=ends)


def night_from(text: str) -> Night | None:
    """What ``Night.text`` wrote; empty is none."""
    if not text:
        return None
    begins, _, ends = text.partition("-")
    return Night(begins=time.fromisoformat(begins), ends=time.fromisoformat(ends))


def _time(spot: Spot) -> time:
    given = str(spot.node.value)  # 22:00 is a number to YAML; here it is what was written
    match = _TIME.fullmatch(given)
    if match is None:
        spot.wrong(f"expected a time of day such as 22:00, not {given!r}")
        return time(0)
    return time(int(match[1]), int(match[2]))
