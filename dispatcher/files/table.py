"""Tables with a fixed heading, as CSV or as a YAML list of rows; every mistake is noted with its line and column."""

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dispatcher.errors import Problem
from dispatcher.files.document import Spot, read_document

_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True)
class Heading:
    """The columns a table has, by name, and where its problems go."""

    file: str
    positions: dict[str, int]
    problems: list[Problem]


class Row:
    """One row; cells are stripped of surrounding space. A missing optional column reads as empty."""

    __slots__ = ("_cells", "_heading", "_spots", "line")

    def __init__(self, heading: Heading, line: int, cells: Sequence[str], spots: Mapping[str, tuple[int, int]] | None = None) -> None:
        """``line`` is where the row starts, counted from 1; ``spots`` are line and column of its cells where they are not in one line."""
        self._heading = heading
        self._cells = cells
        self._spots = spots
        self.line = line

    def __getitem__(self, column: str) -> str:
        """The text of a cell."""
        position = self._heading.positions.get(column)
        return "" if position is None else self._cells[position].strip()

    def wrong(self, column: str, message: str) -> None:
        """Note a mistake in one cell. The column is counted in characters, as editors do."""
        self._heading.problems.append(self.at(column, message))

    def at(self, column: str, message: str) -> Problem:
        """What is to be said of one cell, with its place."""
        if self._spots is not None:
            line, start = self._spots.get(column, (self.line, 1))
            return Problem(self._heading.file, f"{column}: {message}", line, start)
        position = self._heading.positions.get(column, 0)
        start = sum(len(cell) + 1 for cell in self._cells[:position]) + 1
        return Problem(self._heading.file, f"{column}: {message}", self.line, start)

    def has(self, column: str) -> bool:
        """Whether the table has this column."""
        return column in self._heading.positions

    def cells(self) -> dict[str, str]:
        """Every cell by its column."""
        return {name: self[name] for name in self._heading.positions}


def read_table(text: str, file: str, required: Sequence[str], optional: Collection[str], problems: list[Problem]) -> Iterator[Row]:
    """The rows of a CSV text whose first line names the columns. Empty lines are skipped; a misshapen row is noted and left out."""
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        if not _heading_is_right(names, file, required, optional, problems):
            return
        heading = Heading(file, {name: at for at, name in enumerate(names)}, problems)
        line = reader.line_num + 1
        for cells in reader:
            if len(cells) == len(names):
                yield Row(heading, line, cells)
            elif any(cell.strip() for cell in cells):
                problems.append(Problem(file, f"the row has {len(cells)} cells; the heading has {len(names)}: {', '.join(names)}", line))
            line = reader.line_num + 1
    except csv.Error as error:
        problems.append(Problem(file, f"not a readable CSV row: {error}", reader.line_num))


def read_yaml_table(text: str, file: str, required: Sequence[str], optional: Sequence[str], problems: list[Problem]) -> Iterator[Row]:
    """The rows of a YAML text that is a list of mappings from column to cell. Cells may be text, numbers or dates, as written."""
    document = read_document(text, file, problems) if text.strip() else None
    names = [*required, *sorted(optional)]
    heading = Heading(file, {name: at for at, name in enumerate(names)}, problems)
    for item in document.items() if document else []:
        before = len(problems)
        found = item.entries(required, optional)
        line = item.node.start_mark.line + 1
        marks = {name: (spot.node.start_mark.line + 1, spot.node.start_mark.column + 1) for name, spot in found.items()}
        cells = [_cell(found[name]) if name in found else "" for name in names]
        if len(problems) == before:
            yield Row(heading, line, cells, marks)


def _cell(spot: Spot) -> str:
    """A scalar as it is written; a list is its members separated by spaces."""
    if spot.is_list():
        return " ".join(_cell(item) for item in spot.items())
    if spot.is_mapping():
        spot.wrong("expected a text, a number or a list")
        return ""
    return "" if spot.node.tag == _NULL else str(spot.node.value)


def _heading_is_right(names: list[str], file: str, required: Sequence[str], optional: Collection[str], problems: list[Problem]) -> bool:
    allowed = ", ".join([*required, *sorted(optional)])
    missing = [name for name in required if name not in names]
    unknown = [name for name in names if name not in required and name not in optional]
    twice = sorted({name for name in names if names.count(name) > 1})
    for words, found in (("column missing", missing), ("unknown column", unknown), ("column given twice", twice)):
        problems.extend(Problem(file, f"{words}: {name!r}; allowed columns: {allowed}", 1) for name in found)
    return not (missing or unknown or twice)
