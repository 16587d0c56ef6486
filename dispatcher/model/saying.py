"""What a contributor says of a village: one form for rules, people and upper levels alike."""

from dataclasses import dataclass
from datetime import datetime

from dispatcher.policy.release import Origin
from rules.grade import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """From now on ``contributor`` holds ``village`` in ``grade`` (none: it takes its word back), until ``expires_at``.

    ``area`` is the county or township whose warning it belongs to; ``person`` is the one whose word it is, empty for a program.
    ``onset`` is when it is expected to reach the village; None: now.
    """

    hazard: str
    village: str
    contributor: str
    area: str
    grade: Grade
    since: datetime
    reason_zh: str
    reason_en: str
    origin: Origin
    person: str = ""
    expires_at: datetime | None = None
    onset: datetime | None = None
