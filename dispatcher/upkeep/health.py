"""Can the engine do its job? Each part says so itself, and one that hangs is noticed; ``/readyz`` lists who says no."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HANGS_AFTER_S = 30.0
"""No step of a part takes so long when all is well: a commit waits at most 10 s for a lock, a try to send 20 s for an answer."""


class Health:
    """Problems by part; a part that works has none."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        """Not started: every part that must be ready says so with ``wait_for``. ``seconds`` never step back."""
        self._problems: dict[str, str] = {}
        self._seconds = seconds
        self._steps: dict[str, tuple[float, str]] = {}
        self._bearable: set[str] = set()

    def set(self, part: str, problem: str, *, bearable: bool = False) -> None:
        """A part cannot do its job, and why; with ``bearable`` the engine does its own all the same."""
        self._problems[part] = problem
        (self._bearable.add if bearable else self._bearable.discard)(part)

    def clear(self, part: str) -> None:
        """A part works."""
        self._problems.pop(part, None)

    @contextmanager
    def at_work(self, part: str, what: str) -> Iterator[None]:
        """The loop of a part is at one step; steps of one part may lie within each other, and the innermost is named."""
        before = self._steps.get(part)
        self._steps[part] = (self._seconds(), what)
        try:
            yield
        finally:
            if before is None:
                del self._steps[part]
            else:
                self._steps[part] = before

    def hanging(self) -> dict[str, str]:
        """Parts whose loop has been at one step for too long, and at which."""
        now_s = self._seconds()
        found = {part: (now_s - since_s, what) for part, (since_s, what) in self._steps.items()}
        return {part: f"hangs: {what} for {s:.0f} s" for part, (s, what) in found.items() if s > HANGS_AFTER_S}

    @property
    def ready(self) -> bool:
        """Whether the engine can do its job."""
        return self._problems.keys() <= self._bearable and not self.hanging()

    def problems(self) -> list[str]:
        """``part: problem`` for each part that cannot do its job."""
        both = [*self._problems.items(), *self.hanging().items()]
        return [f"{part}: {problem}" for part, problem in sorted(both)]
