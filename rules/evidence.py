"""Why: the rows behind a change, with values, thresholds and how many readings stand behind them. Made only when a grade changes."""

import math

from rules.change import Evidence
from rules.grade import Grade
from rules.ladder import Ladder
from rules.measure import coverage
from rules.plan import CompiledInput, reached
from rules.series import NEVER_S, SCALE
from rules.variables import unit


def rows(ladder: Ladder, at_s: int, edge_s: int = NEVER_S) -> tuple[list[Evidence], bool]:
    """All rows that reach something at a moment, and whether an input was missing."""
    values = ladder.values(at_s, edge_s)
    incomplete = any(map(math.isnan, values))
    compiled, rule = ladder.compiled, ladder.rule
    if rule.season and not rule.season.holds(at_s, compiled.zone):
        return [], incomplete
    found = []
    for table, index, limits in zip(rule.tables, compiled.table_inputs, ladder.thresholds, strict=True):
        met = reached(limits, values[index])
        if met:
            found.append(_table_row(ladder, table.input, at_s, values[index], limits, Grade(met)))
    for row, test in zip(rule.rows, compiled.row_tests, strict=True):
        if test(*ladder.floats(values)):
            found.append(_expression(ladder, row.grade.word, row.expression.text, row.expression.names, at_s, values, row.grade))
    return found, incomplete


def lowering(ladder: Ladder, at_s: int) -> Evidence:
    """The lowering condition with what it saw."""
    when = ladder.rule.lower.when
    return _expression(ladder, "lower", when.text, when.names, at_s, ladder.values(at_s), ladder.state.grade)


def unheard(ladder: Ladder, silent_s: int) -> Evidence:
    """A place has sent nothing for this many seconds; the value is in minutes."""
    return Evidence(row="no_data", value=silent_s / 60, unit="min", met=ladder.state.grade)


def lifted() -> Evidence:
    """A person has lifted."""
    return Evidence(row="lift", value=0.0, unit="", met=Grade.NONE)


def _table_row(ladder: Ladder, name: str, at_s: int, value: float, limits: tuple[int, ...], met: Grade) -> Evidence:
    i = next(i for i in ladder.compiled.inputs if i.name == name)
    used, expected, late = coverage(i.op, ladder.series[i.slot], at_s, i.window_s)
    return Evidence(
        row=name, value=value / SCALE, unit=_unit(ladder, i), met=met, thresholds=tuple(t / SCALE for t in limits),
        readings=used, expected=expected, late=late, inputs=_written(ladder, (name,)),
    )  # fmt: skip


def _expression(
    ladder: Ladder, row: str, text: str, names: tuple[str, ...], at_s: int, values: list[float], met: Grade
) -> Evidence:  # fmt: skip
    compiled = ladder.compiled
    seen = dict(zip((i.name for i in compiled.inputs), ladder.floats(values), strict=False))
    if ladder.rule.columns:
        seen.update(zip(ladder.rule.columns.names, ladder.columns, strict=True))
    known = tuple((n, seen[n]) for n in names if not math.isnan(seen[n]))
    inputs = [i for i in compiled.inputs if i.name in names]
    first = next((i for i in inputs if any(i.name == n for n, _ in known)), inputs[0])
    # The poorest input says how well the row is founded.
    used, expected, late = min(
        (coverage(i.op, ladder.series[i.slot], at_s, i.window_s) for i in inputs), key=lambda c: c[0] / c[1]
    )  # fmt: skip
    return Evidence(
        row=row, value=dict(known).get(first.name, 0.0), unit=_unit(ladder, first), met=met, text=text, values=known,
        readings=used, expected=expected, late=late, inputs=_written(ladder, names),
    )  # fmt: skip


def _unit(ladder: Ladder, i: CompiledInput) -> str:
    return unit(i.op, ladder.compiled.variables[i.slot])


def _written(ladder: Ladder, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((i.name, i.text) for i in ladder.rule.inputs if i.name in names)
