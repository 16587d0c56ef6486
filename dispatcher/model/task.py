"""Work for a person in the duty room, and the lines of the live stream."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dispatcher.ports import Status
from rules.grade import Grade


class TaskKind(StrEnum):
    """Why a person must look."""

    NO_DATA = "no_data"
    QUALITY = "quality"
    CONFIRM = "confirm"
    LIFT = "lift"
    GAP = "gap"
    UNREACHABLE = "unreachable"
    UNCLEAR_REPLY = "unclear_reply"
    HELP = "help"
    REFUSED = "refused"
    OVERDUE = "overdue"
    UNDECIDED = "undecided"
    DAMAGED = "damaged"
    OPTED_OUT = "opted_out"
    AUDIT = "audit"
    RELEASE = "release"
    UPSTREAM = "upstream"
    REPORT = "report"
    MESSAGE = "message"
    COUNT = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """``key`` is stable: the same matter raised again opens no second task."""

    key: str
    county: str
    status: Status
    kind: TaskKind
    village: str
    text_zh: str
    text_en: str
    opened_at: datetime


class FeedKind(StrEnum):
    """What a line of the live stream is about."""

    CHANGE = "change"
    WARNING = "warning"
    PROPOSAL = "proposal"
    ALERT = "alert"
    ESCALATION = "escalation"
    ANSWER = "answer"
    FAILURE = "failure"
    TASK = "task"
    INCIDENT = "incident"
    RULES = "rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLine:
    """One thing that happened, in both languages; ``subject`` is the village, place or warning it is about."""

    county: str
    status: Status
    at: datetime
    kind: FeedKind
    grade: Grade
    subject: str
    text_zh: str
    text_en: str
