"""What a village is told of its way to safety: by which route, and behind whom. Only what holds for everybody there."""

from datetime import timedelta

from dispatcher.registry.areas import current_code
from dispatcher.registry.model import Registry
from dispatcher.templates.model import Guidance

_MOST_NAMED = 3


def guidance_of(registry: Registry, village: str, language: str, travel_time: timedelta | None) -> Guidance:
    """All of it, in a language; of a village that is no longer in the registry only its name."""
    now = current_code(registry, village)
    if now not in registry.villages:
        return Guidance(village=registry.name_of(village, language), travel_time=travel_time)
    return Guidance(
        village=registry.name_of(now, language),
        shelter=registry.shelter_of(now, language),
        route=route_of(registry, now, language),
        transfer_people=transfer_people_of(registry, now, language),
        travel_time=travel_time,
    )


def route_of(registry: Registry, village: str, language: str) -> str:
    """The way of the whole village to the shelter that its texts name, in a language; empty when no route is known to lead there.

    Routes of single groups are left out: one text goes to all groups, and the way of one may be under water for another.
    """
    shelters = {shelter.id: shelter.name for shelter in registry.refuge.shelters_of(village)}
    named = registry.shelter_of(village, registry.county.languages[0])
    for route in registry.refuge.routes_of(village):
        if not route.group and shelters.get(route.shelter, named) == named:
            return (route.way_en if language == "en" else route.way) or route.way
    return ""


def transfer_people_of(registry: Registry, village: str, language: str) -> tuple[str, ...]:
    """Who brings the people of a village to safety (转移责任人), by name; nobody when they are too many to name in a short text."""
    contacts = (registry.contacts.get(transfer.contact) for transfer in registry.refuge.transfers_of(village))
    names = dict.fromkeys((c.name_en if language == "en" else c.name) or c.name for c in contacts if c)
    return tuple(names) if len(names) <= _MOST_NAMED else ()
