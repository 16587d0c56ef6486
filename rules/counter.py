"""Running totals to what fell in between: differences, with resets, roll-overs and gaps. Values are scaled."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import pairwise

from rules.place import Span
from rules.quality import Checks
from rules.scaled import SCALE

Increments = list[tuple[int, int]]
_MOST_STEPS = 2_000


class Counter:
    """The totals behind one series. ``held`` is a total that does not fit and that nothing has confirmed yet."""

    __slots__ = ("held", "maintenance", "times", "values")

    def __init__(self, maintenance: tuple[Span, ...] = ()) -> None:
        """Nothing heard yet; what it counts while somebody works on it has not fallen."""
        self.maintenance = maintenance
        self.times = array("q")
        self.values = array("q")
        self.held: tuple[int, int] | None = None

    def newest(self, at_s: int, value: int, interval_s: int, checks: Checks) -> Increments | str:
        """What has fallen since the last total that fits, or in one word why this one does not.

        A total that fits to a held one, and not to those before it, is believed: counting starts again from the held one.
        """
        if not self.times:
            self._keep(at_s, value)
            return []
        found = self._between((self.times[-1], self.values[-1]), (at_s, value), interval_s, checks)
        if isinstance(found, str) and self.held:
            again = self._between(self.held, (at_s, value), interval_s, checks)
            if not isinstance(again, str):
                self._keep(*self.held)
                found = again
        if isinstance(found, str):
            self.held = (at_s, value)
            return found
        self._keep(at_s, value)
        return found

    def _keep(self, at_s: int, value: int) -> None:
        self.held = None
        self.times.append(at_s)
        self.values.append(value)

    def late(self, at_s: int, value: int, interval_s: int, checks: Checks) -> bool | str:
        """Take a late or corrected total; false when it changes nothing, a word when it does not fit to its neighbours."""
        i = bisect_left(self.times, at_s)
        same = i < len(self.times) and self.times[i] == at_s
        if same and self.values[i] == value:
            return False
        after = i + 1 if same else i
        around = [(self.times[n], self.values[n]) for n in (i - 1, after) if 0 <= n < len(self.times)]
        for other in around:
            first, second = sorted((other, (at_s, value)))
            found = self._between(first, second, interval_s, checks)
            if isinstance(found, str):
                return found
        if same:
            self.values[i] = value
        else:
            self.times.insert(i, at_s)
            self.values.insert(i, value)
        return True

    def all(self, interval_s: int, checks: Checks) -> Iterator[tuple[int, int]]:
        """Everything that has fallen between the totals kept."""
        for before, after in pairwise(zip(self.times, self.values, strict=True)):
            found = self._between(before, after, interval_s, checks)
            yield from () if isinstance(found, str) else found

    def _between(self, before: tuple[int, int], after: tuple[int, int], interval_s: int, checks: Checks) -> Increments | str:
        """What fell between two totals; nothing where maintenance lies between them."""
        if any(since_s <= after[0] and until_s > before[0] for since_s, until_s in self.maintenance):
            return []
        return increments(before, after, interval_s, checks)

    def trim(self, edge_s: int) -> None:
        """Let go of totals before a time, but for the newest of them."""
        cut = max(0, bisect_right(self.times, edge_s) - 1)
        del self.times[:cut]
        del self.values[:cut]


def increments(before: tuple[int, int], after: tuple[int, int], interval_s: int, checks: Checks) -> Increments | str:
    """What fell between two totals: spread evenly over the readings that are missing in between; a word when it cannot be.

    A total that has fallen to half or less was reset; one past ``rollover`` began again from zero.
    """
    length_s, amount = after[0] - before[0], after[1] - before[1]
    if amount < 0:
        rollover = round(checks.rollover * SCALE) if checks.rollover else 0
        if rollover and before[1] * 2 > rollover > after[1] * 2:
            amount += rollover
        elif after[1] * 2 <= before[1]:
            amount = after[1]
        else:
            return "fell"
    steps = max(1, round(length_s / interval_s))
    if steps > _MOST_STEPS:
        return []
    each, rest = divmod(amount, steps)
    if not checks.low * SCALE <= each + bool(rest) <= checks.high * SCALE:
        return "range"
    # The last ones take the remainder: nothing is lost by spreading.
    return [(after[0] - n * interval_s, each + (n < rest)) for n in range(steps - 1, -1, -1)]
