"""Can the engine do its job? Each part says so itself; ``/readyz`` lists who says no."""


class Health:
    """Problems by part; a part that works has none."""

    def __init__(self) -> None:
        """Not started: every part that must be ready says so with ``wait_for``."""
        self._problems: dict[str, str] = {}

    def set(self, part: str, problem: str) -> None:
        """A part cannot do its job, and why."""
        self._problems[part] = problem

    def clear(self, part: str) -> None:
        """A part works."""
        self._problems.pop(part, None)

    def problems(self) -> list[str]:
        """``part: problem`` for each part that cannot do its job; empty when ready."""
        return [f"{part}: {problem}" for part, problem in sorted(self._problems.items())]
