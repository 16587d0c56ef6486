"""What a rule file says, checked: the values that parse.py makes and plan.py compiles."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rules.change import Mode
from rules.expression import Expression
from rules.grade import Grade
from rules.inputs import Input
from rules.quality import UNBOUNDED, Quality
from rules.season import Season

GREATEST = UNBOUNDED
"""No number in a rule, a table or a reading is larger."""
EVERY = "*"
"""Stands for every place without a row of its own in a table."""
GRADES = (Grade.BLUE, Grade.YELLOW, Grade.ORANGE, Grade.RED)


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
class Numbers:
    """The named numbers of one place in one part of the year; ``season`` is None where they hold all year."""

    values: tuple[float, ...]
    line: int
    season: Season | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Named numbers per place; ``*`` holds those of every place without a row of its own."""

    file: str
    names: tuple[str, ...]
    rows: Mapping[str, tuple[Numbers, ...]]

    def of(self, place: str) -> tuple[Numbers, ...]:
        """The numbers of a place; empty when the table has none for it."""
        return self.rows.get(place) or self.rows.get(EVERY, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a row must be met before the grade rises: ``count`` readings in a row and ``for_s`` seconds."""

    count: int = 1
    for_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lower:
    """The only way down: ``when`` must hold for ``for_s`` seconds of readings without a gap, or for ``runs`` model runs.

    With ``ask`` a person confirms. A grade stands at least ``min_in_force_s`` seconds after it was last raised.
    """

    when: Expression
    for_s: int
    to: Target
    runs: int = 0
    ask: bool = False
    min_in_force_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """While ``when`` holds, every number of the table is multiplied ``by``."""

    when: Expression
    by: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NoData:
    """A place is silent ``after_s`` seconds after its last good reading arrived."""

    after_s: int
    grade: Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule as written and checked. ``line`` and ``column`` point at its ``for_each``; ``digest`` names rule and tables.

    ``day_s`` is when its day begins, in seconds after local midnight.
    """

    name: str
    version: int
    title: str
    hazard: str
    for_each: str
    issued_by: str
    mode: Mode
    season: Season | None
    day_s: int
    inputs: tuple[Input, ...]
    tables: tuple[TableRow, ...]
    rows: tuple[ExpressionRow, ...]
    overrides: tuple[OverrideRow, ...]
    columns: Columns | None
    scale: tuple[Scale, ...]
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

    def behind(self, names: tuple[str, ...]) -> tuple[Input, ...]:
        """The inputs behind these names, with those that derived ones are made of."""
        wanted = set(names)
        for i in reversed(self.inputs):
            if i.name in wanted and i.number:
                wanted.update(i.number.names)
        return tuple(i for i in self.inputs if i.name in wanted)

    def horizon_s(self, interval_s: int) -> int:
        """How far back a late reading can still matter, in seconds: longest window + hold. A place reports every ``interval_s``."""
        in_a_row_s = (max(p.count for p in self.patience) - 1) * interval_s
        return max(i.span_s for i in self.inputs) + max(self.hold_s, in_a_row_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """All rules of one version; ``digest`` names rules and tables together."""

    rules: tuple[Rule, ...]
    digest: str
