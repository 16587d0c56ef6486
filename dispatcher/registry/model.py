"""Areas, villages, contacts, stations, links and speakers of one county, and quick ways to look them up.

How codes are read stands in areas.py. Names come in the county's first language (``name``) and in English (``name_en``).
Longer than other files: the tables of one registry, side by side.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from dispatcher.duty.model import DutyTable
from dispatcher.registry.areas import Alias, Codes, ancestors, current_code
from dispatcher.registry.maintenance import Maintenance
from dispatcher.registry.refuge import Refuge
from dispatcher.registry.site import Site

SPEAKERS = "village.speakers"
DUTY_ROOM = "county.duty_room"

SMS = "sms"
VOICE = "voice"
CHAT = "chat"
LOUDSPEAKER = "loudspeaker"
DUTY_ROOM_PAGE = "duty_room"
CHANNELS = (SMS, VOICE, CHAT, LOUDSPEAKER, DUTY_ROOM_PAGE)

K = TypeVar("K")
V = TypeVar("V")


class Level(StrEnum):
    """The levels that the engine itself speaks of; a tree may have others above, between and below."""

    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"


class Verification(StrEnum):
    """Whether somebody has tried that a contact answers: never, yes, or in vain."""

    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    FAILED = "failed"


class Measure(StrEnum):
    """What the value of a variable means: rain of the interval, a running total, or the state at that moment."""

    INCREMENT = "increment"
    COUNTER = "counter"
    INSTANT = "instant"


@dataclass(frozen=True, slots=True, kw_only=True)
class County:
    """The county an installation serves. ``languages`` are the languages of its texts, the first one leads.

    ``issuer`` and ``issuer_en`` are the authority that signs its texts; ``codes`` says how its codes are read.
    """

    code: str
    name: str
    name_en: str
    timezone: ZoneInfo
    languages: tuple[str, ...]
    issuer: str
    issuer_en: str
    codes: Codes = Codes.GBT


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """One area of any level, such as ``county``, ``township`` or ``village``. ``parent`` is empty where nothing above is known."""

    code: str
    parent: str
    level: str
    name: str
    name_en: str
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Village:
    """One village. ``lat`` and ``lon`` are degrees in WGS-84; ``shelter`` is where its people go, ``catchment`` the water it lies in.

    ``township`` is the area right above it, whatever its level; ``outline`` are corners (latitude, longitude), empty when only
    the point is known.
    """

    code: str
    name: str
    name_en: str
    township: str
    lat: float
    lon: float
    population: int
    shelter: str
    shelter_en: str
    catchment: str = ""
    outline: tuple[tuple[float, float], ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person or desk with roles in one area. ``phone`` is E.164, or empty where no channel needs one.

    ``role`` and ``language`` come first; ``also`` are further roles, ``speaks`` further languages. ``channels`` are in order.
    """

    id: str
    name: str
    name_en: str
    role: str
    area: str
    phone: str
    language: str
    channels: tuple[str, ...]
    also: tuple[str, ...] = ()
    speaks: tuple[str, ...] = ()
    verification: Verification = Verification.UNVERIFIED
    verified_on: date | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role, the first one leading."""
        return (self.role, *self.also)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """What a station measures. ``interval`` is the time between two readings."""

    name: str
    kind: Measure
    interval: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A gauge. ``type`` is what a rule's ``for_each`` names, such as ``rain_gauge``.

    ``place`` is the site or village it stands on, ``catchment`` the water it lies in; both may be empty.
    """

    id: str
    name: str
    name_en: str
    type: str
    lat: float
    lon: float
    variables: tuple[Variable, ...]
    catchment: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What happens at ``station`` (or at a site) concerns ``village`` after ``travel_time``: told in the text, never waited for."""

    station: str
    village: str
    travel_time: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A loudspeaker of a village. ``owner`` is the contact who looks after it; empty when nobody does."""

    id: str
    village: str
    name: str
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Lookups made once from the tables of a registry."""

    links: Mapping[str, tuple[Link, ...]]
    contacts: Mapping[tuple[str, str], tuple[Contact, ...]]
    phones: Mapping[str, tuple[Contact, ...]]
    speakers: Mapping[str, tuple[Speaker, ...]]
    villages: Mapping[str, tuple[Village, ...]]
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Everything an operator told us about one county. ``areas`` holds the villages too.

    ``digest`` names the exact content: the same tables always have the same one.
    """

    county: County
    areas: Mapping[str, Area]
    villages: Mapping[str, Village]
    contacts: Mapping[str, Contact]
    stations: Mapping[str, Station]
    links: tuple[Link, ...]
    speakers: Mapping[str, Speaker]
    digest: str
    sites: Mapping[str, Site] = field(default_factory=dict)
    aliases: Mapping[str, Alias] = field(default_factory=dict)
    refuge: Refuge = field(default_factory=Refuge)
    duty: DutyTable = field(default_factory=DutyTable)
    maintenance: tuple[Maintenance, ...] = ()
    index: Index = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build the lookups."""
        object.__setattr__(self, "index", index_of(self))

    def villages_of_station(self, station: str) -> tuple[Link, ...]:
        """The links of a station or site, nearest in travel time first; each names its village. A village concerns itself."""
        return self.index.links.get(station, ())

    def villages_of_township(self, township: str) -> tuple[Village, ...]:
        """The villages of a township, by code."""
        return self.index.villages.get(township, ())

    def township_of(self, village: str) -> Area:
        """The township a village belongs to; KeyError for an unknown village."""
        return self.areas[self.villages[village].township]

    def contacts_by(self, role: str, area: str) -> tuple[Contact, ...]:
        """Who holds a role in exactly this area, in the order of the file."""
        return self.index.contacts.get((role, area), ())

    def contacts_with_phone(self, phone: str) -> tuple[Contact, ...]:
        """Who answers this number (E.164); one person may hold several roles."""
        return self.index.phones.get(phone, ())

    def speakers_of(self, village: str) -> tuple[Speaker, ...]:
        """The loudspeakers of a village."""
        return self.index.speakers.get(current_code(self, village), ())

    def area_of_role(self, role: str, village: str) -> str:
        """Where a role is sought for a village: the village or the area above it of the level that the role's first word names.

        Empty when nothing above it has that level.
        """
        level = role.partition(".")[0]
        if level == Level.VILLAGE:
            return current_code(self, village)
        return next((area.code for area in ancestors(self, village) if area.level == level), "")

    def resolve(self, role: str, village: str) -> tuple[Contact, ...]:
        """Who holds a role for a village; empty is a gap that must be shown. Speakers are found by ``speakers_of``."""
        return self.contacts_by(role, self.area_of_role(role, village))

    def name_of(self, code: str, language: str) -> str:
        """The name of an area, village, station or site, also of one that is called otherwise today; the code itself when unknown."""
        found = self.areas.get(code) or self.stations.get(code) or self.sites.get(code) or self.aliases.get(code)
        if found is None:
            return code
        return (found.name_en if language == "en" else found.name) or found.name

    def shelter_of(self, village: str, language: str) -> str:
        """Where the people of a village go, in a language: its own cell, else its first shelter; empty when nothing is known."""
        own = self.village_of(village)
        if own is None:
            return ""
        if own.shelter:
            return (own.shelter_en if language == "en" else own.shelter) or own.shelter
        first = next(iter(self.refuge.shelters_of(own.code)), None)
        return ((first.name_en if language == "en" else first.name) or first.name) if first else ""

    def village_of(self, code: str) -> Village | None:
        """The village with this code today, whatever it was called before."""
        return self.villages.get(current_code(self, code))

    def issuer(self, language: str) -> str:
        """The authority that signs texts, in a language."""
        return self.county.issuer_en if language == "en" else self.county.issuer


def index_of(registry: Registry) -> Index:
    """The lookups of a registry."""
    own = (Link(station=v, village=v, travel_time=timedelta(0)) for v in registry.villages)
    links = _group((n.station, n) for n in (*registry.links, *own))
    return Index(
        links={k: tuple(sorted(v, key=lambda n: n.travel_time)) for k, v in links.items()},
        contacts=_group(((role, c.area), c) for c in registry.contacts.values() for role in c.roles),
        phones=_group((c.phone, c) for c in registry.contacts.values() if c.phone),
        speakers=_group((s.village, s) for s in registry.speakers.values()),
        villages=_group((v.township, v) for v in registry.villages.values()),
        codes=tuple(sorted(registry.villages)),
    )


def _group(pairs: Iterable[tuple[K, V]]) -> dict[K, tuple[V, ...]]:
    groups: dict[K, list[V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in groups.items()}
