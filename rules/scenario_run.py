"""Runs a scenario on a real engine and says what is not as expected. Pure: the same scenario always ends the same way."""

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from rules.change import Change, Decisions, Evidence, Mode, Remark
from rules.engine import Engine
from rules.errors import RuleError, RuleErrors
from rules.forecast import Forecast
from rules.model import Rule, RuleSet
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import compile_rules
from rules.reading import Reading
from rules.record import Standing, moment
from rules.scenario import Arrival, Difference, Expected, Issue, Never, Scenario, Site
from rules.scenario_text import written

_CLOSE = 1e-4
_DATES = {"from": "01-01", "to": "12-31"}
_NAMES = re.compile(r"""^[-\s]*rule:\s*["']?([a-z][a-z0-9-]*)""", re.MULTILINE)


def run_scenario(scenario: Scenario, sources: Mapping[str, str]) -> tuple[Difference, ...]:
    """What differs from the expectations; empty when the test passes. ``sources`` are the files of the pack.

    RuleErrors when the rules cannot be used or the scenario does not fit to them.
    """
    run = _Run(scenario, engine_of(scenario, sources))
    run.play()
    return tuple(run.differences)


def engine_of(scenario: Scenario, sources: Mapping[str, str]) -> Engine:
    """An engine of the one rule under test, at the places of the scenario."""
    # Only the file of the rule is read: a mistake in another rule is no reason not to test this one.
    named = {name: file for file, text in sources.items() if not file.endswith(".csv") for name in _NAMES.findall(text)}
    if scenario.rule not in named:
        there = ", ".join(sorted(named)) or "none"
        raise RuleErrors((_here(scenario, f"there is no rule {scenario.rule!r}; rules there are: {there}"),))
    tables = {file: _fitted(text, scenario) for file, text in sources.items() if file.endswith(".csv")}
    parsed = parse_rules({named[scenario.rule]: sources[named[scenario.rule]], **tables})
    rule = next(r for r in parsed.rules if r.name == scenario.rule)
    if rule.mode is Mode.STOPPED:
        rule = replace(rule, mode=Mode.SHADOW)
    try:
        plan = compile_rules(RuleSet(rules=(rule,), digest=parsed.digest), places_of(scenario, rule), scenario.zone)
    except RuleErrors as errors:
        raise RuleErrors(tuple(replace(e, message=f"{e.message}; in the test {scenario.name!r}") for e in errors.errors)) from errors
    return Engine(plan)


def places_of(scenario: Scenario, rule: Rule) -> tuple[Place, ...]:
    """The places of a scenario: those it describes, and every other station that reports as a place of the rule."""
    described = {s.id: s for s in scenario.sites}
    ids = dict.fromkeys([*described, *scenario.variables, *(i.forecast.place for i in scenario.issues)])
    return tuple(_place(described.get(i) or Site(id=i), scenario, rule) for i in ids)


def _place(site: Site, scenario: Scenario, rule: Rule) -> Place:
    details: dict[str, Any] = dict(site.details)
    return Place(
        id=site.id, type=site.type or rule.for_each, variables=scenario.variables.get(site.id, ()),
        interval_s=site.every_s or round(scenario.step.total_seconds()), **details,
    )  # fmt: skip


def _fitted(text: str, scenario: Scenario) -> str:
    """A table with the rows of the scenario's places only, and with the numbers and likenesses it gives them."""
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    if not lines:
        return text
    header, rows = lines[0], lines[1:]
    sites = {s.id: s for s in scenario.sites}
    kept = [header]
    for place in dict.fromkeys([*sites, *scenario.variables, *(i.forecast.place for i in scenario.issues)]):
        site = sites.get(place) or Site(id=place)
        if site.columns and set(header[1:]) - _DATES.keys() <= set(site.columns):
            # In a table that changes by date, numbers of a scenario's own hold all year.
            kept.append([place, *(_DATES.get(name) or repr(site.columns[name]) for name in header[1:])])
        else:
            kept += [[place, *row[1:]] for row in rows if row and row[0].strip() in {site.like or place, "*"}]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(kept)
    return out.getvalue()


class _Run:
    """One scenario on its way through time."""

    def __init__(self, scenario: Scenario, engine: Engine) -> None:
        self.scenario = scenario
        self.engine = engine
        self.changes: list[Change] = []
        self.remarks: list[Remark] = []
        self.differences: list[Difference] = []

    def play(self) -> None:
        """Let everything arrive, and look at each expected moment."""
        self._take(self.engine.tick(self.scenario.begin))
        awaited = sorted(self.scenario.expected, key=lambda e: e.after)
        for at, forecasts, readings in self._arrivals():
            while awaited and self.scenario.begin + awaited[0].after < at:
                self._look(awaited.pop(0))
            self._until(at)
            self._take(self.engine.observe_forecasts(forecasts, at))
            self._take(self.engine.observe(readings, at))
        for e in awaited:
            self._look(e)
        for n in self.scenario.never:
            self._look_never(n)

    def _arrivals(self) -> Iterator[tuple[datetime, list[Forecast], list[Reading]]]:
        every: list[Issue | Arrival] = sorted((*self.scenario.issues, *self.scenario.arrivals), key=lambda a: a.at_s)
        for at_s, group in groupby(every, key=lambda a: a.at_s):
            found = list(group)
            forecasts = [a.forecast for a in found if isinstance(a, Issue)]
            yield moment(at_s), forecasts, [a.reading for a in found if isinstance(a, Arrival)]

    def _until(self, at: datetime) -> None:
        while (due := self.engine.next_tick()) is not None and due <= at:
            self._take(self.engine.tick(due))

    def _take(self, decided: Decisions) -> None:
        self.changes += decided.changes
        self.remarks += decided.remarks

    def _look(self, e: Expected) -> None:
        at = self.scenario.begin + e.after
        self._until(at)
        self._take(self.engine.tick(at))
        stands = next((s for s in self.engine.standing() if s.place == e.place), None)
        if stands is None:
            raise RuleErrors((_here(self.scenario, f"rule {self.scenario.rule!r} does not grade {e.place!r}", e.line, e.column),))
        values = self.engine.values(e.place)
        for expected, found in self._unmet(e, stands, values):
            self._differs(e, e.place, e.after, expected, found)

    def _unmet(self, e: Expected, stands: Standing, values: Mapping[str, float]) -> Iterator[tuple[str, str]]:
        if e.grade is not None and e.grade is not stands.grade:
            yield e.grade.word, stands.grade.word
        rows = self._rows(e.place)
        missing = [row for row in e.because if row not in rows]
        if missing:
            yield f"because {', '.join(missing)}", f"because {', '.join(rows)}" if rows else "no change yet"
        if e.no_data is not None and e.no_data is not stands.no_data:
            yield f"no_data: {_yes(e.no_data)}", f"no_data: {_yes(stands.no_data)}"
        told = {r.kind.value for r in self.remarks if r.place == e.place}
        if e.told and not (told if e.told == "duty-room" else e.told in told):
            yield f"told: {e.told}", f"told: {', '.join(sorted(told)) or 'nobody'}"
        if e.onset and e.onset != (when := self._onset(e.place)):
            yield f"onset: {e.onset}", f"onset: {when}"
        for name, value in e.values.items():
            if not math.isclose(values.get(name, math.nan), value, abs_tol=_CLOSE):
                yield f"{name} = {value:g}", f"{name} = {values[name]:g}" if name in values else f"{name} is missing"

    def _onset(self, place: str) -> str:
        newest = next((c for c in reversed(self.changes) if c.place == place), None)
        return written(newest.onset - self.scenario.begin) if newest and newest.onset else "now"

    def _rows(self, place: str) -> list[str]:
        newest = next((c for c in reversed(self.changes) if c.place == place), None)
        return [row for e in newest.because for row in (e.row, *(n for n, _ in e.values))] if newest else []

    def _look_never(self, n: Never) -> None:
        above = [c for c in self.changes if c.after >= n.grade and n.place in ("", c.place)]
        if above:
            first = above[0]
            self._differs(n, first.place, None, f"never {n.grade.word}", self._move(first))

    def _differs(self, where: Expected | Never, place: str, after: timedelta | None, expected: str, found: str) -> None:
        values = self.engine.values(place)
        moves = tuple(self._move(c) for c in self.changes if c.place == place)
        found_here = Difference(
            scenario=self.scenario.name, place=place, after=after, expected=expected, found=found, values=values, history=moves,
            told=self._told(place), file=self.scenario.file, line=where.line, column=where.column,
        )  # fmt: skip
        self.differences.append(found_here)

    def _told(self, place: str) -> tuple[str, ...]:
        """What was said of the place, and of stations that no grade is for, whose values it may lack."""
        graded = {s.place for s in self.engine.standing()} - {place}
        said = {r.key: r for r in reversed(self.remarks) if r.place not in graded}
        return tuple(f"{written(r.at - self.scenario.begin)} {r.kind.value}: {r.text_en}" for r in reversed(said.values()))

    def _move(self, change: Change) -> str:
        rows = ", ".join(map(_seen, change.because))
        return f"{written(change.decided_at - self.scenario.begin)} {change.before.word} → {change.after.word} ({rows})"


def _seen(row: Evidence) -> str:
    """A row of the table with its value, a condition with all that it names."""
    if row.text and row.values:
        return f"{row.row}: {', '.join(f'{name} {value:.10g}' for name, value in row.values)}"
    return f"{row.row} {row.value:.10g} {row.unit}".rstrip()


def _yes(value: bool) -> str:  # noqa: FBT001 - one word of two
    return "true" if value else "false"


def _here(scenario: Scenario, message: str, line: int = 0, column: int = 0) -> RuleError:
    return RuleError(scenario.file, line or scenario.line, column or scenario.column, message)
