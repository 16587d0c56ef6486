"""Where the people of a village go, by which way, and who brings which of them there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelter:
    """A place that takes people in. ``capacity`` is how many; ``keeper`` is the contact who opens it, empty when unknown."""

    id: str
    village: str
    name: str
    name_en: str
    lat: float
    lon: float
    capacity: int
    keeper: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The way from a village, or from one of its groups, to a shelter."""

    village: str
    group: str
    shelter: str
    way: str
    way_en: str
    walk: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Who brings the people of one group of a village to which shelter (转移责任人). ``group`` is empty for the whole village."""

    village: str
    group: str
    contact: str
    shelter: str
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuge:
    """All of it, as the tables say it; each may be empty."""

    shelters: tuple[Shelter, ...] = ()
    routes: tuple[Route, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    _shelters: Mapping[str, tuple[Shelter, ...]] = field(init=False, repr=False, compare=False)
    _routes: Mapping[str, tuple[Route, ...]] = field(init=False, repr=False, compare=False)
    _transfers: Mapping[str, tuple[Transfer, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort them by village."""
        for name in ("shelters", "routes", "transfers"):
            found: dict[str, tuple[Shelter | Route | Transfer, ...]] = {}
            for one in getattr(self, name):
                found[one.village] = (*found.get(one.village, ()), one)
            object.__setattr__(self, f"_{name}", found)

    def shelters_of(self, village: str) -> tuple[Shelter, ...]:
        """The shelters of a village, in the order of the file: the first is the one to name first."""
        return self._shelters.get(village, ())

    def routes_of(self, village: str) -> tuple[Route, ...]:
        """The ways of a village, the one to name first in front."""
        return self._routes.get(village, ())

    def transfers_of(self, village: str) -> tuple[Transfer, ...]:
        """Who brings whom."""
        return self._transfers.get(village, ())
