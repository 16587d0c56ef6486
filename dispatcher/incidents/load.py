"""``reporting.yaml`` of a county → its table of reporting limits. Mistakes are noted with file, line and column."""

from collections.abc import Sequence
from datetime import time, timedelta
from pathlib import Path

from dispatcher.errors import Problem
from dispatcher.files.document import Spot, read_document
from dispatcher.incidents.model import LevelLimits, Reporting
from rules.grade import Grade

FILE = "reporting.yaml"
_LEVELS = tuple(g.word for g in sorted(Grade, reverse=True) if g)


def read_reporting(directory: Path, problems: list[Problem]) -> Reporting:
    """The county's own table, or the default when it has none."""
    path = directory / FILE
    if not path.is_file():
        return Reporting()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(FILE, f"cannot be read: {error}"))
        return Reporting()
    document = read_document(text, FILE, problems)
    if document is None:
        return Reporting()
    found = document.entries(("source", "levels"), ("follow_ups", "remind_at"))
    default = Reporting()
    return Reporting(
        levels={Grade.from_word(word): _limits(spot) for word, spot in found["levels"].entries((), _LEVELS).items()}
        if "levels" in found
        else {},
        follow_ups=tuple(_times(found["follow_ups"].items())) if "follow_ups" in found else default.follow_ups,
        remind_at=_shares(found["remind_at"]) if "remind_at" in found else default.remind_at,
        source=found["source"].text() if "source" in found else "",
    )


def _limits(spot: Spot) -> LevelLimits:
    found = spot.entries(("written",), ("telephone", "to"))
    limits = LevelLimits(
        written=_longer_than_nothing(found["written"]) if "written" in found else timedelta(hours=1),
        telephone=_longer_than_nothing(found["telephone"]) if "telephone" in found else None,
        to=tuple(item.text() for item in found["to"].items()) if "to" in found else (),
    )
    if limits.telephone is not None and limits.telephone > limits.written:
        found["telephone"].wrong("the telephone comes before the written report; its limit must not be longer than 'written'")
    return limits


def _longer_than_nothing(spot: Spot) -> timedelta:
    length = spot.duration()
    if not length:
        spot.wrong("a limit must be longer than 0, such as 35m")
    return length


def _times(spots: Sequence[Spot]) -> list[time]:
    found = []
    for spot in spots:
        hours, _, minutes = spot.text().partition(":")
        try:
            found.append(time(int(hours), int(minutes)))
        except ValueError:
            spot.wrong('expected a time of day in quotes, such as "08:00"')
    return sorted(found)


def _shares(spot: Spot) -> tuple[int, ...]:
    return tuple(sorted(item.whole(1, 99) for item in spot.items()))
