"""Every exception of the rules.

RuleErrors      rule files or their tables are wrong: keep the old version running and show every mistake
SnapshotError   saved bytes are not a snapshot of this engine: start empty and replay the journal
"""

from dataclasses import dataclass

LONGEST_MESSAGE = 1_000


@dataclass(frozen=True, slots=True, order=True)
class RuleError:
    """One mistake in a rule file or table: where, what, and what is allowed. Line and column count from 1; 0 is unknown.

    However long the names of a hostile file are, a ``message`` can be read.
    """

    file: str
    line: int
    column: int
    message: str

    def __post_init__(self) -> None:
        """Cut what is too long."""
        if len(self.message) > LONGEST_MESSAGE:
            object.__setattr__(self, "message", self.message[: LONGEST_MESSAGE - 2] + " …")

    def __str__(self) -> str:
        """``file:line:column: message`` as editors understand it."""
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class RuleErrors(ValueError):
    """The rule files cannot be used; carries every mistake found, in order of file and line."""

    def __init__(self, errors: tuple[RuleError, ...]) -> None:
        """At least one mistake."""
        super().__init__("\n".join(map(str, errors)))
        self.errors = errors


class SnapshotError(ValueError):
    """The bytes given to ``restore`` are not a snapshot this engine can read."""
