"""Messages of the Common Alerting Protocol as frozen values: what an upper level or a neighbour says (CAP 1.0, 1.1, 1.2).

Nothing here says what becomes of a message: whoever acts on one looks at ``status`` first. Only Actual may reach the public.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

Pairs = tuple[tuple[str, str], ...]
"""Names and values, in their order; a name may stand more than once."""


class Reference(NamedTuple):
    """An earlier message; ``sent`` is its time as it was written, to be compared character by character."""

    sender: str
    identifier: str
    sent: str


class Point(NamedTuple):
    """A place of WGS 84, in degrees."""

    lat: float
    lon: float


class Circle(NamedTuple):
    """A circle around a place; ``radius_km`` may be 0."""

    centre: Point
    radius_km: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CapArea:
    """Where: the union of all polygons, circles and geocodes. ``altitude`` and ``ceiling`` are feet above mean sea level."""

    description: str
    polygons: tuple[tuple[Point, ...], ...] = ()
    circles: tuple[Circle, ...] = ()
    geocodes: Pairs = ()
    altitude: str = ""
    ceiling: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapResource:
    """A picture, a sound, a file. ``content`` is base64, empty unless it came along."""

    description: str
    mime_type: str = ""
    size_bytes: int | None = None
    uri: str = ""
    content: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapInfo:
    """What, how bad, and what to do, in one language. An absent ``effective`` means the time of sending."""

    language: str
    categories: tuple[str, ...]
    event: str
    urgency: str
    severity: str
    certainty: str
    response_types: tuple[str, ...] = ()
    audience: str = ""
    event_codes: Pairs = ()
    effective: datetime | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    sender_name: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""
    contact: str = ""
    parameters: Pairs = ()
    resources: tuple[CapResource, ...] = ()
    areas: tuple[CapArea, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CapAlert:
    """One message. ``sent_text`` is the time as it was written, which references repeat.

    ``signed`` says that there is a signature, not that it holds. ``remarks`` are what is amiss without making it unreadable.
    """

    version: str
    identifier: str
    sender: str
    sent: datetime
    sent_text: str
    status: str
    msg_type: str
    scope: str
    source: str = ""
    restriction: str = ""
    addresses: str = ""
    codes: tuple[str, ...] = ()
    note: str = ""
    references: tuple[Reference, ...] = ()
    incidents: str = ""
    infos: tuple[CapInfo, ...] = ()
    signed: bool = False
    remarks: tuple[str, ...] = ()
