"""How each village can be reached at a moment: its contacts by channel, who is on duty above it, and what is missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dispatcher.duty.model import DutyTable
from dispatcher.duty.resolve import on_duty
from dispatcher.registry.areas import ancestors
from dispatcher.registry.model import Contact, Registry, Verification, Village

NO_CONTACT = "no_contact"
ALL_FAILED = "all_failed"
NO_SPEAKER = "no_speaker"
NO_STATION = "no_station"
NO_SHELTER = "no_shelter"
NOBODY_ON_DUTY = "nobody_on_duty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One contact, without his number."""

    id: str
    name: str
    name_en: str
    roles: tuple[str, ...]
    channels: tuple[str, ...]
    verification: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One village. ``on_duty`` are roles above it with the people who hold them now; ``missing`` are words such as ``no_speaker``."""

    code: str
    name: str
    name_en: str
    township: str
    population: int
    people: tuple[Person, ...]
    speakers: int
    shelters: int
    on_duty: tuple[tuple[str, tuple[str, ...]], ...]
    missing: tuple[str, ...]


def reach_of(registry: Registry, duty: DutyTable, now: datetime) -> list[Reach]:
    """Every village, those with something missing first."""
    people: dict[str, list[Contact]] = {}
    for contact in registry.contacts.values():
        people.setdefault(contact.area, []).append(contact)
    linked = {link.village for link in registry.links}
    held = {(r.role, r.area): on_duty(duty, r, now).people for r in duty.rosters.values()}
    found = [_reach(registry, v, people.get(v.code, []), held, linked=v.code in linked) for v in registry.villages.values()]
    return sorted(found, key=lambda r: (not r.missing, r.code))


def _reach(
    registry: Registry, village: Village, people: list[Contact], held: dict[tuple[str, str], tuple[str, ...]], *, linked: bool
) -> Reach:
    above = {area.code for area in ancestors(registry, village.code)}
    duty = tuple((role, who) for (role, area), who in held.items() if area in above)
    speakers = registry.speakers_of(village.code)
    shelters = registry.refuge.shelters_of(village.code)
    missing = (
        *_lack_of_people(people),
        *([] if speakers else [NO_SPEAKER]),
        *([] if linked else [NO_STATION]),
        *([] if shelters or village.shelter else [NO_SHELTER]),
        *([] if all(who for _, who in duty) else [NOBODY_ON_DUTY]),
    )
    return Reach(
        code=village.code,
        name=village.name,
        name_en=village.name_en,
        township=village.township,
        population=village.population,
        people=tuple(
            Person(id=c.id, name=c.name, name_en=c.name_en, roles=c.roles, channels=c.channels, verification=c.verification.value)
            for c in people
        ),
        speakers=len(speakers),
        shelters=len(shelters) or int(bool(village.shelter)),
        on_duty=duty,
        missing=missing,
    )


def _lack_of_people(people: list[Contact]) -> Iterator[str]:
    reachable = [c for c in people if c.channels]
    if not reachable:
        yield NO_CONTACT
    elif all(c.verification is Verification.FAILED for c in reachable):
        yield ALL_FAILED
