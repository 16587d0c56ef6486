"""Whether the newest value of a series may be used: held against the ones before it.

A jump is doubted until the next value agrees with it: then both are used, because a flash flood looks like a spike.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING

from rules.quality import Checks
from rules.scaled import NEVER_S, SCALE

if TYPE_CHECKING:
    from rules.series import Series

SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_SPIKE_INTERVALS = 12
"""A value older than this many intervals says nothing about a spike."""
_FRESH_INTERVALS = 2


def middle_of(around: Sequence["Series"], at_s: int, least: int) -> float | None:
    """The middle of the newest values of stations around, of those that reported within two intervals; None when too few did."""
    found = [s.newest() for s in around if abs(at_s - s.last_s) <= _FRESH_INTERVALS * s.interval_s]
    values = [one[1] for one in found if one is not None]
    return median(values) if len(values) >= max(1, least) else None


class Guard:
    """The memory of the checks of one series. Values are scaled.

    ``held`` is the newest jump that nothing has confirmed yet; the value has been ``run_value`` since ``run_s``.
    """

    __slots__ = ("checks", "held", "run_s", "run_value")

    def __init__(self, checks: Checks) -> None:
        """Nothing seen yet."""
        self.checks = checks
        self.held: tuple[int, int] | None = None
        self.run_s = NEVER_S
        self.run_value: int | None = None

    def judge(self, at_s: int, value: int, last: tuple[int, int] | None, interval_s: int, middle: float | None = None) -> str:
        """Why the newest value is not used, in one word; empty when it is. ``last`` is the newest one that was used.

        When the value is used and ``held`` is not None, it has confirmed the held one: use that first. ``middle`` is what the
        stations around say, None when too few of them do.
        """
        why = self._before(at_s, value, last, interval_s)
        if why or self.checks.apart is None:
            return why
        side = 0 if middle is None else self._side(value, middle)
        # Its own word, said twice, stands against all others: a storm may be over one gauge alone.
        said = [one[1] for one in (self.held, last) if one is not None and middle is not None]
        if side and middle is not None and not any(self._side(one, middle) == side for one in said):
            self.held = (at_s, value)
            return "neighbours"
        if self.held and not side and self._stood_alone(self.held[1], middle):
            self.held = None
        return ""

    def _stood_alone(self, value: int, middle: float | None) -> bool:
        """Whether a held value does not fit to the stations around, or was held because of them alone while they say nothing now."""
        return bool(self._side(value, middle)) if middle is not None else self.checks.step is None and self.checks.spike is None

    def _side(self, value: int, middle: float) -> int:
        """1 when a value lies too far above the others, -1 when it lies too far below, 0 when it fits."""
        apart = value - middle
        return 0 if self.checks.apart is None or abs(apart) <= self.checks.apart * SCALE else 1 if apart > 0 else -1

    def _before(self, at_s: int, value: int, last: tuple[int, int] | None, interval_s: int) -> str:
        """The same of the values before it."""
        if value != self.run_value:
            self.run_value, self.run_s = value, at_s
        if self._is_stuck(at_s, value):
            return "stuck"
        if last is None or not (why := self._jump(at_s - last[0], value - last[1], interval_s)):
            if self.held and (last is None or self._jump(at_s - self.held[0], value - self.held[1], interval_s)):
                self.held = None
            return ""
        if self.held and not self._jump(at_s - self.held[0], value - self.held[1], interval_s):
            return ""
        self.held = (at_s, value)
        return why

    def _is_stuck(self, at_s: int, value: int) -> bool:
        c = self.checks
        if not c.stuck_s or at_s - self.run_s < c.stuck_s:
            return False
        return not c.stuck_sign or SIGNS[c.stuck_sign](value, c.stuck_than * SCALE)

    def _jump(self, elapsed_s: int, delta: int, interval_s: int) -> str:
        c, size = self.checks, abs(delta) / SCALE
        if c.spike is not None and size > c.spike and elapsed_s <= _SPIKE_INTERVALS * interval_s:
            return "spike"
        return "step" if c.step is not None and size > c.step * max(1.0, elapsed_s / c.step_s) else ""
