"""Series of a scenario as people write them: ``2x24 4x12 0x72``. The notation of promtool, with the troubles of real gauges added.

4           one value                     _           nothing arrives          _x3   nothing, three times
2x24        2, then 24 times more: 25     10+2x5      10 12 14 16 18 20        10-2x5  falling
4@+40m      arrives 40 minutes late       4!          is sent twice            4?    marked suspect by its sender
4>6@+30m    corrected to 6, which arrives 30 minutes later                     4^+2d   stamped two days ahead
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from rules.duration import seconds

ALLOWED = "values such as 4, 2x24, 10+2x5 or _ with @+40m (late), ! (twice), ? (suspect), >6@+30m (corrected), ^+2d (stamped ahead)"
LONGEST = 100_000
_NUMBER = r"-?\d{1,9}(?:\.\d{1,6})?"
_SHAPE = re.compile(
    rf"(?:(?P<gap>_)|(?P<first>{_NUMBER})(?:(?P<sign>[+-])(?P<slope>\d{{1,9}}(?:\.\d{{1,6}})?)(?=x))?)"
    rf"(?:x(?P<times>\d{{1,6}}))?(?:>(?P<corrected>{_NUMBER}))?(?:\^(?P<ahead>[+-]\w+))?(?:@\+(?P<late>\w+))?(?P<marks>[!?]*)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a gauge sends for one step: a value that arrives ``late_s`` seconds after it was measured, ``copies`` times.

    The stamp is ``ahead_s`` seconds wrong; ``quality`` is the sender's own word.
    """

    value: float
    late_s: int = 0
    ahead_s: int = 0
    copies: int = 1
    quality: str = "good"


Step = tuple[Sent, ...]
"""All that is ever sent for one step of time; empty when nothing is."""


def steps(text: str) -> tuple[Step, ...]:
    """What is sent at each step; ValueError names the part that is not understood."""
    found: list[Step] = []
    for word in text.split():
        shape = _SHAPE.fullmatch(word)
        if shape is None:
            raise ValueError(f"{word!r:.60} is not understood; allowed: {ALLOWED}")
        found += _repeated(shape)
        if len(found) > LONGEST:
            raise ValueError(f"more than {LONGEST} steps; allowed: up to that")
    return tuple(found)


def _repeated(shape: re.Match[str]) -> list[Step]:
    times = int(shape["times"] or 0)
    if shape["gap"]:
        if shape["corrected"] or shape["ahead"] or shape["late"] or shape["marks"]:
            raise ValueError(f"{shape[0]!r:.60}: what does not arrive can be neither late nor doubled; allowed: _ or _x3")
        return [()] * (times if shape["times"] else 1)
    if times > LONGEST:
        raise ValueError(f"{shape[0]!r:.60} repeats more than {LONGEST} times; allowed: up to that")
    # Decimal, because 0.1 added ten times must be 1.
    slope = Decimal((shape["sign"] or "+") + (shape["slope"] or "0"))
    return [_step(float(Decimal(shape["first"]) + n * slope), shape) for n in range(times + 1)]


def _step(value: float, shape: re.Match[str]) -> Step:
    late_s = seconds(shape["late"]) if shape["late"] else 0
    ahead = shape["ahead"] or ""
    ahead_s = seconds(ahead[1:]) * (-1 if ahead.startswith("-") else 1) if ahead else 0
    copies = 1 + shape["marks"].count("!")
    quality = "suspect" if "?" in shape["marks"] else "good"
    if shape["corrected"] is None:
        return (Sent(value=value, late_s=late_s, ahead_s=ahead_s, copies=copies, quality=quality),)
    corrected = Sent(value=float(shape["corrected"]), late_s=late_s, ahead_s=ahead_s, copies=copies, quality=quality)
    return (Sent(value=value, ahead_s=ahead_s), corrected)
