"""Recordings of real events: any CSV, described by a small profile, read as readings.

A profile names the columns, the decimal sign, the time zone and what a missing value looks like. What is missing is no
reading at all, never a zero: a sensor that is lost must stay silent here as it did in life.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypedDict
from zoneinfo import ZoneInfo

from dispatcher.errors import ConfigurationError, Problem
from dispatcher.files.document import Spot, read_document
from dispatcher.files.textfile import read_text

_SHOWN = 100
_HOURS = 24
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?")


class RecordedReading(TypedDict):
    """One reading in the form of the interface: ``time`` is ISO 8601 with offset."""

    station: str
    variable: str
    value: float
    unit: str
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One column of values. ``station`` is used where the file has no column of stations."""

    column: str
    variable: str
    unit: str
    station: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How to read one kind of CSV.

    ``missing`` are the cells that mean "no value", ``trace`` those that mean "something, but less than can be measured", which is
    zero: the sensor was heard; ``flags`` are the words of ``flag_column`` that mean "this row measures
    nothing". ``time_format`` is as for strptime; times without offset are local to ``timezone``. Where the hour stands in a column of its
    own, ``hour_column`` names it: 24 is midnight at the end of the day.
    """

    name: str
    delimiter: str
    decimal: str
    timezone: ZoneInfo
    time_column: str
    time_format: str
    hour_column: str
    station_column: str
    values: tuple[Value, ...]
    missing: frozenset[str]
    trace: frozenset[str]
    flag_column: str
    flags: frozenset[str]


def load_profile(path: Path) -> Profile:
    """The profile of a YAML file; ConfigurationError carries every mistake."""
    problems: list[Problem] = []
    text = read_text(path, problems, path.name)
    document = read_document(text, path.name, problems) if text else None
    profile = read_profile(document) if document else None
    if problems or profile is None:
        raise ConfigurationError(problems or [Problem(path.name, "the file is empty")])
    return profile


def read_profile(document: Spot) -> Profile:
    """The profile of a document; mistakes are noted, and the result is only good when there are none."""
    found = document.entries(
        ("name", "timezone", "time", "values"), ("delimiter", "decimal", "station_column", "missing", "trace", "flags")
    )
    time = found["time"].entries(("column", "format"), ("hour",)) if "time" in found else {}
    flags = found["flags"].entries(("column", "lost")) if "flags" in found else {}
    return Profile(
        name=_text(found, "name", ""),
        delimiter=found["delimiter"].word((",", ";", "|"), "delimiter") if "delimiter" in found else ",",
        decimal=found["decimal"].word((".", ","), "decimal sign") if "decimal" in found else ".",
        timezone=found["timezone"].zone() if "timezone" in found else ZoneInfo("UTC"),
        time_column=_text(time, "column", ""),
        time_format=_text(time, "format", ""),
        hour_column=_text(time, "hour", ""),
        station_column=_text(found, "station_column", ""),
        values=tuple(_value(item, "station_column" in found) for item in found["values"].items()) if "values" in found else (),
        missing=frozenset(str(item.node.value) for item in found["missing"].items()) if "missing" in found else frozenset({""}),
        trace=frozenset(item.text() for item in found["trace"].items()) if "trace" in found else frozenset(),
        flag_column=_text(flags, "column", ""),
        flags=frozenset(item.text() for item in flags["lost"].items()) if "lost" in flags else frozenset(),
    )


def read_recording(path: Path, profile: Profile) -> Iterator[RecordedReading]:
    """The readings of a file in its own order. The whole file is checked first: ConfigurationError carries up to 100 mistakes."""
    problems: list[Problem] = []
    text = read_text(path, problems, path.name)
    found = list(readings_of(text, profile, path.name, problems)) if text else []
    if problems:
        raise ConfigurationError(problems[:_SHOWN])
    return iter(found)


def readings_of(text: str, profile: Profile, file: str, problems: list[Problem]) -> Iterator[RecordedReading]:
    """The readings of a text; a row that cannot be read is noted with its line."""
    rows = csv.DictReader(io.StringIO(text), delimiter=profile.delimiter, strict=True)
    names = rows.fieldnames or []
    needed = [
        profile.time_column,
        profile.hour_column,
        profile.station_column,
        profile.flag_column,
        *(value.column for value in profile.values),
    ]
    missing = [name for name in needed if name and name not in names]
    if missing:
        problems.append(Problem(file, f"column missing: {', '.join(missing)}; columns there are: {', '.join(names)}", 1))
        return
    try:
        for row in rows:
            try:
                yield from _readings(row, profile)
            except ValueError as error:
                problems.append(Problem(file, str(error), rows.line_num))
    except csv.Error as error:
        problems.append(Problem(file, f"not a readable CSV row: {error}", rows.line_num))


def _readings(row: Mapping[str, str | None], profile: Profile) -> Iterator[RecordedReading]:
    cells = {name: (cell or "").strip() for name, cell in row.items() if isinstance(name, str)}
    surplus: Iterable[str] = row.get(None) or ()  # type: ignore[call-overload] # csv keeps them under None; empty ones are a delimiter at the end
    if any(surplus) or None in row.values():
        raise ValueError("the row has more or fewer cells than the heading")
    if profile.flag_column and cells[profile.flag_column] in profile.flags:
        return
    hour = cells[profile.hour_column] if profile.hour_column else ""
    time = local_time(cells[profile.time_column], profile, hour).isoformat()
    for value in profile.values:
        cell = cells[value.column]
        if cell in profile.missing:
            continue
        station = cells[profile.station_column] if profile.station_column else value.station
        number = 0.0 if cell in profile.trace else number_of(cell, profile.decimal, value.column)
        yield RecordedReading(station=station, variable=value.variable, value=number, unit=value.unit, time=time)


def number_of(cell: str, decimal: str, column: str) -> float:
    """A number written with the profile's decimal sign; ValueError names the column and the cell."""
    other = "." if decimal == "," else ","
    if other in cell or not _NUMBER.fullmatch(cell.replace(decimal, ".")):
        raise ValueError(f"{column}: {cell!r} is not a number with decimal sign {decimal!r}; name it under 'missing' if it is none")
    return float(cell.replace(decimal, "."))


def local_time(cell: str, profile: Profile, hour: str = "") -> datetime:
    """A time as an aware one; ``hour`` is added where it stands by itself.

    ValueError when it is not in the format, or when the clocks were changed over it.
    """
    try:
        found = datetime.strptime(cell, profile.time_format)  # noqa: DTZ007 the zone is the profile's, set below
    except ValueError:
        raise ValueError(f"{profile.time_column}: {cell!r} is not a time of the form {profile.time_format!r}") from None
    if profile.hour_column:
        if not (hour.isascii() and hour.isdigit() and int(hour) <= _HOURS):
            raise ValueError(f"{profile.hour_column}: {hour!r} is not an hour from 0 to 24")
        found += timedelta(hours=int(hour))
    if found.tzinfo is not None:
        return found
    local = found.replace(tzinfo=profile.timezone)
    if local.replace(fold=1).utcoffset() != local.utcoffset():
        raise ValueError(
            f"{profile.time_column}: {cell!r} is not one moment in {profile.timezone}: the clocks were changed then; give offsets"
        )
    return local.astimezone(UTC).astimezone(profile.timezone)


def _value(spot: Spot, has_stations: bool) -> Value:  # noqa: FBT001 one private call
    found = spot.entries(("column", "variable", "unit") if has_stations else ("column", "variable", "unit", "station"))
    texts = {key: entry.text() for key, entry in found.items()}
    return Value(
        column=texts.get("column", ""), variable=texts.get("variable", ""), unit=texts.get("unit", ""), station=texts.get("station", "")
    )


def _text(found: Mapping[str, Spot], key: str, default: str) -> str:
    return found[key].text() if key in found else default
