"""Areas as a tree: what a code means now, what lies above a place, and which villages lie in an area.

Chinese codes (GB/T 2260, GB/T 10114) contain each other by their leading digits: 2 province, 4 prefecture, 6 county,
9 township, 12 village. Other countries' codes say nothing by themselves; there only the links to parents count.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dispatcher.registry.model import Area, Registry, Village


class Codes(StrEnum):
    """How the codes of an installation are read."""

    GBT = "gbt"
    LINKS = "links"


DIGITS = {"country": 0, "province": 2, "prefecture": 4, "county": 6, "township": 9, "village": 12}
"""How many leading digits of a Chinese code belong to a level."""
CODE_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A code that is no longer used: what it was called, what it is ``now``, and since which day (None: always)."""

    code: str
    name: str
    name_en: str
    now: str
    since: date | None = None


def current_code(registry: "Registry", code: str, on: date | None = None) -> str:
    """What a code is called on a day (None: today's registry as it stands); a code that was never renamed is itself."""
    for _ in registry.aliases:  # a chain is never longer than the table; loops are refused at load
        alias = registry.aliases.get(code)
        if alias is None or (on is not None and alias.since is not None and on < alias.since):
            break
        code = alias.now
    return code


def ancestors(registry: "Registry", code: str) -> Iterator["Area"]:
    """What lies above an area, the nearest first; parents that the registry does not know end it.

    A renamed code is followed; a Chinese one that has left the registry still says by its digits where it was.
    """
    now = current_code(registry, code)
    area = registry.areas.get(now)
    if area is None and registry.county.codes is Codes.GBT:
        digits = significant(now)
        above = (digits[:count].ljust(CODE_DIGITS, "0") for count in (9, 6, 4, 2) if len(digits) > count)
        area = next((registry.areas[one] for one in above if one in registry.areas), None)
        if area is not None:
            yield area
    while area is not None and (area := registry.areas.get(area.parent)) is not None:
        yield area


def significant(code: str) -> str:
    """The leading digits of a Chinese code that say where it is: ``990121101000`` → ``990121101``; empty for no such code."""
    if not (code.isascii() and code.isdecimal()):
        return ""
    whole = code[:CODE_DIGITS].ljust(CODE_DIGITS, "0")
    return next((whole[:high] for low, high in ((9, 12), (6, 9), (4, 6), (2, 4), (0, 2)) if whole[low:high].strip("0")), "")


def villages_within(registry: "Registry", code: str, on: date | None = None) -> tuple["Village", ...]:
    """The villages inside an area, or the village itself, by code; renamed codes are followed. None for a code from elsewhere.

    With a day, villages that did not exist then are left out.
    """
    now = current_code(registry, code, on)
    if registry.county.codes is Codes.GBT:
        found = _by_prefix(registry, significant(now))
    else:
        found = [v for v in registry.villages.values() if v.code == now or any(a.code == now for a in ancestors(registry, v.code))]
    return tuple(v for v in found if on is None or existed(v.valid_from, v.valid_to, on))


def existed(valid_from: date | None, valid_to: date | None, on: date) -> bool:
    """Whether a day lies in a time of validity; both ends belong to it."""
    return (valid_from is None or valid_from <= on) and (valid_to is None or on <= valid_to)


def _by_prefix(registry: "Registry", prefix: str) -> "list[Village]":
    if not prefix:
        return []
    codes = registry.index.codes
    return [registry.villages[code] for code in codes[bisect_left(codes, prefix) : bisect_left(codes, prefix + ":")]]
