"""What other programs, a dead-man's switch and paper are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from dispatcher.ports.channels import Status
from dispatcher.reports.sheet import Sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """The engine of this county can do its job, and what was released was told."""

    county: str
    status: Status
    at: datetime


class Beacon(Protocol):
    """Where a heartbeat goes: a dead-man's switch outside that raises the alarm when it stays away.

    ``beat`` tries once, within a bound, and raises BeatFailed when it did not get out. It is called by one task.
    """

    name: str

    async def beat(self, beat: Beat) -> None:
        """Say that all is well."""
        ...


class Printer(Protocol):
    """What turns a report into paper. Pure: the same sheet gives a document with the same content."""

    def print(self, sheet: Sheet) -> bytes:
        """A whole document (PDF); called in a thread."""
        ...


class Stream(StrEnum):
    """What other programs may follow."""

    CHANGES = "changes"
    REJECTS = "rejects"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record for other programs. The order of records of one ``key`` holds; the header ``id`` is the same when it is said again."""

    key: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    status: Status = Status.ACTUAL


class Outlet(Protocol):
    """Where other programs hear of what was committed.

    ``publish`` returns when the far side has all records durably and raises OutletFailed otherwise: then the engine publishes them
    again later, from the first. It is called by one task. What is not Actual must stay apart from what is.
    """

    name: str

    @property
    def streams(self) -> Sequence[Stream]:
        """What it wants to be told."""
        ...

    async def publish(self, stream: Stream, records: Sequence[Outgoing]) -> None:
        """Hand over records, in their order."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
