"""What the tables of a registry say about each other: every code, station and person named must exist, once."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from dispatcher.files.table import Row
from dispatcher.registry.model import Area, Contact, County, Level, Link, Speaker, Station, Village
from dispatcher.registry.site import Site

T = TypeVar("T")

_COUNTY_DIGITS = 6
_TOWNSHIP_DIGITS = 9
_CODE_DIGITS = 12
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Placed(Generic[T]):
    """An object and the row it came from."""

    value: T
    row: Row


def check_relations(
    county: County,
    areas: list[Placed[Area]],
    villages: list[Placed[Village]],
    contacts: list[Placed[Contact]],
    stations: list[Placed[Station]],
    links: list[Placed[Link]],
    speakers: list[Placed[Speaker]],
) -> None:
    """Note every contradiction at the row it stands in."""
    _once(areas, "code", lambda a: a.code)
    _once(villages, "code", lambda v: v.code)
    _once(contacts, "id", lambda c: c.id)
    _once(stations, "id", lambda s: s.id)
    _once(speakers, "id", lambda s: s.id)
    _once(links, "village", lambda n: f"{n.station} → {n.village}")
    townships = {p.value.code for p in areas if p.value.level is Level.TOWNSHIP}
    village_codes = {p.value.code for p in villages}
    _check_areas(county, areas)
    _check_villages(villages, townships)
    _check_contacts(contacts, {Level.COUNTY: {county.code}, Level.TOWNSHIP: townships, Level.VILLAGE: village_codes})
    _check_reachable(villages, contacts)
    for n in links:
        _known(n.row, "village", n.value.village, village_codes, "villages.csv")
    for p in speakers:
        _known(p.row, "village", p.value.village, village_codes, "villages.csv")


def _once(rows: Iterable[Placed[T]], column: str, key: Callable[[T], str]) -> None:
    first: dict[str, int] = {}
    for p in rows:
        name = key(p.value)
        line = first.setdefault(name, p.row.line)
        if line != p.row.line:
            p.row.wrong(column, f"{name!r} is given twice; first in line {line}")


def _known(row: Row, column: str, name: str, known: Collection[str], file: str) -> bool:
    if name in known:
        return True
    shown = ", ".join(sorted(known)[:_SHOWN]) or "none"
    more = ", …" if len(known) > _SHOWN else ""
    row.wrong(column, f"{name!r} is not in {file}; there are {len(known)}: {shown}{more}")
    return False


def _check_areas(county: County, areas: list[Placed[Area]]) -> None:
    known = {p.value.code for p in areas} | {county.code}
    for p in areas:
        area = p.value
        if area.level is Level.COUNTY:
            if area.code != county.code:
                p.row.wrong("code", f"{area.code!r} is not the county of county.yaml, {county.code!r}")
        elif _known(p.row, "parent", area.parent, known, "areas.csv"):
            _within(p.row, area.code, area.parent, _COUNTY_DIGITS, "its parent")
            _ends_in_zeros(p.row, area.code, _TOWNSHIP_DIGITS, "a township")


def _check_villages(villages: list[Placed[Village]], townships: Collection[str]) -> None:
    for p in villages:
        if _known(p.row, "township", p.value.township, townships, "areas.csv as a township"):
            _within(p.row, p.value.code, p.value.township, _TOWNSHIP_DIGITS, "its township")


def _within(row: Row, code: str, parent: str, digits: int, what: str) -> None:
    if len(code) == _CODE_DIGITS and code[:digits] != parent[:digits]:
        row.wrong("code", f"{code!r} does not lie in {what} {parent!r}: the first {digits} digits must be {parent[:digits]}")


def _ends_in_zeros(row: Row, code: str, digits: int, what: str) -> None:
    if len(code) == _CODE_DIGITS and code[digits:].strip("0"):
        row.wrong("code", f"{code!r} is not the code of {what}: it must end in {'0' * (_CODE_DIGITS - digits)}")


def _check_contacts(contacts: list[Placed[Contact]], areas: dict[Level, set[str]]) -> None:
    for p in contacts:
        level = p.value.role.partition(".")[0]
        if level in areas:
            file = "villages.csv" if level == Level.VILLAGE else f"areas.csv as a {level}"
            _known(p.row, "area", p.value.area, areas[Level(level)], file)


def _check_reachable(villages: list[Placed[Village]], contacts: list[Placed[Contact]]) -> None:
    reached = {p.value.area for p in contacts if p.value.channels}
    for p in villages:
        if p.value.code not in reached:
            p.row.wrong("code", f"village {p.value.code!r} has no contact with a channel in contacts.csv: nobody there can be told")


def check_sites(
    sites: list[Placed[Site]], stations: list[Placed[Station]], villages: list[Placed[Village]], links: list[Placed[Link]]
) -> None:
    """Note where sites, stations and links do not fit together."""
    _once(sites, "id", lambda s: s.id)
    names = {p.value.id for p in sites}
    station_names, codes = {p.value.id for p in stations}, {p.value.code for p in villages}
    for p in sites:
        if p.value.id in station_names or p.value.id in codes:
            p.row.wrong("id", f"{p.value.id!r} is a station or village already")
    for s in stations:
        if s.value.place:
            _known(s.row, "place", s.value.place, names | codes, "places.csv or villages.csv")
    for n in links:
        where = "stations.csv or places.csv" if names else "stations.csv"
        _known(n.row, "station", n.value.station, station_names | names, where)
