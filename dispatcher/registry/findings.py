"""What an operator should look at though the tables fit together: nothing here keeps a registry from being used."""

from collections import defaultdict
from collections.abc import Iterator

from dispatcher.errors import Problem
from dispatcher.registry.model import Contact, Link, Speaker, Station, Verification, Village
from dispatcher.registry.relations import Placed


def find(
    villages: list[Placed[Village]],
    contacts: list[Placed[Contact]],
    stations: list[Placed[Station]],
    links: list[Placed[Link]],
    speakers: list[Placed[Speaker]],
) -> Iterator[Problem]:
    """Everything worth a look, table by table, each at its row."""
    yield from _villages(villages, contacts, links)
    yield from _contacts(contacts)
    linked = {n.value.station for n in links}
    for s in stations:
        if s.value.id not in linked and not s.value.place:
            yield s.row.at("id", f"station {s.value.id!r} is linked to no village in links.csv: what it measures tells nobody")
    if speakers and not speakers[0].row.has("owner"):
        first = speakers[0].row
        yield first.at("id", f"nobody owns any of the {len(speakers)} speakers; add a column 'owner' with the contact who looks after each")
        return
    for p in speakers:
        if not p.value.owner:
            yield p.row.at("owner", f"nobody owns speaker {p.value.id!r}; give the contact who looks after it")


def _villages(villages: list[Placed[Village]], contacts: list[Placed[Contact]], links: list[Placed[Link]]) -> Iterator[Problem]:
    people: dict[str, list[Contact]] = defaultdict(list)
    for c in contacts:
        people[c.value.area].append(c.value)
    linked = {n.value.village for n in links}
    for v in villages:
        known = people[v.value.code]
        if known and all(c.verification is Verification.FAILED for c in known):
            yield v.row.at("code", f"village {v.value.code!r}: every contact has failed when it was tried; nobody there may be reachable")
        if v.value.code not in linked:
            yield v.row.at("code", f"village {v.value.code!r} has no station in links.csv: no gauge warns it")


def _contacts(contacts: list[Placed[Contact]]) -> Iterator[Problem]:
    for c in contacts:
        if c.value.verification is Verification.FAILED:
            yield c.row.at("verified", f"contact {c.value.id!r} did not answer when it was tried; check the number")
