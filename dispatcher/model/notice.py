"""A notice is what one village must know at one moment: the thing that must be acknowledged."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dispatcher.ports import Status
from rules.grade import Grade


class Purpose(StrEnum):
    """``warn`` asks for an answer; ``lower`` and ``lift`` inform everyone who was told and ask for nothing."""

    WARN = "warn"
    LOWER = "lower"
    LIFT = "lift"


class NoticeState(StrEnum):
    """What the village has done about it. Overdue and unreachable are read off deadlines and deliveries."""

    CALLING = "calling"
    ANSWERED = "answered"
    ACTING = "acting"
    DONE = "done"
    INFORMED = "informed"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One revision for one village. ``id`` is ``warning/village/revision``; ``plan`` the digest of its snapshotted call plan.

    ``steps_done`` counts the entries of the plan's agenda already taken; ``next_due`` is when the next one is.
    ``listed`` is how many people of the village the lists named at release, ``helped`` how many of them need help; 0: no list.
    ``stage`` says by lead time who is told, empty where there are no stages; ``onset`` is when it is expected, None: now.
    """

    id: str
    alert: str
    warning: str
    county: str
    status: Status
    hazard: str
    village: str
    revision: int
    grade: Grade
    before: Grade
    purpose: Purpose
    state: NoticeState
    released_at: datetime
    expires_at: datetime
    code: str
    plan: str
    reason_zh: str
    reason_en: str
    steps_done: int = 0
    next_due: datetime | None = None
    listed: int = 0
    helped: int = 0
    onset: datetime | None = None
    stage: str = ""
