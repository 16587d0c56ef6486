"""The ladder, the way up and the way down, as written, to checked values."""

import re
from itertools import pairwise

from rules.duration import seconds
from rules.expression import Expression, ExpressionError, expression
from rules.grade import Grade
from rules.model import GRADES, ExpressionRow, Lower, Patience, Scale, TableRow, Target
from rules.nodes import Node, Notes, blank, is_mapping

_WORDS = tuple(g.word for g in GRADES)
_TIMES = range(2, 101)
_RAISE = "at_once, 'N in a row' (N from 2 to 100) or 'for DURATION'"
_EMPTY = Expression("", (), "")
_IN_A_ROW = re.compile(r"(\d{1,3}) in a row")
_RUNS = re.compile(r"(\d{1,2}) runs")
_FACTORS = (0.1, 10)


def read_ladder(
    notes: Notes, node: Node, inputs: tuple[str, ...], columns: tuple[str, ...]
) -> tuple[tuple[TableRow, ...], tuple[ExpressionRow, ...]]:
    """Table rows (an input's name → four thresholds) and expression rows (a grade → a condition)."""
    tables, rows = [], []
    for name, key, value in notes.pairs(node, "ladder"):
        if name in _WORDS:
            rows.append(ExpressionRow(grade=Grade.from_word(name), expression=_condition(notes, value, inputs, columns)))
        elif name in inputs:
            mark = value.start_mark
            tables.append(TableRow(input=name, cells=_cells(notes, value), line=mark.line + 1, column=mark.column + 1))
        else:
            notes.wrong(key, f"unknown row {name!r:.40} in ladder; allowed: {', '.join(_WORDS)} or an input ({', '.join(inputs)})")
    if not tables and not rows:
        notes.wrong(node, "ladder must have at least one row")
    return tuple(tables), tuple(rows)


def _cells(notes: Notes, node: Node) -> tuple[float | None, ...]:
    items = notes.items(node, "a table row")
    cells = tuple(None if blank(n) else notes.number(n, "a threshold") for n in items)
    if len(cells) != len(GRADES) or all(c is None for c in cells):
        notes.wrong(node, f"a table row must have {len(GRADES)} thresholds: [{', '.join(_WORDS)}]; null leaves a grade out")
    elif not rising(cells):
        notes.wrong(node, "thresholds must rise from blue to red")
    return cells


def rising(cells: tuple[float | None, ...]) -> bool:
    """Whether thresholds never fall from blue to red; None is skipped."""
    numbers = [c for c in cells if c is not None]
    return all(a <= b for a, b in pairwise(numbers))


def _condition(notes: Notes, node: Node, inputs: tuple[str, ...], columns: tuple[str, ...]) -> Expression:
    text = notes.text(node, "a condition", "an expression")
    try:
        return expression(text, inputs, columns) if text else _EMPTY
    except ExpressionError as e:
        notes.wrong(node, str(e), e.offset)
        return _EMPTY


def read_raise(notes: Notes, node: Node | None) -> tuple[Patience, ...]:
    """How patient each grade is on the way up, blue to red; at once unless it says otherwise."""
    if node is None:
        return (Patience(),) * len(GRADES)
    if not is_mapping(node):
        return (_patience(notes, node),) * len(GRADES)
    found = notes.fields(node, "raise", (), _WORDS)
    return tuple(_patience(notes, found[w]) if w in found else Patience() for w in _WORDS)


def _patience(notes: Notes, node: Node) -> Patience:
    text = notes.text(node, "raise", _RAISE)
    row = _IN_A_ROW.fullmatch(text)
    if row and int(row.group(1)) in _TIMES:
        return Patience(count=int(row.group(1)))
    if text.startswith("for "):
        try:
            return Patience(for_s=seconds(text[4:]))
        except ValueError as e:
            notes.wrong(node, f"raise: {e}")
            return Patience()
    if text and text != "at_once":
        notes.wrong(node, f"raise {text!r:.40} is not understood; allowed: {_RAISE}")
    return Patience()


def read_lower(notes: Notes, node: Node, inputs: tuple[str, ...], columns: tuple[str, ...]) -> Lower:
    """The way down; ``when``, ``for`` and ``to`` are needed."""
    found = notes.fields(node, "lower", ("when", "for", "to"), ("ask", "min_in_force"))
    when = _condition(notes, found["when"], inputs, columns) if "when" in found else _EMPTY
    for_s, runs = _lasting(notes, found["for"]) if "for" in found else (0, 0)
    to = notes.choice(found["to"], "to", tuple(Target)) if "to" in found else Target.COMPUTED
    if "ask" in found:
        notes.choice(found["ask"], "ask", ("duty-room",))
    least_s = notes.span(found["min_in_force"], "min_in_force") if "min_in_force" in found else 0
    return Lower(when=when, for_s=for_s, runs=runs, to=Target(to), ask="ask" in found, min_in_force_s=least_s)


def _lasting(notes: Notes, node: Node) -> tuple[int, int]:
    """Seconds, or a number of model runs."""
    runs = _RUNS.fullmatch(notes.text(node, "for", "a duration or 'N runs'"))
    if not runs:
        return notes.span(node, "for", 0), 0
    if int(runs.group(1)) not in _TIMES:
        notes.wrong(node, "for: N runs needs an N from 2 to 99")
    return 0, int(runs.group(1))


def read_scale(notes: Notes, node: Node | None, inputs: tuple[str, ...], columns: tuple[str, ...]) -> tuple[Scale, ...]:
    """What makes every number of the table larger or smaller; the first condition that holds counts."""
    scales = []
    for one in notes.items(node, "scale") if node is not None else []:
        found = notes.fields(one, "a line of scale", ("when", "by"))
        by = notes.number(found["by"], "by") if "by" in found else 1.0
        if not _FACTORS[0] <= by <= _FACTORS[1]:
            notes.wrong(found["by"], f"by must lie within {_FACTORS[0]:g} and {_FACTORS[1]:g}")
        if "when" in found:
            scales.append(Scale(when=_condition(notes, found["when"], inputs, columns), by=by))
    return tuple(scales)
