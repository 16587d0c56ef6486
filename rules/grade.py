"""The four grades of a warning, and none. Compared by rank only: China's level 1 is the worst."""

from enum import IntEnum


class Grade(IntEnum):
    """Rank of a warning: 0 is no warning, 4 is red (Ⅰ级, 特别严重)."""

    NONE = 0
    BLUE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4

    @property
    def word(self) -> str:
        """The lower-case English word used in files, topics and the API."""
        return self.name.lower()

    @classmethod
    def from_word(cls, word: str) -> "Grade":
        """The grade of a word such as ``orange``; ValueError names what is allowed."""
        try:
            return cls[word.upper()]
        except KeyError:
            allowed = ", ".join(g.word for g in cls)
            raise ValueError(f"unknown grade {word!r}; allowed: {allowed}") from None


BY_NUMBER = tuple(Grade)
"""The grade of each number: a look-up, where ``Grade(number)`` is a call of several functions."""
