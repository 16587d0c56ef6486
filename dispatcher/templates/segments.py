"""How long a text message is: encoding, units and segments, as gateways count them (3GPP TS 23.038)."""

from dataclasses import dataclass
from enum import StrEnum

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
_KNOWN = _BASIC | _EXTENDED
_BEYOND_PLANE_0 = 0x10000


class Encoding(StrEnum):
    """One character outside GSM-7 turns the whole text into UCS-2."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """What a text costs. ``units`` are septets in GSM-7 and 16-bit units in UCS-2; ``count`` is the number of segments."""

    encoding: Encoding
    units: int
    count: int


_SINGLE = {Encoding.GSM7: 160, Encoding.UCS2: 70}
_PART = {Encoding.GSM7: 153, Encoding.UCS2: 67}


def segments(text: str) -> Segments:
    """The segments of a text. A character of two units is never cut in two, so a part may end one unit early."""
    encoding = encoding_of(text)
    total = units(text, encoding)
    if total <= _SINGLE[encoding]:
        return Segments(encoding=encoding, units=total, count=1)
    if total == len(text):  # no character has two units
        return Segments(encoding=encoding, units=total, count=-(-total // _PART[encoding]))
    count, used = 1, 0
    for character in text:
        size = _size(character, encoding)
        if used + size > _PART[encoding]:
            count, used = count + 1, 0
        used += size
    return Segments(encoding=encoding, units=total, count=count)


def encoding_of(text: str) -> Encoding:
    """GSM-7 when every character has a place in it."""
    return Encoding.GSM7 if _KNOWN.issuperset(text) else Encoding.UCS2


def first_part(text: str) -> int:
    """How many units the first part of a longer text holds in its encoding."""
    return _PART[encoding_of(text)]


def units(text: str, encoding: Encoding) -> int:
    """The units of a piece of a text that is sent in this encoding."""
    if encoding is Encoding.UCS2:
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text) + sum(text.count(character) for character in _EXTENDED)


def _size(character: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM7:
        return 2 if character in _EXTENDED else 1
    return 2 if ord(character) >= _BEYOND_PLANE_0 else 1
