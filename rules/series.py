"""The rolling state of one variable at one station: what every window of every rule is computed from.

Times and running totals stand in two arrays, so that the sum of any window is one subtraction, whatever the number of
windows. Values are integers in ten-thousandths of the canonical unit: sums stay exact for months, where floats change grades.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rules.counter import Counter
from rules.guard import Guard
from rules.quality import Checks
from rules.scaled import ALWAYS, NEVER_S

if TYPE_CHECKING:
    from rules.ladder import Ladder

_SLACK = 64
_MOST_SUSPECTS = 500
_REBASE = 1 << 60


class Series:
    """Readings of the last ``horizon_s`` seconds of event time, one per time.

    ``total`` is the last running total, ``wake`` the total below which no ladder here can change. ``unsettled`` is true while
    the next good reading has something to end: silence, a suspension, doubt. ``twin`` is the same variable with another range.
    """

    __slots__ = (
        "arrived_us", "cap", "checks", "counter", "doubt", "guard", "high", "horizon_s", "interval_s", "ladders", "last_s", "late", "low",
        "spell", "station", "suspects", "times", "total", "totals", "twin", "unsettled", "variable", "wake",
    )  # fmt: skip

    def __init__(
        self, station: str, variable: str, interval_s: int, checks: Checks, horizon_s: int, *, counter: bool = False
    ) -> None:  # fmt: skip
        """An empty series; ``counter`` when running totals come in."""
        self.station = station
        self.variable = variable
        self.interval_s = interval_s
        self.checks = checks
        self.counter = Counter() if counter else None
        self.guard = Guard(checks) if checks.guarded and not counter else None
        # The hot loop lets nothing pass here that must be held against what came before.
        self.low, self.high = (1.0, -1.0) if self.guard or self.counter else (checks.low, checks.high)
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
        self.suspects: list[tuple[int, str]] = []
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

    def append(self, at_s: int, scaled: int) -> None:
        """Take the newest reading."""
        self.last_s = at_s
        self.total += scaled
        self.times.append(at_s)
        self.totals.append(self.total)
        if len(self.times) >= self.cap:
            self.trim()

    def drop(self, at_s: int) -> None:
        """Forget the reading of a time."""
        i = bisect_left(self.times, at_s)
        delta = self.totals[i + 1] - self.totals[i]
        del self.times[i]
        del self.totals[i + 1]
        for k in range(i + 1, len(self.totals)):
            self.totals[k] -= delta
        self.total = self.totals[-1]
        self.late.discard(at_s)

    def at(self, at_s: int) -> int | None:
        """The value of a time; None when there is none."""
        i = bisect_left(self.times, at_s)
        return self.totals[i + 1] - self.totals[i] if i < len(self.times) and self.times[i] == at_s else None

    def refill(self, readings: Iterable[tuple[int, int]]) -> None:
        """Take these readings, in order, in the place of all there were."""
        self.times, self.totals, self.total = array("q"), array("q", [0]), 0
        for at_s, scaled in readings:
            self.total += scaled
            self.times.append(at_s)
            self.totals.append(self.total)
        self.last_s = self.times[-1] if self.times else NEVER_S
        self.wake = ALWAYS

    def doubted(self, edge_s: int, at_s: int) -> list[tuple[str, int, str]]:
        """The values in ``(edge_s, at_s]`` that were not used: station, time, and why in one word."""
        return [(self.station, t, why) for t, why in self.suspects if edge_s < t <= at_s]

    def mark(self, at_s: int, why: str) -> None:
        """Remember that a value was not used; the newest for each time."""
        edge_s = self.last_s - self.horizon_s
        self.suspects = [(t, w) for t, w in self.suspects[-_MOST_SUSPECTS:] if t > edge_s and t != at_s]
        self.suspects.append((at_s, why))

    def pardon(self, at_s: int) -> None:
        """A value that was doubted has been used after all."""
        if self.suspects:
            self.suspects = [(t, w) for t, w in self.suspects if t != at_s]

    def newest(self) -> tuple[int, int] | None:
        """Time and value of the newest reading."""
        return (self.times[-1], self.totals[-1] - self.totals[-2]) if self.times else None

    def trim(self) -> None:
        """Let go of what lies beyond the horizon."""
        edge_s = self.last_s - self.horizon_s
        cut = bisect_right(self.times, edge_s)
        del self.times[:cut]
        del self.totals[:cut]
        self.cap = len(self.times) + _SLACK
        if self.counter:
            self.counter.trim(edge_s)
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
