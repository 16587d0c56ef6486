"""The CSV tables a rule names: thresholds per station that a hydrologist keeps in a spreadsheet."""

import csv
import io
import math
import re

from rules.errors import RuleError
from rules.model import GRADES, GREATEST, Columns, OverrideRow

LONGEST_FILE = 20_000_000
_OVERRIDE = ("station", "input", *(g.word for g in GRADES))
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


def overrides(table: Table, inputs: tuple[str, ...]) -> tuple[OverrideRow, ...]:
    """Thresholds per station and input; ``inputs`` are those with a table row."""
    if tuple(table.header) != _OVERRIDE:
        table.wrong(1, [], 0, f"the header must be {','.join(_OVERRIDE)}")
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


def columns(table: Table, taken: tuple[str, ...]) -> Columns:
    """Named numbers per station; a name must not be one of ``taken``."""
    names = tuple(table.header[1:])
    if not table.header or table.header[0] != "station" or not names:
        table.wrong(1, [], 0, "the header must be station,NAME,…")
        return Columns(file=table.file, names=(), rows={})
    for i, name in enumerate(names, start=1):
        if not _NAME.fullmatch(name) or name in taken or names.count(name) > 1:
            table.wrong(1, table.header, i, f"column {name!r:.40} is taken, double or of a wrong form; allowed: {_NAME.pattern}")
    rows: dict[str, tuple[float, ...]] = {}
    for n, cells in table.lines:
        if cells[0] in rows:
            table.wrong(n, cells, 0, f"station {cells[0]!r:.40} stands here twice")
        rows[cells[0]] = tuple(table.number(n, cells, i) for i in range(1, len(cells)))
    return Columns(file=table.file, names=names, rows=rows)
