"""What could not be read, and why: in words for a person, with the bytes for a machine."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dispatcher.model.cap import CapAlert
from rules.forecast import Forecast
from rules.reading import Reading


class RejectCode(StrEnum):
    """Why something was refused; a bounded set, fit for a metric's label."""

    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    TOO_DEEP = "too_deep"
    EMPTY = "empty"
    NOT_UTF8 = "not_utf8"
    NOT_READABLE = "not_readable"
    TRUNCATED = "truncated"
    DUPLICATE_KEY = "duplicate_key"
    MISSING_FIELD = "missing_field"
    BAD_FIELD = "bad_field"
    BAD_TIME = "bad_time"
    BAD_KIND = "bad_kind"
    UNKNOWN_STATION = "unknown_station"
    UNKNOWN_VARIABLE = "unknown_variable"
    UNKNOWN_UNIT = "unknown_unit"
    OUT_OF_RANGE = "out_of_range"
    NOT_READINGS = "not_readings"
    UNKNOWN_FORMAT = "unknown_format"
    BAD_CHECKSUM = "bad_checksum"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Something refused, with everything needed to find and mend it.

    ``message`` says what, where and what is allowed. ``index`` counts the items of a body from 1, ``line`` its lines;
    0 stands for the body as a whole. ``excerpt`` is the beginning of the refused bytes; ``sha256`` and ``size_bytes``
    are of the whole body it came in. ``count`` is how many items this one record stands for.
    """

    code: RejectCode
    message: str
    subject: str
    index: int
    line: int
    excerpt: bytes
    sha256: str
    size_bytes: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Fault:
    """The reason alone, before it is known which bytes it concerns."""

    code: RejectCode
    message: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one item held, in its order; or several of them that were read at once, when nothing in them was refused."""

    readings: Sequence[Reading]
    rejects: list[Reject]
    forecasts: list[Forecast] = field(default_factory=list)
    alerts: list[CapAlert] = field(default_factory=list)
    items: int = 1


def show(value: object, most: int = 60) -> str:
    """A value as it may stand in a message: bounded, on one line, always encodable as UTF-8."""
    text = repr(value[: most + 1] if isinstance(value, str) else value)
    return text if len(text) <= most else text[:most] + "…"


def digest(body: bytes) -> str:
    """The SHA-256 of a body, in hex."""
    return hashlib.sha256(body).hexdigest()
