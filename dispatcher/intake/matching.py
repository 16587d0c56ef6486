"""The hot loop of decoding: what has the shape of a reading becomes columns for the engine. Kept alone so that it can be compiled."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec

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


def match(raws: Sequence[Raw], quotes: int, places: Mapping[tuple[str, str, str], Place], known: Known, bounds: Bounds) -> Columns | None:
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
        place = places.get((raw.station, raw.variable, raw.unit))
        if place is None:
            return None
        _, _, kind, times, over, plus, low, high, number = place
        value = raw.value * times / over + plus
        at_s = epoch_s(raw.time)
        if not (low <= value <= high and earliest_s <= at_s <= latest_s):
            return None
        if optional:
            if isinstance(raw.kind, str) and KIND_WORDS.get(raw.kind) != kind:
                return None
            if isinstance(raw.quality, str) and raw.quality != "good":
                marks[len(numbers)] = raw.quality
            quotes -= _extra(raw)
        numbers.append(number)
        values.append(value)
        times_s.append(at_s)
    return Columns(known, numbers, values, times_s, marks) if quotes == QUOTES * len(raws) else None


def _extra(raw: Raw) -> int:
    """The quotation marks of the optional fields."""
    count = 0 if raw.interval is msgspec.UNSET else 2
    for value in (raw.id, raw.kind, raw.quality):
        if value is not msgspec.UNSET:
            count += 2 if value is None else 4
    return count
