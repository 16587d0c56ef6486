"""One picture per event of a backtest: what the station that mattered saw, its thresholds, and the grades of each version."""

import ast
import operator
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from dispatcher.errors import ConfigurationError, Problem
from dispatcher.registry.model import Registry
from dispatcher.rulework.backtest import graded_units
from dispatcher.rulework.events import Events
from dispatcher.rulework.history import History, Sample, Window, traced
from dispatcher.rulework.svg import Panel, Picture, drawing
from rules.change import Change
from rules.engine import Engine
from rules.grade import Grade
from rules.plan import LadderPlan, Plan
from rules.scaled import SCALE
from rules.skill import Event, Line
from rules.variables import variable

_BEFORE, _AFTER = timedelta(hours=12), timedelta(hours=6)
_MOST_PANELS = 8
Run = tuple[Plan, Sequence[Change], str]
_SUMS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """An event, the time around it that is drawn, the station that tells of it, and the grades of each version."""

    event: Event
    window: Window
    place: str
    bands: tuple[tuple[str, Line], ...]


def draw_events(folder: Path, county: Registry, past: History, asked: Sequence[tuple[Events, Event]], runs: Sequence[Run]) -> list[Path]:
    """Write one SVG per event into a folder; ConfigurationError when that cannot be. The first version gives the series."""
    sights = [_sight(e, found, runs, past) for found, e in asked]
    watched: dict[str, list[Window]] = {}
    for s in sights:
        if s.place:
            watched.setdefault(s.place, []).append(s.window)
    samples = traced(Engine(runs[0][0]), past, watched)
    zone = county.county.timezone
    drawn: list[Path] = []
    for n, s in enumerate(sights, start=1):
        e = s.event
        picture = Picture(
            title=f"{e.name or e.grade.word}  {county.name_of(e.unit, 'zh')} {county.name_of(e.unit, 'en')}  [{s.place or '–'}]",
            begin=s.window[0], end=s.window[1], event=(e.begin, e.end), bands=s.bands, zone=zone,
            panels=tuple(_panels(runs[0][0], s.place, samples.get(s.place, []), s.window)),
        )  # fmt: skip
        unit = re.sub(r"[^\w-]+", "-", e.unit)
        drawn.append(_written(folder / f"{n:03d}-{unit}-{e.begin.astimezone(zone):%Y%m%dT%H%M}.svg", drawing(picture)))
    return drawn


def _sight(event: Event, found: Events, runs: Sequence[Run], past: History) -> _Sight:
    window = (max(event.begin - _BEFORE, past.begin), event.end + _AFTER)
    bands = tuple((name, graded_units(changes, found).get(event.unit, ())) for _, changes, name in runs)
    return _Sight(event=event, window=window, place=_telling(event, found, runs[0], window), bands=bands)


def _written(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError([Problem(str(path), f"cannot be written: {error.strerror}")]) from error
    return path


def _telling(event: Event, found: Events, first: Run, window: Window) -> str:
    """The station behind the unit that rose highest in the window, else the first one that a rule grades; empty without any."""
    graded = {x.place for x in first[0].ladders}
    behind = [s for s in dict.fromkeys((event.unit, *found.stations.get(event.unit, ()))) if s in graded]
    inside = [c for c in first[1] if c.place in behind and window[0] <= c.decided_at <= window[1]]
    top = max(inside, key=lambda c: c.after, default=None)
    return top.place if top else next(iter(behind), "")


def _panels(plan: Plan, place: str, samples: Sequence[Sample], window: Window) -> Iterator[Panel]:
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
