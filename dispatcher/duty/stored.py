"""What was said of duty since the files were written: rows of the store laid over the table of the files."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from dispatcher.duty.model import Absence, DutyTable, Entry, Override
from dispatcher.ports import Reader, Row
from dispatcher.timestamps import from_ms, to_ms

KEPT_BACK = timedelta(days=40)
"""How far back the table reaches, for pages and for notices that were released some time ago."""


@dataclass(slots=True)
class SaidOfDuty:
    """The newest rows that were read, so that other files can be laid under them without a look at the store."""

    entries: Sequence[Row] = ()
    overrides: Sequence[Row] = ()
    absences: Sequence[Row] = ()

    async def read(self, reader: Reader, county: str, now: datetime) -> None:
        """Read what is in force, was in the last weeks or will be."""
        since = now - KEPT_BACK
        entries = await reader.fetch("duty.entries", {"county": county, "since": since.date().isoformat()})
        overrides = await reader.fetch("duty.overrides", {"county": county, "since": to_ms(since)})
        absences = await reader.fetch("duty.absences", {"county": county, "since": to_ms(since)})
        self.entries, self.overrides, self.absences = entries, overrides, absences

    def over(self, files: DutyTable) -> DutyTable:
        """The table as it stands now."""
        return laid_over(files, self.entries, self.overrides, self.absences)


def laid_over(files: DutyTable, entries: Iterable[Row], overrides: Iterable[Row], absences: Iterable[Row]) -> DutyTable:
    """Entries of the store go before those of the files. Rows of rosters that are gone say nothing."""
    found = (
        Entry(roster=row["roster"], day=date.fromisoformat(row["day"]), shift=row["shift"], people=tuple(json.loads(row["people"])))
        for row in entries
    )
    return replace(
        files,
        entries={**files.entries, **{(e.roster, e.day, e.shift): e for e in found if e.roster in files.rosters}},
        overrides=tuple(override_of(row) for row in overrides if row["roster"] in files.rosters),
        absences=tuple(absence_of(row) for row in absences),
    )


def override_of(row: Row) -> Override:
    """An override of its row."""
    return Override(
        seq=row["seq"],
        roster=row["roster"],
        begins=from_ms(row["begins"]),
        ends=from_ms(row["ends"]),
        people=tuple(json.loads(row["people"])),
        note=row["note"],
    )


def absence_of(row: Row) -> Absence:
    """An absence of its row."""
    return Absence(
        seq=row["seq"],
        person=row["person"],
        begins=from_ms(row["begins"]),
        ends=from_ms(row["ends"]),
        stand_in=row["stand_in"],
        reason=row["reason"],
    )
