"""The rolling state of one variable at one station: what every window of every rule is computed from.

Running totals stand in one array, so that the sum of any window is one subtraction, whatever the number of windows. Values are
integers in ten-thousandths of the canonical unit: sums stay exact for months, where floats change grades. While readings come
at even intervals their times need no room; the first one that is missing or off the beat gives each reading a time of its own,
until it has left the horizon. Totals take four bytes while they fit, eight when they do not.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import sub
from typing import TYPE_CHECKING

from rules.counter import Counter
from rules.guard import Guard
from rules.place import Span
from rules.quality import Checks
from rules.scaled import ALWAYS, FOREVER, NEVER_S

if TYPE_CHECKING:
    from rules.ladder import Ladder

_SLACK = 24
"""How many readings beyond the horizon may gather before they are let go of together."""
_MOST_SUSPECTS = 500
_NARROW = 1 << 31
_REBASE = 1 << 60


class Series:
    """Readings of the last ``horizon_s`` seconds of event time, one per time.

    ``last_s`` is the time of the newest reading; ``times`` are all of them, None while they follow from ``last_s`` and the
    interval. ``totals`` has one entry more than there are readings; ``total`` is the last.

    Nothing here can change a ladder, and nothing has to be let go of, while each reading comes ``beat_s`` after the one before (0
    while times are uneven), before ``until_s``, and ``total`` stays below ``wake``. ``wake_s`` is the part of ``until_s`` that the
    ladders have asked for.
    ``unsettled`` is true while the next good reading has something to end: silence, a suspension, doubt. ``kept_s`` is the
    newest reading that the last snapshot holds; ``touched`` is true when anything but newer readings has come since.
    ``twin`` is the same variable with another range.
    """

    __slots__ = (
        "arrived_us", "beat_s", "checks", "counter", "doubt", "guard", "high", "horizon_s", "interval_s", "kept_s", "ladders", "last_s",
        "late", "low", "maintenance",
        "spell", "station", "suspects", "times", "total", "totals", "touched", "trim_s", "twin", "unsettled",
        "until_s", "variable", "wake", "wake_s",
    )  # fmt: skip

    def __init__(
        self, station: str, variable: str, interval_s: int, checks: Checks, horizon_s: int, *, counter: bool = False,
        maintenance: tuple[Span, ...] = (),
    ) -> None:  # fmt: skip
        """An empty series; ``counter`` when running totals come in, ``maintenance`` is when somebody works on its station."""
        self.station = station
        self.variable = variable
        self.interval_s = interval_s
        self.checks = checks
        self.maintenance = maintenance
        self.counter = Counter(maintenance) if counter else None
        self.guard = Guard(checks) if checks.guarded and not counter else None
        # The hot loop lets nothing pass here that must be held against anything else.
        self.low, self.high = (1.0, -1.0) if self.guard or self.counter or maintenance else (checks.low, checks.high)
        self.horizon_s = horizon_s
        self.last_s = NEVER_S
        self.beat_s = interval_s
        self.until_s = NEVER_S
        self.trim_s = NEVER_S
        self.times: array[int] | None = None
        self.totals = array("i", (0,))
        self.total = 0
        self.arrived_us = 0
        self.wake = ALWAYS
        self.wake_s = FOREVER
        self.unsettled = False
        self.doubt = False
        self.touched = False
        self.kept_s = NEVER_S
        self.spell = 0
        self.late: frozenset[int] = frozenset()
        self.suspects: tuple[tuple[int, str], ...] = ()
        self.ladders: tuple[Ladder, ...] = ()
        self.twin: Series | None = None

    # ------------------------------------------------------------------------------------------ looking

    def size(self) -> int:
        """How many readings there are."""
        return len(self.totals) - 1

    def time(self, index: int) -> int:
        """When a reading was measured; the oldest has index 0."""
        return self.last_s - (self.size() - 1 - index) * self.interval_s if self.times is None else self.times[index]

    def value(self, index: int) -> int:
        """What was measured."""
        return self.totals[index + 1] - self.totals[index]

    def values(self, start: int, end: int) -> list[int]:
        """What was measured from one index up to another."""
        part = self.totals[start : end + 1]
        return list(map(sub, part[1:], part))

    def upto(self, at_s: int) -> int:
        """How many readings are not newer than a time."""
        n = len(self.totals) - 1
        if at_s >= self.last_s:
            return n
        if self.times is not None:
            return bisect_right(self.times, at_s)
        return max(0, n + (at_s - self.last_s) // self.interval_s)

    def times_after(self, edge_s: int) -> Sequence[int]:
        """The times of the readings after a moment."""
        start, step = self.upto(edge_s), self.interval_s
        if self.times is not None:
            return self.times[start:]
        end_s = self.last_s + step
        return range(end_s - (self.size() - start) * step, end_s, step)

    def at(self, at_s: int) -> int | None:
        """The value of a time; None when there is none."""
        i = self.upto(at_s) - 1
        return self.value(i) if i >= 0 and self.time(i) == at_s else None

    def newest(self) -> tuple[int, int] | None:
        """Time and value of the newest reading."""
        n = self.size()
        return (self.last_s, self.value(n - 1)) if n else None

    def previous_s(self) -> int:
        """The time of the newest reading but one."""
        n = self.size()
        return self.time(n - 2) if n > 1 else NEVER_S

    def doubted(self, edge_s: int, at_s: int) -> list[tuple[str, int, str]]:
        """The values in ``(edge_s, at_s]`` that were not used: station, time, and why in one word."""
        return [(self.station, t, why) for t, why in self.suspects if edge_s < t <= at_s]

    def tended(self, at_s: int) -> bool:
        """Whether somebody worked on the station at a moment."""
        return any(since_s <= at_s <= until_s for since_s, until_s in self.maintenance)

    def heard_us(self, now_us: int) -> int:
        """When it was heard last, in arrival time; maintenance that has begun counts as being heard until its end."""
        begun = (until_s * 1_000_000 for since_s, until_s in self.maintenance if since_s * 1_000_000 <= now_us)
        return max(self.arrived_us, *begun, 0)

    # ------------------------------------------------------------------------------------------- taking

    def append(self, at_s: int, scaled: int) -> None:
        """Take the newest reading."""
        if self.times is None and at_s - self.last_s != self.beat_s and self.size():
            self.times, self.beat_s = array("q", self.times_after(NEVER_S)), 0
            self.rouse()
        if self.times is not None:
            self.times.append(at_s)
        self.last_s = at_s
        self.total += scaled
        try:
            self.totals.append(self.total)
        except OverflowError:
            self._settle_totals([*self.totals, self.total])
        if at_s >= self.trim_s or abs(self.total) > _REBASE:
            self.trim()

    def put(self, at_s: int, scaled: int) -> bool:
        """Take a late reading or a correction; false when it changes nothing. A repeat, or a correction of the newest, moves no other."""
        i = self.upto(at_s) - 1
        if i >= 0 and self.time(i) == at_s:
            if self.value(i) == scaled:
                return False
            if i == self.size() - 1 and self._renew(scaled):
                return True
        times, values = list(self.times_after(NEVER_S)), self.values(0, self.size())
        i = bisect_left(times, at_s)
        if i < len(times) and times[i] == at_s:
            values[i] = scaled
        else:
            times.insert(i, at_s)
            values.insert(i, scaled)
            self.late |= {at_s}
        self._arrange(times, values)
        return True

    def _renew(self, scaled: int) -> bool:
        """Another value for the newest reading; false where its total needs more room."""
        total = self.totals[-2] + scaled
        try:
            self.totals[-1] = total
        except OverflowError:
            return False
        self.total, self.touched = total, True
        self.rouse()
        return True

    def drop(self, at_s: int) -> None:
        """Forget the reading of a time."""
        times, values = list(self.times_after(NEVER_S)), self.values(0, self.size())
        i = bisect_left(times, at_s)
        del times[i], values[i]
        self._arrange(times, values)
        self.late -= {at_s}

    def refill(self, readings: Iterable[tuple[int, int]]) -> None:
        """Take these readings, in order, in the place of all there were."""
        pairs = list(readings)
        self.last_s = pairs[-1][0] if pairs else NEVER_S
        self._arrange([t for t, _ in pairs], [v for _, v in pairs])

    def take_over(self, first_s: int, times: "array[int] | None", totals: "array[int]") -> None:
        """Go on with what another series of the same checks and interval had."""
        self.times, self.totals, self.total = times, totals, totals[-1]
        n = self.size()
        self.last_s = NEVER_S if not n else first_s + (n - 1) * self.interval_s if times is None else times[-1]
        self.beat_s = self.interval_s if times is None else 0

    def _arrange(self, times: Sequence[int], values: Sequence[int]) -> None:
        """Keep these in the least room; ``last_s`` is left alone."""
        self.touched = True
        even = not times or tuple(times) == tuple(range(times[0], times[-1] + 1, self.interval_s))
        self.times = None if even else array("q", times)
        self.beat_s = self.interval_s if even else 0
        self._settle_totals([0, *accumulate(values)])
        self.rouse()

    def _settle_totals(self, totals: Sequence[int]) -> None:
        """Keep these running totals, counted anew from the oldest."""
        base = totals[0]
        own = [t - base for t in totals]
        self.total = own[-1]
        self.totals = array("i" if max(own) < _NARROW > -min(own) else "q", own)
        self.wake = ALWAYS

    # ---------------------------------------------------------------------------------------- forgetting

    def trim(self) -> None:
        """Let go of what lies beyond the horizon."""
        edge_s = self.last_s - self.horizon_s
        cut = self.upto(edge_s)
        first_s = self.time(cut)
        if cut:
            # A copy takes the room that it needs; what is cut in place keeps the room that it once needed.
            self.totals = self.totals[cut:]
            if self.times is not None:
                self.times = self.times[cut:]
                self._even()
        self.trim_s = first_s + self.horizon_s + _SLACK * self.interval_s
        self.until_s = min(self.wake_s, self.trim_s)
        if self.counter:
            self.counter.trim(edge_s)
        if self.late:
            self.late = frozenset(t for t in self.late if t > edge_s)
        if self.totals.typecode == "q" or abs(self.total) > _REBASE:
            self._settle_totals(self.totals)

    def _even(self) -> None:
        """Times that have become even need no room."""
        times, step = self.times, self.interval_s
        if times and times[-1] - times[0] == (len(times) - 1) * step and times == array("q", range(times[0], times[-1] + 1, step)):
            self.times, self.beat_s = None, step

    # ------------------------------------------------------------------------------------------- resting

    def rest(self, wake: int, wake_s: int) -> None:
        """Nothing can change while the total stays below ``wake`` and readings come at even intervals before ``wake_s``."""
        narrow = self.totals.typecode == "i"
        self.wake = ALWAYS if self.unsettled else min(wake, _NARROW) if narrow else wake
        self.wake_s = wake_s
        self.until_s = min(wake_s, self.trim_s)

    def rouse(self) -> None:
        """Judge the places again that have relied on even intervals, or on what has been changed now."""
        self.wake = ALWAYS
        for x in self.ladders:
            x.wake = ALWAYS

    def trouble(self) -> None:
        """The next good reading has something to end."""
        self.touched = True
        self.unsettled = True
        self.wake = ALWAYS

    def mark(self, at_s: int, why: str) -> None:
        """Remember that a value was not used; the newest for each time."""
        self.touched = True
        edge_s = self.last_s - self.horizon_s
        kept = [(t, w) for t, w in self.suspects[-_MOST_SUSPECTS:] if t > edge_s and t != at_s]
        self.suspects = (*kept, (at_s, why))

    def pardon(self, at_s: int) -> None:
        """A value that was doubted has been used after all."""
        if self.suspects:
            self.touched = True
            self.suspects = tuple((t, w) for t, w in self.suspects if t != at_s)
