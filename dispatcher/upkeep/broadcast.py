"""Tells whoever listens that something was committed. Carries nothing: listeners read the store."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Ear:
    """One listener."""

    def __init__(self) -> None:
        """Nothing heard yet."""
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Something was committed."""
        self._event.set()

    async def wait(self, timeout_s: float | None = None) -> bool:
        """Return true when something was committed since the last call, false after the time-out (real seconds)."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


class Broadcast:
    """Wakes all listeners; a slow one loses nothing, it is merely told once for several commits."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self._ears: set[Ear] = set()

    def wake(self) -> None:
        """Something was committed."""
        for ear in self._ears:
            ear.notify()

    @contextmanager
    def listen(self) -> Iterator[Ear]:
        """Listen while in this context."""
        ear = Ear()
        self._ears.add(ear)
        try:
            yield ear
        finally:
            self._ears.discard(ear)
