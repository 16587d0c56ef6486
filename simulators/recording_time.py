"""The time of a recording, shared with the engine through three numbers."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingTime:
    """Recording time = ``start`` + ``speed`` × (wall time - ``epoch_s``). The default is wall time itself."""

    start: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    epoch_s: float = 0.0
    speed: float = 1.0

    def __post_init__(self) -> None:
        """``start`` must be aware and ``speed`` positive."""
        if self.start.tzinfo is None:
            raise ValueError("the start of a recording needs a time zone, like 2026-07-20T08:00:00+08:00")
        if self.speed <= 0:
            raise ValueError(f"the speed of a recording must be above 0, not {self.speed}")

    def now(self) -> datetime:
        """The time of the recording at this moment, in UTC; never before its start."""
        elapsed_s = max(0.0, time.time() - self.epoch_s)
        return self.start.astimezone(UTC) + timedelta(seconds=elapsed_s * self.speed)

    def wall_seconds_until(self, at: datetime) -> float:
        """How many real seconds remain until ``at`` of the recording; 0 when it has passed."""
        return max(0.0, (at - self.now()).total_seconds() / self.speed)
