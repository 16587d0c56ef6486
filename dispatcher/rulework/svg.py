"""A picture of an event as SVG text: bands of grades above, series with their thresholds below. Pure, and needs no library."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from html import escape

from rules.grade import Grade
from rules.skill import Line, spells

COLOURS = {Grade.BLUE: "#2166ac", Grade.YELLOW: "#e0b400", Grade.ORANGE: "#e66101", Grade.RED: "#b2182b"}
_WIDTH, _LEFT, _RIGHT = 960, 120, 60
_BAND, _PANEL, _GAP, _TOP, _FOOT = 18, 150, 34, 56, 30
_MOST_POINTS, _MOST_NAME = 2000, 18
_STEPS = (timedelta(minutes=10), timedelta(minutes=30), timedelta(hours=1), timedelta(hours=3), timedelta(hours=6), timedelta(hours=12))
_TICKS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One input over time, and the thresholds it is held against, each with its grade."""

    title: str
    points: tuple[tuple[datetime, float], ...]
    limits: tuple[tuple[float, Grade], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One event. ``bands`` are the grades of each version; ``event``, if any, is shaded; times are shown in ``zone``."""

    title: str
    begin: datetime
    end: datetime
    event: tuple[datetime, datetime] | None
    bands: tuple[tuple[str, Line], ...]
    panels: tuple[Panel, ...]
    zone: tzinfo


def drawing(p: Picture) -> str:
    """The SVG of a picture."""
    height = _TOP + len(p.bands) * (_BAND + 6) + len(p.panels) * (_PANEL + _GAP) + _FOOT + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="12" y="24" font-size="16">{escape(p.title)}</text>',
    ]
    parts += _shade(p, height)
    y = _TOP
    for name, line in p.bands:
        parts += _band(p, name, line, y)
        y += _BAND + 6
    for panel in p.panels:
        parts += _panel(p, panel, y + _GAP - 10)
        y += _PANEL + _GAP
    return "\n".join([*parts, *_axis(p, y + 14, height), "</svg>"]) + "\n"


def _x(p: Picture, at: datetime) -> float:
    share = (min(max(at, p.begin), p.end) - p.begin) / (p.end - p.begin)
    return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)


def _shade(p: Picture, height: int) -> Iterator[str]:
    if p.event is None:
        return
    left, right = _x(p, p.event[0]), _x(p, p.event[1])
    yield f'<rect x="{left}" y="{_TOP - 8}" width="{max(right - left, 1):.1f}" height="{height - _TOP - _FOOT}" fill="#eee"/>'
    yield f'<text x="{left}" y="{_TOP - 12}" fill="#555">事件 event</text>'


def _band(p: Picture, name: str, line: Line, y: int) -> Iterator[str]:
    shown = name if len(name) <= _MOST_NAME else f"…{name[1 - _MOST_NAME :]}"
    yield f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(shown)}</text>'
    yield f'<rect x="{_LEFT}" y="{y}" width="{_WIDTH - _LEFT - _RIGHT}" height="{_BAND}" fill="none" stroke="#bbb"/>'
    for grade, colour in COLOURS.items():
        for begin, end in spells(line, grade):
            if end <= p.begin or begin >= p.end:
                continue
            left, right = _x(p, begin), _x(p, end)
            text = f"{grade.word} {max(begin, p.begin).astimezone(p.zone):%m-%d %H:%M}"
            shape = f'<rect x="{left}" y="{y}" width="{max(right - left, 1):.1f}" height="{_BAND}" fill="{colour}">'
            yield f"{shape}<title>{text}</title></rect>"


def _panel(p: Picture, panel: Panel, y: int) -> Iterator[str]:
    low, high = span(panel)
    spread = (high - low) or 1.0

    def at(value: float) -> float:
        return round(y + _PANEL - (value - low) / spread * _PANEL, 1)

    yield f'<rect x="{_LEFT}" y="{y}" width="{_WIDTH - _LEFT - _RIGHT}" height="{_PANEL}" fill="none" stroke="#bbb"/>'
    yield f'<text x="{_LEFT}" y="{y - 6}" fill="#333">{escape(panel.title)}</text>'
    for value in (low, high):
        yield f'<text x="{_LEFT - 8}" y="{at(value) + 4}" text-anchor="end" fill="#555">{value:.4g}</text>'
    for value, grade in panel.limits:
        where = at(value)
        yield f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{where}" y2="{where}" stroke="{COLOURS[grade]}" stroke-dasharray="5 3"/>'
        yield f'<text x="{_WIDTH - _RIGHT + 6}" y="{where + 4}" fill="{COLOURS[grade]}">{value:.4g}</text>'
    points = " ".join(f"{_x(p, t)},{at(v)}" for t, v in _thinned(panel.points))
    yield f'<polyline points="{points}" fill="none" stroke="#222" stroke-width="1.5"/>'


def span(panel: Panel) -> tuple[float, float]:
    """From lowest to highest. Zero belongs into the picture where rain starts there; for a level above the sea it does not."""
    values = [v for _, v in panel.points] + [v for v, _ in panel.limits]
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (0.0 if 0 <= low <= high - low else low), high


def _thinned(points: Sequence[tuple[datetime, float]]) -> Sequence[tuple[datetime, float]]:
    return points[:: max(1, len(points) // _MOST_POINTS)]


def ticks(p: Picture) -> Iterator[datetime]:
    """Round local times along the axis of time."""
    length = p.end - p.begin
    step = next((s for s in _STEPS if length / s <= _TICKS), None) or timedelta(days=max(1, -(-length // timedelta(days=_TICKS))))
    local = p.begin.astimezone(p.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + -(-(local - midnight) // step) * step
    while at <= p.end:
        yield at
        at += step


def _axis(p: Picture, y: int, height: int) -> Iterator[str]:
    for at in ticks(p):
        x = _x(p, at)
        yield f'<line x1="{x}" x2="{x}" y1="{_TOP}" y2="{height - _FOOT}" stroke="#ddd" stroke-width="0.6"/>'
        yield f'<text x="{x}" y="{y}" text-anchor="middle" fill="#555">{at:%m-%d %H:%M}</text>'
