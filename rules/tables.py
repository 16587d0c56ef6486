"""The CSV tables a rule names: thresholds per station that a hydrologist keeps in a spreadsheet."""

import csv
import io
import math
import re

from rules.errors import RuleError
from rules.model import GRADES, GREATEST, Columns, Numbers, OverrideRow
from rules.season import Season, days_of_year, month_day

LONGEST_FILE = 20_000_000
_OVERRIDE = ("input", *(g.word for g in GRADES))
_DATES = ("from", "to")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_Lines = list[tuple[int, list[str]]]


class Table:
    """One CSV file under reading; mistakes are collected in ``errors``."""

    def __init__(self, file: str, text: str) -> None:
        """Split the text into cells, without the spaces around them."""
        self.file = file
        self.errors: list[RuleError] = []
        self.header: list[str] = []
        self.lines: _Lines = []
        if len(text) > LONGEST_FILE:
            self.wrong(1, [], 0, f"the table has {len(text)} characters; allowed: {LONGEST_FILE}")
            return
        reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
        try:
            lines = [(reader.line_num, [c.strip() for c in cells]) for cells in reader]
        except csv.Error as e:
            self.wrong(reader.line_num, [], 0, f"not CSV: {e}")
            return
        lines = [(n, cells) for n, cells in lines if any(cells)]
        if lines:
            self.header = lines[0][1]
            self.lines = self._full(lines)

    def _full(self, lines: _Lines) -> _Lines:
        wanted = len(self.header)
        for n, cells in lines[1:]:
            if len(cells) != wanted:
                self.wrong(n, cells, 0, f"this line has {len(cells)} cells, the header {wanted}")
        return [(n, cells) for n, cells in lines[1:] if len(cells) == wanted]

    def wrong(self, line: int, cells: list[str], index: int, message: str) -> None:
        """Note a mistake at one cell of a line."""
        column = 1 + sum(len(c) + 1 for c in cells[:index])
        self.errors.append(RuleError(self.file, line, column, message))

    def number(self, line: int, cells: list[str], index: int) -> float:
        """The number in a cell; 0 stands in for a wrong one."""
        try:
            value = float(cells[index])
        except ValueError:
            value = math.nan
        if not abs(value) <= GREATEST:
            self.wrong(line, cells, index, f"{self.header[index]!r} must be a number within ±{GREATEST:g}, not {cells[index]!r:.40}")
            return 0.0
        return value


def overrides(table: Table, inputs: tuple[str, ...], first: tuple[str, ...]) -> tuple[OverrideRow, ...]:
    """Thresholds per place and input; ``inputs`` are those with a table row, ``first`` what the first column may be called."""
    if tuple(table.header[1:]) != _OVERRIDE or table.header[0] not in first:
        table.wrong(1, [], 0, f"the header must be {','.join((first[0], *_OVERRIDE))}")
        return ()
    rows: dict[tuple[str, str], OverrideRow] = {}
    for n, cells in table.lines:
        station, name = cells[0], cells[1]
        if name not in inputs:
            table.wrong(n, cells, 1, f"{name!r:.40} has no table row in the ladder; allowed: {', '.join(inputs)}")
        if (station, name) in rows:
            table.wrong(n, cells, 0, f"station {station!r:.40} with input {name!r:.40} stands here twice")
        values = tuple(table.number(n, cells, i) if cells[i] else None for i in range(2, 6))
        rows[station, name] = OverrideRow(station=station, input=name, cells=values, file=table.file, line=n)
    return tuple(rows.values())


def columns(table: Table, taken: tuple[str, ...], first: tuple[str, ...]) -> Columns:
    """Named numbers per place; a name must not be one of ``taken``. With columns ``from`` and ``to`` they change by date."""
    dated = tuple(table.header[1:3]) == _DATES
    start = 3 if dated else 1
    names = tuple(table.header[start:])
    if not table.header or table.header[0] not in first or not names:
        table.wrong(1, [], 0, f"the header must be {first[0]},NAME,… or {first[0]},from,to,NAME,…")
        return Columns(file=table.file, names=(), rows={})
    for i, name in enumerate(names, start=start):
        if not _NAME.fullmatch(name) or name in (*taken, *_DATES) or names.count(name) > 1:
            table.wrong(1, table.header, i, f"column {name!r:.40} is taken, double or of a wrong form; allowed: {_NAME.pattern}")
    rows: dict[str, tuple[Numbers, ...]] = {}
    for n, cells in table.lines:
        if cells[0] in rows and not dated:
            table.wrong(n, cells, 0, f"station {cells[0]!r:.40} stands here twice")
        values = tuple(table.number(n, cells, i) for i in range(start, len(cells)))
        when = _season(table, n, cells) if dated else None
        rows[cells[0]] = (*rows.get(cells[0], ()), Numbers(values=values, line=n, season=when))
    for station, found in rows.items() if dated and not table.errors else ():
        _check_year(table, station, found)
    return Columns(file=table.file, names=names, rows=rows)


def _season(table: Table, line: int, cells: list[str]) -> Season:
    days = []
    for i in (1, 2):
        try:
            days.append(month_day(cells[i]))
        except ValueError as e:
            table.wrong(line, cells, i, str(e))
            days.append((1, 1))
    return Season(((days[0], days[1]),))


def _check_year(table: Table, station: str, rows: tuple[Numbers, ...]) -> None:
    """Each day of the year must have exactly one row."""
    for day in days_of_year():
        there = [r for r in rows if r.season and r.season.includes(day)]
        if len(there) != 1:
            line = there[1].line if there else rows[0].line
            what = "stands in two rows" if there else "stands in no row"
            table.wrong(line, [], 0, f"{day[0]:02}-{day[1]:02} {what} of station {station!r:.40}; each day needs one")
            return
