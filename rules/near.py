"""Which stations an input of a place looks at."""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from rules.inputs import Input, Near
from rules.place import Place

_EARTH_M = 6_371_000
_DEGREE_M = 111_000
"""A degree of latitude is a little longer than this everywhere."""

_RADIUS = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(km|m)")
_FARTHEST_M = 1_000_000


def metres(text: str) -> int:
    """A distance as written, such as ``10km`` or ``500m``; ValueError says what is allowed."""
    found = _RADIUS.fullmatch(text)
    length_m = round(float(found.group(1)) * (1000 if found.group(2) == "km" else 1)) if found else 0
    if not 0 < length_m <= _FARTHEST_M:
        raise ValueError(f"a distance such as 10km or 500m, not {text!r:.40}")
    return length_m


class Stations:
    """All places that measure something, to be found by what they measure and where they stand."""

    def __init__(self, places: Sequence[Place]) -> None:
        """Sorted once, so that a county of ten thousand villages is quick."""
        self.by_id = {p.id: p for p in places}
        self._by_catchment: dict[tuple[str, str], list[Place]] = {}
        self._by_lat: dict[str, list[tuple[float, str, Place]]] = {}
        for p in places:
            for v in p.variables:
                if p.catchment:
                    self._by_catchment.setdefault((p.catchment, v), []).append(p)
                if p.lat is not None and p.lon is not None:
                    self._by_lat.setdefault(v, []).append((p.lat, p.id, p))
        for found in self._by_lat.values():
            found.sort(key=lambda x: x[:2])

    def of(self, place: Place, one: Input) -> list[Place]:
        """The stations of an input, nearest first."""
        if one.near is None:
            own = [place, *(self.by_id[m] for m in place.members if m in self.by_id)]
            return [p for p in own if one.variable in p.variables]
        found = self._catchment(place, one.variable) if one.near.catchment else self._around(place, one.variable, one.near)
        return sorted(found, key=lambda p: (_metres(place, p), p.id))

    def within(self, place: Place, variable: str, radius_m: int) -> list[Place]:
        """The other stations that measure a variable within a distance, nearest first."""
        found = [p for p in self._around(place, variable, Near(radius_m=radius_m)) if p.id != place.id]
        return sorted(found, key=lambda p: (_metres(place, p), p.id))

    def _catchment(self, place: Place, variable: str) -> list[Place]:
        return self._by_catchment.get((place.catchment, variable), []) if place.catchment else []

    def _around(self, place: Place, variable: str, near: Near) -> list[Place]:
        if place.lat is None:
            return []
        rows = self._by_lat.get(variable, [])
        reach = near.radius_m / _DEGREE_M
        first = bisect_left(rows, place.lat - reach, key=lambda x: x[0])
        last = bisect_right(rows, place.lat + reach, key=lambda x: x[0])
        return [p for _, _, p in rows[first:last] if _metres(place, p) <= near.radius_m]


def around(place: Place, one: Input) -> str:
    """Where the stations of an input must stand, and what the place lacks for that; empty for its own."""
    if one.near is None:
        return ""
    if one.near.catchment:
        return f" in its catchment {place.catchment!r}" if place.catchment else " in its catchment, and it has none (column 'catchment')"
    return f" within {one.near.radius_m / 1000:g} km" + ("" if place.lat is not None else ", and it has no 'lat' and 'lon'")


def _metres(a: Place, b: Place) -> float:
    """The distance on a round earth; endless when it is not known."""
    if a.id == b.id:
        return 0.0
    if a.lat is None or a.lon is None or b.lat is None or b.lon is None:
        return math.inf
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    return 2 * _EARTH_M * math.asin(min(1.0, math.sqrt(half)))
