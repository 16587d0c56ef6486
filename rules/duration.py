"""Durations as people write them: ``90s``, ``20m``, ``3h``, ``1h30m``, ``2d``."""

import re

_SHAPE = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,4})m)?(?:(\d{1,5})s)?")
_SECONDS = (86_400, 3_600, 60, 1)
ALLOWED = "a duration such as 90s, 20m, 3h, 1h30m or 2d, up to 31d"
LONGEST_S = 31 * 86_400


def seconds(text: str) -> int:
    """Length in seconds; ValueError names what is allowed."""
    found = _SHAPE.fullmatch(text.strip())
    if not found or not found.group(0):
        raise ValueError(f"{text!r} is not a duration; allowed: {ALLOWED}")
    total = sum(int(n) * unit for n, unit in zip(found.groups(), _SECONDS, strict=True) if n)
    if total > LONGEST_S:
        raise ValueError(f"{text!r} is too long; allowed: {ALLOWED}")
    return total


def words(length_s: int) -> str:
    """The shortest way to write a length given in seconds, for example ``1h30m``."""
    parts = []
    for unit_s, letter in zip(_SECONDS, "dhms", strict=True):
        # A day is written in hours: hydrologists say 24 h rain.
        if letter == "d" and length_s < 2 * unit_s:
            continue
        count, length_s = divmod(length_s, unit_s)
        if count:
            parts.append(f"{count}{letter}")
    return "".join(parts) or "0s"
