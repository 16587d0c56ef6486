"""What a rule's question to the forecasts is worth at one moment. Several sources: the one that asks for most care counts."""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate

from rules.forecast import Feed, Forecast
from rules.inputs import Op, Outlook
from rules.scaled import FOREVER

MISSING = math.nan
_HOUR_S = 3600


def answer(op: Op, ask: Outlook, feeds: Sequence[Feed], at_s: int, until_s: int = FOREVER) -> float:
    """The value of a forecast input in its unit: of the first of ``feeds`` that has a run; NaN when none has.

    Only periods that begin before ``until_s`` are looked at.
    """
    for feed in feeds:
        live = list(feed.live(at_s, ask.max_age_s))
        if live and op is Op.FC_RUNS:
            found = [[_before(run, until_s) for run in runs] for runs in feed.runs_back(at_s, ask.max_age_s)]
            return float(max(_agreeing(runs, ask, at_s) for runs in found))
        if live:
            return _OF[op]([_before(entries, until_s) for entries in live], ask, at_s)
    return MISSING


def _before(entries: Sequence[Forecast], until_s: int) -> Sequence[Forecast]:
    return entries if until_s == FOREVER else [f for f in entries if f.valid_from_s < until_s]


Course = list[tuple[int, float]]


def courses(feeds: Sequence[Feed], at_s: int, window_s: int, max_age_s: int, until_s: int = FOREVER) -> list[Course]:
    """What each source still expects: (seconds from now, total until then) wherever its rate changes; straight lines in between.

    Only periods that begin before ``until_s`` are looked at.
    """
    for feed in feeds:
        live = list(feed.live(at_s, max_age_s))
        if live:
            return [_course(_before(entries, until_s), at_s, window_s) for entries in live]
    return []


def until(course: Course, ahead_s: int) -> float:
    """The total that is expected up to so many seconds from now."""
    i = bisect_right(course, (ahead_s, math.inf))
    (t0, before) = course[i - 1]
    if i == len(course):
        return before
    t1, after = course[i]
    return before + (after - before) * (ahead_s - t0) / (t1 - t0)


def _course(entries: Sequence[Forecast], at_s: int, window_s: int) -> Course:
    course: Course = [(0, 0.0)]
    # Shorter periods first where two begin together; what a period tells about time that is covered already is left out.
    for f in sorted(entries, key=lambda f: (f.valid_from_s, f.length_s)):
        covered_s, total = course[-1]
        first_s, last_s = max(f.valid_from_s - at_s, covered_s), min(f.valid_to_s - at_s, window_s)
        if f.amount is not None and first_s < last_s:
            if first_s > covered_s:
                course.append((first_s, total))
            course.append((last_s, total + f.amount * (last_s - first_s) / f.length_s))
    return course


def _concerned(entries: Sequence[Forecast], ask: Outlook, at_s: int) -> list[Forecast]:
    return [f for f in entries if f.valid_to_s > at_s + ask.first_s and f.valid_from_s < at_s + ask.last_s]


def _chains(entries: Sequence[Forecast], window_s: int) -> Iterator[tuple[int, float]]:
    """Start and total of periods that follow each other without a gap, up to the window."""
    follows: dict[int, Forecast] = {}
    for f in sorted(entries, key=lambda f: f.length_s, reverse=True):
        follows[f.valid_from_s] = f
    for start_s in sorted(follows):
        amounts: list[float] = []
        t = start_s
        while (one := follows.get(t)) is not None and one.valid_to_s - start_s <= window_s and one.amount is not None:
            amounts.append(one.amount)
            t = one.valid_to_s
        yield from ((start_s, total) for total in accumulate(amounts))


def _chances(entries: Sequence[Forecast], ask: Outlook, at_s: int) -> Iterator[tuple[int, float]]:
    """When it may begin, and how probable it is."""
    concerned = _concerned(entries, ask, at_s)
    for f in concerned:
        if not ask.window_s or f.length_s <= ask.window_s:
            yield f.valid_from_s, f.chance(ask.at_least)
    if ask.window_s:
        # Chances of parts cannot be added; amounts can.
        plain = [f for f in concerned if not f.quantiles and not f.exceedance]
        yield from ((start_s, float(total >= ask.at_least)) for start_s, total in _chains(plain, ask.window_s))


def _value(live: Sequence[Sequence[Forecast]], ask: Outlook, at_s: int) -> float:
    amounts: list[float] = []
    for entries in live:
        concerned = _concerned(entries, ask, at_s)
        if ask.window_s:
            amounts += [total for _, total in _chains(concerned, ask.window_s)]
        amounts += [f.amount for f in concerned if f.amount is not None and (not ask.window_s or f.length_s <= ask.window_s)]
    return (min if ask.lowest else max)(amounts, default=MISSING)


def _prob(live: Sequence[Sequence[Forecast]], ask: Outlook, at_s: int) -> float:
    return max((p for entries in live for _, p in _chances(entries, ask, at_s)), default=MISSING)


def _lead(live: Sequence[Sequence[Forecast]], ask: Outlook, at_s: int) -> float:
    """Hours until it begins; endless when it is not expected."""
    starts = [start_s for entries in live for start_s, p in _chances(entries, ask, at_s) if p >= ask.prob]
    return max(0, min(starts) - at_s) / _HOUR_S if starts else math.inf


def _agreeing(runs: Sequence[Sequence[Forecast]], ask: Outlook, at_s: int) -> int:
    count = 0
    for run in runs:
        if max((p for _, p in _chances(run, ask, at_s)), default=0.0) < ask.prob:
            break
        count += 1
    return count


_OF: Mapping[Op, Callable[[Sequence[Sequence[Forecast]], Outlook, int], float]] = {
    Op.FC_VALUE: _value, Op.FC_PROB: _prob, Op.FC_LEAD: _lead,
}  # fmt: skip
