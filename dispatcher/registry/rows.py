"""One row of each table → one object. Wrong cells are noted and replaced, so that one mistake does not make ten."""

import re
from datetime import date, timedelta

from dispatcher.files.duration import parse_duration
from dispatcher.files.table import Row
from dispatcher.registry.areas import DIGITS, Alias, Codes
from dispatcher.registry.model import (
    CHANNELS,
    LOUDSPEAKER,
    SMS,
    Area,
    Contact,
    County,
    Level,
    Link,
    Measure,
    Speaker,
    Station,
    Variable,
    Verification,
    Village,
)
from dispatcher.registry.site import Site

CONTACT_CHANNELS = tuple(channel for channel in CHANNELS if channel != LOUDSPEAKER)

_CODE = re.compile(r"[0-9]{12}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_ROLE = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
_GROUP_CODE = re.compile(r"[0-9]{12,15}")
_WORD = re.compile(r"[a-z][a-z0-9_]*")
_MAX_TRAVEL_MIN = 10_000
_LAT, _LON = 90, 180
_CORNERS = 3
GROUP = "group"
"""Part of a village (组)."""


def area(row: Row, county: County) -> Area:
    """The county, what lies above it or within; villages have a table of their own."""
    level = row["level"]
    known = [word for word in (*DIGITS, GROUP) if word != Level.VILLAGE]
    if level == Level.VILLAGE or (level not in known if county.codes is Codes.GBT else not _WORD.fullmatch(level)):
        row.wrong("level", f"unknown level {level!r}; allowed: {_levels(county)} (villages stand in villages.csv)")
        level = Level.TOWNSHIP
    above = level == Level.COUNTY or DIGITS.get(level, 99) < DIGITS[Level.COUNTY]
    parent = code(row, "parent", county) if row["parent"] or not above else ""
    return Area(
        code=code(row, "code", county, group=level == GROUP),
        parent=parent,
        level=level,
        name=text(row, "name"),
        name_en=row["name_en"],
        valid_from=day(row, "valid_from"),
        valid_to=day(row, "valid_to"),
    )


def _levels(county: County) -> str:
    if county.codes is Codes.LINKS:
        return "small letters, digits and _, such as county, township, municipality"
    return "county, township, country, province, prefecture, group"


def alias(row: Row, county: County) -> Alias:
    """A code that is no longer used."""
    return Alias(
        code=code(row, "code", county),
        name=text(row, "name"),
        name_en=row["name_en"],
        now=code(row, "now", county),
        since=day(row, "since"),
    )


def village(row: Row, county: County) -> Village:
    """One village; the shelter may be empty."""
    return Village(
        code=code(row, "code", county),
        name=text(row, "name"),
        name_en=row["name_en"],
        township=code(row, "township", county),
        lat=number(row, "lat", -90, 90),
        lon=number(row, "lon", -180, 180),
        population=int(number(row, "population", 0, 10_000_000)),
        shelter=row["shelter"],
        shelter_en=row["shelter_en"],
        catchment=row["catchment"],
        outline=outline(row),
        valid_from=day(row, "valid_from"),
        valid_to=day(row, "valid_to"),
    )


def contact(row: Row, county: County) -> Contact:
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
    roles = row["role"].split() or [""]
    for role in roles:
        if not _ROLE.fullmatch(role):
            row.wrong(
                "role",
                f"bad role {role!r}; allowed: county, township or village (or another level of areas.csv), a dot and a word, "
                "such as village.head; several are separated by spaces",
            )
    languages = row["language"].split() or [""]
    for language in languages:
        if language not in county.languages:
            row.wrong("language", f"unknown language {language!r}; allowed by county.yaml: {', '.join(county.languages)}")
    return Contact(
        id=identifier(row, "id"),
        name=text(row, "name"),
        name_en=row["name_en"],
        role=roles[0],
        area=code(row, "area", county),
        phone=phone,
        language=languages[0],
        channels=channels,
        also=tuple(roles[1:]),
        speaks=tuple(languages[1:]),
        verification=verification(row),
        verified_on=day(row, "verified_on"),
    )


def verification(row: Row) -> Verification:
    """Whether somebody has tried the contact; empty is never."""
    word = row["verified"]
    if word and word not in list(Verification):
        row.wrong("verified", f"unknown word {word!r}; allowed: {', '.join(Verification)}")
        word = ""
    return Verification(word or Verification.UNVERIFIED)


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
    return Speaker(id=identifier(row, "id"), village=row["village"], name=text(row, "name"), owner=row["owner"])


def outline(row: Row) -> tuple[tuple[float, float], ...]:
    """Corners as CAP writes them: ``26.1,111.4 26.2,111.4 26.2,111.5``; the first may be said again at the end."""
    corners = []
    for word in row["outline"].split():
        lat, _, lon = word.partition(",")
        try:
            point = float(lat), float(lon)
        except ValueError:
            point = 999.0, 999.0
        if abs(point[0]) > _LAT or abs(point[1]) > _LON:
            row.wrong("outline", f"bad corner {word!r}; allowed: latitude,longitude in degrees, corners separated by spaces")
            return ()
        corners.append(point)
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners.pop()
    if corners and len(corners) < _CORNERS:
        row.wrong("outline", f"an outline of {len(corners)} corners; at least {_CORNERS} are needed, or none")
        return ()
    return tuple(corners)


def day(row: Row, column: str) -> date | None:
    """A day, or None for an empty cell."""
    found = row[column]
    try:
        return date.fromisoformat(found) if found else None
    except ValueError:
        row.wrong(column, f"bad day {found!r}; allowed: a date such as 2026-04-01, or nothing")
        return None


def code(row: Row, column: str, county: County, *, group: bool = False) -> str:
    """A code: 12 digits, or any short name where county.yaml says ``codes: links``."""
    found = row[column]
    if county.codes is Codes.LINKS:
        return identifier(row, column)
    if group:
        if not _GROUP_CODE.fullmatch(found):
            row.wrong(column, f"bad code {found!r}; allowed for a group: its village's 12 digits and up to 3 more")
    elif not _CODE.fullmatch(found):
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
