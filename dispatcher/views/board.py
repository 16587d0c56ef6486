"""The board of the duty room: villages × actions, grouped by warning, worst first. Values only, made by ``dispatcher.views.arrange``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dispatcher.model.notice import Purpose
from dispatcher.policy.model import Action
from dispatcher.ports import Status
from dispatcher.views.call_state import CallState, Standing
from rules.grade import Grade


class CellState(StrEnum):
    """One action of one village."""

    NOT_ASKED = "not_asked"
    PENDING = "pending"
    OVERDUE = "overdue"
    DONE = "done"
    IMPLIED = "implied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What was reported of one action, by whom (a contact's id) and when, or until when it is asked."""

    action: Action
    state: CellState
    at: datetime | None = None
    person: str = ""
    path: str = ""
    on_behalf_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCount:
    """How the deliveries of one channel stand: ``good`` of ``total`` reached the far end, ``bad`` never will."""

    channel: str
    total: int
    good: int
    bad: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One village of one warning. ``notice`` is empty while nothing has been released; ``told`` is what it was told last.

    ``people`` were moved as the village says, of ``listed`` (0: no list); ``helped_moved`` of those ``helped`` who need help, as their
    helpers say.
    """

    key: str
    notice: str
    village: str
    township: str
    grade: Grade
    told: Grade
    revision: int
    purpose: Purpose
    standing: Standing
    cells: tuple[Cell, ...]
    channels: tuple[ChannelCount, ...]
    released_at: datetime | None
    people: int | None
    listed: int
    helped: int
    helped_moved: int
    onset: datetime | None
    stage: str
    help_wanted: bool
    refused: bool
    reason_zh: str
    reason_en: str

    @property
    def not_moved(self) -> int:
        """How many of the list nobody has reported as moved."""
        return max(0, self.listed - (self.people or 0))

    @property
    def asks(self) -> bool:
        """Whether an answer can be written down for it."""
        return bool(self.notice) and self.standing.action is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One warning in force with its villages, worst first. ``shown`` are those that the filter left."""

    key: str
    warning: str
    hazard: str
    area: str
    status: Status
    grade: Grade
    opened_at: datetime
    by_grade: Mapping[Grade, int]
    lines: tuple[Line, ...]
    shown: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Over all warnings in force: who was asked, who answered, who still has to; villages by grade and by state.

    ``people`` were moved; ``listed`` is how many the lists name in villages asked to move, ``not_moved`` how many of them are open.
    """

    asked: int
    answered: int
    open: int
    overdue: int
    people: int
    listed: int
    not_moved: int
    villages: int
    by_grade: Mapping[Grade, int]
    by_state: Mapping[CallState, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a person wants to see: one township (its code, empty for all), only villages that are not done."""

    township: str = ""
    only_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Everything the duty room sees of the warnings in force."""

    sections: tuple[Section, ...]
    totals: Totals
