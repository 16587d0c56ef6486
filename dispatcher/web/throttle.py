"""Slows down who guesses passwords, without locking out the duty officer whose name is guessed at."""

from collections import OrderedDict, deque
from datetime import datetime, timedelta

_MOST_KEYS = 10_000


class Throttle:
    """At most ``most`` failures per key within ``window``; remembers a bounded number of keys, in memory only."""

    def __init__(self, most: int, window: timedelta) -> None:
        """Start with no failures."""
        self._most = most
        self._window = window
        self._failures: OrderedDict[str, deque[datetime]] = OrderedDict()

    def retry_after(self, key: str, now: datetime) -> timedelta | None:
        """How long to wait before the next try; None when it may be now."""
        failures = self._failures.get(key)
        while failures and failures[0] <= now - self._window:
            failures.popleft()
        return failures[0] + self._window - now if failures and len(failures) >= self._most else None

    def failed(self, key: str, now: datetime) -> None:
        """Count one failure."""
        self._failures.setdefault(key, deque(maxlen=self._most)).append(now)
        self._failures.move_to_end(key)
        while len(self._failures) > _MOST_KEYS:
            self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget the failures of a key."""
        self._failures.pop(key, None)
