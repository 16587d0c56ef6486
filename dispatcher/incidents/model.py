"""An incident is what is reported upward; a report is one statement about it; an instruction is what a leader writes back.

Kinds and fields of reports: provincial rules for emergency information reporting, as collected in the field standards, 4.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum

from dispatcher.ports import Status
from rules.grade import Grade


class Origin(StrEnum):
    """How an incident came to be known."""

    WARNING = "warning"
    MESSAGE = "message"
    HAND = "hand"


class IncidentState(StrEnum):
    """Open until its final report is sent and a person closes it."""

    OPEN = "open"
    CLOSED = "closed"


class ReportKind(StrEnum):
    """初报, 续报, 终报, 零报告."""

    FIRST = "first"
    FOLLOW_UP = "follow_up"
    FINAL = "final"
    ZERO = "zero"


class ReportState(StrEnum):
    """Where a report stands on its way out of the house. Transitions: dispatcher/incidents/life.py."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    SENT = "sent"
    DISCARDED = "discarded"


class Part(StrEnum):
    """The fields of a report, in their order."""

    TIME = "time"
    PLACE = "place"
    SOURCE = "source"
    CAUSE = "cause"
    COURSE = "course"
    CASUALTIES = "casualties"
    LOSSES = "losses"
    IMPACT = "impact"
    TREND = "trend"
    RESPONSE = "response"
    REQUESTS = "requests"
    ON_SCENE = "on_scene"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """``known_at`` is when the house learnt of it: every deadline counts from there.

    ``origin_ref`` is the warning's id or the message's number. ``phoned_at`` is when it was reported by telephone.
    ``reminded_at`` is up to when reminders have been given, ``next_due`` when the next one is.
    """

    id: str
    county: str
    status: Status
    title: str
    hazard: str
    area: str
    level: Grade
    state: IncidentState
    origin: Origin
    origin_ref: str
    known_at: datetime
    opened_at: datetime
    opened_by: str
    phoned_at: datetime | None = None
    phoned_to: str = ""
    closed_at: datetime | None = None
    reminded_at: datetime | None = None
    next_due: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """``number`` counts the reports of its incident from 1. ``reviewed_by`` is never ``drafted_by``."""

    incident: str
    number: int
    county: str
    kind: ReportKind
    state: ReportState
    parts: Mapping[str, str]
    drafted_by: str
    drafted_at: datetime
    updated_at: datetime
    reviewed_by: str = ""
    remark: str = ""
    sent_at: datetime | None = None
    sent_by: str = ""
    sent_to: str = ""
    sent_how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """批示: what a leader wrote about an incident, by when feedback is wanted, and what was fed back."""

    incident: str
    number: int
    county: str
    leader: str
    post: str
    text: str
    given_at: datetime
    recorded_by: str
    due: datetime | None = None
    feedback: str = ""
    feedback_at: datetime | None = None
    feedback_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VillageMessage:
    """What somebody of a village reported: by SMS or by his link. Position in degrees (WGS 84); a photo is kept beside it."""

    county: str
    status: Status
    person: str
    village: str
    text: str
    at: datetime
    path: str
    lat: float | None = None
    lon: float | None = None
    photo_type: str = ""
    incident: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelLimits:
    """Within what time a level is reported after it became known; None where a way is not asked for."""

    written: timedelta
    telephone: timedelta | None = None
    to: tuple[str, ...] = ()


_HENAN = "豫政办 (news.hnr.cn), seen in one secondary source: set your own province's"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """The county's table of reporting limits. ``follow_ups`` are local times of day; ``remind_at`` shares of a limit, in percent."""

    levels: Mapping[Grade, LevelLimits] = field(
        default_factory=lambda: {
            Grade.RED: LevelLimits(telephone=timedelta(minutes=15), written=timedelta(minutes=35)),
            Grade.ORANGE: LevelLimits(telephone=timedelta(minutes=15), written=timedelta(minutes=35)),
            Grade.YELLOW: LevelLimits(written=timedelta(hours=1)),
            Grade.BLUE: LevelLimits(written=timedelta(hours=6)),
        }
    )
    follow_ups: tuple[time, ...] = (time(8), time(17))
    remind_at: tuple[int, ...] = (50, 80)
    source: str = _HENAN
