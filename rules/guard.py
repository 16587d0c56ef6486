"""Whether the newest value of a series may be used: held against the ones before it.

A jump is doubted until the next value agrees with it: then both are used, because a flash flood looks like a spike.
"""

import operator
from collections.abc import Callable, Mapping

from rules.quality import Checks
from rules.scaled import NEVER_S, SCALE

SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_SPIKE_INTERVALS = 12
"""A value older than this many intervals says nothing about a spike."""


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

    def judge(self, at_s: int, value: int, last: tuple[int, int] | None, interval_s: int) -> str:
        """Why the newest value is not used, in one word; empty when it is. ``last`` is the newest one that was used.

        When the value is used and ``held`` is not None, it has confirmed the held one: use that first.
        """
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
