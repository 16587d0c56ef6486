"""Where villages lie, for areas that are drawn and not named: polygons and circles in WGS-84 degrees, as CAP has them.

Good for areas of some hundred kilometres away from the poles and the date line, which is what warnings are drawn for.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import cos, hypot, radians

from dispatcher.registry.model import Registry, Village

Point = tuple[float, float]
Ring = Sequence[Point]
"""(latitude, longitude) of each corner; the last may repeat the first."""

KM_PER_DEGREE = 111.2


def villages_in_ring(registry: Registry, ring: Ring) -> tuple[Village, ...]:
    """Villages that a polygon touches: by their own outline where there is one, else by their point."""
    return tuple(v for v in registry.villages.values() if inside((v.lat, v.lon), ring) or (v.outline and overlap(v.outline, ring)))


def villages_in_circle(registry: Registry, centre: Point, radius_km: float) -> tuple[Village, ...]:
    """Villages whose point, or any part of whose outline, lies in a circle."""
    return tuple(
        v
        for v in registry.villages.values()
        if km_between((v.lat, v.lon), centre) <= radius_km
        or (v.outline and (inside(centre, v.outline) or any(_km_to_side(centre, a, b) <= radius_km for a, b in _sides(v.outline))))
    )


def inside(point: Point, ring: Ring) -> bool:
    """Whether a point lies in a ring (even-odd rule)."""
    lat, lon = point
    crossed = False
    for (lat_a, lon_a), (lat_b, lon_b) in _sides(ring):
        if (lon_a > lon) != (lon_b > lon) and lat < (lat_b - lat_a) * (lon - lon_a) / (lon_b - lon_a) + lat_a:
            crossed = not crossed
    return crossed


def overlap(one: Ring, other: Ring) -> bool:
    """Whether two rings share any part: a corner of one in the other, or sides that cross."""
    if any(inside(p, other) for p in one) or any(inside(p, one) for p in other):
        return True
    return any(_cross(a, b, c, d) for a, b in _sides(one) for c, d in _sides(other))


def km_between(a: Point, b: Point) -> float:
    """Distance of two near points."""
    return hypot((a[0] - b[0]) * KM_PER_DEGREE, (a[1] - b[1]) * KM_PER_DEGREE * cos(radians((a[0] + b[0]) / 2)))


def _sides(ring: Ring) -> list[tuple[Point, Point]]:
    return list(pairwise((*ring, ring[0])))


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    return _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _km_to_side(point: Point, a: Point, b: Point) -> float:
    """From a point to the nearest part of a side."""
    shrink = cos(radians(point[0]))
    ax, ay, bx, by = (a[1] - point[1]) * shrink, a[0] - point[0], (b[1] - point[1]) * shrink, b[0] - point[0]
    length = (bx - ax) ** 2 + (by - ay) ** 2
    share = min(1.0, max(0.0, -(ax * (bx - ax) + ay * (by - ay)) / length)) if length else 0.0
    return hypot(ax + share * (bx - ax), ay + share * (by - ay)) * KM_PER_DEGREE
