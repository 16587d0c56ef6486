"""What a rule's test says: who reports what and when, and where the places must stand. Read by scenario_text, run by scenario_run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from rules.forecast import Forecast
from rules.grade import Grade
from rules.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One reading, and when it arrives: seconds since 1970-01-01 UTC."""

    at_s: int
    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One forecast, and when it is issued and arrives: seconds since 1970-01-01 UTC."""

    at_s: int
    forecast: Forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place of a scenario. Empty words are filled in from the rule and the feed.

    ``like`` names a station whose rows in the tables count for this one; ``columns`` are numbers of its own, by column.
    ``every_s`` is its interval in seconds, 0 for the step of the scenario. ``details`` are further facts, as ``Place`` names them.
    """

    id: str
    type: str = ""
    like: str = ""
    every_s: int = 0
    columns: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Where one place must stand ``after`` the beginning of the first step. What is None or empty is not looked at.

    ``because`` are rows that the newest change must name; ``told`` is ``duty-room`` or the kind of a remark;
    ``values`` are what inputs must be worth; ``onset`` is when its newest change must expect it after the beginning, as written, or
    ``now``. Line and column point at the expectation.
    """

    after: timedelta
    place: str
    grade: Grade | None = None
    because: tuple[str, ...] = ()
    no_data: bool | None = None
    told: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    onset: str = ""
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """A grade that is not reached at any moment; ``place`` is empty for all places."""

    grade: Grade
    place: str
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One test of one rule. ``begin`` is one step before the first value: the beginning of the time that value stands for."""

    name: str
    rule: str
    begin: datetime
    step: timedelta
    sites: tuple[Site, ...]
    arrivals: tuple[Arrival, ...]
    issues: tuple[Issue, ...]
    expected: tuple[Expected, ...]
    never: tuple[Never, ...]
    file: str
    line: int
    column: int

    @property
    def zone(self) -> tzinfo:
        """The local time of the scenario, in which seasons and days are meant: the offset of its start."""
        return self.begin.tzinfo or UTC

    @property
    def variables(self) -> Mapping[str, tuple[str, ...]]:
        """What each station reports."""
        found: dict[str, dict[str, None]] = {}
        for arrival in self.arrivals:
            found.setdefault(arrival.reading.station, {})[arrival.reading.variable] = None
        return {station: tuple(names) for station, names in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as expected: what was expected, what was, and what the inputs were worth then.

    ``after`` is None for what must never be. ``history`` are the moves of the place so far, such as ``2h15m none → blue (r3h)``;
    ``told`` what the duty room was told, such as that a value is not used.
    """

    scenario: str
    place: str
    after: timedelta | None
    expected: str
    found: str
    values: Mapping[str, float]
    history: tuple[str, ...]
    told: tuple[str, ...]
    file: str
    line: int
    column: int
