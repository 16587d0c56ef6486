"""The hot loops: one look-up, one addition, two comparisons per reading. Kept alone so that they can be compiled."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from rules.reading import Columns, Reading
from rules.scaled import SCALE, WHOLE
from rules.series import Series

Index = Mapping[str, Mapping[str, Series]]
"""Series by variable, then by station."""
_NOBODY: Mapping[str, Series] = {}
Woke = Callable[[Series, int], None]
Odd = Callable[[Series, Reading], None]


def take(index: Index, readings: Iterable[Reading], limit_s: int, now_us: int, woke: Woke, odd: Odd) -> None:
    """Put each reading in its series, in order; none may be later than ``limit_s``.

    ``woke`` is called for each newest reading that may change a ladder, ``odd`` for each that is not simply the newest good one.
    """
    scale = float(SCALE)
    for reading in readings:
        series = index.get(reading.variable, _NOBODY).get(reading.station)
        while series is not None:
            if reading.quality == "good" and series.last_s < reading.at_s <= limit_s and series.low <= reading.value <= series.high:
                _newest(series, reading.at_s, int(reading.value * scale + WHOLE - WHOLE), now_us, woke)
            else:
                odd(series, reading)
            series = series.twin


def take_columns(by_number: Sequence[Series | None], columns: Columns, limit_s: int, now_us: int, woke: Woke, odd: Odd) -> None:
    """The same for columns without marks; ``by_number`` has the series of each that may send."""
    scale, whole = float(SCALE), WHOLE
    values, times_s, n = columns.values, columns.times_s, 0
    for number in columns.numbers:
        value, at_s = values[n], times_s[n]
        series = by_number[number]
        while series is not None:
            if series.last_s < at_s <= limit_s and series.low <= value <= series.high:
                total = series.total + int(value * scale + whole - whole)
                series.arrived_us = now_us
                # Written out here, too, because most readings end here.
                if at_s - series.last_s == series.beat_s and at_s < series.until_s and total < series.wake:
                    series.total = total
                    series.totals.append(total)
                    series.last_s = at_s
                else:
                    _newest(series, at_s, total - series.total, now_us, woke)
            else:
                odd(series, columns[n])
            series = series.twin
        n += 1  # noqa: SIM113 - a plain number, so that it can be compiled


def _newest(series: Series, at_s: int, scaled: int, now_us: int, woke: Woke) -> None:
    """The newest good reading: most of them change nothing but the total."""
    series.arrived_us = now_us
    total = series.total + scaled
    if at_s - series.last_s == series.beat_s and at_s < series.until_s and total < series.wake:
        series.total = total
        series.totals.append(total)
        series.last_s = at_s
        return
    series.append(at_s, scaled)
    if series.total >= series.wake or at_s >= series.wake_s:
        woke(series, at_s)
