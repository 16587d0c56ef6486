"""Rules and places together: what the engine runs. Thresholds and columns are baked into each ladder."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from rules.change import Mode
from rules.errors import RuleError, RuleErrors
from rules.expression import fuse
from rules.ladder_text import rising
from rules.measure import MEASURES, Measure
from rules.model import GREATEST, Op, Rule, RuleSet
from rules.place import Place
from rules.series import SCALE

Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledInput:
    """One input: how it is measured, over how many seconds, and which of the ladder's series it reads."""

    name: str
    op: Op
    measure: Measure
    window_s: int
    span_s: int
    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRule:
    """A rule with its conditions as functions. ``grade_of`` and ``eased`` take all inputs, then all columns, as floats.

    ``table_inputs`` are the inputs of the table rows; ``sums_only`` says that a ladder can only rise when its total does.
    """

    rule: Rule
    variables: tuple[str, ...]
    inputs: tuple[CompiledInput, ...]
    table_inputs: tuple[int, ...]
    row_tests: tuple[Callable[..., int], ...]
    grade_of: Callable[..., int] | None
    eased: Callable[..., int]
    covered: tuple[int, ...]
    sums_only: bool
    patient: bool
    zone: tzinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPlan:
    """One series to keep: ``horizon_s`` is the longest that any ladder needs."""

    station: str
    variable: str
    bounds: Bounds
    interval_s: int
    horizon_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderPlan:
    """One place under one rule: its series by number, scaled thresholds per table row, and its columns.

    ``horizon_s`` is how far back a late reading can still matter, in seconds of event time: longest window + hold.
    """

    compiled: CompiledRule
    place: str
    series: tuple[int, ...]
    thresholds: tuple[tuple[int, ...], ...]
    columns: tuple[float, ...]
    horizon_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything the engine needs; ``digest`` names rules and tables together."""

    digest: str
    series: tuple[SeriesPlan, ...]
    ladders: tuple[LadderPlan, ...]


def compile_rules(rules: RuleSet, places: Sequence[Place], zone: tzinfo = UTC) -> Plan:
    """Expand each rule over its places; ``zone`` is the local time in which seasons are meant. RuleErrors carries every mistake."""
    builder = _Builder(places)
    for rule in rules.rules:
        if rule.mode is not Mode.STOPPED:
            builder.add(rule, zone)
    if builder.errors:
        raise RuleErrors(tuple(sorted(builder.errors)))
    return Plan(digest=rules.digest, series=builder.series(), ladders=tuple(builder.ladders))


def compile_rule(rule: Rule, zone: tzinfo) -> CompiledRule:
    """The functions of one rule."""
    variables = tuple(dict.fromkeys(i.variable for i in rule.inputs))
    inputs = tuple(
        CompiledInput(
            name=i.name, op=i.op, measure=MEASURES[i.op], window_s=i.window_s, span_s=i.span_s, slot=variables.index(i.variable)
        )
        for i in rule.inputs
    )  # fmt: skip
    names = [i.name for i in inputs]
    args = (*names, *(rule.columns.names if rule.columns else ()))
    table_inputs = tuple(names.index(t.input) for t in rule.tables)
    needed = rule.lower.when.names
    return CompiledRule(
        rule=rule, variables=variables, inputs=inputs, table_inputs=table_inputs,
        row_tests=tuple(fuse([(1, r.expression)], args) for r in rule.rows),
        grade_of=fuse([(r.grade, r.expression) for r in rule.rows], args) if rule.rows else None,
        eased=fuse([(1, rule.lower.when)], args),
        covered=tuple(n for n, i in enumerate(inputs) if i.name in needed and i.op not in (Op.LATEST, Op.COUNT)),
        sums_only=_sums_only(rule, variables), patient=any(p.count > 1 or p.for_s for p in rule.patience), zone=zone,
    )  # fmt: skip


def _sums_only(rule: Rule, variables: tuple[str, ...]) -> bool:
    ops = {i.op for i in rule.inputs if any(t.input == i.name for t in rule.tables)}
    low = rule.quality.ranges.get(variables[0], (-GREATEST, GREATEST))[0]
    return not rule.rows and ops == {Op.SUM} and len(variables) == 1 and low >= 0


class _Builder:
    """Collects series and ladders; equal series are shared between rules."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.by_type: dict[str, list[Place]] = {}
        for p in places:
            self.by_type.setdefault(p.type, []).append(p)
        self.errors: list[RuleError] = []
        self.ladders: list[LadderPlan] = []
        self.keys: dict[tuple[str, str, Bounds], list[int]] = {}
        """(station, variable, bounds) → number, interval in seconds, horizon in seconds."""

    def add(self, rule: Rule, zone: tzinfo) -> None:
        """All ladders of one rule."""
        places = self.by_type.get(rule.for_each, [])
        if not places:
            there = ", ".join(sorted(self.by_type)) or "none"
            self._wrong(rule, f"there is no place of type {rule.for_each!r}; types there are: {there}")
        known = {p.id for p in places}
        cells = {}
        for o in rule.overrides:
            if o.station not in known:
                self.errors.append(RuleError(o.file, o.line, 1, f"{o.station!r:.40} is no {rule.for_each}"))
            cells[o.station, o.input] = o
        compiled = compile_rule(rule, zone)
        for place in places:
            self._add_place(compiled, place, {n: o.cells for (s, n), o in cells.items() if s == place.id} if cells else {})

    def _add_place(self, compiled: CompiledRule, place: Place, over: dict[str, tuple[float | None, ...]]) -> None:
        rule = compiled.rule
        lacking = [v for v in compiled.variables if v not in place.variables]
        if lacking:
            self._wrong(rule, f"{place.id!r} does not measure {', '.join(lacking)}; it measures {', '.join(place.variables) or 'nothing'}")
        columns: tuple[float, ...] = ()
        if rule.columns:
            columns = rule.columns.rows.get(place.id, ())
            if not columns:
                self.errors.append(RuleError(rule.columns.file, 1, 1, f"there is no row for {place.id!r}, a {rule.for_each}"))
        thresholds = tuple(self._thresholds(rule, n, place.id, over) for n in range(len(rule.tables)))
        series = tuple(self._series(place, v, rule) for v in compiled.variables)
        self.ladders.append(
            LadderPlan(
                compiled=compiled,
                place=place.id,
                series=series,
                thresholds=thresholds,
                columns=columns,
                horizon_s=rule.horizon_s(place.interval_s),
            )
        )

    def _thresholds(self, rule: Rule, row: int, place: str, over: dict[str, tuple[float | None, ...]]) -> tuple[int, ...]:
        table = rule.tables[row]
        cells = table.cells
        if table.input in over:
            cells = tuple(own if own is not None else general for own, general in zip(over[table.input], cells, strict=True))
            if not rising(cells):
                found = next(o for o in rule.overrides if o.station == place and o.input == table.input)
                self.errors.append(RuleError(found.file, found.line, 1, f"thresholds of {place!r} do not rise from blue to red: {cells}"))
        return scaled(cells)

    def _series(self, place: Place, variable: str, rule: Rule) -> int:
        low, high = rule.quality.ranges.get(variable, (-GREATEST, GREATEST))
        found = self.keys.setdefault((place.id, variable, (low, high)), [len(self.keys), place.interval_s, 0])
        found[2] = max(found[2], rule.horizon_s(place.interval_s))
        return found[0]

    def series(self) -> tuple[SeriesPlan, ...]:
        """The series in order of their numbers."""
        return tuple(SeriesPlan(station=s, variable=v, bounds=b, interval_s=i, horizon_s=h) for (s, v, b), (_, i, h) in self.keys.items())

    def _wrong(self, rule: Rule, message: str) -> None:
        self.errors.append(RuleError(rule.file, rule.line, rule.column, message))


def scaled(cells: Sequence[float | None]) -> tuple[int, ...]:
    """Thresholds as integers. A blank takes the next higher threshold (reaching that is reaching more); blanks at the end fall away."""
    found: list[int] = []
    for cell in reversed(cells):
        if cell is not None:
            found.append(round(cell * SCALE))
        elif found:
            found.append(found[-1])
    return tuple(reversed(found))


def reached(thresholds: tuple[int, ...], value: float) -> int:
    """The number of the highest grade a table row reaches; 0 when the value is missing."""
    return bisect_right(thresholds, value) if value == value else 0  # noqa: PLR0124 - NaN is the missing value
