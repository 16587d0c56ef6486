"""Many small messages read at once: one reading in each is how gauges send, and most of the cost of a message is beginning with it.

What comes out is what reading each by itself gives, by test; whatever is not plain is read by itself.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from dispatcher.intake.codecs.choose import JSON, Decoding
from dispatcher.intake.decode import read_fast
from dispatcher.intake.scan import scan_each
from dispatcher.model.reject import Decoded
from dispatcher.ports import Alike, Item, Kind
from rules.reading import Reading

_FEWEST: Final = 4
"""Fewer are not worth it."""

_OURS: Final = ("", JSON)


def decode_together(decoding: Decoding, items: Sequence[Item], now: datetime) -> list[Decoded]:
    """What the items held, in their order; those that were read at once together."""
    if len(items) >= _FEWEST:
        readings = _at_once(decoding, items)
        if readings is not None:
            return [Decoded(readings, [], items=len(items))]
        half = len(items) // 2  # one that is not plain must not make all the others slow
        return decode_together(decoding, items[:half], now) + decode_together(decoding, items[half:], now)
    return [decoding.decode(item, now) for item in items]


def _at_once(decoding: Decoding, items: Sequence[Item]) -> Sequence[Reading] | None:
    """The readings of items that are each one object of our own format on one line; None when they are not.

    Objects that begin with { and end with } cannot make up for each other's faults: between two of them the text is whole, or
    no JSON at all.
    """
    bodies = _bodies(items)
    if bodies is None:
        return None
    scanned = _scanned(decoding, bodies)
    if scanned is not None:
        return scanned
    body = b"\n".join(bodies)
    between = len(items) - 1
    if len(body) > decoding.limits.body_bytes or body.count(b"\n") != between or body.count(b"}\n{") != between:
        return None
    if not (body.startswith(b"{") and body.endswith(b"}")):
        return None
    readings = read_fast(body, decoding.catalogue, decoding.limits)
    return readings if readings is not None and len(readings) == len(items) else None


def _bodies(items: Sequence[Item]) -> list[bytes] | None:
    """The bodies of items that claim to be readings of our own format; None when one does not."""
    if isinstance(items, Alike):
        return items.bodies if items.kind is Kind.READINGS and items.format in _OURS else None
    if any(item.kind is not Kind.READINGS or item.format not in _OURS for item in items):
        return None
    return [item.body for item in items]


def _scanned(decoding: Decoding, bodies: list[bytes]) -> Sequence[Reading] | None:
    """Without joining them first, where the quick way is there and goes through."""
    limits, known = decoding.limits, decoding.catalogue
    try:
        return scan_each(bodies, known.quick, known.known, limits.body_bytes, limits.bounds.earliest_s, limits.bounds.latest_s)
    except (ValueError, OverflowError):  # a time that is none
        return None
