"""A plot as somebody saw it: the series of a place against its thresholds over a window, kept whole and named by its content."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, tzinfo

from dispatcher.rulework.panels import panels_of
from dispatcher.rulework.svg import Panel, Picture
from dispatcher.timestamps import from_ms, to_ms
from rules.engine import Engine
from rules.grade import Grade

LONGEST = timedelta(hours=24)
"""The series of an engine reach back so far."""

_POINTS = 288


def plot_of(engine: Engine, place: str, name: str, window: tuple[datetime, datetime], zone: tzinfo) -> Picture:
    """What the rules at work see of a place. LookupError when no rule looks at it."""
    begin, end = window
    step = max(timedelta(minutes=1), (end - begin) / _POINTS)
    count = int((end - begin) / step)
    samples = [(begin + n * step, engine.values(place, begin + n * step)) for n in range(count + 1)]
    panels = tuple(panels_of(engine.plan, place, samples, window))
    return Picture(title=name, begin=begin, end=end, event=None, bands=(), panels=panels, zone=zone)


def as_json(picture: Picture) -> str:
    """The plot as it is kept."""
    panels = [
        {"title": p.title, "points": [[to_ms(at), value] for at, value in p.points], "limits": [[v, int(g)] for v, g in p.limits]}
        for p in picture.panels
    ]
    body = {"title": picture.title, "begin": to_ms(picture.begin), "end": to_ms(picture.end), "panels": panels}
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(text: str) -> str:
    """The name of a kept plot: another value or threshold is another name."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def picture_of(text: str, zone: tzinfo) -> Picture:
    """A kept plot again."""
    body: Mapping[str, object] = json.loads(text)
    begin, end = (from_ms(int(str(body[key]))) for key in ("begin", "end"))
    return Picture(title=str(body["title"]), begin=begin, end=end, event=None, bands=(), panels=tuple(_panels(text)), zone=zone)


def _panels(text: str) -> Iterator[Panel]:
    for one in json.loads(text)["panels"]:
        points = tuple((from_ms(at), float(value)) for at, value in one["points"])
        yield Panel(title=one["title"], points=points, limits=tuple((float(v), Grade(g)) for v, g in one["limits"]))
