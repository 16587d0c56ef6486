"""Which station measures what, compiled so that one look-up answers for a reading."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from dispatcher.intake.units import VARIABLES
from rules.reading import Known

COUNTER = "counter"
KINDS = ("increment", COUNTER, "instant")
"""What a reading can be: what fell in its interval, a running total of it, or the value of the moment."""

MOST_COUNTED = 1e8
"""No running total is larger, in the canonical unit."""

KIND_WORDS: Mapping[str, str] = {"increment": "increment", "counter": COUNTER, "instant": "instant", "level": "instant"}
"""The words a sender may use for a kind; ``level`` is an older word for ``instant``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """One row of the registry: this station reports this variable, of this kind, every ``interval_s`` seconds."""

    station: str
    variable: str
    kind: str
    interval_s: int


class Place(NamedTuple):
    """Where a reading in one unit belongs and how its value becomes canonical; ``low`` to ``high`` is canonical too.

    ``number`` is its place in ``Catalogue.known``.
    """

    station: str
    variable: str
    kind: str
    times: float
    over: float
    plus: float
    low: float
    high: float
    number: int


Quick = dict[str, tuple[int, float, float, float, float, float, str]]
"""Station, variable and unit, each ended by a zero → number, times, over, plus, low, high, kind."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every accepted (station, variable, unit), the variables of each station, and the places forecasts may be for.

    ``known`` are all (station, variable), each once. ``quick`` is ``places`` under one text each, for the compiled decoder.
    """

    places: dict[tuple[str, str, str], Place]
    stations: Mapping[str, tuple[str, ...]]
    areas: frozenset[str] = frozenset()
    known: Known = ()
    quick: Quick = field(default_factory=dict)


def catalogue(entries: Iterable[CatalogueEntry], areas: Iterable[str] = ()) -> Catalogue:
    """Compile the registry's rows; ``areas`` are what forecasts may be for. ValueError names the row that cannot be and what is allowed."""
    places: dict[tuple[str, str, str], Place] = {}
    stations: dict[str, list[str]] = {}
    known: list[tuple[str, str]] = []
    quick: Quick = {}
    for entry in entries:
        _check(entry, stations)
        stations.setdefault(entry.station, []).append(entry.variable)
        variable = VARIABLES[entry.variable]
        # A running total grows until it rolls over: what bounds one interval says nothing about it.
        low, high = (0.0, MOST_COUNTED) if entry.kind == COUNTER else (variable.low, variable.high)
        for unit, (times, over, plus) in variable.units.items():
            place = Place(entry.station, entry.variable, entry.kind, times, over, plus, low, high, len(known))
            places[entry.station, entry.variable, unit] = place
            quick[f"{entry.station}\0{entry.variable}\0{unit}\0"] = (len(known), times, over, plus, low, high, entry.kind)
        known.append((entry.station, entry.variable))
    return Catalogue(places, {station: tuple(variables) for station, variables in stations.items()}, frozenset(areas), tuple(known), quick)


def _check(entry: CatalogueEntry, stations: Mapping[str, list[str]]) -> None:
    where = f"station {entry.station!r}, variable {entry.variable!r}"
    if entry.variable not in VARIABLES:
        raise ValueError(f"{where}: unknown variable; allowed: {', '.join(VARIABLES)}")
    if entry.kind not in KINDS:
        raise ValueError(f"{where}: kind {entry.kind!r}; allowed: {', '.join(KINDS)}")
    if entry.interval_s <= 0:
        raise ValueError(f"{where}: an interval of {entry.interval_s} s; allowed: whole seconds above 0")
    if entry.variable in stations.get(entry.station, ()):
        raise ValueError(f"{where}: listed twice; allowed: one row for each station and variable")
