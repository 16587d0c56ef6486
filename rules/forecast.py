"""What goes into the engine from models: one predicted value or chance, and what is kept of all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

_MOST_RUNS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """One predicted amount in the variable's canonical unit, for a place and a period. Times are seconds since 1970-01-01 UTC.

    ``value`` is the expected amount, None when only chances are given. ``quantiles`` are (share, value) pairs: below ``value`` lies
    that share of what may come. ``exceedance`` are (threshold, probability) pairs. Both rise in their first number.
    """

    source: str
    place: str
    variable: str
    valid_from_s: int
    valid_to_s: int
    issued_at_s: int
    value: float | None = None
    quantiles: tuple[tuple[float, float], ...] = ()
    exceedance: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        """A period has a length, and a forecast says something."""
        if self.valid_from_s >= self.valid_to_s:
            raise ValueError("valid_to must be later than valid_from")
        if self.value is None and not self.quantiles and not self.exceedance:
            raise ValueError("a forecast needs a value, quantiles or exceedance")

    @property
    def length_s(self) -> int:
        """How long the period is, in seconds."""
        return self.valid_to_s - self.valid_from_s

    @property
    def amount(self) -> float | None:
        """The expected amount: the value, or else the middle of the quantiles; None when neither is known."""
        if self.value is not None or not self.quantiles:
            return self.value
        return _between(self.quantiles, 0.5)

    def chance(self, at_least: float) -> float:
        """The probability of this amount or more: between two known points on a straight line, beyond them never more than is known."""
        if self.exceedance:
            if at_least > self.exceedance[-1][0]:
                return 0.0
            return _between(self.exceedance, at_least)
        if self.quantiles:
            if at_least > self.quantiles[-1][1]:
                return 0.0
            return 1.0 - _between(tuple((v, q) for q, v in self.quantiles), at_least)
        return float(self.value is not None and self.value >= at_least)


def _between(points: Sequence[tuple[float, float]], x: float) -> float:
    """The value at ``x`` of straight lines through the points; the first or last value outside."""
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if x <= x1:
            return y1 if x1 == x0 else y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]


Period = tuple[int, int]


class Feed:
    """All forecasts of one variable for one place. ``arrived_us`` is when the newest came, in microseconds of arrival time."""

    __slots__ = ("arrived_us", "place", "runs", "touched", "variable")

    def __init__(self, place: str, variable: str) -> None:
        """Nothing heard yet."""
        self.place = place
        self.variable = variable
        self.arrived_us = 0
        self.touched = False
        self.runs: dict[str, dict[int, dict[Period, Forecast]]] = {}

    def put(self, one: Forecast) -> bool:
        """Take a forecast; false when it is known already or older than every run that is kept."""
        runs = self.runs.setdefault(one.source, {})
        if one.issued_at_s not in runs and len(runs) >= _MOST_RUNS:
            if one.issued_at_s < min(runs):
                return False
            del runs[min(runs)]
        run = runs.setdefault(one.issued_at_s, {})
        period = (one.valid_from_s, one.valid_to_s)
        if run.get(period) == one:
            return False
        run[period] = one
        return True

    def newest_s(self, at_s: int) -> int | None:
        """When the newest run was issued that is known at a time."""
        return max((i for runs in self.runs.values() for i in runs if i <= at_s), default=None)

    def live(self, at_s: int, max_age_s: int) -> Iterator[list[Forecast]]:
        """What holds at a time, source by source: for each period the newest issue that is not too old, in order of time."""
        for _, runs in sorted(self.runs.items()):
            held: dict[Period, Forecast] = {}
            for issued_s in sorted(runs):
                if at_s - max_age_s < issued_s <= at_s:
                    held.update(runs[issued_s])
            if held:
                yield [held[p] for p in sorted(held)]

    def runs_back(self, at_s: int, max_age_s: int) -> Iterator[list[list[Forecast]]]:
        """Source by source, its runs from the newest back; none when the newest is too old."""
        for _, runs in sorted(self.runs.items()):
            issued = sorted((i for i in runs if i <= at_s), reverse=True)
            if issued and issued[0] > at_s - max_age_s:
                yield [[run[p] for p in sorted(run)] for run in (runs[i] for i in issued)]

    def all(self) -> Iterator[Forecast]:
        """Everything kept, in a fixed order."""
        for _, runs in sorted(self.runs.items()):
            for issued_s in sorted(runs):
                yield from (f for _, f in sorted(runs[issued_s].items()))
