"""CSV tables with a fixed heading, read row by row; every mistake is noted with its line and column."""

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from dispatcher.errors import Problem


@dataclass(frozen=True, slots=True)
class Heading:
    """The columns a table has, by name, and where its problems go."""

    file: str
    positions: dict[str, int]
    problems: list[Problem]


class Row:
    """One row; cells are stripped of surrounding space. A missing optional column reads as empty."""

    __slots__ = ("_cells", "_heading", "line")

    def __init__(self, heading: Heading, line: int, cells: Sequence[str]) -> None:
        """``line`` is where the row starts, counted from 1."""
        self._heading = heading
        self._cells = cells
        self.line = line

    def __getitem__(self, column: str) -> str:
        """The text of a cell."""
        position = self._heading.positions.get(column)
        return "" if position is None else self._cells[position].strip()

    def wrong(self, column: str, message: str) -> None:
        """Note a mistake in one cell. The column is counted in characters, as editors do."""
        position = self._heading.positions.get(column, 0)
        start = sum(len(cell) + 1 for cell in self._cells[:position]) + 1
        self._heading.problems.append(Problem(self._heading.file, f"{column}: {message}", self.line, start))


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


def _heading_is_right(names: list[str], file: str, required: Sequence[str], optional: Collection[str], problems: list[Problem]) -> bool:
    allowed = ", ".join([*required, *sorted(optional)])
    missing = [name for name in required if name not in names]
    unknown = [name for name in names if name not in required and name not in optional]
    twice = sorted({name for name in names if names.count(name) > 1})
    for words, found in (("column missing", missing), ("unknown column", unknown), ("column given twice", twice)):
        problems.extend(Problem(file, f"{words}: {name!r}; allowed columns: {allowed}", 1) for name in found)
    return not (missing or unknown or twice)
