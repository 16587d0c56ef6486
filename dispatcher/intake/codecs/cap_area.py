"""Texts and areas of CAP messages: polygons and circles are read, and left out with a remark where they cannot be."""

import re

from dispatcher.intake.codecs.xmltree import Element
from dispatcher.model.cap import CapArea, Circle, Pairs, Point
from dispatcher.model.reject import show

_DEGREES = re.compile(r"[-+]?\d{1,3}(\.\d{0,18})?", re.ASCII)
_RADIUS = re.compile(r"\d{1,6}(\.\d{0,9})?|\.\d{1,9}", re.ASCII)
_RING = 4
"""The least points of a closed ring: three, and the first again."""

_HIGHEST_LAT, _HIGHEST_LON = 90, 180


def text_in(element: Element, name: str) -> str:
    """The text of the first element of this name within one; empty when there is none."""
    return next(iter(texts_in(element, name)), "")


def texts_in(element: Element, name: str) -> tuple[str, ...]:
    """The texts of all elements of this name within one."""
    return tuple(child.text.strip() for child in element.children if child.name == name and child.namespace == element.namespace)


def pairs_in(element: Element, name: str) -> Pairs:
    """Names and values; CAP 1.0 writes them ``name=value``."""
    found = []
    for child in element.children:
        if child.name == name:
            before, _, after = child.text.strip().partition("=")
            found.append((text_in(child, "valueName"), text_in(child, "value")) if child.children else (before, after))
    return tuple(found)


def area_of(element: Element, remarks: list[str]) -> CapArea:
    """One area; what is no polygon or circle is left out, with a remark."""
    polygons = [(text, _polygon(text)) for text in texts_in(element, "polygon")]
    circles = [(text, _circle(text)) for text in texts_in(element, "circle")]
    remarks += [f"polygon {show(text)} left out; allowed: lat,lon …, four or more, the last as the first" for text, p in polygons if not p]
    remarks += [f"circle {show(text)} left out; allowed: lat,lon and a radius in km" for text, c in circles if c is None]
    return CapArea(
        description=text_in(element, "areaDesc"),
        polygons=tuple(points for _, points in polygons if points),
        circles=tuple(circle for _, circle in circles if circle is not None),
        geocodes=pairs_in(element, "geocode"),
        altitude=text_in(element, "altitude"),
        ceiling=text_in(element, "ceiling"),
    )


def _polygon(text: str) -> tuple[Point, ...] | None:
    points = [_point(word) for word in text.split()]
    good = tuple(point for point in points if point is not None)
    return good if len(good) == len(points) >= _RING and good[0] == good[-1] else None


def _circle(text: str) -> Circle | None:
    words = text.split()
    if len(words) != 2 or not _RADIUS.fullmatch(words[1]):  # noqa: PLR2004 - centre and radius
        return None
    centre = _point(words[0])
    return Circle(centre, float(words[1])) if centre is not None else None


def _point(word: str) -> Point | None:
    parts = word.split(",")
    if len(parts) != 2 or not all(_DEGREES.fullmatch(part) for part in parts):  # noqa: PLR2004 - latitude and longitude
        return None
    point = Point(float(parts[0]), float(parts[1]))
    return point if abs(point.lat) <= _HIGHEST_LAT and abs(point.lon) <= _HIGHEST_LON else None
