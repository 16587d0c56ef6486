"""Rules and places together: what the engine runs. Thresholds and columns are baked into each ladder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from rules.change import Mode
from rules.compiled import CompiledRule, Limits, compile_rule
from rules.errors import RuleError, RuleErrors
from rules.inputs import Input, Take
from rules.ladder_text import rising
from rules.model import EVERY, Numbers, Rule, RuleSet
from rules.near import Stations, around
from rules.place import Place, Span
from rules.probe import is_plain
from rules.quality import NO_CHECKS, Checks
from rules.scaled import SCALE

Cells = tuple[float | None, ...]
_MOST_NEIGHBOURS = 12
Rows = tuple[tuple[int, Limits], ...]
_NO_FEEDS: Mapping[str, tuple[tuple[str, str], ...]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPlan:
    """One series to keep: ``horizon_s`` is the longest that any ladder needs. A ``counter`` sends running totals.

    ``around`` are the series of its neighbours, where it is held against them; ``maintenance`` is when somebody works on its station.
    """

    station: str
    variable: str
    checks: Checks
    interval_s: int
    horizon_s: int
    counter: bool
    around: tuple[int, ...] = ()
    maintenance: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderPlan:
    """One place under one rule.

    ``sources`` are, per input, the numbers of its series, nearest first; ``series`` all of them once. ``heard`` are the groups of
    series that must not fall silent, each with how many of it must be heard; ``feeds`` the (place, variable) of forecasts, in the order in
    which they are asked. ``limits`` are the thresholds of the table rows with the number of their input, plain and then under each
    factor; ``lows`` the least of them all, by input. ``horizon_s`` is how far back a late reading can still matter: longest window + hold.
    ``round_s`` is how far apart readings in a row are at least.
    """

    compiled: CompiledRule
    place: str
    sources: tuple[tuple[int, ...], ...]
    series: tuple[int, ...]
    heard: tuple[tuple[tuple[int, ...], int], ...]
    feeds: Mapping[str, tuple[tuple[str, str], ...]]
    limits: tuple[Rows, ...]
    lows: tuple[tuple[int, int], ...]
    numbers: tuple[Numbers, ...]
    horizon_s: int
    round_s: int
    plain: bool

    @property
    def thresholds(self) -> tuple[Limits, ...]:
        """The thresholds of the table rows, unscaled by the ground."""
        return tuple(limits for _, limits in self.limits[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything the engine needs; ``digest`` names rules and tables together."""

    digest: str
    series: tuple[SeriesPlan, ...]
    ladders: tuple[LadderPlan, ...]


def compile_rules(rules: RuleSet, places: Sequence[Place], zone: tzinfo = UTC) -> Plan:
    """Expand each rule over its places; ``zone`` is the local time of seasons and days. RuleErrors carries every mistake."""
    live = [r for r in rules.rules if r.mode is not Mode.STOPPED]
    builder = _Builder(places, live)
    builder.add([builder.expansion(rule, zone) for rule in live], places)
    if builder.errors:
        raise RuleErrors(tuple(sorted(set(builder.errors))))
    return Plan(digest=rules.digest, series=builder.series(), ladders=tuple(builder.ladders))


class _Builder:
    """Collects series and ladders; equal series are shared between rules."""

    def __init__(self, places: Sequence[Place], rules: Sequence[Rule]) -> None:
        self.stations = Stations(places)
        self.by_type: dict[str, list[Place]] = {}
        for p in places:
            self.by_type.setdefault(p.type, []).append(p)
        # What a rule says of its own stations holds where other rules look at them from afar.
        self.declared = {(r.for_each, v): c for r in reversed(rules) for v, c in r.quality.checks.items()}
        self.errors: list[RuleError] = []
        self.ladders: list[LadderPlan] = []
        self.checks: dict[Checks, int] = {}
        """Equal checks have one number: a number is quicker to look up by."""
        self.keys: dict[tuple[str, str, int], list[int]] = {}
        """(station, variable, checks) → number, interval in seconds, horizon in seconds."""

    def expansion(self, rule: Rule, zone: tzinfo) -> "_Expansion":
        """What a rule says of all its places."""
        places = self.by_type.get(rule.for_each, [])
        if not places:
            there = ", ".join(sorted(self.by_type)) or "none"
            self._wrong(rule, f"there is no place of type {rule.for_each!r}; types there are: {there}")
        known = {EVERY, *(p.id for p in places)}
        for o in rule.overrides:
            if o.station not in known:
                self.errors.append(RuleError(o.file, o.line, 1, f"{o.station!r:.40} is no {rule.for_each}"))
        over = {(o.station, o.input): o.cells for o in rule.overrides}
        compiled = compile_rule(rule, zone)
        return _Expansion(compiled, self._limits(compiled, EVERY, over) if rule.tables else ((),), over)

    def add(self, expansions: Sequence["_Expansion"], places: Sequence[Place]) -> None:
        """All ladders, place by place: what lies side by side in the world does so in memory, however many rules there are."""
        concerned: dict[str, list[_Expansion]] = {}
        for at in expansions:
            concerned.setdefault(at.compiled.rule.for_each, []).append(at)
        for place in places:
            for at in concerned.get(place.type, ()):
                self._add_place(at, place)

    def _add_place(self, at: "_Expansion", place: Place) -> None:
        compiled, rule = at.compiled, at.compiled.rule
        found = [self._sources(compiled, place, n) for n in range(len(rule.inputs))]
        numbers = rule.columns.of(place.id) if rule.columns else ()
        if rule.columns and not numbers:
            self.errors.append(RuleError(rule.columns.file, 1, 1, f"there is no row for {place.id!r}, a {rule.for_each}"))
        limits = self._limits(compiled, place.id, at.over) if place.id in at.overridden else at.limits
        interval_s = _interval_s(rule, place, found)
        horizon_s = rule.horizon_s(interval_s) if interval_s != at.interval_s else at.horizon_s
        at.interval_s, at.horizon_s = interval_s, horizon_s
        sources = self._all_series(at, found, horizon_s)
        series = sources[0] if len(set(sources)) == 1 else tuple(dict.fromkeys([n for s in sources for n in s]))
        self.ladders.append(
            LadderPlan(
                compiled=compiled, place=place.id, sources=sources, series=series, heard=_heard(rule, sources),
                feeds={i.name: _feeds(place, i) for i in rule.inputs if i.forecast} if at.forecast else _NO_FEEDS,
                limits=limits, lows=at.lows if limits is at.limits else _lows(limits),
                numbers=numbers, horizon_s=horizon_s, round_s=interval_s // 2 if len(series) > 1 else 0,
                plain=all(map(is_plain, rule.inputs, map(len, sources))),
            )
        )  # fmt: skip

    def _limits(self, compiled: CompiledRule, place: str, over: Mapping[tuple[str, str], Cells]) -> tuple[Rows, ...]:
        rule = compiled.rule
        cells = [self._cells(rule, n, place, over) for n in range(len(rule.tables))]
        factors = (1.0, *(s.by for s in rule.scale))
        return tuple(tuple(zip(compiled.table_inputs, [scaled(c, by) for c in cells], strict=True)) for by in factors)

    def _all_series(self, at: "_Expansion", found: list[list[Place]], horizon_s: int) -> tuple[tuple[int, ...], ...]:
        """The numbers of the series of each input; inputs of the same ones share them."""
        known: dict[tuple[str, ...], tuple[int, ...]] = {}
        sources = []
        for i, places in zip(at.compiled.rule.inputs, found, strict=True):
            key = (i.variable, *[p.id for p in places])
            numbers = known.get(key)
            if numbers is None:
                numbers = known[key] = tuple([self._series(at, p, i.variable, horizon_s) for p in places])
            sources.append(numbers)
        return tuple(sources)

    def _sources(self, compiled: CompiledRule, place: Place, n: int) -> list[Place]:
        rule, one = compiled.rule, compiled.rule.inputs[n]
        if not one.observed:
            return []
        if one.near is None and not place.members and one.variable in place.variables and one.take is not Take.SECOND_HIGHEST:
            return [place]
        found = self.stations.of(place, one)
        needed = 2 if one.take is Take.SECOND_HIGHEST else 1
        if one.near is None and not found:
            there = f"{place.id!r} does not measure {one.variable}; it measures {', '.join(place.variables) or 'nothing'}"
            self._wrong(rule, there + (f", nor do its stations {', '.join(place.members)}" if place.members else ""))
        elif len(found) < needed and n in compiled.matters:
            wanted = f"{needed} stations that measure {one.variable}{around(place, one)}"
            self._wrong(rule, f"{place.id!r}: {one.name!r} needs {wanted}; there are {len(found)}")
        elif one.near is None and len(found) > 1 and not one.take and not (one.each and not one.each.days):
            self._wrong(rule, f"{place.id!r} has {len(found)} stations that measure {one.variable}: input {one.name!r} must say take=…")
        return found

    def _cells(self, rule: Rule, row: int, place: str, over: Mapping[tuple[str, str], Cells]) -> Cells:
        table = rule.tables[row]
        cells = table.cells
        for who in (EVERY, place):
            if (who, table.input) in over:
                own = over[who, table.input]
                cells = tuple(o if o is not None else general for o, general in zip(own, cells, strict=True))
                if not rising(cells):
                    found = next(o for o in rule.overrides if o.station == who and o.input == table.input)
                    message = f"thresholds of {place!r} do not rise from blue to red: {cells}"
                    self.errors.append(RuleError(found.file, found.line, 1, message))
        return cells

    def _series(self, at: "_Expansion", place: Place, variable: str, horizon_s: int) -> int:
        checks = at.checks.get((place.type, variable))
        if checks is None:
            own = at.compiled.rule.quality.checks.get(variable) or self.declared.get((place.type, variable), NO_CHECKS)
            checks = at.checks[place.type, variable] = self.checks.setdefault(own, len(self.checks))
        key = (place.id, variable, checks)
        found = self.keys.get(key)
        if found is None:
            found = self.keys[key] = [len(self.keys), place.interval_of(variable), 0]
        found[2] = max(found[2], horizon_s)
        return found[0]

    def series(self) -> tuple[SeriesPlan, ...]:
        """The series in order of their numbers."""
        checks = list(self.checks)
        first: dict[tuple[str, str], int] = {}
        for (s, v, _), (n, _, _) in self.keys.items():
            first.setdefault((s, v), n)
        return tuple(
            SeriesPlan(
                station=s, variable=v, checks=checks[c], interval_s=i, horizon_s=h, counter=v in self.stations.by_id[s].counters,
                around=self._around(s, v, checks[c], first), maintenance=self.stations.by_id[s].maintenance,
            )
            for (s, v, c), (_, i, h) in self.keys.items()
        )  # fmt: skip

    def _around(self, station: str, variable: str, checks: Checks, first: Mapping[tuple[str, str], int]) -> tuple[int, ...]:
        """The series of the neighbours that are kept anyway, nearest first."""
        if checks.apart is None:
            return ()
        found = self.stations.within(self.stations.by_id[station], variable, checks.around_m)
        return tuple(first[p.id, variable] for p in found if (p.id, variable) in first)[:_MOST_NEIGHBOURS]

    def _wrong(self, rule: Rule, message: str) -> None:
        self.errors.append(RuleError(rule.file, rule.line, rule.column, message))


class _Expansion:
    """What the places of one rule have in common, worked out once."""

    def __init__(self, compiled: CompiledRule, limits: tuple[Rows, ...], over: Mapping[tuple[str, str], Cells]) -> None:
        """``limits`` are those of every place without a row of its own in ``over``: (place, input) → what stands there instead."""
        self.compiled = compiled
        self.limits = limits
        self.lows = _lows(limits)
        self.over = over
        self.overridden = frozenset(place for place, _ in over)
        self.forecast = any(i.forecast for i in compiled.rule.inputs)
        self.checks: dict[tuple[str, str], int] = {}
        """(type of place, variable) → number of checks."""
        self.interval_s = self.horizon_s = 0
        """Those of the place before: the next one's are mostly the same."""


def _lows(limits: tuple[Rows, ...]) -> tuple[tuple[int, int], ...]:
    """The least threshold of each input of the table, under whatever factor."""
    return tuple((row[0][0], min(limit[0] for _, limit in row)) for row in zip(*limits, strict=True))


def _interval_s(rule: Rule, place: Place, found: list[list[Place]]) -> int:
    own = [p for i, f in zip(rule.inputs, found, strict=True) for p in f if not i.near] or [p for f in found for p in f]
    variables = {i.variable for i in rule.inputs if i.observed}
    each = {p.id: p for p in own}.values()
    intervals = [p.interval_of(v) for p in each for v in p.variables if v in variables]
    return max(intervals, default=place.interval_s)


def _heard(rule: Rule, sources: Sequence[tuple[int, ...]]) -> tuple[tuple[tuple[int, ...], int], ...]:
    """What must not fall silent: the place's own; where it has none the forecasts, which are no series; where there are none, the rest."""
    groups = [(i, s) for i, s in zip(rule.inputs, sources, strict=True) if s]
    chosen = [(i, s) for i, s in groups if not i.near]
    if not chosen and not any(i.outlook for i in rule.inputs):
        chosen = groups
    found = {s: 2 if i.take is Take.SECOND_HIGHEST else 1 for i, s in reversed(chosen)}
    return tuple(found.items())


def _feeds(place: Place, one: Input) -> tuple[tuple[str, str], ...]:
    names = dict.fromkeys(n for n in (place.id, place.catchment, *place.areas) if n)
    return tuple((n, one.variable) for n in names)


def scaled(cells: Cells, by: float = 1.0) -> Limits:
    """Thresholds as integers. A blank takes the next higher threshold (reaching that is reaching more); blanks at the end fall away."""
    found: list[int] = []
    for cell in reversed(cells):
        if cell is not None:
            found.append(round(cell * by * SCALE))
        elif found:
            found.append(found[-1])
    return tuple(reversed(found))
