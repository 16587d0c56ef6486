"""What goes into the engine: one value of one variable at one station at one time."""

from typing import NamedTuple


class Reading(NamedTuple):
    """One measured value in the variable's canonical unit.

    A NamedTuple because hundreds of thousands are made each second.
    ``at_s`` is event time in whole seconds since 1970-01-01 UTC; the end of the interval for sums.
    ``quality`` is the sender's own word: ``good``, ``suspect`` or ``bad`` (bad is never used).
    """

    station: str
    variable: str
    value: float
    at_s: int
    quality: str = "good"
