"""A county for the codecs, and SL 651-2014 frames written out from the rules of the standard."""

from dataclasses import replace
from datetime import UTC, datetime

from dispatcher.intake.catalogue import CatalogueEntry, catalogue
from dispatcher.intake.codecs.port import Codec
from dispatcher.intake.codecs.sl651_frame import Control, Encoding, Frame, write_frame
from dispatcher.intake.decode import DEFAULT_LIMITS, Limits
from dispatcher.model.reject import Decoded
from dispatcher.ports import Item

NOW = datetime(2026, 7, 20, 0, 6, tzinfo=UTC)
AT_S = 1784505900
"""2026-07-20 08:05 of Beijing."""

COUNTY = catalogue(
    [
        CatalogueEntry(station="43112901", variable="rain", kind="increment", interval_s=300),
        CatalogueEntry(station="43112901", variable="level", kind="instant", interval_s=300),
        CatalogueEntry(station="43112900007", variable="discharge", kind="instant", interval_s=300),
        CatalogueEntry(station="43112902", variable="rain", kind="counter", interval_s=300),
        CatalogueEntry(station="FFFFFFFF01", variable="level", kind="instant", interval_s=300),
    ]
)


def read(codec: Codec, body: bytes, *, topic: str = "vendor/43112901/up", limits: Limits = DEFAULT_LIMITS, now: datetime = NOW) -> Decoded:
    return codec.decode(Item(body, topic), COUNTY, limits, now)


HEAD = bytes.fromhex("0007") + bytes.fromhex("260720080530")
"""Serial number 7, sent 2026-07-20 08:05:30."""

PLACE = bytes.fromhex("F1F1004311290148F0F02607200805")
"""River station 0043112901, observed 08:05."""


def frame(body: bytes, function: int = 0x32, **changes: object) -> Frame:
    """A frame upwards of station 0043112901."""
    made = Frame(
        encoding=Encoding.HEX, up=True, centre=1, station="0043112901", password="1234", function=function, body=body, end=Control.ETX
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def message(elements: str, function: int = 0x32, **changes: object) -> bytes:
    """A whole message with these elements, in hex."""
    return write_frame(frame(HEAD + PLACE + bytes.fromhex(elements), function, **changes))


def text(words: str, function: int = 0x32, **changes: object) -> bytes:
    """A whole message in ASCII with these words."""
    body = b"0007260720080530ST 0043112901 H TT 2607200805 " + words.encode()
    return write_frame(frame(body, function, encoding=Encoding.ASCII, **changes))


def packets(body: bytes, size: int, function: int = 0x34, encoding: Encoding = Encoding.HEX) -> list[bytes]:
    """A message cut into packets."""
    pieces = [body[n : n + size] for n in range(0, len(body), size)]
    return [
        write_frame(
            frame(
                piece,
                function,
                encoding=encoding,
                total=len(pieces),
                number=number,
                end=Control.ETX if number == len(pieces) else Control.ETB,
            )
        )
        for number, piece in enumerate(pieces, 1)
    ]
