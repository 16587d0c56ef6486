"""Renamed codes, shelters, routes and transfers: every code, shelter and person named must exist, in the right village."""

from dispatcher.registry.areas import Alias
from dispatcher.registry.model import Area, Contact, Village
from dispatcher.registry.refuge import Route, Shelter, Transfer
from dispatcher.registry.relations import Placed, known, once


def check_aliases(aliases: list[Placed[Alias]], areas: list[Placed[Area]], villages: list[Placed[Village]]) -> None:
    """A renamed code is not in use any more and leads, by one or more steps, to one that is."""
    once(aliases, "code", lambda a: a.code)
    current = {p.value.code for p in areas} | {p.value.code for p in villages}
    renamed = {p.value.code: p.value.now for p in aliases}
    for p in aliases:
        if p.value.code in current:
            p.row.wrong("code", f"{p.value.code!r} is in use in areas.csv or villages.csv; allowed: a code that is no longer used")
        seen, at = {p.value.code}, p.value.now
        while at in renamed and at not in seen:
            seen.add(at)
            at = renamed[at]
        if at in seen:
            p.row.wrong("now", f"{p.value.code!r} leads back to itself; allowed: a code that leads to one in use")
        else:
            known(p.row, "now", at, current, "areas.csv or villages.csv")


def check_refuge(
    shelters: list[Placed[Shelter]],
    routes: list[Placed[Route]],
    transfers: list[Placed[Transfer]],
    villages: list[Placed[Village]],
    contacts: list[Placed[Contact]],
) -> None:
    """Note every contradiction at the row it stands in. A shelter may lie in another village than those who go there."""
    codes = {p.value.code for p in villages}
    people = {p.value.id for p in contacts}
    places = {p.value.id for p in shelters}
    once(shelters, "id", lambda s: s.id)
    once(routes, "shelter", lambda r: f"{r.village} {r.group} → {r.shelter}")
    once(transfers, "contact", lambda t: f"{t.village} {t.group} → {t.contact}")
    for s in shelters:
        known(s.row, "village", s.value.village, codes, "villages.csv")
        if s.value.keeper:
            known(s.row, "keeper", s.value.keeper, people, "contacts.csv")
    for r in routes:
        known(r.row, "village", r.value.village, codes, "villages.csv")
        known(r.row, "shelter", r.value.shelter, places, "shelters.csv")
    for t in transfers:
        known(t.row, "village", t.value.village, codes, "villages.csv")
        known(t.row, "contact", t.value.contact, people, "contacts.csv")
        if t.value.shelter:
            known(t.row, "shelter", t.value.shelter, places, "shelters.csv")
