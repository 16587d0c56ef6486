"""What the tables of a registry say about each other: every code, station and person named must exist, once."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from dispatcher.files.table import Row
from dispatcher.registry.areas import CODE_DIGITS, DIGITS, Codes
from dispatcher.registry.model import Area, Contact, County, Level, Link, Speaker, Station, Village
from dispatcher.registry.rows import GROUP
from dispatcher.registry.site import Site

T = TypeVar("T")

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
    once(areas, "code", lambda a: a.code)
    once(villages, "code", lambda v: v.code)
    once(contacts, "id", lambda c: c.id)
    once(stations, "id", lambda s: s.id)
    once(speakers, "id", lambda s: s.id)
    once(links, "village", lambda n: f"{n.station} → {n.village}")
    codes = {p.value.code: p.value for p in areas}
    village_codes = {p.value.code for p in villages}
    _check_areas(county, areas, village_codes)
    _check_villages(county, villages, codes)
    _check_contacts(county, contacts, codes, village_codes)
    _check_reachable(villages, contacts)
    for n in links:
        known(n.row, "village", n.value.village, village_codes, "villages.csv")
    people = {p.value.id for p in contacts}
    for p in speakers:
        known(p.row, "village", p.value.village, village_codes, "villages.csv")
        if p.value.owner:
            known(p.row, "owner", p.value.owner, people, "contacts.csv")


def once(rows: Iterable[Placed[T]], column: str, key: Callable[[T], str]) -> None:
    """Note each name that is given a second time."""
    first: dict[str, int] = {}
    for p in rows:
        name = key(p.value)
        line = first.setdefault(name, p.row.line)
        if line != p.row.line:
            p.row.wrong(column, f"{name!r} is given twice; first in line {line}")


def known(row: Row, column: str, name: str, names: Collection[str], file: str) -> bool:
    """Whether a name exists; noted when it does not, with what does."""
    if name in names:
        return True
    shown = ", ".join(sorted(names)[:_SHOWN]) or "none"
    more = ", …" if len(names) > _SHOWN else ""
    row.wrong(column, f"{name!r} is not in {file}; there are {len(names)}: {shown}{more}")
    return False


def _check_areas(county: County, areas: list[Placed[Area]], villages: Collection[str]) -> None:
    codes = {p.value.code: p.value for p in areas}
    parents = {*codes, county.code, *villages}
    for p in areas:
        area = p.value
        if area.level == Level.COUNTY and area.code != county.code:
            p.row.wrong("code", f"{area.code!r} is not the county of county.yaml, {county.code!r}")
        if area.parent and known(p.row, "parent", area.parent, parents, "areas.csv") and county.codes is Codes.GBT:
            _nested(p.row, area, codes.get(area.parent))
        if _leads_to_itself(area.code, codes):
            p.row.wrong("parent", f"{area.code!r} lies in itself by way of its parents; allowed: a tree")
        if area.valid_from and area.valid_to and area.valid_to < area.valid_from:
            p.row.wrong("valid_to", f"{area.valid_to} is before valid_from, {area.valid_from}")


def _nested(row: Row, area: Area, parent: Area | None) -> None:
    """A Chinese code begins as its parent's does and ends in zeros behind its own level."""
    level = "county" if parent is None and area.level != GROUP else parent.level if parent else "village"
    own = DIGITS.get(area.level, CODE_DIGITS)
    _within(row, area.code, area.parent, DIGITS.get(level, CODE_DIGITS), "its parent")
    if len(area.code) == CODE_DIGITS and area.code[own:].strip("0"):
        row.wrong("code", f"{area.code!r} is not the code of a {area.level}: it must end in {'0' * (CODE_DIGITS - own)}")


def _leads_to_itself(code: str, areas: Mapping[str, Area]) -> bool:
    seen, at = set[str](), code
    while at in areas and at not in seen:
        seen.add(at)
        at = areas[at].parent
    return at == code and bool(seen)


def _check_villages(county: County, villages: list[Placed[Village]], areas: Mapping[str, Area]) -> None:
    townships = {code for code, area in areas.items() if area.level == Level.TOWNSHIP}
    for p in villages:
        if county.codes is Codes.LINKS:
            known(p.row, "township", p.value.township, areas.keys() | {county.code}, "areas.csv")
        elif known(p.row, "township", p.value.township, townships, "areas.csv as a township"):
            _within(p.row, p.value.code, p.value.township, DIGITS["township"], "its township")


def _within(row: Row, code: str, parent: str, digits: int, what: str) -> None:
    if len(code) >= CODE_DIGITS and code[:digits] != parent[:digits]:
        row.wrong("code", f"{code!r} does not lie in {what} {parent!r}: the first {digits} digits must be {parent[:digits]}")


def _check_contacts(county: County, contacts: list[Placed[Contact]], areas: Mapping[str, Area], villages: Collection[str]) -> None:
    by_level: dict[str, set[str]] = {Level.COUNTY: {county.code}, Level.VILLAGE: set(villages)}
    for area in areas.values():
        by_level.setdefault(area.level, set()).add(area.code)
    for p in contacts:
        for level in dict.fromkeys(role.partition(".")[0] for role in p.value.roles):
            if level in by_level:
                file = "villages.csv" if level == Level.VILLAGE else f"areas.csv as a {level}"
                known(p.row, "area", p.value.area, by_level[level], file)
            elif level:
                p.row.wrong("role", f"no area has the level {level!r}; levels of areas.csv: {', '.join(sorted(by_level))}")


def _check_reachable(villages: list[Placed[Village]], contacts: list[Placed[Contact]]) -> None:
    reached = {p.value.area for p in contacts if p.value.channels}
    for p in villages:
        if p.value.code not in reached:
            p.row.wrong("code", f"village {p.value.code!r} has no contact with a channel in contacts.csv: nobody there can be told")


def check_sites(
    sites: list[Placed[Site]], stations: list[Placed[Station]], villages: list[Placed[Village]], links: list[Placed[Link]]
) -> None:
    """Note where sites, stations and links do not fit together."""
    once(sites, "id", lambda s: s.id)
    names = {p.value.id for p in sites}
    station_names, codes = {p.value.id for p in stations}, {p.value.code for p in villages}
    for p in sites:
        if p.value.id in station_names or p.value.id in codes:
            p.row.wrong("id", f"{p.value.id!r} is a station or village already")
    for s in stations:
        if s.value.place:
            known(s.row, "place", s.value.place, names | codes, "places.csv or villages.csv")
    for n in links:
        where = "stations.csv or places.csv" if names else "stations.csv"
        known(n.row, "station", n.value.station, station_names | names, where)
