"""One row of each table → one object. Wrong cells are noted and replaced, so that one mistake does not make ten."""

import re
from datetime import timedelta

from dispatcher.files.duration import parse_duration
from dispatcher.files.table import Row
from dispatcher.registry.model import (
    CHANNELS,
    LOUDSPEAKER,
    SMS,
    Area,
    Contact,
    Level,
    Link,
    Measure,
    Speaker,
    Station,
    Variable,
    Village,
)
from dispatcher.registry.site import Site

AREA_COLUMNS = ("code", "parent", "level", "name", "name_en")
VILLAGE_COLUMNS = ("code", "name", "name_en", "township", "lat", "lon", "population", "shelter", "shelter_en")
CONTACT_COLUMNS = ("id", "name", "name_en", "role", "area", "phone", "language", "channels")
STATION_COLUMNS = ("id", "name", "name_en", "type", "variables", "lat", "lon")
LINK_COLUMNS = ("station", "village", "travel_time_min")
SPEAKER_COLUMNS = ("id", "village", "name")
SITE_COLUMNS = ("id", "name", "name_en", "type", "lat", "lon")
STATION_EXTRAS = ("catchment", "place")
"""Columns that may be left out."""
CATCHMENT = ("catchment",)

CONTACT_CHANNELS = tuple(channel for channel in CHANNELS if channel != LOUDSPEAKER)

_CODE = re.compile(r"[0-9]{12}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_ROLE = re.compile(r"(county|township|village)\.[a-z][a-z_]*")
_WORD = re.compile(r"[a-z][a-z0-9_]*")
_MAX_TRAVEL_MIN = 10_000


def area(row: Row) -> Area:
    """The county or a township; villages have a table of their own."""
    level = row["level"]
    if level not in {Level.COUNTY, Level.TOWNSHIP}:
        row.wrong("level", f"unknown level {level!r}; allowed: county, township (villages stand in villages.csv)")
        level = Level.TOWNSHIP
    parent = code(row, "parent") if level == Level.TOWNSHIP or row["parent"] else ""
    return Area(code=code(row, "code"), parent=parent, level=Level(level), name=text(row, "name"), name_en=row["name_en"])


def village(row: Row) -> Village:
    """One village; the shelter may be empty."""
    return Village(
        code=code(row, "code"),
        name=text(row, "name"),
        name_en=row["name_en"],
        township=code(row, "township"),
        lat=number(row, "lat", -90, 90),
        lon=number(row, "lon", -180, 180),
        population=int(number(row, "population", 0, 10_000_000)),
        shelter=row["shelter"],
        shelter_en=row["shelter_en"],
        catchment=row["catchment"],
    )


def contact(row: Row, languages: tuple[str, ...]) -> Contact:
    """One person or desk. A number is needed where a channel calls it."""
    channels = tuple(row["channels"].split())
    phone = row["phone"]
    for channel in channels:
        if channel not in CONTACT_CHANNELS:
            row.wrong("channels", f"unknown channel {channel!r}; allowed: {', '.join(CONTACT_CHANNELS)}, separated by spaces")
    if not channels:
        row.wrong("channels", f"no channel; allowed: {', '.join(CONTACT_CHANNELS)}, separated by spaces")
    if (phone or SMS in channels) and not _PHONE.fullmatch(phone):
        row.wrong("phone", "not an E.164 number; allowed: + and 7 to 15 digits without spaces")
    if not _ROLE.fullmatch(row["role"]):
        row.wrong("role", f"bad role {row['role']!r}; allowed: county, township or village, a dot and a word, such as village.head")
    language = row["language"]
    if language not in languages:
        row.wrong("language", f"unknown language {language!r}; allowed by county.yaml: {', '.join(languages)}")
    return Contact(
        id=identifier(row, "id"),
        name=text(row, "name"),
        name_en=row["name_en"],
        role=row["role"],
        area=code(row, "area"),
        phone=phone,
        language=language,
        channels=channels,
    )


def station(row: Row) -> Station:
    """One gauge with what it measures."""
    variables = tuple(found for word in row["variables"].split() if (found := variable(row, word)))
    if not row["variables"]:
        row.wrong("variables", "no variable; allowed: name:kind:interval such as rain:increment:5m, separated by spaces")
    return Station(
        id=identifier(row, "id"),
        name=text(row, "name"),
        name_en=row["name_en"],
        type=kind(row),
        lat=number(row, "lat", -90, 90),
        lon=number(row, "lon", -180, 180),
        variables=variables,
        catchment=row["catchment"],
        place=row["place"],
    )


def site(row: Row) -> Site:
    """One slope, underpass or the like."""
    return Site(
        id=identifier(row, "id"),
        name=text(row, "name"),
        name_en=row["name_en"],
        type=kind(row),
        lat=number(row, "lat", -90, 90),
        lon=number(row, "lon", -180, 180),
        catchment=row["catchment"],
    )


def kind(row: Row) -> str:
    """The type of a station or site."""
    found = row["type"]
    if not _WORD.fullmatch(found):
        row.wrong("type", f"bad type {found!r}; allowed: small letters, digits and _, such as rain_gauge")
    return found


def variable(row: Row, word: str) -> Variable | None:
    """``rain:increment:5m``; None, with the mistake noted, when it is anything else."""
    name, _, rest = word.partition(":")
    measure, _, every = rest.partition(":")
    if not _WORD.fullmatch(name) or measure not in list(Measure):
        row.wrong(
            "variables", f"bad variable {word!r}; allowed: name:kind:interval, kind one of {', '.join(Measure)}, as in rain:increment:5m"
        )
        return None
    try:
        interval = parse_duration(every)
    except ValueError as error:
        row.wrong("variables", f"interval of {name}: {error}")
        return None
    if not interval:
        row.wrong("variables", f"interval of {name}: must be longer than 0")
        return None
    return Variable(name=name, kind=Measure(measure), interval=interval)


def link(row: Row) -> Link:
    """What a station means for a village."""
    minutes = number(row, "travel_time_min", 0, _MAX_TRAVEL_MIN)
    return Link(station=row["station"], village=row["village"], travel_time=timedelta(minutes=minutes))


def speaker(row: Row) -> Speaker:
    """One loudspeaker."""
    return Speaker(id=identifier(row, "id"), village=row["village"], name=text(row, "name"))


def code(row: Row, column: str) -> str:
    """A 12-digit code."""
    found = row[column]
    if not _CODE.fullmatch(found):
        row.wrong(column, f"bad code {found!r}; allowed: 12 digits (county 6, township 3, village 3)")
    return found


def identifier(row: Row, column: str) -> str:
    """A short name that is safe in topics and addresses."""
    found = row[column]
    if not _ID.fullmatch(found):
        row.wrong(column, f"bad id {found!r}; allowed: up to 64 letters, digits, dot, _ and -, beginning with a letter or digit")
    return found


def text(row: Row, column: str) -> str:
    """A text that is not empty."""
    found = row[column]
    if not found:
        row.wrong(column, "is empty; a text is needed")
    return found


def number(row: Row, column: str, low: float, high: float) -> float:
    """A number within bounds; 0 stands in for a wrong one."""
    try:
        found = float(row[column])
    except ValueError:
        found = float("nan")
    if not low <= found <= high:
        row.wrong(column, f"bad number {row[column]!r}; allowed: a number from {low} to {high}")
        return 0.0
    return found
