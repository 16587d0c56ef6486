"""Who lives in the town: contacts and speakers, read from the registry directory."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

CONTACT_COLUMNS = ("id", "name", "role", "area", "phone", "channels")
SPEAKER_COLUMNS = ("id", "village")


class RosterError(Exception):
    """A file of the registry directory cannot be used; the message names the file and what it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person with a phone. ``area`` is the code of a village, township or county."""

    id: str
    name: str
    role: str
    area: str
    phone: str
    language: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A loudspeaker and the village it stands in."""

    id: str
    village: str


@dataclass(frozen=True)
class Roster:
    """Everybody and every speaker, with the township of each village (by village code)."""

    contacts: tuple[Contact, ...] = ()
    speakers: tuple[Speaker, ...] = ()
    townships: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_phone(self) -> Mapping[str, Contact]:
        """The owner of each number; the first one when several share it."""
        return {contact.phone: contact for contact in reversed(self.contacts) if contact.phone}


def load(directory: Path) -> Roster:
    """Read contacts.csv, speakers.csv and villages.csv; the last two may be missing."""
    contacts = (_contact(row) for row in _rows(directory / "contacts.csv", CONTACT_COLUMNS, required=True))
    speakers = (Speaker(id=row["id"], village=row["village"]) for row in _rows(directory / "speakers.csv", SPEAKER_COLUMNS))
    townships = {row["code"]: row["township"] for row in _rows(directory / "villages.csv", ("code", "township"))}
    return Roster(tuple(contacts), tuple(speakers), townships)


def _contact(row: Mapping[str, str]) -> Contact:
    channels = tuple(row["channels"].replace(",", " ").replace(";", " ").replace("|", " ").split())
    return Contact(
        id=row["id"],
        name=row["name"],
        role=row["role"],
        area=row["area"],
        phone=row["phone"].replace(" ", ""),
        language=row.get("language") or "zh",
        channels=channels,
    )


def _rows(path: Path, columns: Iterable[str], *, required: bool = False) -> list[dict[str, str]]:
    if not path.exists():
        if required:
            raise RosterError(f"{path} is missing; it needs the columns {', '.join(columns)}")
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file)
        missing = [column for column in columns if column not in (table.fieldnames or ())]
        if missing:
            raise RosterError(f"{path}:1: column {', '.join(missing)} is missing; found {', '.join(table.fieldnames or ())}")
        return [{name: (value or "").strip() for name, value in row.items() if name} for row in table]
