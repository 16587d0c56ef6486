"""Whether texts are pouring in: then taking them goes before reporting on them."""

import time

SLOT_S = 0.05
MANY_PER_SLOT = 40
LONGEST_S = 5.0
PAUSE_S = 0.02


class Rush:
    """Counts arrivals in short slots of real time. A rush ends by itself after 5 s, so that reports are late and never starve."""

    def __init__(self) -> None:
        """Quiet."""
        self._slot = 0
        self._count = 0
        self._until = 0.0
        self._since = 0.0

    def note(self) -> None:
        """One text has come in."""
        now = time.monotonic()
        slot = int(now / SLOT_S)
        if slot != self._slot:
            self._slot, self._count = slot, 0
        self._count += 1
        if self._count > MANY_PER_SLOT:
            if now > self._until + LONGEST_S:
                self._since = now
            self._until = now + 2 * SLOT_S

    def is_on(self) -> bool:
        """Reports should wait a moment."""
        now = time.monotonic()
        return now < self._until and now < self._since + LONGEST_S
