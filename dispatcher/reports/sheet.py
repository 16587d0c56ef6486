"""A report as a sheet: headings, sentences, tables and pictures, the same for the page, for paper and for programs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dispatcher.rulework.svg import Picture

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; every row has as many cells as there are columns."""

    columns: Cells
    rows: tuple[Cells, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with what stands under it."""

    title: str
    lines: Cells = ()
    table: Table | None = None
    plots: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A whole report. ``mark`` stands on every page (演练 EXERCISE), empty in earnest; ``facts`` are what a program reads."""

    title: str
    subtitle: str
    mark: str
    language: str
    sections: tuple[Section, ...]
    facts: Mapping[str, object] = field(default_factory=dict)
