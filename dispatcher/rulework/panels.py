"""What a place was held against: its inputs over time, each with the thresholds of the rules there."""

import ast
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from dispatcher.rulework.svg import Panel
from rules.grade import Grade
from rules.plan import LadderPlan, Plan
from rules.scaled import SCALE
from rules.variables import variable

_MOST_PANELS = 8
_SUMS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}
Sample = tuple[datetime, Mapping[str, float]]
Window = tuple[datetime, datetime]


def panels_of(plan: Plan, place: str, samples: Sequence[Sample], window: Window) -> Iterator[Panel]:
    """The inputs of a place that something is held against, each with its thresholds; ``samples`` are values by input over time."""
    ladders = [x for x in plan.ladders if x.place == place]
    names = [i.name for x in ladders for i in x.compiled.rule.inputs]
    shown = 0
    for ladder in ladders:
        rule = ladder.compiled.rule
        for i in rule.inputs:
            found = _lowest(limits(ladder, i.name, window[0]))
            if not found or shown >= _MOST_PANELS:
                continue
            key = i.name if names.count(i.name) == 1 else f"{rule.name}.{i.name}"
            points = tuple((at, values[key]) for at, values in samples if key in values and window[0] <= at <= window[1])
            unit = variable(i.variable).unit
            shown += 1
            yield Panel(title=f"{rule.name}: {i.name} = {i.text}" + (f" [{unit}]" if unit else ""), points=points, limits=found)


def _lowest(found: Iterable[tuple[float, Grade]]) -> tuple[tuple[float, Grade], ...]:
    """Each threshold once, with the lowest grade it is a part of."""
    least: dict[float, Grade] = {}
    for value, grade in found:
        least[value] = min(grade, least.get(value, grade))
    return tuple(sorted(least.items()))


def limits(ladder: LadderPlan, name: str, at: datetime) -> Iterator[tuple[float, Grade]]:
    """What an input is held against at a time: the cells of its table row, and what its conditions compare it with."""
    rule = ladder.compiled.rule
    for row, cells in zip(rule.tables, ladder.thresholds, strict=True):
        if row.input == name:
            yield from ((cell / SCALE, Grade(g)) for g, cell in enumerate(cells, start=1))
    known = _columns(ladder, at)
    for condition in rule.rows:
        for node in ast.walk(ast.parse(condition.expression.text, mode="eval")):
            if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name) and node.left.id == name:
                value = _number(node.comparators[0], known)
                if value is not None:
                    yield value, condition.grade


def _columns(ladder: LadderPlan, at: datetime) -> dict[str, float]:
    at_s, compiled = int(at.timestamp()), ladder.compiled
    held = (n for n in ladder.numbers if n.season is None or n.season.holds(at_s, compiled.zone))
    return {name: value for n in held for name, value in zip(compiled.column_names, n.values, strict=True)}


def _number(node: ast.expr, known: Mapping[str, float]) -> float | None:
    """The value of a sum of numbers and columns; None when it looks at an input."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.BinOp) and type(node.op) in _SUMS:
        sides = [_number(side, known) for side in (node.left, node.right)]
        return None if None in sides else float(_SUMS[type(node.op)](*sides))
    return None
