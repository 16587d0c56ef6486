"""An answer is what a human said for a village: who, when, by which path, with what content."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dispatcher.ports import Status


class Said(StrEnum):
    """What an answer says. ``help`` and ``refused`` raise a task at once."""

    RECEIVED = "received"
    EVACUATING = "evacuating"
    EVACUATED = "evacuated"
    HELP = "help"
    REFUSED = "refused"


class Path(StrEnum):
    """How an answer reached us."""

    SMS = "sms"
    LINK = "link"
    VOICE = "voice"
    CHAT = "chat"
    TERMINAL = "terminal"
    DUTY_ROOM = "duty_room"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``person`` is a contact's id; ``on_behalf_by`` the duty officer who wrote it down, empty when the person said it himself.

    A ``helper`` was told only to bring his households to safety: he answers for them, not for the village.
    """

    notice: str
    warning: str
    county: str
    status: Status
    village: str
    revision: int
    person: str
    on_behalf_by: str
    action: Said
    path: Path
    people: int | None
    note: str
    at: datetime
    helper: bool = False
