"""What waits for a person before it may leave the house: entries of one hazard over one area, with who has agreed to what."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dispatcher.model.saying import Saying
from dispatcher.policy.release import LIFE_SAFETY, ReleaseRule
from dispatcher.ports import Status
from dispatcher.timestamps import stored
from rules.grade import Grade


class ProposalState(StrEnum):
    """``waiting`` until nothing of it is left; then what became of the last of it."""

    WAITING = "waiting"
    RELEASED = "released"
    REFUSED = "refused"
    DROPPED = "dropped"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one contributor wants to say of one village. ``before`` is what it says so far; ``deadline`` is when silence decides."""

    saying: Saying
    before: Grade
    rule: ReleaseRule
    deadline: datetime

    @property
    def key(self) -> tuple[str, str]:
        """Whose word about which village."""
        return self.saying.village, self.saying.contributor

    @property
    def life_safety(self) -> bool:
        """Whether silence must never drop it: it raises to orange or red, or takes one of them back."""
        return max(self.saying.grade, self.before) >= LIFE_SAFETY

    @property
    def digest(self) -> str:
        """Names exactly what would be said: another grade, reason or validity is another digest. The same before and after it is stored."""
        s = self.saying
        until = stored(s.expires_at).isoformat() if s.expires_at else ""
        ahead = [stored(s.onset).isoformat()] if s.onset else []  # what has none has the name it always had
        parts = [s.hazard, s.village, s.contributor, int(self.before), int(s.grade), s.reason_zh, s.reason_en, until, *ahead]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One person agrees to entries by their digests. ``override`` stands for the second person who could not be had."""

    by: str
    role: str
    at: datetime
    entries: tuple[str, ...]
    override: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One per hazard and area for all rules together, and one for each warning of a person or an upper level.

    ``topic`` is that warning's contributor, empty for the rules; ``proposer`` the person, empty where there is none.
    """

    id: str
    county: str
    status: Status
    hazard: str
    area: str
    topic: str
    proposer: str
    opened_at: datetime
    updated_at: datetime
    state: ProposalState = ProposalState.WAITING
    entries: tuple[Entry, ...] = ()
    approvals: tuple[Approval, ...] = ()
    paged: int = 0
    closed_at: datetime | None = None
    closed_by: str = ""
    note: str = ""

    @property
    def hash(self) -> str:
        """Names the exact content: what an approval is bound to."""
        return content_hash(e.digest for e in self.entries)

    @property
    def deadline(self) -> datetime | None:
        """When the first of it is decided by silence, or is too old to be said."""
        times = [e.deadline for e in self.entries] + [e.saying.expires_at for e in self.entries if e.saying.expires_at]
        return min(times, default=None)

    @property
    def grade(self) -> Grade:
        """The highest grade it asks for."""
        return max((e.saying.grade for e in self.entries), default=Grade.NONE)


def content_hash(digests: Iterable[str]) -> str:
    """The name of a set of entries, in whatever order."""
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()[:32]
