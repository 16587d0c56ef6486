"""The hot loop of decoding: what has the shape of a reading becomes columns for the engine. Kept alone so that it can be compiled."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET
from msgspec.structs import astuple

from dispatcher.intake.catalogue import KIND_WORDS, Place
from dispatcher.intake.examine import Bounds, epoch_s
from rules.reading import Columns, Known

QUOTES = 18
"""Quotation marks of an item with the five required fields, four of them text."""
_Words = Literal["good", "suspect", "bad"]


class Raw(msgspec.Struct, gc=False):
    """The shape of ``dispatcher.intake.examine.ReadingModel``, for speed."""

    station: str
    variable: str
    value: float
    unit: str
    time: str
    kind: str | msgspec.UnsetType | None = msgspec.UNSET
    interval: Annotated[float, msgspec.Meta(gt=0)] | msgspec.UnsetType | None = msgspec.UNSET
    quality: _Words | msgspec.UnsetType | None = msgspec.UNSET
    id: Annotated[str, msgspec.Meta(max_length=128)] | msgspec.UnsetType | None = msgspec.UNSET


def match(raws: list[Raw], quotes: int, places: dict[tuple[str, str, str], Place], known: Known, bounds: Bounds) -> Columns | None:
    """All readings, or None when there is any doubt about one. ``quotes`` is how many quotation marks the body had.

    The decoder keeps the last of two equal keys and skips unknown ones. Each key costs two quotation marks, so their number tells
    whether there was any that it did not hand over.
    """
    numbers: list[int] = []
    values: list[float] = []
    times_s: list[int] = []
    marks: dict[int, str] = {}
    earliest_s, latest_s, optional = bounds.earliest_s, bounds.latest_s, quotes != QUOTES * len(raws)
    for raw in raws:
        fields = astuple(raw)
        station, variable, sent, unit, time, own_kind, interval, quality, own_id = fields
        place = places.get((station, variable, unit))
        if place is None:
            return None
        _, _, kind, times, over, plus, low, high, number = place
        value = sent * times / over + plus
        at_s = epoch_s(time)
        if not (low <= value <= high and earliest_s <= at_s <= latest_s):
            return None
        if optional:
            if isinstance(own_kind, str) and KIND_WORDS.get(own_kind) != kind:
                return None
            if isinstance(quality, str) and quality != "good":
                marks[len(numbers)] = quality
            quotes -= _extra(own_kind, interval, quality, own_id)
        numbers.append(number)
        values.append(value)
        times_s.append(at_s)
    return Columns(known, numbers, values, times_s, marks) if quotes == QUOTES * len(raws) else None


def _extra(kind: object, interval: object, quality: object, own_id: object) -> int:
    """The quotation marks of the optional fields."""
    count = 0 if interval is UNSET else 2
    if own_id is not UNSET:
        count += 2 if own_id is None else 4
    if kind is not UNSET:
        count += 2 if kind is None else 4
    if quality is not UNSET:
        count += 2 if quality is None else 4
    return count
