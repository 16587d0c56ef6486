"""Rosters as ``duty.csv``, out and in: whom the table names for each shift, before exceptions and stand-ins."""

import csv
import io
from collections.abc import Collection
from datetime import date, datetime

from dispatcher.duty.load import entry_of
from dispatcher.duty.model import DutyTable, Entry, Roster
from dispatcher.duty.resolve import people_of_turn, turns_between, turns_of
from dispatcher.errors import ConfigurationError, Problem
from dispatcher.files.table import read_table

FILE = "duty.csv"
COLUMNS = ("roster", "day", "shift", "people")


def as_table(table: DutyTable, since: datetime, until: datetime) -> str:
    """Every shift that has a part between two moments, roster by roster."""
    out = io.StringIO()
    written = csv.writer(out, lineterminator="\n")
    written.writerow(COLUMNS)
    for roster in table.rosters.values():
        for turn in turns_between(table, roster, since, until):
            written.writerow([roster.id, turn.day.isoformat(), turn.shift, " ".join(people_of_turn(table, roster, turn)[1])])
    return out.getvalue()


def from_table(table: DutyTable, text: bytes, contacts: Collection[str]) -> list[Entry]:
    """The shifts that others have than the table says now; ConfigurationError with every mistake, its line and what is allowed."""
    try:
        given = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError([Problem(FILE, "is no text in UTF-8; allowed: CSV in UTF-8")]) from error
    problems: list[Problem] = []
    found: dict[tuple[str, date, str], Entry] = {}
    for row in read_table(given, FILE, COLUMNS, (), problems):
        entry = entry_of(row, table, contacts)
        if entry is None:
            continue
        key = entry.roster, entry.day, entry.shift
        if key in found:
            row.wrong(
                "shift", f"{entry.shift!r} of {entry.day} is given twice; allowed: one row for each shift, its people separated by spaces"
            )
        found[key] = entry
    if problems:
        raise ConfigurationError(problems)
    return [entry for entry in found.values() if entry.people != _named(table, table.rosters[entry.roster], entry)]


def _named(table: DutyTable, roster: Roster, entry: Entry) -> tuple[str, ...] | None:
    """Whom the table names for the shift of an entry; None when the day has no such shift."""
    turn = next((t for t in turns_of(table, roster, entry.day) if t.shift == entry.shift), None)
    return people_of_turn(table, roster, turn)[1] if turn else None
