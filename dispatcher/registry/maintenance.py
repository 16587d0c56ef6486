"""Times at which somebody works on a station. What it sends of then is kept and shown, and no rule uses it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """Work on one station, from a moment to another, both included. ``note`` says what and by whom, in the operator's own words."""

    station: str
    since: datetime
    until: datetime
    note: str = ""
