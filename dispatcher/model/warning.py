"""A warning is the life of one hazard over one issuing area; an alert is one outward message of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dispatcher.policy.release import Origin
from dispatcher.ports import Status
from rules.grade import Grade


class WarningState(StrEnum):
    """Open while any of its villages is in a grade."""

    OPEN = "open"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one contributor (``rule:<rule>/<place>``, ``person:<name>/<time>``, ``cap:<sender>,<identifier>``) says of one village.

    Only what was released counts: what still waits for a person stands in a proposal. ``person`` is the one whose word it is.
    It ends with ``expires_at``; a rule says itself when it is over.
    """

    county: str
    status: Status
    hazard: str
    village: str
    contributor: str
    grade: Grade
    since: datetime
    reason_zh: str
    reason_en: str
    origin: Origin = Origin.OBSERVED
    person: str = ""
    area: str = ""
    expires_at: datetime | None = None
    onset: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Warning:  # noqa: A001 - the word of the field (architecture.md section 1); the builtin is not used in this package
    """One hazard over one area from opening to lifting. ``alert_due`` is when what was not yet told is told.

    ``renew_at`` is when what is in force is said to hold on, before the first of its notices runs out.
    ``stage_due`` is when one of its villages comes into a more imminent stage.
    """

    id: str
    county: str
    status: Status
    hazard: str
    area: str
    state: WarningState
    grade: Grade
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    alert_due: datetime | None = None
    alerts: int = 0
    renew_at: datetime | None = None
    stage_due: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VillageGrade:
    """Where one village of a warning stands: its grade, the grade it was told last, and how often it was told.

    ``onset`` is when it is expected there (None: now), ``stage`` the stage by lead time in which it was told last.
    """

    warning: str
    village: str
    county: str
    status: Status
    grade: Grade
    told: Grade
    revision: int
    reason_zh: str
    reason_en: str
    onset: datetime | None = None
    stage: str = ""


class MessageType(StrEnum):
    """CAP 1.2 msgType of an outward message."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One outward message, immutable: ``places`` is (village, grade before, grade now), ``refs`` the alerts it replaces.

    ``identifier`` and ``cap`` are the message as the world has it: made once, at release, and never again.
    """

    id: str
    warning: str
    county: str
    status: Status
    message_type: MessageType
    sent_at: datetime
    expires_at: datetime
    refs: tuple[str, ...]
    places: tuple[tuple[str, int, int], ...]
    released_by: str
    note: str = ""
    identifier: str = ""
    cap: str = ""
