"""What the inputs of a rule are, checked: which readings they look at and what they compute."""

from dataclasses import dataclass
from enum import StrEnum

from rules.expression import Expression


class Op(StrEnum):
    """What an input computes from the readings, or the forecasts, of one variable."""

    SUM = "sum"
    LATEST = "latest"
    MAX = "max"
    MIN = "min"
    MEAN = "mean"
    MEDIAN = "median"
    CHANGE = "change"
    SLOPE = "slope"
    COUNT = "count"
    FC_VALUE = "fc_value"
    FC_PROB = "fc_prob"
    FC_RUNS = "fc_runs"
    FC_LEAD = "fc_lead"
    DERIVED = "derived"


FORECAST_OPS = frozenset((Op.FC_VALUE, Op.FC_PROB, Op.FC_RUNS, Op.FC_LEAD))
WINDOW_OPS = (Op.SUM, Op.MAX, Op.MIN, Op.MEAN, Op.MEDIAN, Op.CHANGE, Op.SLOPE, Op.COUNT)
DAY_S = 86_400


class Take(StrEnum):
    """What becomes of the values of several stations. ``nearest`` is the nearest station that has a value."""

    NEAREST = "nearest"
    HIGHEST = "highest"
    SECOND_HIGHEST = "second_highest"
    MEAN = "mean"
    LOWEST = "lowest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Stations around a place: those of its catchment, or those within ``radius_m`` metres."""

    catchment: bool = False
    radius_m: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Each:
    """A comparison made at each station (``count``) or for each day (``days``, up to ``most`` of them)."""

    days: bool
    sign: str
    limit: Expression
    most: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is asked of a forecast: which part of it, counted from the moment of asking, and how much.

    ``window_s`` is 0 for a variable that does not add up. A run older than ``max_age_s`` does not count.
    """

    window_s: int
    first_s: int
    last_s: int
    max_age_s: int
    at_least: float = 0.0
    prob: float = 0.5
    lowest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One named value: ``text`` is the call as written. ``window_s`` is the window, or the greatest age for ``latest``.

    ``daily`` windows begin at the day boundary instead. ``near`` and ``take`` look at other stations; ``plus_forecast_s`` is how old a
    forecast may be that fills the rest of the window, 0 for none; ``number`` is the expression of a derived value.
    """

    name: str
    op: Op
    variable: str
    window_s: int
    text: str
    daily: bool = False
    near: Near | None = None
    take: Take | None = None
    each: Each | None = None
    outlook: Outlook | None = None
    plus_forecast_s: int = 0
    number: Expression | None = None

    @property
    def span_s(self) -> int:
        """How far back this input looks, in seconds. ``change`` may take a reference half a window older."""
        if self.each and self.each.days:
            return (self.each.most + 1) * DAY_S
        return self.window_s * 3 // 2 if self.op is Op.CHANGE else self.window_s

    @property
    def observed(self) -> bool:
        """Whether it looks at readings."""
        return self.op not in FORECAST_OPS and self.op is not Op.DERIVED

    @property
    def forecast(self) -> bool:
        """Whether it looks at forecasts, alone or to fill a window."""
        return self.op in FORECAST_OPS or self.plus_forecast_s > 0
