"""A drill and its participants. Whoever is not listed does not exist for it."""

from dataclasses import dataclass
from datetime import datetime

from rules.grade import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Participants:
    """Contacts and speakers by id, and the villages that are warned."""

    villages: tuple[str, ...]
    people: frozenset[str]
    speakers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One drill. Its warnings are those of status Exercise between ``started_at`` and ``ended_at`` (while it runs: now).

    ``ends_at`` is when it ends by itself. ``storm`` names a recording that is replayed through the rules; empty for a warning by hand.
    """

    id: str
    county: str
    title: str
    hazard: str
    grade: Grade
    villages: tuple[str, ...]
    people: tuple[str, ...]
    speakers: tuple[str, ...]
    started_at: datetime
    started_by: str
    ends_at: datetime
    ended_at: datetime | None = None
    storm: str = ""

    @property
    def participants(self) -> Participants:
        """Who takes part."""
        return Participants(villages=self.villages, people=frozenset(self.people), speakers=frozenset(self.speakers))


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillPlan:
    """What somebody wants to exercise: villages by code (or what they lie in), whom to call beside their own people.

    ``township`` and ``county`` add the people of these levels; ``speakers`` lets loudspeakers play, marked as an exercise.
    With a ``storm``, played at ``speed``, hazard and grade are what the rules make of it.
    """

    title: str
    hazard: str
    grade: Grade
    areas: tuple[str, ...]
    minutes: int = 120
    township: bool = False
    county: bool = False
    speakers: bool = False
    storm: str = ""
    speed: float = 1.0
