"""The hot loop: one look-up, one append, one comparison per reading. Kept alone so that it can be compiled."""

from collections.abc import Callable, Iterable

from rules.reading import Reading
from rules.scaled import SCALE
from rules.series import Series

Find = Callable[[tuple[str, str]], Series | None]
Woke = Callable[[Series, int], None]
Odd = Callable[[Series, Reading], None]


def take(find: Find, readings: Iterable[Reading], limit_s: int, now_us: int, woke: Woke, odd: Odd) -> None:
    """Put each reading in its series, in order.

    ``woke`` is called for each newest reading that may change a ladder, ``odd`` for each that is not simply the newest good one.
    """
    for reading in readings:
        station, variable, value, at_s, quality = reading
        series = find((station, variable))
        while series is not None:
            if series.last_s < at_s <= limit_s and series.low <= value <= series.high and quality == "good":
                series.arrived_us = now_us
                series.last_s = at_s
                series.total = total = series.total + round(value * SCALE)
                times = series.times
                times.append(at_s)
                series.totals.append(total)
                if len(times) >= series.cap:
                    series.trim()
                if total >= series.wake or series.unsettled:
                    woke(series, at_s)
            else:
                odd(series, reading)
            series = series.twin
