"""What a rule grades, and where its stations stand. A plain value, given by the dispatcher."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A station, or something that has stations: a slope, a village, a catchment.

    ``for_each: rain_gauge`` takes the places of that type. ``variables`` are what the place itself measures, every ``interval_s``
    seconds; ``intervals`` are those of the single variables where they differ. ``counters`` are the variables it sends as running
    totals. ``members`` are the ids of the stations that stand on it. ``lat`` and ``lon`` are degrees in WGS-84; ``catchment`` is
    a name that places upstream and downstream share. ``areas`` are the codes of what it lies in, the smallest first: a forecast for
    one of them is a forecast for the place.
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

    def __post_init__(self) -> None:
        """An interval is at least one second."""
        if min((self.interval_s, *self.intervals)) < 1:
            raise ValueError(f"the reporting interval of {self.id!r} must be at least 1 second, not {self.interval_s}")
        if self.intervals and len(self.intervals) != len(self.variables):
            raise ValueError(f"{self.id!r} needs one interval for each of its variables, or none")

    def interval_of(self, variable: str) -> int:
        """How often the place reports a variable, in seconds."""
        if self.intervals and variable in self.variables:
            return self.intervals[self.variables.index(variable)]
        return self.interval_s
