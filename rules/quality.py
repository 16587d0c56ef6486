"""What a value must pass before a rule may look at it, as written and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

UNBOUNDED = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """The checks of one variable, in its unit.

    A value outside ``low`` to ``high`` is not used. One that lies more than ``step`` per ``step_s`` seconds, or more than
    ``spike``, from the one before it is not used until the next one agrees with it. One that has not changed for ``stuck_s``
    seconds is not used where ``stuck_sign`` ``stuck_than`` holds. A counter that has fallen has passed ``rollover``.
    One that lies more than ``apart`` from the middle of the newest values of at least ``least`` stations within ``around_m`` metres is
    not used until the next one lies there, too.
    """

    low: float = -UNBOUNDED
    high: float = UNBOUNDED
    step: float | None = None
    step_s: int = 1
    spike: float | None = None
    stuck_s: int = 0
    stuck_sign: str = ""
    stuck_than: float = 0.0
    rollover: float | None = None
    apart: float | None = None
    around_m: int = 0
    least: int = 2

    @property
    def guarded(self) -> bool:
        """Whether a value must be held against those before it."""
        return self.step is not None or self.spike is not None or self.stuck_s > 0 or self.apart is not None


NO_CHECKS = Checks()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Checks per variable.

    A grade is lowered only on windows that hold at least ``min_coverage`` of the readings they should: silence is not dry weather.
    """

    checks: Mapping[str, Checks] = field(default_factory=dict)
    min_coverage: float = 0.5
