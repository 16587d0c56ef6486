"""A rule with its conditions as functions: made once, shared by all of its places."""

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo

from rules.expression import parsed
from rules.fused import calculate, fuse
from rules.grade import Grade
from rules.inputs import Input, Op
from rules.measure import MEASURES, Measure
from rules.model import GRADES, Patience, Rule
from rules.scaled import SCALE

LASTING = (Op.LATEST, Op.COUNT)
"""Inputs whose value does not grow thin when readings are missing."""
Limits = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Calm:
    """``lower.when`` holds exactly while the sum of an input is less than ``limit``, scaled, and known."""

    index: int
    window_s: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRule:
    """A rule with its conditions as functions. ``grade_of``, ``eased`` and ``scale`` take all inputs, then all columns, as floats.

    ``table_inputs`` are the inputs of the table rows; ``scale`` gives the number of the factor that holds, 0 for none; ``numbers``
    are the functions of derived inputs and of limits, by input. ``covered`` are the inputs whose windows must be full enough to lower,
    ``proof`` all observed ones behind ``lower.when``, ``matters`` those behind any row. ``could_be`` is ``grade_of`` with missing values
    taken for the worst. ``below`` and ``above`` are, for each grade, the next one that the rule has. ``adding`` when only
    sums of readings can raise; ``calm`` is ``lower.when`` where it is as simple as that. ``reads`` are the inputs of readings: what
    each computes, and over how many seconds. ``observing`` says, for each grade, whether readings may have a part in reaching it.
    ``written`` are, for each input of the table, the inputs behind it as written in the rule.
    """

    rule: Rule
    table_inputs: tuple[int, ...]
    row_tests: tuple[Callable[..., int], ...]
    grade_of: Callable[..., int] | None
    could_be: Callable[..., int] | None
    eased: Callable[..., int]
    scale: Callable[..., int] | None
    numbers: dict[int, Callable[..., float]]
    covered: tuple[int, ...]
    proof: tuple[int, ...]
    patience: tuple[Patience, ...]
    below: tuple[Grade, ...]
    above: tuple[Grade, ...]
    matters: frozenset[int]
    patient: bool
    adding: bool
    calm: Calm | None
    reads: tuple[tuple[Measure, int], ...]
    observing: tuple[bool, ...]
    written: Mapping[str, tuple[tuple[str, str], ...]]
    zone: tzinfo

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.rule.columns.names if self.rule.columns else ()


def compile_rule(rule: Rule, zone: tzinfo) -> CompiledRule:
    """The functions of one rule."""
    names = [i.name for i in rule.inputs]
    args = (*names, *(rule.columns.names if rule.columns else ()))
    lowering = [names.index(i.name) for i in rule.behind(rule.lower.when.names)]
    rows = (*(t.input for t in rule.tables), *(n for r in rule.rows for n in r.expression.names), *rule.lower.when.names)
    numbers = {n: calculate(i.number) for n, i in enumerate(rule.inputs) if i.number}
    numbers |= {n: calculate(i.each.limit) for n, i in enumerate(rule.inputs) if i.each}
    count = len(rule.scale)
    eased = fuse([(1, rule.lower.when)], args)
    grades = grades_of(rule)
    by_patience = [min((g for g in grades if g >= own), default=own) for own in GRADES]
    return CompiledRule(
        rule=rule,
        table_inputs=tuple(names.index(t.input) for t in rule.tables),
        row_tests=tuple(fuse([(1, r.expression)], args) for r in rule.rows),
        grade_of=fuse([(r.grade, r.expression) for r in rule.rows], args) if rule.rows else None,
        could_be=fuse([(r.grade, r.expression) for r in rule.rows], args, maybe=True) if rule.rows else None,
        eased=eased,
        # The first line that holds counts, and the fused function gives the highest number.
        scale=fuse([(count - n, s.when) for n, s in enumerate(rule.scale)], args) if count else None,
        numbers=numbers,
        covered=tuple(n for n in lowering if rule.inputs[n].observed and rule.inputs[n].op not in LASTING),
        proof=tuple(n for n in lowering if rule.inputs[n].observed),
        matters=frozenset(names.index(i.name) for i in rule.behind(rows)),
        # A grade that the rule does not have is never reached before the next one that it has.
        patience=tuple(rule.patience[g - 1] for g in by_patience),
        below=tuple(max((g for g in grades if g < own), default=Grade.NONE) for own in Grade),
        above=tuple(min((g for g in grades if g > own), default=own) for own in Grade),
        patient=any(p.count > 1 or p.for_s for p in rule.patience),
        adding=not rule.rows and all(_adds(rule.inputs[names.index(t.input)]) for t in rule.tables),
        reads=tuple((MEASURES[i.op], i.window_s) for i in rule.inputs if i.op in MEASURES),
        observing=tuple(_observing(rule, g) for g in Grade),
        written={t.input: written(rule.behind((t.input,))) for t in rule.tables},
        calm=_calm(rule, args, eased),
        zone=zone,
    )


def _observing(rule: Rule, grade: Grade) -> bool:
    names = (*(t.input for t in rule.tables), *(n for r in rule.rows if r.grade is grade for n in r.expression.names))
    return any(i.observed for i in rule.behind(names))


def _adds(one: Input) -> bool:
    return one.op is Op.SUM and not one.plus_forecast_s and not one.each


def _calm(rule: Rule, args: tuple[str, ...], eased: Callable[..., int]) -> Calm | None:
    """``sum < number`` or ``sum <= number``, and its smallest scaled sum that does not hold."""
    tree = parsed(rule.lower.when.text)[0]
    match tree:
        case ast.Compare(left=ast.Name(id=name), ops=[ast.Lt() | ast.LtE()], comparators=[ast.Constant(value=int() | float() as number)]):
            index = args.index(name)
        case _:
            return None
    if index >= len(rule.inputs) or rule.lower.runs or not _adds(rule.inputs[index]) or rule.inputs[index].daily:
        return None
    near = round(number * SCALE)
    for limit in range(near - 1, near + 3):
        if not eased(*(limit / SCALE if n == index else 0.0 for n in range(len(args)))):
            return Calm(index, rule.inputs[index].window_s, limit)
    return None


def written(inputs: Iterable[Input]) -> tuple[tuple[str, str], ...]:
    """Names and calls of inputs, for people."""
    return tuple((i.name, i.text) for i in inputs)


def grades_of(rule: Rule) -> tuple[Grade, ...]:
    """The grades that a rule can reach, low to high."""
    cells = (*(t.cells for t in rule.tables), *(o.cells for o in rule.overrides))
    found = {g for row in cells for g, cell in zip(GRADES, row, strict=True) if cell is not None}
    return tuple(sorted(found | {r.grade for r in rule.rows}))
