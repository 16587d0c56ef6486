"""A directory of tables → a registry. All mistakes are found before any is raised."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from dispatcher.errors import ConfigurationError, Problem
from dispatcher.files.document import read_document
from dispatcher.files.table import Row, read_table
from dispatcher.files.textfile import read_text
from dispatcher.registry import rows
from dispatcher.registry.model import Area, County, Level, Registry, Village
from dispatcher.registry.relations import Placed, check_relations, check_sites

COUNTY_FILE = "county.yaml"
TABLES = ("areas.csv", "villages.csv", "contacts.csv", "stations.csv", "links.csv", "speakers.csv")
SITES = "places.csv"
"""May be missing: slopes and other places that are graded and have stations."""

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


def read_registry(directory: Path, problems: list[Problem]) -> Registry:
    """As ``load_registry``, but mistakes are noted in ``problems``; the result is only good when there are none."""
    there = (COUNTY_FILE, *TABLES, *((SITES,) if (directory / SITES).exists() else ()))
    texts = {name: read_text(directory / name, problems, name) for name in there}
    county = read_county(texts[COUNTY_FILE], problems)

    def placed(file: str, columns: Sequence[str], make: Callable[[Row], T], extras: Sequence[str] = ()) -> list[Placed[T]]:
        text = texts.get(file)
        return [Placed(make(row), row) for row in read_table(text, file, columns, extras, problems)] if text else []

    areas = placed("areas.csv", rows.AREA_COLUMNS, rows.area)
    villages = placed("villages.csv", rows.VILLAGE_COLUMNS, rows.village, rows.CATCHMENT)
    contacts = placed("contacts.csv", rows.CONTACT_COLUMNS, lambda row: rows.contact(row, county.languages))
    stations = placed("stations.csv", rows.STATION_COLUMNS, rows.station, rows.STATION_EXTRAS)
    sites = placed(SITES, rows.SITE_COLUMNS, rows.site, rows.CATCHMENT)
    links = placed("links.csv", rows.LINK_COLUMNS, rows.link)
    speakers = placed("speakers.csv", rows.SPEAKER_COLUMNS, rows.speaker)
    check_relations(county, areas, villages, contacts, stations, links, speakers)
    check_sites(sites, stations, villages, links)
    return Registry(
        county=county,
        areas=_all_areas(county, (p.value for p in areas), (p.value for p in villages)),
        villages={p.value.code: p.value for p in villages},
        contacts=_by_id(p.value for p in contacts),
        stations=_by_id(p.value for p in stations),
        links=tuple(p.value for p in links),
        speakers=_by_id(p.value for p in speakers),
        digest=digest_of(texts),
        sites=_by_id(p.value for p in sites),
    )


def read_county(text: str, problems: list[Problem]) -> County:
    """The county of ``county.yaml``; a stand-in when it is wrong."""
    document = read_document(text, COUNTY_FILE, problems) if text else None
    if document is None:
        return _NOWHERE
    found = document.entries(("code", "name", "name_en", "timezone", "languages"), ("issuer", "issuer_en"))
    texts = {key: spot.text() for key, spot in found.items() if key not in {"languages", "timezone"}}
    name, name_en = texts.get("name", ""), texts.get("name_en", "")
    return County(
        code=texts.get("code", ""),
        name=name,
        name_en=name_en,
        timezone=found["timezone"].zone() if "timezone" in found else _NOWHERE.timezone,
        languages=tuple(item.text() for item in found["languages"].items()) if "languages" in found else _NOWHERE.languages,
        issuer=texts.get("issuer", name),
        issuer_en=texts.get("issuer_en", name_en),
    )


def digest_of(texts: dict[str, str]) -> str:
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
