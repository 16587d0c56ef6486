"""Recordings in our own form: CSV or JSON lines with station, variable, value, unit, time. Read whole, or not at all."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from dispatcher.errors import ConfigurationError, Problem
from dispatcher.files.textfile import read_text

_NEEDED = ("station", "variable", "value", "unit", "time")
_SHOWN = 20


def read_plain(file: Path) -> list[dict[str, Any]]:
    """The rows of a recording; ConfigurationError names the first mistakes with their lines."""
    problems: list[Problem] = []
    text = read_text(file, problems, str(file))
    if problems:
        raise ConfigurationError(problems)
    rows: list[dict[str, Any]] = []
    found = _table(text) if file.suffix.lower() == ".csv" else _lines(text)
    for line, row in found:
        mistake = row if isinstance(row, str) else _mistake(row)
        if mistake:
            problems.append(Problem(str(file), mistake, line))
            if len(problems) >= _SHOWN:
                break
        elif isinstance(row, dict):
            rows.append(row | {"value": float(row["value"])})
    if problems:
        raise ConfigurationError(problems)
    return rows


def _table(text: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        yield 1, f"the line of names lacks {', '.join(missing)}; needed: {', '.join(_NEEDED)} (other forms need a recording.yaml)"
        return
    for row in reader:
        yield reader.line_num, {name: cell for name, cell in row.items() if name and cell}


def _lines(text: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            yield (
                number,
                f"not JSON at character {error.pos + 1} ({error.msg}); allowed: one JSON object on each line, or a file ending in .csv",
            )
            continue
        yield number, row if isinstance(row, dict) else "not a JSON object; allowed: one on each line"


def _mistake(row: dict[str, Any]) -> str:
    """What is wrong with a row, empty when nothing is. Whether the registry knows its station is seen later."""
    missing = [name for name in _NEEDED if name not in row]
    if missing:
        return f"lacks {', '.join(missing)}; needed: {', '.join(_NEEDED)}"
    try:
        float(row["value"])
    except (TypeError, ValueError):
        return f"value: {row['value']!r} is not a number"
    try:
        aware = datetime.fromisoformat(str(row["time"])).utcoffset() is not None
    except ValueError:
        aware = False
    return "" if aware else f"time: {row['time']!r} is not an ISO 8601 time with an offset, such as 2026-07-20T08:05:00+08:00"
