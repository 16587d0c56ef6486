"""When what a place is warned of is expected: found by looking at less and less of the forecasts. Only where a grade rests on them."""

from rules.grade import Grade
from rules.ladder import Ladder
from rules.scaled import NEVER_S


def onset(ladder: Ladder, at_s: int, grade: Grade) -> int | None:
    """The beginning of the forecast period with which a place reaches a grade; NEVER_S when it does now, None when it does not.

    A period does not say when in it something falls, so what needs it is expected from its beginning. A row that holds only for a
    while, such as ``lead < 6h and lead > 2h``, gives one of the moments from which it holds.
    """
    if not ladder.feeds:
        return NEVER_S
    if _reaches(ladder, at_s, grade, at_s + 1):
        return NEVER_S
    begins = sorted({f.valid_from_s for feeds in ladder.feeds.values() for feed in feeds for f in feed.all() if f.valid_from_s > at_s})
    if not begins or not _reaches(ladder, at_s, grade, begins[-1] + 1):
        return None
    first, last = 0, len(begins) - 1
    while first < last:
        middle = (first + last) // 2
        if _reaches(ladder, at_s, grade, begins[middle] + 1):
            last = middle
        else:
            first = middle + 1
    return begins[first]


def comes_sooner(ladder: Ladder, at_s: int) -> bool:
    """Whether the grade that stands is expected before the time that was said."""
    return ladder.onset_s > at_s and bool(ladder.state.grade) and _reaches(ladder, at_s, ladder.state.grade, ladder.onset_s)


def _reaches(ladder: Ladder, at_s: int, grade: Grade, until_s: int) -> bool:
    """Whether a grade is met by what is observed and by forecast periods that begin before a time."""
    values: list[float] = []
    for probe in ladder.probes:
        values.append(probe.value(at_s, values, until_s))
    return ladder.met(at_s, values) >= grade
