"""What an input is worth at one moment, from the readings of its series in ``(t - window, t]``."""

import math
from collections.abc import Callable, Mapping
from operator import mul

from rules.inputs import DAY_S, Op
from rules.scaled import SCALE
from rules.series import Series

MISSING = math.nan
_FEWEST = 2
Measure = Callable[[Series, int, int, int], float]
"""(series, t, window in seconds, number of readings up to t) → value in ten-thousandths, or NaN when it is missing."""


def _total(series: Series, at_s: int, window_s: int, end: int) -> float:
    start = series.upto(at_s - window_s)
    # No reading at all is not "no rain": the value is missing.
    return series.totals[end] - series.totals[start] if start < end else MISSING


def _count(series: Series, at_s: int, window_s: int, end: int) -> float:
    return (end - series.upto(at_s - window_s)) * SCALE


def _mean(series: Series, at_s: int, window_s: int, end: int) -> float:
    start = series.upto(at_s - window_s)
    return (series.totals[end] - series.totals[start]) / (end - start) if start < end else MISSING


def _latest(series: Series, at_s: int, window_s: int, end: int) -> float:
    if not end or series.time(end - 1) <= at_s - window_s:
        return MISSING
    return series.value(end - 1)


def _max(series: Series, at_s: int, window_s: int, end: int) -> float:
    return max(series.values(series.upto(at_s - window_s), end), default=MISSING)


def _min(series: Series, at_s: int, window_s: int, end: int) -> float:
    return min(series.values(series.upto(at_s - window_s), end), default=MISSING)


def _median(series: Series, at_s: int, window_s: int, end: int) -> float:
    values = sorted(series.values(series.upto(at_s - window_s), end))
    half = len(values) // 2
    if not values:
        return MISSING
    return float(values[half]) if len(values) % 2 else (values[half - 1] + values[half]) / 2


def _slope(series: Series, at_s: int, window_s: int, end: int) -> float:
    """The straight line of least squares, per day; missing when the readings span less than half of the window."""
    start = series.upto(at_s - window_s)
    if end - start < _FEWEST or (series.time(end - 1) - series.time(start)) * 2 < window_s:
        return MISSING
    # Whole numbers throughout and one division at the end: a straight line gives its exact slope.
    first_s = series.time(start)
    ts = [series.time(n) - first_s for n in range(start, end)]
    values = series.values(start, end)
    n, sum_t = len(ts), sum(ts)
    over = n * sum(map(mul, ts, values)) - sum_t * sum(values)
    return float(over * DAY_S / (n * sum(map(mul, ts, ts)) - sum_t * sum_t))


def _change(series: Series, at_s: int, window_s: int, end: int) -> float:
    last, before = end - 1, reference(series, at_s, window_s, end)
    if before < 0 or series.time(last) <= at_s - window_s:
        return MISSING
    return series.value(last) - series.value(before)


def reference(series: Series, at_s: int, window_s: int, end: int) -> int:
    """Index of the reading a change is counted from, or -1.

    It is the newest one at or before the start of the window, at most half a window older; when the gauge has none from then,
    the oldest one inside the window: a rise seen over a part of the hour is a rise.
    """
    start = series.upto(at_s - window_s)
    if start > 0 and series.time(start - 1) > at_s - window_s * 3 // 2:
        return start - 1
    return start if start < end - 1 else -1


MEASURES: Mapping[Op, Measure] = {
    Op.SUM: _total, Op.COUNT: _count, Op.MEAN: _mean, Op.LATEST: _latest, Op.MAX: _max, Op.MIN: _min, Op.CHANGE: _change,
    Op.MEDIAN: _median, Op.SLOPE: _slope,
}  # fmt: skip


def filled(op: Op, series: Series, at_s: int, window_s: int) -> tuple[int, int]:
    """How many readings stand behind an input, and how many should; for ``change`` the part of the window it spans."""
    end = series.upto(at_s)
    expected = max(1, window_s // series.interval_s)
    if op is Op.LATEST:
        return int(end > 0), 1
    if op is Op.CHANGE:
        before = reference(series, at_s, window_s, end)
        spanned_s = min(at_s - series.time(before), window_s) if before >= 0 else 0
        return spanned_s // series.interval_s, expected
    return end - series.upto(at_s - window_s), expected


def coverage(op: Op, series: Series, at_s: int, window_s: int) -> tuple[int, int, int]:
    """Readings used, expected, and how many of the used ones came late."""
    edge_s = at_s - window_s
    if op is Op.LATEST:
        end = series.upto(at_s)
        edge_s = series.time(end - 1) - 1 if end else at_s
    return *filled(op, series, at_s, window_s), sum(1 for t in series.late if edge_s < t <= at_s)
