"""What really happened, from a table: place, from, to, grade at least; and which stations speak for each place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from dispatcher.errors import ConfigurationError, Problem
from dispatcher.files.table import Row, read_table
from dispatcher.files.textfile import read_text
from dispatcher.registry.model import Level, Registry
from rules.grade import Grade
from rules.skill import Event

_COLUMNS = ("place", "from", "to", "grade")
_OPTIONAL = ("hazard", "name")


class Kind(StrEnum):
    """What a place of an event is."""

    STATION = "station"
    VILLAGE = "village"
    TOWNSHIP = "township"
    COUNTY = "county"


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Events of one kind of place and one hazard, and the stations behind every place of that kind, those without an event too.

    An empty hazard stands for all of them.
    """

    kind: Kind
    hazard: str
    events: tuple[Event, ...]
    stations: Mapping[str, tuple[str, ...]]


def read_events(path: Path, registry: Registry) -> tuple[Events, ...]:
    """The events of a CSV file by kind of place; ConfigurationError carries every mistake with its line."""
    problems: list[Problem] = []
    text = read_text(path, problems, str(path))
    found: dict[tuple[Kind, str], list[Event]] = {}
    for row in read_table(text, str(path), _COLUMNS, _OPTIONAL, problems) if text else ():
        event = _event(row, registry)
        if event:
            found.setdefault((_kind(registry, event.unit), event.hazard), []).append(event)
    if not found and not problems:
        problems.append(Problem(str(path), "there is no event; at least one is needed"))
    if problems:
        raise ConfigurationError(problems)
    return tuple(Events(kind=k, hazard=h, events=tuple(e), stations=stations_of(registry, k)) for (k, h), e in sorted(found.items()))


def stations_of(registry: Registry, kind: Kind) -> dict[str, tuple[str, ...]]:
    """Every place of a kind with its stations; places without any are left out, nothing could warn of them."""
    if kind is Kind.STATION:
        return {station: (station,) for station in registry.stations}
    found: dict[str, dict[str, None]] = {}
    for link in registry.links:
        village = link.village
        unit = {Kind.VILLAGE: village, Kind.TOWNSHIP: registry.villages[village].township, Kind.COUNTY: registry.county.code}[kind]
        found.setdefault(unit, {})[link.station] = None
    return {unit: tuple(stations) for unit, stations in sorted(found.items())}


def _kind(registry: Registry, unit: str) -> Kind:
    if unit in registry.stations:
        return Kind.STATION
    if unit == registry.county.code:
        return Kind.COUNTY
    return Kind.VILLAGE if registry.areas[unit].level == Level.VILLAGE else Kind.TOWNSHIP


def _event(row: Row, registry: Registry) -> Event | None:
    unit = row["place"]
    if unit not in registry.stations and unit not in registry.areas:
        row.wrong("place", f"{unit!r} is neither a station nor an area of the registry")
        return None
    begin, end = (_time(row, column, registry.county.timezone) for column in ("from", "to"))
    try:
        grade = Grade.from_word(row["grade"])
        if begin is None or end is None:
            return None
        return Event(unit=unit, begin=begin, end=end, grade=grade, hazard=row["hazard"], name=row["name"])
    except ValueError as error:
        row.wrong("grade", str(error))
        return None


def _time(row: Row, column: str, zone: ZoneInfo) -> datetime | None:
    try:
        found = datetime.fromisoformat(row[column])
    except ValueError:
        row.wrong(column, f"{row[column]!r} is not a time; allowed: such as 2024-10-29T18:30, local to the county, or with an offset")
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone)
