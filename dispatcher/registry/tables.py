"""The tables of a registry: their columns, what tells their rows apart, and which of them may be missing."""

from dataclasses import dataclass

COUNTY_FILE = "county.yaml"
CATCHMENT = ("catchment",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table. ``columns`` must be there, ``extras`` may; ``key`` tells rows apart when two versions are compared."""

    name: str
    columns: tuple[str, ...]
    extras: tuple[str, ...] = ()
    key: tuple[str, ...] = ("id",)
    may_miss: bool = False

    @property
    def file(self) -> str:
        """The table as CSV."""
        return f"{self.name}.csv"

    @property
    def yaml_file(self) -> str:
        """The table as YAML: a list of rows."""
        return f"{self.name}.yaml"


_VALID = ("valid_from", "valid_to")
_PLACE = ("id", "name", "name_en", "type", "lat", "lon")

AREAS = Table(name="areas", columns=("code", "parent", "level", "name", "name_en"), extras=_VALID, key=("code",))
ALIASES = Table(name="aliases", columns=("code", "name", "name_en", "now", "since"), key=("code",), may_miss=True)
VILLAGES = Table(
    name="villages",
    columns=("code", "name", "name_en", "township", "lat", "lon", "population", "shelter", "shelter_en"),
    extras=(*CATCHMENT, "outline", *_VALID),
    key=("code",),
)
CONTACTS = Table(
    name="contacts",
    columns=("id", "name", "name_en", "role", "area", "phone", "language", "channels"),
    extras=("verified", "verified_on"),
)
STATIONS = Table(name="stations", columns=("id", "name", "name_en", "type", "variables", "lat", "lon"), extras=(*CATCHMENT, "place"))
SITES = Table(name="places", columns=_PLACE, extras=CATCHMENT, may_miss=True)
LINKS = Table(name="links", columns=("station", "village", "travel_time_min"), key=("station", "village"))
SPEAKERS = Table(name="speakers", columns=("id", "village", "name"), extras=("owner",))
SHELTERS = Table(name="shelters", columns=("id", "village", "name", "name_en", "lat", "lon", "capacity"), extras=("keeper",), may_miss=True)
ROUTES = Table(
    name="routes", columns=("village", "group", "shelter", "way", "way_en", "walk_min"), key=("village", "group", "shelter"), may_miss=True
)
TRANSFERS = Table(
    name="transfers", columns=("village", "group", "contact", "shelter", "people"), key=("village", "group", "contact"), may_miss=True
)

MAINTENANCE = Table(name="maintenance", columns=("station", "from", "to", "note"), key=("station", "from"), may_miss=True)

DUTY = Table(name="duty", columns=("roster", "day", "shift", "people"), key=("roster", "day", "shift"), may_miss=True)

TABLES = (AREAS, ALIASES, VILLAGES, CONTACTS, STATIONS, SITES, LINKS, SPEAKERS, SHELTERS, ROUTES, TRANSFERS, DUTY, MAINTENANCE)
BY_NAME = {table.name: table for table in TABLES}
