"""What a rule file says, checked: the values that parse.py makes and plan.py compiles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rules.change import Mode
from rules.expression import Expression
from rules.grade import Grade
from rules.season import Season

GREATEST = 1e9
"""No number in a rule, a table or a reading is larger."""
GRADES = (Grade.BLUE, Grade.YELLOW, Grade.ORANGE, Grade.RED)


class Op(StrEnum):
    """What an input computes from the readings of one variable."""

    SUM = "sum"
    LATEST = "latest"
    MAX = "max"
    MIN = "min"
    MEAN = "mean"
    CHANGE = "change"
    COUNT = "count"


class Target(StrEnum):
    """Where a lowering leads: to the highest row still met, or one grade down."""

    COMPUTED = "computed"
    ONE_STEP = "one_step"


class Silence(StrEnum):
    """What silence does to a grade. Nothing here sends an all-clear."""

    HOLD = "hold"
    EXPIRE = "expire"
    RAISE = "raise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One named value: ``text`` is the call as written. ``window_s`` is the window, or the greatest age for ``latest``."""

    name: str
    op: Op
    variable: str
    window_s: int
    text: str

    @property
    def span_s(self) -> int:
        """How far back this input looks, in seconds. ``change`` may take a reference half a window older."""
        return self.window_s * 3 // 2 if self.op is Op.CHANGE else self.window_s


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """Thresholds of one input, blue to red; a grade left blank holds None."""

    input: str
    cells: tuple[float | None, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionRow:
    """A grade is reached when the expression holds."""

    grade: Grade
    expression: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRow:
    """Thresholds of one input at one station; None keeps the cell of the table row."""

    station: str
    input: str
    cells: tuple[float | None, ...]
    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Named numbers per station, and the line each station stands on."""

    file: str
    names: tuple[str, ...]
    rows: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a row must be met before the grade rises: ``count`` readings in a row and ``for_s`` seconds."""

    count: int = 1
    for_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lower:
    """The only way down: ``when`` must hold for ``for_s`` seconds of readings without a gap."""

    when: Expression
    for_s: int
    to: Target


@dataclass(frozen=True, slots=True, kw_only=True)
class NoData:
    """A place is silent ``after_s`` seconds after its last good reading arrived."""

    after_s: int
    grade: Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Values outside ``ranges`` (variable → lowest, highest) are not used.

    A grade is lowered only on windows that hold at least ``min_coverage`` of the readings they should: silence is not dry weather.
    """

    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    min_coverage: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule as written and checked. ``line`` and ``column`` point at its ``for_each``; ``digest`` names rule and tables."""

    name: str
    version: int
    title: str
    hazard: str
    for_each: str
    issued_by: str
    mode: Mode
    season: Season | None
    inputs: tuple[Input, ...]
    tables: tuple[TableRow, ...]
    rows: tuple[ExpressionRow, ...]
    overrides: tuple[OverrideRow, ...]
    columns: Columns | None
    patience: tuple[Patience, ...]
    lower: Lower
    no_data: NoData
    quality: Quality
    file: str
    line: int
    column: int
    digest: str

    @property
    def hold_s(self) -> int:
        """The longest time, in seconds, that a condition must last before it counts."""
        return max(self.lower.for_s, *(p.for_s for p in self.patience))

    def horizon_s(self, interval_s: int) -> int:
        """How far back a late reading can still matter, in seconds: longest window + hold. A place reports every ``interval_s``."""
        in_a_row_s = (max(p.count for p in self.patience) - 1) * interval_s
        return max(i.span_s for i in self.inputs) + max(self.hold_s, in_a_row_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """All rules of one version; ``digest`` names rules and tables together."""

    rules: tuple[Rule, ...]
    digest: str
