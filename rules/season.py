"""The part of the year in which a rule decides."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

_SHAPE = re.compile(r"(\d\d)-(\d\d)\.\.(\d\d)-(\d\d)")
ALLOWED = "month-day..month-day, both included, such as 04-01..10-15"
_LEAP_YEAR = 2024


@dataclass(frozen=True, slots=True)
class Season:
    """From one (month, day) to another, both included; it may run over the new year."""

    first: tuple[int, int]
    last: tuple[int, int]

    def holds(self, at_s: int, zone: tzinfo = UTC) -> bool:
        """Whether the local day of this event time lies in the season."""
        day = _day(at_s // 900, zone)
        if self.first <= self.last:
            return self.first <= day <= self.last
        return day >= self.first or day <= self.last


def season(text: str) -> Season:
    """A season from its text; ValueError names what is allowed."""
    found = _SHAPE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a season; allowed: {ALLOWED}")
    a, b, c, d = map(int, found.groups())
    for month, day in ((a, b), (c, d)):
        try:
            datetime(_LEAP_YEAR, month, day, tzinfo=UTC)
        except ValueError:
            raise ValueError(f"{text!r} names a day that does not exist; allowed: {ALLOWED}") from None
    return Season((a, b), (c, d))


@lru_cache(maxsize=4096)
def _day(quarter: int, zone: tzinfo) -> tuple[int, int]:
    # Every zone in use is offset by whole quarters of an hour: one look-up serves all readings of a quarter.
    local = datetime.fromtimestamp(quarter * 900, zone)
    return local.month, local.day
