"""Forecast and observation are different evidence: what a forecast alone may reach, and what must have been observed."""

import ast
from collections.abc import Mapping

from rules.expression import parsed
from rules.grade import Grade
from rules.model import Rule
from rules.nodes import Node, Notes


def check_forecasts(notes: Notes, rule: Rule, fields: Mapping[str, Node]) -> None:
    """Note each row that a forecast alone could turn red, and what asks for model runs where no forecast is looked at."""
    if rule.lower.runs and not any(i.forecast for i in rule.behind(rule.lower.when.names)):
        notes.wrong(fields["lower"], "for: N runs needs a condition that looks at a forecast")
    if rule.scale and not rule.tables:
        notes.wrong(fields["scale"], "scale changes the numbers of table rows; this ladder has none")
    leaning = _leaning(rule)
    if not leaning:
        return
    observed = {i.name for i in rule.inputs} - leaning
    rows = {name: value for name, _, value in notes.pairs(fields["ladder"], "ladder")}
    for table in rule.tables:
        if table.input in leaning and table.cells[-1] is not None:
            notes.wrong(
                rows[table.input], f"{table.input!r} looks at a forecast, which alone is never red: write null for red, and a red row"
            )
    for row in rule.rows:
        if row.grade is Grade.RED and not _observed(parsed(row.expression.text)[0], leaning, observed, negate=False):
            names = ", ".join(sorted(leaning & set(row.expression.names)))
            notes.wrong(rows["red"], f"a forecast alone ({names}) is never red: join it with 'and' to something observed")


def _leaning(rule: Rule) -> set[str]:
    """The inputs that a forecast can move, with those derived from them."""
    found = {i.name for i in rule.inputs if i.forecast}
    for i in rule.inputs:
        if i.number and found & set(i.number.names):
            found.add(i.name)
    return found


def _observed(node: ast.expr, leaning: set[str], observed: set[str], *, negate: bool) -> bool:
    """Whether a condition can only hold when a comparison of something observed holds, without any forecast in it."""
    if isinstance(node, ast.BoolOp):
        parts = [_observed(v, leaning, observed, negate=negate) for v in node.values]
        return any(parts) if isinstance(node.op, ast.And) is not negate else all(parts)
    if isinstance(node, ast.UnaryOp):
        return _observed(node.operand, leaning, observed, negate=not negate)
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return bool(observed & names) and not leaning & names
