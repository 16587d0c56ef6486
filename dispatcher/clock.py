"""The one clock. Engine, timers, senders and simulator take the time from here and nowhere else."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where ``now`` comes from. ``now`` is aware, in UTC, and never steps backwards between two calls.

    ``speed`` is how many of its seconds pass in one second of the wall.
    """

    speed: float

    def now(self) -> datetime:
        """The current time."""
        ...

    async def sleep(self, duration: timedelta) -> None:
        """Return once this much time has passed on this clock; cancellable."""
        ...


class Wall:
    """The system's wall clock as one that never goes back and never stands still.

    When it is stepped back, time goes on at half speed until the system's has caught up: timers and retries go on meanwhile,
    which they would not on a clock that waits.
    """

    def __init__(self) -> None:
        """Start from the system's time."""
        self._last_s, self._steady_s = time.time(), time.monotonic()

    def seconds(self) -> float:
        """Seconds since 1970."""
        steady_s = time.monotonic()
        self._last_s = max(time.time(), self._last_s + (steady_s - self._steady_s) / 2)
        self._steady_s = steady_s
        return self._last_s


class SystemClock:
    """Wall time, slowed down rather than stepped back."""

    speed = 1.0

    def __init__(self) -> None:
        """Start from the system's wall clock."""
        self._wall = Wall()

    def now(self) -> datetime:
        """The system's time, or a little more than the last one given if the system clock was stepped back."""
        return datetime.fromtimestamp(self._wall.seconds(), UTC)

    async def sleep(self, duration: timedelta) -> None:
        """Sleep in real seconds."""
        await asyncio.sleep(max(0.0, duration.total_seconds()))


class ReplayClock:
    """Time of a recording, running ``speed`` times faster than the wall: start + speed × elapsed.

    Two processes that share ``start``, ``epoch_s`` (time.time() at start) and ``speed`` agree on the time.
    """

    def __init__(self, start: datetime, speed: float, epoch_s: float | None = None) -> None:
        """``start`` must be aware and ``speed`` positive."""
        if start.tzinfo is None:
            raise ValueError("the start of a replay needs a time zone")
        if speed <= 0:
            raise ValueError(f"the speed of a replay must be above 0, not {speed}")
        self.start = start.astimezone(UTC)
        self.speed = speed
        self._wall = Wall()
        self.epoch_s = self._wall.seconds() if epoch_s is None else epoch_s

    def now(self) -> datetime:
        """Recording time that corresponds to this moment."""
        elapsed = max(0.0, self._wall.seconds() - self.epoch_s)
        return self.start + timedelta(seconds=elapsed * self.speed)

    async def sleep(self, duration: timedelta) -> None:
        """Sleep until this much recording time has passed."""
        await asyncio.sleep(max(0.0, duration.total_seconds() / self.speed))


class ManualClock:
    """A clock that a test moves; sleepers wake in order of their time."""

    speed = 1.0

    def __init__(self, start: datetime) -> None:
        """``start`` must be aware."""
        if start.tzinfo is None:
            raise ValueError("the start of a clock needs a time zone")
        self._now = start.astimezone(UTC)
        self._sleepers: list[tuple[datetime, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """The time the test has set."""
        return self._now

    async def sleep(self, duration: timedelta) -> None:
        """Wait until ``advance`` has moved the clock this far."""
        if duration <= timedelta(0):
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + duration, future))
        await future

    def advance(self, duration: timedelta) -> None:
        """Move the clock forwards and wake whoever is due."""
        self._now += duration
        due = sorted((s for s in self._sleepers if s[0] <= self._now), key=lambda s: s[0])
        self._sleepers = [s for s in self._sleepers if s[0] > self._now]
        for _, future in due:
            if not future.done():
                future.set_result(None)
