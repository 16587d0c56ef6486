"""Why: the rows behind a change, with values, thresholds and how many readings stand behind them. Made only when a grade changes."""

import math
from bisect import bisect_right

from rules.change import Evidence, Scaling
from rules.compiled import Limits, written
from rules.grade import BY_NUMBER, Grade
from rules.ladder import Ladder
from rules.scaled import NEVER_S, SCALE
from rules.variables import unit_of


def rows(ladder: Ladder, at_s: int, edge_s: int = NEVER_S) -> tuple[list[Evidence], bool]:
    """All rows that reach something at a moment, and whether an input was missing."""
    values = ladder.values(at_s, edge_s)
    incomplete = any(map(math.isnan, values))
    compiled, rule = ladder.compiled, ladder.rule
    if rule.season and not rule.season.holds(at_s, compiled.zone):
        return [], incomplete
    found = []
    for index, limits in ladder.limits[ladder.factor(at_s, values)]:
        met = _reached(limits, values[index])
        if met:
            found.append(_table_row(ladder, index, at_s, values[index], limits, BY_NUMBER[met]))
    for row, test in zip(rule.rows, compiled.row_tests, strict=True):
        if test(*ladder.floats(at_s, values)):
            found.append(_expression(ladder, row.grade.word, row.expression.text, row.expression.names, at_s, values, row.grade))
    return found, incomplete


def scaling(ladder: Ladder, at_s: int, edge_s: int = NEVER_S) -> Scaling | None:
    """What the table was multiplied by at a moment."""
    if not ladder.rule.scale:
        return None
    values = ladder.values(at_s, edge_s)
    number = ladder.factor(at_s, values)
    if not number:
        return None
    line = ladder.rule.scale[number - 1]
    return Scaling(by=line.by, text=line.when.text, values=_seen(ladder, line.when.names, at_s, values))


def lowering(ladder: Ladder, at_s: int) -> Evidence:
    """The lowering condition with what it saw."""
    when = ladder.rule.lower.when
    return _expression(ladder, "lower", when.text, when.names, at_s, ladder.values(at_s), ladder.state.grade)


def confirmed() -> Evidence:
    """A person has confirmed what the rule proposed."""
    return Evidence(row="confirm", value=0.0, unit="", met=Grade.NONE)


def unheard(ladder: Ladder, silent_s: int) -> Evidence:
    """A place has sent nothing for this many seconds; the value is in minutes."""
    return Evidence(row="no_data", value=silent_s / 60, unit="min", met=ladder.state.grade)


def lifted() -> Evidence:
    """A person has lifted."""
    return Evidence(row="lift", value=0.0, unit="", met=Grade.NONE)


def _reached(limits: Limits, value: float) -> int:
    return bisect_right(limits, value) if value == value else 0  # noqa: PLR0124 - NaN is the missing value


def _table_row(ladder: Ladder, index: int, at_s: int, value: float, limits: Limits, met: Grade) -> Evidence:
    one = ladder.rule.inputs[index]
    used, expected, late, doubts = ladder.coverage(index, at_s)
    return Evidence(
        row=one.name, value=value / SCALE, unit=unit_of(one), met=met, thresholds=tuple(t / SCALE for t in limits),
        readings=used, expected=expected, late=late, inputs=ladder.compiled.written[one.name],
        suspect=len(doubts), doubts=tuple(sorted({why for _, _, why in doubts})),
    )  # fmt: skip


def _expression(
    ladder: Ladder, row: str, text: str, names: tuple[str, ...], at_s: int, values: list[float], met: Grade
) -> Evidence:  # fmt: skip
    known = _seen(ladder, names, at_s, values)
    inputs = [i for i in ladder.rule.inputs if i.name in names]
    first = next((i for i in inputs if any(i.name == n for n, _ in known)), inputs[0])
    behind = ladder.rule.behind(names)
    observed = [n for n, i in enumerate(ladder.rule.inputs) if i in behind and i.observed]
    found = [ladder.coverage(n, at_s) for n in observed] or [(0, 0, 0, frozenset())]
    # The poorest input says how well the row is founded.
    used, expected, late, _ = min(found, key=lambda c: c[0] / max(c[1], 1))
    doubts = frozenset().union(*(c[3] for c in found))
    return Evidence(
        row=row, value=dict(known).get(first.name, 0.0), unit=unit_of(first), met=met, text=text, values=known,
        readings=used, expected=expected, late=late, inputs=written(behind), suspect=len(doubts),
        doubts=tuple(sorted({why for _, _, why in doubts})),
    )  # fmt: skip


def _seen(ladder: Ladder, names: tuple[str, ...], at_s: int, values: list[float]) -> tuple[tuple[str, float], ...]:
    """The values of names, without those that are missing or endless."""
    order = (*(i.name for i in ladder.rule.inputs), *ladder.compiled.column_names)
    seen = dict(zip(order, ladder.floats(at_s, values), strict=True))
    return tuple((n, seen[n]) for n in names if math.isfinite(seen[n]))
