"""What the rules decide on: their texts and tables, the places they grade, and what each station may report.

It is kept in the store, so that a restart can compile the very same plan again, whatever the files say by then.
"""

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import msgspec

from dispatcher.intake.catalogue import Catalogue, CatalogueEntry, catalogue
from dispatcher.registry.model import Registry
from dispatcher.registry.places import places_of
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import Plan, compile_rules


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a plan and a catalogue are compiled from. ``zone`` is the county's time zone by name."""

    rules: Mapping[str, str]
    places: tuple[Place, ...]
    zone: str
    entries: tuple[CatalogueEntry, ...]
    areas: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A basis as the engine runs it. ``digest`` names it, ``packed`` is the basis as bytes."""

    digest: str
    packed: bytes
    plan: Plan
    catalogue: Catalogue


def basis_of(rules: Mapping[str, str], registry: Registry) -> Basis:
    """The basis of rule texts and a registry; the order of files and rows does not matter."""
    return Basis(
        rules=dict(sorted(rules.items())), places=places_of(registry), zone=registry.county.timezone.key,
        entries=entries_of(registry), areas=tuple(sorted(areas_of(registry))),
    )  # fmt: skip


def entries_of(registry: Registry) -> tuple[CatalogueEntry, ...]:
    """What each station reports."""
    return tuple(
        CatalogueEntry(station=s.id, variable=v.name, kind=v.kind.value, interval_s=int(v.interval.total_seconds()))
        for s in registry.stations.values()
        for v in s.variables
    )


def areas_of(registry: Registry) -> frozenset[str]:
    """The places that forecasts may be for: stations, areas, sites and catchments."""
    waters = (*(s.catchment for s in registry.stations.values()), *(v.catchment for v in registry.villages.values()))
    catchments = {*waters, *(s.catchment for s in registry.sites.values())} - {""}
    return frozenset({*registry.stations, *registry.areas, *registry.sites, *catchments})


def compiled_with(basis: Basis, plan: Plan) -> Compiled:
    """A basis with the plan that has been compiled from it already."""
    packed = msgspec.msgpack.encode(basis, order="sorted")
    digest = f"sha256:{hashlib.sha256(packed).hexdigest()}"
    return Compiled(digest=digest, packed=zlib.compress(packed, 1), plan=plan, catalogue=catalogue(basis.entries, basis.areas))


def compile_stored(packed: bytes) -> Compiled:
    """What was kept, compiled again. RuleErrors when this version of the program does not understand the rules any more."""
    basis = msgspec.msgpack.decode(zlib.decompress(packed), type=Basis)
    return compiled_with(basis, compile_rules(parse_rules(basis.rules), basis.places, ZoneInfo(basis.zone)))
