"""SL 651-2014 frames, sans I/O: bytes to frames and back, in both encodings (水文监测数据通信规约, 报文帧).

HEX/BCD frames begin with 7E 7E, ASCII frames with SOH (01), where every byte of the head is two characters. The head holds
centre and station (swapped downwards), password, function, direction and length; then STX or SYN, the body, an end
character, and CRC-16/MODBUS over all before it, high byte first.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum

from dispatcher.model.reject import Fault, RejectCode


class Encoding(Enum):
    """How a frame is written: its mark, and characters for each byte of its head."""

    HEX = (b"\x7e\x7e", 1)
    ASCII = (b"\x01", 2)

    @property
    def mark(self) -> bytes:
        """The bytes a frame begins with."""
        return self.value[0]

    @property
    def width(self) -> int:
        """Characters for one byte of the head."""
        return self.value[1]


class Control(IntEnum):
    """Control characters (table 10 of the standard)."""

    STX = 0x02
    SYN = 0x16
    ETX = 0x03
    ETB = 0x17
    ENQ = 0x05
    EOT = 0x04
    ACK = 0x06
    NAK = 0x15
    ESC = 0x1B


_MARK = re.compile(b"|".join(re.escape(e.mark) for e in Encoding))
_STARTS = frozenset({Control.STX, Control.SYN})
_ENDS = frozenset({Control.ETX, Control.ETB, Control.ENQ, Control.EOT, Control.ACK, Control.NAK, Control.ESC})
_HEAD = 11
"""Bytes between mark and start character: centre 1, station 5, password 2, function 1, direction and length 2."""

MOST_WORK = 4096
"""Marks of frames that are none, each checksum in vain counted as ``_CHECKSUM`` of them; then the rest of a body is not
looked at: rubbish must not cost much."""

_CHECKSUM = 64
_NO_HEAD = "not even the head of a frame is whole; allowed: whole frames"
_NO_FRAME = "no frame; allowed: frames, which begin with 7E 7E or 01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame whose checksum holds. ``station`` is ten hex characters, ``password`` four.

    ``total`` and ``number`` are 0 unless it is one packet of several. ``body`` is without them.
    """

    encoding: Encoding
    up: bool
    centre: int
    station: str
    password: str
    function: int
    body: bytes
    end: Control
    total: int = 0
    number: int = 0
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Bad:
    """Bytes that are no frame, and why."""

    raw: bytes
    at: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class Short:
    """A frame that has begun and is not all there; ``needed`` is its whole length, 0 when not even the head is there."""

    have: int
    needed: int


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_TABLE = _table()


def crc16(data: bytes) -> int:
    """CRC-16/MODBUS."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc


def read_frame(data: bytes, at: int = 0) -> Frame | Bad | Short:
    """The frame that begins at this place."""
    encoding = next((e for e in Encoding if data.startswith(e.mark, at)), None)
    if encoding is None:
        return Short(len(data) - at, 0) if data[at:] == b"\x7e" else _bad(data, at, at + 1, RejectCode.NOT_READABLE, _NO_FRAME)
    width, begin = encoding.width, at + len(encoding.mark)
    start = begin + _HEAD * width
    if start >= len(data):
        return Short(len(data) - at, 0)
    head = _head(data[begin:start], width)
    if head is None or data[start] not in _STARTS or head[9] >> 4 not in (0, 8):
        return _bad(data, at, start + 1, RejectCode.NOT_READABLE, "a head that cannot be; allowed: as SL 651-2014, tables 11 and 12")
    length = ((head[9] & 0x0F) << 8) | head[10]
    end = start + 1 + length
    whole = end + 1 + 2 * width
    if whole > len(data):
        return Short(len(data) - at, whole - at)
    return _checked(data, encoding, head, (at, start, end, whole))


def _checked(data: bytes, encoding: Encoding, head: bytes, places: tuple[int, int, int, int]) -> Frame | Bad:
    at, start, end, whole = places
    if data[end] not in _ENDS:
        return _bad(data, at, whole, RejectCode.NOT_READABLE, f"end character {data[end]:02X} where the length says the end is")
    said = _head(data[end + 1 : whole], encoding.width)
    found = crc16(data[at : end + 1])
    if said is None or int.from_bytes(said, "big") != found:
        what = f"checksum {data[end + 1 : whole].hex().upper()}; by the bytes before it: {found:04X}"
        return _bad(data, at, whole, RejectCode.BAD_CHECKSUM, what)
    up = head[9] >> 4 == 0
    centre, station = (head[0], head[1:6]) if up else (head[5], head[0:5])
    body, total, number = data[start + 1 : end], 0, 0
    if data[start] == Control.SYN:
        packet = _head(body[: 3 * encoding.width], encoding.width)
        if packet is None or len(packet) != 3:  # noqa: PLR2004 - two numbers of 12 bits
            return _bad(data, at, whole, RejectCode.NOT_READABLE, "no packet number behind SYN")
        total, number = packet[0] << 4 | packet[1] >> 4, (packet[1] & 0x0F) << 8 | packet[2]
        body = body[3 * encoding.width :]
    return Frame(
        encoding=encoding,
        up=up,
        centre=centre,
        station=station.hex().upper(),
        password=head[6:8].hex().upper(),
        function=head[8],
        body=body,
        end=Control(data[end]),
        total=total,
        number=number,
        raw=data[at:whole],
    )


def _head(data: bytes, width: int) -> bytes | None:
    """Bytes of the head: as they are, or two characters each."""
    if width == 1:
        return data
    try:
        return bytes.fromhex(data.decode("ascii")) if b" " not in data and len(data) % 2 == 0 else None
    except ValueError:
        return None


def _bad(data: bytes, at: int, end: int, code: RejectCode, message: str) -> Bad:
    return Bad(data[at:end], at, Fault(code, message))


def find_frames(data: bytes) -> Iterator[Frame | Bad]:
    """All frames of a body that is whole; what lies between them is one ``Bad`` each, with the first reason."""
    at, work, bad = 0, 0, None
    while at < len(data):
        found = read_frame(data, at)
        if isinstance(found, Frame):
            if bad is not None:
                yield Bad(data[bad.at : at], bad.at, bad.fault)
                bad = None
            yield found
            at += len(found.raw)
            continue
        if isinstance(found, Short):
            found = _bad(data, at, len(data), RejectCode.TRUNCATED, _short(found))
        bad = _worse(bad, found)
        work += _CHECKSUM if found.fault.code is RejectCode.BAD_CHECKSUM else 1
        at = next_mark(data, at + 1) if work < MOST_WORK else len(data)
    if bad is not None:
        yield Bad(data[bad.at :], bad.at, bad.fault)


def _worse(before: Bad | None, now: Bad) -> Bad:
    """The reason that says more: a frame with a fault, not the bytes after it that begin none."""
    if before is None:
        return now
    says_little = (
        before.fault.message == _NO_FRAME
        and now.fault.message not in (_NO_FRAME, _NO_HEAD)
        and now.fault.code is not RejectCode.NOT_READABLE
    )
    return Bad(b"", before.at, now.fault) if says_little else before


def _short(short: Short) -> str:
    if not short.needed:
        return _NO_HEAD
    missing = " (the checksum is missing)" if 0 < short.needed - short.have <= 2 else ""  # noqa: PLR2004 - its length
    return f"{short.have} bytes of a frame of {short.needed}{missing}; allowed: whole frames"


def next_mark(data: bytes, at: int) -> int:
    """Where the next frame may begin; the end of the data when nowhere."""
    found = _MARK.search(data, at)
    return found.start() if found else len(data)


def write_frame(frame: Frame) -> bytes:
    """The bytes of a frame; its ``raw`` is not looked at."""
    width = frame.encoding.width

    def written(data: bytes) -> bytes:
        return data if width == 1 else data.hex().upper().encode("ascii")

    packet = written(bytes((frame.total >> 4, (frame.total & 15) << 4 | frame.number >> 8, frame.number & 0xFF))) if frame.total else b""
    length = len(packet) + len(frame.body)
    centre, station = bytes((frame.centre,)), bytes.fromhex(frame.station)
    addresses = centre + station if frame.up else station + centre
    direction = (0 if frame.up else 0x8000) | length
    head = addresses + bytes.fromhex(frame.password) + bytes((frame.function,)) + direction.to_bytes(2, "big")
    start = Control.SYN if frame.total else Control.STX
    data = frame.encoding.mark + written(head) + bytes((start,)) + packet + frame.body + bytes((frame.end,))
    return data + written(crc16(data).to_bytes(2, "big"))
