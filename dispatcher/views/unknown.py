"""Villages of which nothing is known: no station that any live rule asks for them has data. No grade is not the same as no danger."""

import time
from collections.abc import Callable, Iterable, Mapping

from dispatcher.registry.model import Registry
from rules.change import Mode
from rules.plan import Plan
from rules.record import Standing

Unknown = Mapping[str, tuple[str, ...]]
"""By hazard, the codes of villages."""

_KEEP_S = 5.0


def unknown_villages(plan: Plan, standings: Iterable[Standing], registry: Registry) -> Unknown:
    """``standings`` are those of the plan's ladders, in their order. A village that no rule asks about is not listed."""
    asked: dict[str, set[str]] = {}
    known: dict[str, set[str]] = {}
    for ladder, standing in zip(plan.ladders, standings, strict=True):
        rule = ladder.compiled.rule
        if rule.mode is not Mode.LIVE:
            continue
        villages = {link.village for link in registry.villages_of_station(ladder.place)}
        asked.setdefault(rule.hazard, set()).update(villages)
        if not standing.no_data and (standing.last_reading is not None or not ladder.series):
            known.setdefault(rule.hazard, set()).update(villages)
    found = {hazard: tuple(sorted(villages - known.get(hazard, set()))) for hazard, villages in sorted(asked.items())}
    return {hazard: villages for hazard, villages in found.items() if villages}


class Remembered:
    """What a look gave, for some seconds: two hundred pages that load at once look once."""

    def __init__(self, look: Callable[[], Unknown]) -> None:
        """Nothing is looked at yet."""
        self._look = look
        self._until_s = 0.0
        self._found: Unknown = {}

    def __call__(self) -> Unknown:
        """What is known to be unknown now, or a moment ago."""
        if time.monotonic() >= self._until_s:
            self._found, self._until_s = self._look(), time.monotonic() + _KEEP_S
        return self._found
