"""What a new version of the rules would have decided differently. Pure: two lists of changes in, differences out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rules.change import Change
from rules.grade import Grade
from rules.skill import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """A time in which two versions stood differently at one place under one rule; ``end`` is None while it lasts."""

    place: str
    rule: str
    begin: datetime
    end: datetime | None
    old: Grade
    new: Grade


def apart(old: Iterable[Change], new: Iterable[Change]) -> tuple[Apart, ...]:
    """Where two versions of the rules stood differently, in order of time; a rule that one of them lacks stands at none there."""
    before, after = _by_rule(old), _by_rule(new)
    found = [part for key in sorted(before.keys() | after.keys()) for part in _apart(key, before.get(key, ()), after.get(key, ()))]
    return tuple(sorted(found, key=lambda a: (a.begin, a.place, a.rule)))


def _by_rule(changes: Iterable[Change]) -> dict[tuple[str, str], Line]:
    found: dict[tuple[str, str], list[tuple[datetime, Grade]]] = {}
    for c in changes:
        found.setdefault((c.place, c.rule), []).append((c.decided_at, c.after))
    return {key: tuple(line) for key, line in found.items()}


def _apart(key: tuple[str, str], old: Line, new: Line) -> list[Apart]:
    times = sorted({at for at, _ in (*old, *new)})
    before, after = dict(old), dict(new)
    place, rule = key
    a = b = Grade.NONE
    found: list[Apart] = []
    for at, until in zip(times, [*times[1:], None], strict=True):
        a, b = before.get(at, a), after.get(at, b)
        if a is b:
            continue
        last = found[-1] if found else None
        if last and last.end == at and (last.old, last.new) == (a, b):
            found[-1] = Apart(place=place, rule=rule, begin=last.begin, end=until, old=a, new=b)
        else:
            found.append(Apart(place=place, rule=rule, begin=at, end=until, old=a, new=b))
    return found
