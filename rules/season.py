"""The parts of the year in which a rule decides or a number holds, and the day as hydrologists count it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

_SHAPE = re.compile(r"(\d\d)-(\d\d)\.\.(\d\d)-(\d\d)")
_DAY = re.compile(r"(\d\d)-(\d\d)")
_HOUR = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
ALLOWED = "month-day..month-day, both included, such as 04-01..10-15"
_LEAP_YEAR = 2024
_QUARTER_S = 900
MonthDay = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Season:
    """Ranges from one (month, day) to another, both included; a range may run over the new year."""

    ranges: tuple[tuple[MonthDay, MonthDay], ...]

    def holds(self, at_s: int, zone: tzinfo = UTC) -> bool:
        """Whether the local day of this event time lies in the season."""
        return self.includes(_day(at_s // _QUARTER_S, zone))

    def includes(self, day: MonthDay) -> bool:
        """Whether a day of the year lies in the season."""
        return any(first <= day <= last if first <= last else day >= first or day <= last for first, last in self.ranges)


def season(text: str) -> Season:
    """A season of one range from its text; ValueError names what is allowed."""
    found = _SHAPE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a season; allowed: {ALLOWED}")
    a, b, c, d = map(int, found.groups())
    for day in ((a, b), (c, d)):
        if not _exists(day):
            raise ValueError(f"{text!r} names a day that does not exist; allowed: {ALLOWED}")
    return Season((((a, b), (c, d)),))


def joined(seasons: Iterable[Season]) -> Season:
    """One season of the ranges of several."""
    return Season(tuple(r for s in seasons for r in s.ranges))


def month_day(text: str) -> MonthDay:
    """A day of the year such as ``06-15``; ValueError names what is allowed."""
    found = _DAY.fullmatch(text.strip())
    day = (int(found.group(1)), int(found.group(2))) if found else (0, 0)
    if not _exists(day):
        raise ValueError(f"{text!r:.40} is not a day of the year; allowed: month-day such as 06-15")
    return day


def days_of_year() -> tuple[MonthDay, ...]:
    """All 366 days a year can have."""
    first = date(_LEAP_YEAR, 1, 1)
    return tuple(((d := first + timedelta(days=n)).month, d.day) for n in range(366))


def hour(text: str) -> int:
    """A time of day such as ``08:00``, in seconds; ValueError names what is allowed."""
    found = _HOUR.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r:.40} is not a time of day; allowed: HH:MM such as 08:00")
    return int(found.group(1)) * 3600 + int(found.group(2)) * 60


@lru_cache(maxsize=4096)
def day_start(at_s: int, boundary_s: int, zone: tzinfo) -> int:
    """When the day of an event time began: the newest local ``boundary_s`` (seconds after midnight) before it, not at it."""
    local = datetime.fromtimestamp(at_s, zone)
    found = at_s
    for back in range(3):
        midnight = datetime(local.year, local.month, local.day) - timedelta(days=back)  # noqa: DTZ001 - local wall time
        found = int((midnight + timedelta(seconds=boundary_s)).replace(tzinfo=zone).timestamp())
        if found < at_s:
            break
    return found


def _exists(day: MonthDay) -> bool:
    try:
        datetime(_LEAP_YEAR, *day, tzinfo=UTC)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def _day(quarter: int, zone: tzinfo) -> MonthDay:
    # Every zone in use is offset by whole quarters of an hour: one look-up serves all readings of a quarter.
    local = datetime.fromtimestamp(quarter * _QUARTER_S, zone)
    return local.month, local.day
