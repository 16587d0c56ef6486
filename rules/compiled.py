"""A rule with its conditions as functions: made once, shared by all of its places."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from rules.expression import calculate, fuse
from rules.inputs import Op
from rules.model import Rule

LASTING = (Op.LATEST, Op.COUNT)
"""Inputs whose value does not grow thin when readings are missing."""
Limits = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRule:
    """A rule with its conditions as functions. ``grade_of``, ``eased`` and ``scale`` take all inputs, then all columns, as floats.

    ``table_inputs`` are the inputs of the table rows; ``scale`` gives the number of the factor that holds, 0 for none; ``numbers``
    are the functions of derived inputs and of limits, by input. ``covered`` are the inputs whose windows must be full enough to lower,
    ``proof`` all observed ones behind ``lower.when``, ``matters`` those behind any row.
    """

    rule: Rule
    table_inputs: tuple[int, ...]
    row_tests: tuple[Callable[..., int], ...]
    grade_of: Callable[..., int] | None
    eased: Callable[..., int]
    scale: Callable[..., int] | None
    numbers: dict[int, Callable[..., float]]
    covered: tuple[int, ...]
    proof: tuple[int, ...]
    matters: frozenset[int]
    patient: bool
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
    return CompiledRule(
        rule=rule,
        table_inputs=tuple(names.index(t.input) for t in rule.tables),
        row_tests=tuple(fuse([(1, r.expression)], args) for r in rule.rows),
        grade_of=fuse([(r.grade, r.expression) for r in rule.rows], args) if rule.rows else None,
        eased=fuse([(1, rule.lower.when)], args),
        # The first line that holds counts, and the fused function gives the highest number.
        scale=fuse([(count - n, s.when) for n, s in enumerate(rule.scale)], args) if count else None,
        numbers=numbers,
        covered=tuple(n for n in lowering if rule.inputs[n].observed and rule.inputs[n].op not in LASTING),
        proof=tuple(n for n in lowering if rule.inputs[n].observed),
        matters=frozenset(names.index(i.name) for i in rule.behind(rows)),
        patient=any(p.count > 1 or p.for_s for p in rule.patience),
        zone=zone,
    )
