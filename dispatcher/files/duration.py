"""Lengths of time as operators write them: ``30s``, ``5m``, ``1h30m``, ``2d``."""

import re
from datetime import timedelta

_WHOLE = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")


def parse_duration(text: str) -> timedelta:
    """The duration of a text such as ``1h30m``; ValueError says what is allowed."""
    found = _WHOLE.fullmatch(text)
    if not text or found is None:
        raise ValueError(f"{text!r} is not a length of time; allowed: numbers with d, h, m or s, such as 5m, 1h30m or 0m")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
