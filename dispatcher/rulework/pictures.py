"""One picture per event of a backtest: what the station that mattered saw, its thresholds, and the grades of each version."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from dispatcher.errors import ConfigurationError, Problem
from dispatcher.registry.model import Registry
from dispatcher.rulework.backtest import graded_units
from dispatcher.rulework.events import Events
from dispatcher.rulework.history import History, Window, traced
from dispatcher.rulework.panels import panels_of
from dispatcher.rulework.svg import Picture, drawing
from rules.change import Change
from rules.engine import Engine
from rules.plan import Plan
from rules.skill import Event, Line

_BEFORE, _AFTER = timedelta(hours=12), timedelta(hours=6)
Run = tuple[Plan, Sequence[Change], str]


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
            panels=tuple(panels_of(runs[0][0], s.place, samples.get(s.place, []), s.window)),
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
