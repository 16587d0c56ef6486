"""A registry as the rules see it: stations, villages and sites are places to be graded."""

from collections.abc import Iterator
from datetime import timedelta

from dispatcher.registry.model import Measure, Registry, Station
from rules.place import Place, Span

VILLAGE = "village"
"""What ``for_each`` names to grade every village."""
_UNKNOWN_S = 300


def places_of(registry: Registry) -> tuple[Place, ...]:
    """Every station, village and site. Villages and sites have the stations that name them as their ``place``."""
    members: dict[str, list[str]] = {}
    for station in registry.stations.values():
        if station.place:
            members.setdefault(station.place, []).append(station.id)
    works: dict[str, list[Span]] = {}
    for m in registry.maintenance:
        works.setdefault(m.station, []).append((int(m.since.timestamp()), int(m.until.timestamp())))
    stations = (_station(registry, station, works.get(station.id, [])) for station in registry.stations.values())
    return (*stations, *_villages(registry, members), *_sites(registry, members))


def _station(registry: Registry, station: Station, works: list[Span]) -> Place:
    intervals = tuple(_seconds(v.interval) for v in station.variables)
    return Place(
        id=station.id,
        type=station.type,
        variables=tuple(v.name for v in station.variables),
        interval_s=min(intervals, default=_UNKNOWN_S),
        intervals=intervals,
        counters=tuple(v.name for v in station.variables if v.kind is Measure.COUNTER),
        lat=station.lat,
        lon=station.lon,
        catchment=station.catchment,
        areas=_above(registry, station.place),
        maintenance=tuple(sorted(works)),
    )


def _villages(registry: Registry, members: dict[str, list[str]]) -> Iterator[Place]:
    for v in registry.villages.values():
        yield Place(
            id=v.code,
            type=VILLAGE,
            variables=(),
            interval_s=_UNKNOWN_S,
            lat=v.lat,
            lon=v.lon,
            catchment=v.catchment,
            members=tuple(members.get(v.code, ())),
            areas=(v.township, registry.county.code),
        )


def _sites(registry: Registry, members: dict[str, list[str]]) -> Iterator[Place]:
    for s in registry.sites.values():
        found = tuple(members.get(s.id, ()))
        yield Place(
            id=s.id,
            type=s.type,
            variables=(),
            interval_s=_UNKNOWN_S,
            lat=s.lat,
            lon=s.lon,
            catchment=s.catchment,
            members=found,
            areas=(registry.county.code,),
        )


def _above(registry: Registry, place: str) -> tuple[str, ...]:
    """What a station lies in, the smallest first."""
    village = registry.villages.get(place)
    return (village.code, village.township, registry.county.code) if village else (registry.county.code,)


def _seconds(interval: timedelta) -> int:
    return max(1, interval // timedelta(seconds=1))
