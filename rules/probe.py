"""One input at one place at run time: which series it reads, and what it is worth at a moment. Values are scaled; NaN is missing."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from statistics import fmean

from rules.forecast import Feed
from rules.guard import SIGNS
from rules.inputs import Each, Input, Take
from rules.measure import MEASURES, MISSING, coverage, filled
from rules.outlook import answer, courses, until
from rules.scaled import FOREVER, SCALE
from rules.season import day_start
from rules.series import Series

Limit = Callable[[int], float]
Columns = Callable[[int], Sequence[float]]
Part = tuple[bool, int]
Coverage = tuple[int, int, int, frozenset[tuple[str, int, str]]]
"""Readings used, expected, late, and those that were not used: station, time, and why in one word."""


def _known(values: Sequence[float]) -> list[float]:
    return [v for v in values if v == v]  # noqa: PLR0124 - NaN is the missing value


def _second(values: Sequence[float]) -> float:
    known = sorted(_known(values))
    return known[-2] if len(known) > 1 else MISSING


def _mean(values: Sequence[float]) -> float:
    known = _known(values)
    return fmean(known) if known else MISSING


COMBINE: Mapping[Take, Callable[[Sequence[float]], float]] = {
    Take.NEAREST: lambda values: next(iter(_known(values)), MISSING),
    Take.HIGHEST: lambda values: max(_known(values), default=MISSING),
    Take.SECOND_HIGHEST: _second,
    Take.MEAN: _mean,
    Take.LOWEST: lambda values: min(_known(values), default=MISSING),
}


class Probe:
    """An input of readings. ``feeds`` are forecasts for the rest of a window, ``limit`` is what an inner value is compared with."""

    def __init__(self, spec: Input, series: Sequence[Series], day_s: int, zone: tzinfo) -> None:
        """``series`` are in order of distance."""
        self.spec = spec
        self.series = tuple(series)
        self.span_s = spec.span_s
        self.feeds: tuple[Feed, ...] = ()
        self.limit: Limit = lambda _: MISSING
        self._measure = MEASURES[spec.op]
        self._day_s = day_s
        self._zone = zone
        self._combine = COMBINE[spec.take or Take.NEAREST]

    def value(self, at_s: int, _above: Sequence[float], until_s: int = FOREVER) -> float:
        """What the input is worth; ``_above`` are the values of the inputs before it.

        Of forecasts only periods that begin before ``until_s`` are looked at.
        """
        each = self.spec.each
        if self.spec.plus_forecast_s and each is None:
            return self._combine([self._filled_up(s, at_s, until_s) for s in self.series])
        if each is None:
            return self._combine([self._one(s, at_s) for s in self.series])
        if each.days:
            return self._combine([self._days(s, at_s, each) for s in self.series])
        limit, meets = self.limit(at_s), SIGNS[each.sign]
        known = _known([self._one(s, at_s) for s in self.series])
        # No station with a value: nobody knows how many agree.
        return sum(1 for v in known if meets(v, limit)) * float(SCALE) if known and limit == limit else MISSING  # noqa: PLR0124

    def window_s(self, at_s: int) -> int:
        """The length of the window at a moment, in seconds."""
        return at_s - day_start(at_s, self._day_s, self._zone) if self.spec.daily else self.spec.window_s

    def _one(self, s: Series, at_s: int) -> float:
        return self._measure(s, at_s, self.window_s(at_s), s.upto(at_s))

    def _days(self, s: Series, at_s: int, each: Each) -> float:
        """How many days in a row meet the comparison, up to yesterday or today: today cannot fail before it has ended."""
        limit, meets = self.limit(at_s), SIGNS[each.sign]
        end_s, count, unknown = at_s, 0, False
        for back in range(each.most + 1):
            start_s = day_start(end_s, self._day_s, self._zone)
            value = self._measure(s, end_s, end_s - start_s, s.upto(end_s))
            if meets(value, limit):
                count += 1
            elif back:
                unknown = math.isnan(value)
                break
            end_s = start_s
        return MISSING if unknown and not count else float(min(count, each.most) * SCALE)

    def _filled_up(self, s: Series, at_s: int, until_s: int) -> float:
        """The most that a window which begins in the past and ends in the forecast can hold, and what has been observed at least."""
        window_s, found = self.spec.window_s, [self._one(s, at_s)]
        end = s.upto(at_s)
        # Just before a reading leaves the window is when most of the forecast stands beside it.
        leaving = [window_s - (at_s - t) - 1 for t in s.times_after(at_s - window_s) if t <= at_s]
        for course in courses(self.feeds, at_s, window_s, self.spec.plus_forecast_s, until_s):
            for ahead_s in {*leaving, *(t for t, _ in course), window_s} - {0}:
                seen = self._measure(s, at_s, window_s - ahead_s, end) if ahead_s < window_s else 0.0
                total = (seen if seen == seen else 0.0) + until(course, ahead_s) * SCALE  # noqa: PLR0124 - NaN is the missing value
                found.append(total)
        return max(_known(found), default=MISSING)

    def active(self, at_s: int, horizon_s: int) -> list[Series]:
        """The series that have to prove something: all that have reported within the horizon, or the one that is taken."""
        found = [s for s in self.series if at_s - horizon_s < s.last_s]
        if (self.spec.take or Take.NEAREST) is Take.NEAREST and not self.spec.each:
            return [s for s in found if self._one(s, at_s) == self._one(s, at_s)][:1] or found[:1]
        return found

    def filled(self, at_s: int, horizon_s: int) -> tuple[int, int]:
        """Readings used and expected, over all series that have reported within the horizon."""
        used = expected = 0
        for s in self.active(at_s, horizon_s):
            u, e = filled(self.spec.op, s, at_s, self.window_s(at_s))
            used, expected = used + u, expected + e
        return used, max(expected, 1)

    def coverage(self, at_s: int, horizon_s: int) -> Coverage:
        """How well it is founded at a moment."""
        used = expected = late = 0
        doubts: set[tuple[str, int, str]] = set()
        for s in self.active(at_s, horizon_s) or self.series:
            window_s = self.window_s(at_s)
            u, e, n = coverage(self.spec.op, s, at_s, window_s)
            used, expected, late = used + u, expected + e, late + n
            doubts.update(s.doubted(at_s - window_s, at_s))
        return used, expected, late, frozenset(doubts)


class ForecastProbe(Probe):
    """An input of forecasts alone."""

    def __init__(self, spec: Input, feeds: Sequence[Feed]) -> None:
        """``feeds`` are in the order in which they are asked."""
        self.spec = spec
        self.series = ()
        self.span_s = 0
        self.feeds = tuple(feeds)

    def value(self, at_s: int, _above: Sequence[float], until_s: int = FOREVER) -> float:
        """What the forecasts say."""
        if self.spec.outlook is None:
            return MISSING
        return answer(self.spec.op, self.spec.outlook, self.feeds, at_s, until_s) * SCALE

    def window_s(self, at_s: int) -> int:  # noqa: ARG002 - the promise of a probe
        """A forecast has no window of readings."""
        return 0


class DerivedProbe(Probe):
    """Arithmetic of inputs above and columns."""

    def __init__(self, spec: Input, calculate: Callable[..., float], parts: Sequence[Part], columns: Columns) -> None:
        """``parts`` are its names: which input above, or which column, each is. ``columns`` gives these at a moment."""
        self.spec = spec
        self.series = ()
        self.span_s = 0
        self.feeds = ()
        self._calculate = calculate
        self._parts = tuple(parts)
        self._columns = columns

    def value(self, at_s: int, above: Sequence[float], _until_s: int = FOREVER) -> float:
        """The result; missing when a part of it is."""
        columns = self._columns(at_s)
        return self._calculate(*(above[n] / SCALE if is_input else columns[n] for is_input, n in self._parts)) * SCALE

    def window_s(self, at_s: int) -> int:  # noqa: ARG002 - the promise of a probe
        """It has no window of its own."""
        return 0


def is_plain(spec: Input, sources: int) -> bool:
    """Whether an input needs nothing but one series and a window of fixed length."""
    extras = (spec.near, spec.each, spec.outlook, spec.number)
    return sources == 1 and spec.op in MEASURES and not spec.daily and not spec.plus_forecast_s and extras == (None,) * 4
