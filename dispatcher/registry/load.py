"""Tables → a registry, from a directory or from texts kept elsewhere. All mistakes are found before any is raised."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from dispatcher.duty.load import ROSTERS_FILE, check_rosters, entry_of, read_rosters
from dispatcher.duty.model import DutyTable
from dispatcher.errors import ConfigurationError, Problem
from dispatcher.files.document import read_document
from dispatcher.files.table import Row, read_table, read_yaml_table
from dispatcher.files.textfile import read_text
from dispatcher.registry import refuge_rows, rows, tables
from dispatcher.registry.areas import Codes
from dispatcher.registry.findings import find
from dispatcher.registry.maintenance_rows import check_maintenance, maintenance
from dispatcher.registry.model import Area, County, Level, Registry, Village
from dispatcher.registry.refuge import Refuge
from dispatcher.registry.relations import Placed, check_relations, check_sites
from dispatcher.registry.relations_of_refuge import check_aliases, check_refuge
from dispatcher.registry.tables import COUNTY_FILE, MAINTENANCE, TABLES, Table

_NOWHERE = County(code="", name="", name_en="", timezone=ZoneInfo("UTC"), languages=("zh", "en"), issuer="", issuer_en="")


class _Named(Protocol):
    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=_Named)
T = TypeVar("T")


def load_registry(directory: Path) -> Registry:
    """The registry of a directory; ConfigurationError carries every mistake found in it."""
    problems: list[Problem] = []
    registry = read_registry(directory, problems)
    if problems:
        raise ConfigurationError(problems)
    return registry


def read_registry(directory: Path, problems: list[Problem], findings: list[Problem] | None = None) -> Registry:
    """As ``load_registry``, but mistakes are noted in ``problems``; the result is only good when there are none.

    ``findings`` gets what an operator should look at though it may stay so.
    """
    return registry_of(registry_texts(directory, problems), problems, findings)


def registry_texts(directory: Path, problems: list[Problem]) -> dict[str, str]:
    """The files of a registry as texts, by name. A table stands in a CSV or a YAML file; some may be missing."""
    names = [COUNTY_FILE, *([ROSTERS_FILE] if (directory / ROSTERS_FILE).exists() else [])]
    for table in TABLES:
        there = [name for name in (table.file, table.yaml_file) if (directory / name).exists()]
        if len(there) > 1:
            problems.append(Problem(table.yaml_file, f"{table.file} is there too; allowed: one of them"))
        names += there[:1] or ([] if table.may_miss else [table.file])
    return {name: read_text(directory / name, problems, name) for name in names}


# Longer than others: one line for each table, side by side.
def registry_of(texts: Mapping[str, str], problems: list[Problem], findings: list[Problem] | None = None) -> Registry:
    """The registry of texts by file name, as ``registry_texts`` reads them."""
    county = read_county(texts.get(COUNTY_FILE, ""), problems)

    def placed(table: Table, make: Callable[[Row], T]) -> list[Placed[T]]:
        return [Placed(make(row), row) for row in rows_of(table, texts, problems)]

    areas = placed(tables.AREAS, lambda row: rows.area(row, county))
    aliases = placed(tables.ALIASES, lambda row: rows.alias(row, county))
    villages = placed(tables.VILLAGES, lambda row: rows.village(row, county))
    contacts = placed(tables.CONTACTS, lambda row: rows.contact(row, county))
    stations = placed(tables.STATIONS, rows.station)
    sites = placed(tables.SITES, rows.site)
    links = placed(tables.LINKS, rows.link)
    speakers = placed(tables.SPEAKERS, rows.speaker)
    shelters = placed(tables.SHELTERS, refuge_rows.shelter)
    routes = placed(tables.ROUTES, refuge_rows.route)
    transfers = placed(tables.TRANSFERS, refuge_rows.transfer)
    works = placed(MAINTENANCE, lambda row: maintenance(row, county.timezone))
    check_relations(county, areas, villages, contacts, stations, links, speakers)
    check_sites(sites, stations, villages, links)
    check_aliases(aliases, areas, villages)
    check_maintenance(works, {p.value.id for p in stations})
    check_refuge(shelters, routes, transfers, villages, contacts)
    found_areas = _all_areas(county, (p.value for p in areas), (p.value for p in villages))
    duty = _duty(texts, county, {a.code: a.level for a in found_areas.values()}, {p.value.id for p in contacts}, problems)
    if findings is not None and not problems:
        findings += find(villages, contacts, stations, links, speakers)
    return Registry(
        county=county,
        areas=found_areas,
        villages={p.value.code: p.value for p in villages},
        contacts=_by_id(p.value for p in contacts),
        stations=_by_id(p.value for p in stations),
        links=tuple(p.value for p in links),
        speakers=_by_id(p.value for p in speakers),
        digest=digest_of(texts),
        sites=_by_id(p.value for p in sites),
        aliases={p.value.code: p.value for p in aliases},
        refuge=Refuge(
            shelters=tuple(p.value for p in shelters),
            routes=tuple(p.value for p in routes),
            transfers=tuple(p.value for p in transfers),
        ),
        duty=duty,
        maintenance=tuple(p.value for p in works),
    )


def _duty(
    texts: Mapping[str, str], county: County, levels: Mapping[str, str], people: Collection[str], problems: list[Problem]
) -> DutyTable:
    """The rosters, and the shifts that duty.csv gives to somebody outright."""
    table, spots = read_rosters(texts.get(ROSTERS_FILE, ""), county.timezone, problems)
    check_rosters(table, spots, levels, people)
    entries = {}
    for row in rows_of(tables.DUTY, texts, problems):
        entry = entry_of(row, table, people)
        if entry is not None and (entry.roster, entry.day, entry.shift) in entries:
            row.wrong("shift", f"{entry.shift!r} of {entry.day} is given twice; allowed: one row for each shift of a day")
        elif entry is not None:
            entries[entry.roster, entry.day, entry.shift] = entry
    return replace(table, entries=entries)


def rows_of(table: Table, texts: Mapping[str, str], problems: list[Problem]) -> Iterable[Row]:
    """The rows of one table, whichever of its two files holds it; none when there is no such file."""
    for file, read in ((table.file, read_table), (table.yaml_file, read_yaml_table)):
        if texts.get(file):
            return read(texts[file], file, table.columns, table.extras, problems)
    return ()


def read_county(text: str, problems: list[Problem]) -> County:
    """The county of ``county.yaml``; a stand-in when it is wrong."""
    document = read_document(text, COUNTY_FILE, problems) if text else None
    if document is None:
        return _NOWHERE
    found = document.entries(("code", "name", "name_en", "timezone", "languages"), ("issuer", "issuer_en", "codes"))
    texts = {key: spot.text() for key, spot in found.items() if key not in {"languages", "timezone", "codes"}}
    name, name_en = texts.get("name", ""), texts.get("name_en", "")
    return County(
        code=texts.get("code", ""),
        name=name,
        name_en=name_en,
        timezone=found["timezone"].zone() if "timezone" in found else _NOWHERE.timezone,
        languages=tuple(item.text() for item in found["languages"].items()) if "languages" in found else _NOWHERE.languages,
        issuer=texts.get("issuer", name),
        issuer_en=texts.get("issuer_en", name_en),
        codes=Codes(found["codes"].word(tuple(Codes), "way to read codes") or Codes.GBT) if "codes" in found else Codes.GBT,
    )


def digest_of(texts: Mapping[str, str]) -> str:
    """A name of exactly these files: the same content always has the same one."""
    whole = hashlib.sha256()
    for name, text in sorted(texts.items()):
        for part in (name, text):
            raw = part.encode()
            whole.update(len(raw).to_bytes(8, "big"))
            whole.update(raw)
    return f"sha256:{whole.hexdigest()}"


def _all_areas(county: County, areas: Iterable[Area], villages: Iterable[Village]) -> dict[str, Area]:
    found = {county.code: Area(code=county.code, parent="", level=Level.COUNTY, name=county.name, name_en=county.name_en)}
    found |= {area.code: area for area in areas}
    for v in villages:
        found[v.code] = Area(code=v.code, parent=v.township, level=Level.VILLAGE, name=v.name, name_en=v.name_en)
    return found


def _by_id(values: Iterable[N]) -> dict[str, N]:
    return {value.id: value for value in values}
