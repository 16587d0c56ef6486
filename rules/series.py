"""The rolling state of one variable at one station: what every window of every rule is computed from.

Times and running totals stand in two arrays, so that the sum of any window is one subtraction, whatever the number of
windows. Values are integers in ten-thousandths of the canonical unit: sums stay exact for months, where floats change grades.
"""

from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rules.ladder import Ladder

SCALE = 10_000
NEVER_S = -(1 << 62)
ALWAYS = -(1 << 62)
_SLACK = 64
_REBASE = 1 << 60


class Series:
    """Readings of the last ``horizon_s`` seconds of event time, one per time.

    ``total`` is the last running total, ``wake`` the total below which no ladder here can change. ``unsettled`` is true while
    the next good reading has something to end: silence, a suspension, doubt. ``twin`` is the same variable with another range.
    """

    __slots__ = (
        "arrived_us", "cap", "doubt", "high", "horizon_s", "interval_s", "ladders", "last_s", "late", "low", "spell", "station", "times",
        "total", "totals", "twin", "unsettled", "variable", "wake",
    )  # fmt: skip

    def __init__(self, station: str, variable: str, interval_s: int, bounds: tuple[float, float], horizon_s: int) -> None:
        """An empty series; ``bounds`` are the lowest and highest value that is used."""
        self.station = station
        self.variable = variable
        self.interval_s = interval_s
        self.low, self.high = bounds
        self.horizon_s = horizon_s
        self.times = array("q")
        self.totals = array("q", [0])
        self.last_s = NEVER_S
        self.total = 0
        self.arrived_us = 0
        self.cap = _SLACK
        self.wake = ALWAYS
        self.unsettled = False
        self.doubt = False
        self.spell = 0
        self.late: set[int] = set()
        self.ladders: tuple[Ladder, ...] = ()
        self.twin: Series | None = None

    def put(self, at_s: int, scaled: int) -> bool:
        """Take a late reading or a correction; false when it changes nothing."""
        i = bisect_left(self.times, at_s)
        if i < len(self.times) and self.times[i] == at_s:
            delta = scaled - (self.totals[i + 1] - self.totals[i])
            if not delta:
                return False
        else:
            self.times.insert(i, at_s)
            self.totals.insert(i + 1, self.totals[i])
            self.late.add(at_s)
            delta = scaled
        for k in range(i + 1, len(self.totals)):
            self.totals[k] += delta
        self.total = self.totals[-1]
        return True

    def trim(self) -> None:
        """Let go of what lies beyond the horizon."""
        edge_s = self.last_s - self.horizon_s
        cut = bisect_right(self.times, edge_s)
        del self.times[:cut]
        del self.totals[:cut]
        self.cap = len(self.times) + _SLACK
        if self.late:
            self.late = {t for t in self.late if t > edge_s}
        if abs(self.total) > _REBASE:
            base = self.totals[0]
            self.totals = array("q", [t - base for t in self.totals])
            self.total -= base
            self.wake = ALWAYS

    def first_after(self, edge_s: int, guess: int) -> int:
        """Index of the first reading after ``edge_s``; ``guess`` is tried before searching: right when no reading is missing."""
        times = self.times
        if 0 < guess < len(times):
            if times[guess] > edge_s >= times[guess - 1]:
                return guess
        elif guess <= 0 and times and times[0] > edge_s:
            return 0
        return bisect_right(times, edge_s)
