"""What a rule grades, and where its stations stand. A plain value, given by the dispatcher."""

from dataclasses import dataclass

Span = tuple[int, int]
"""From one moment to another, in seconds since 1970-01-01 UTC; both are of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A station, or something that has stations: a slope, a village, a catchment.

    ``for_each: rain_gauge`` takes the places of that type. ``variables`` are what the place itself measures, every ``interval_s``
    seconds; ``intervals`` are those of the single variables where they differ. ``counters`` are the variables it sends as running
    totals. ``members`` are the ids of the stations that stand on it. ``lat`` and ``lon`` are degrees in WGS-84; ``catchment`` is
    a name that places upstream and downstream share. ``areas`` are the codes of what it lies in, the smallest first: a forecast for
    one of them is a forecast for the place. ``maintenance`` is when somebody works on the station: what it sends of then is not used, and
    that it is silent then says nothing.
    """

    id: str
    type: str
    variables: tuple[str, ...]
    interval_s: int
    intervals: tuple[int, ...] = ()
    counters: tuple[str, ...] = ()
    lat: float | None = None
    lon: float | None = None
    catchment: str = ""
    members: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    maintenance: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        """An interval is at least one second, maintenance ends after it has begun."""
        if min((self.interval_s, *self.intervals)) < 1:
            raise ValueError(f"the reporting interval of {self.id!r} must be at least 1 second, not {self.interval_s}")
        if self.intervals and len(self.intervals) != len(self.variables):
            raise ValueError(f"{self.id!r} needs one interval for each of its variables, or none")
        if any(until_s <= since_s for since_s, until_s in self.maintenance):
            raise ValueError(f"the maintenance of {self.id!r} must end after it has begun")

    def interval_of(self, variable: str) -> int:
        """How often the place reports a variable, in seconds."""
        if self.intervals and variable in self.variables:
            return self.intervals[self.variables.index(variable)]
        return self.interval_s
