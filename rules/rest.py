"""How long a place need not be judged again: its decisions are the same as if each reading had been judged.

Values that add up cannot be negative, so no sum grows by more than the total does, and none falls before old readings leave
its window. Both tell ahead of time what no reading in between can change. In a grade this holds only while readings come at
even intervals: whatever else happens has the place judged again.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import isnan

from rules.climb import Climb
from rules.compiled import Calm, Limits
from rules.model import Rule
from rules.scaled import ALWAYS, FOREVER
from rules.series import Series

Rows = Sequence[tuple[int, Limits]]
Rest = tuple[int, int]
"""The total and the event time from which on the place must be judged again."""
AWAKE: Rest = (ALWAYS, FOREVER)


def dry(series: Series, lows: Sequence[tuple[int, int]], values: Sequence[float]) -> Rest:
    """Without a grade: until the total has grown by the smallest distance to a threshold."""
    room = min([low - values[n] for n, low in lows])
    return AWAKE if room != room else (series.total + int(room), FOREVER)  # noqa: PLR0124 - NaN is the missing value


def graded(series: Series, state: Climb, rule: Rule, calm: Calm, rows: Rows, values: Sequence[float]) -> Rest:
    """In a grade: until a higher one may be met, or lowering may begin, end or be due."""
    grade, total = int(state.grade), series.total
    if series.times is not None or state.asked is not None or series.interval_s > rule.no_data.after_s or any(map(isnan, values)):
        return AWAKE
    room = min([limits[grade] - values[n] for n, limits in rows if len(limits) > grade], default=FOREVER - total)
    seen = values[calm.index]
    if seen >= calm.limit:
        return total + int(room), leaving(series, calm.window_s, total - calm.limit)
    if state.eased_s is None:
        return AWAKE
    held = [leaving(series, rule.inputs[n].window_s, total - limits[grade - 1]) for n, limits in rows if _met(limits, grade, values[n])]
    due_s = max(state.eased_s, state.hold_s) + rule.lower.for_s
    return total + int(min(room, calm.limit - seen)), max(due_s, state.raised_s + rule.lower.min_in_force_s, *held)


def leaving(series: Series, window_s: int, spare: int) -> int:
    """When, at the earliest, more than ``spare`` of the running total lies before the window: until then its sum stays as high."""
    index = bisect_right(series.totals, spare)
    return series.time(index - 1) + window_s if index <= series.size() else FOREVER


def _met(limits: Limits, grade: int, value: float) -> bool:
    return len(limits) >= grade and value >= limits[grade - 1]
