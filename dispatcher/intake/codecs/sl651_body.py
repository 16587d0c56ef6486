"""The body of an SL 651-2014 message: serial number, time of sending, and observed elements with their times. Total.

Which element means which variable is not known here. 报文正文与要素.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from dispatcher.model.reject import Fault, RejectCode

BEIJING = timezone(timedelta(hours=8))
"""Stations write Beijing time."""

STEP_OF_HOUR = timedelta(minutes=5)
"""Between the values of the groups F4 to FC, which hold one hour."""

RELATIVE_STAGES = tuple(f"{n:02X}" for n in range(0xF5, 0xFD))
UNIFORM = frozenset({0x31, 0x38})
"""Functions whose body is one element and then its values, a step apart."""

_TIME_CHARACTERS = {10: "%y%m%d%H%M", 12: "%y%m%d%H%M%S"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One value of one element, or its absence (``value`` None). ``element`` is its identifier in hex, such as 39 or FF11.

    ``in_group`` counts the values of an hour group or a uniform series from 0; -1 for a single value.
    """

    station: str
    element: str
    at: datetime | None
    value: Decimal | None
    in_group: int = -1


@dataclass(slots=True)
class Body:
    """What a body says. ``serial`` is 0 and ``sent_at`` None when they are not there or cannot be."""

    serial: int = 0
    sent_at: datetime | None = None
    observations: list[Observation] = field(default_factory=list)
    status: int | None = None
    faults: list[Fault] = field(default_factory=list)


def time_of(digits: str) -> datetime | None:
    """A time in digits yyMMddHHmm or yyMMddHHmmss, of Beijing, in this century; None when it cannot be."""
    form = _TIME_CHARACTERS.get(len(digits))
    if form is None or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        return datetime.strptime("20" + digits, "%Y" + form[2:]).replace(tzinfo=BEIJING).astimezone(UTC)
    except ValueError:
        return None


def number_of(raw: bytes, decimals: int) -> Decimal | Fault | None:
    """A BCD number; None for the fillers that mean no value (all F, all A); a leading FF byte means below zero."""
    text = raw.hex()
    if not text or set(text) in ({"f"}, {"a"}):
        return None
    negative = text.startswith("ff")
    digits = text[2:] if negative else text
    if not digits.isdigit():
        return Fault(RejectCode.BAD_FIELD, f"{text.upper()} is no BCD number; allowed: digits, FF before them below zero, all F for none")
    value = Decimal(digits).scaleb(-decimals)
    return -value if negative else value


def read_hex(body: bytes, function: int, station: str) -> Body:
    """The body of a HEX/BCD message."""
    into = Body()
    if len(body) < 8:  # noqa: PLR2004 - serial and time
        into.faults.append(Fault(RejectCode.TRUNCATED, f"a body of {len(body)} bytes; needed: serial number and time, 8 bytes"))
        return into
    into.serial = int.from_bytes(body[:2], "big")
    into.sent_at = time_of(body[2:8].hex())
    if into.sent_at is None:
        into.faults.append(Fault(RejectCode.BAD_TIME, f"time of sending {body[2:8].hex().upper()}; allowed: yyMMddHHmmss in BCD"))
    _Walk(body, 8, into, station, uniform=function in UNIFORM).run()
    return into


@dataclass(slots=True)
class _Walk:
    """Goes through the elements of a HEX body once; what does not fit ends it, with the place."""

    body: bytes
    at: int
    into: Body
    station: str
    uniform: bool = False
    time: datetime | None = None
    step: timedelta | None = None

    def run(self) -> None:
        while self.at < len(self.body):
            begun = self.at
            if not self._next() or self.at <= begun:
                return

    def _next(self) -> bool:
        two = self.body[self.at : self.at + 2]
        if two == b"\xf1\xf1":
            return self._address()
        if two == b"\xf0\xf0":
            digits = self.body[self.at + 2 : self.at + 7].hex()
            self.time = time_of(digits)
            if self.time is None:
                self._wrong(RejectCode.BAD_TIME, f"time of observation {digits.upper()}; allowed: yyMMddHHmm in BCD")
            self.at += 7
            return True
        if two in (b"\xf2\xf2", b"\xf3\xf3", b"\xfd\xf6"):
            return False  # text of a person, a picture, a series of velocities: all the rest of the body
        return self._element()

    def _address(self) -> bool:
        address = self.body[self.at + 2 : self.at + 7]
        if len(address) < 5:  # noqa: PLR2004 - the length of an address
            return self._wrong(RejectCode.TRUNCATED, "the body ends within a station's address")
        self.station = address.hex().upper()
        # Behind it is the class of the station, which some leave out; a time before the address holds for it as well.
        self.at += 7 if self.body[self.at + 7 : self.at + 9] == b"\xf0\xf0" else 8
        return True

    def _element(self) -> bool:
        extended = self.body[self.at] == 0xFF  # noqa: PLR2004 - one more byte of identifier follows
        width = 2 if extended else 1
        head = self.body[self.at : self.at + width + 1]
        if len(head) <= width:
            return self._wrong(RejectCode.TRUNCATED, "the body ends within an element's head")
        name, length, decimals = head[:width].hex().upper(), head[width] >> 3, head[width] & 7
        begin = self.at + width + 1
        raw = self.body[begin : begin + length]
        if not length or len(raw) < length:
            return self._wrong(
                RejectCode.TRUNCATED, f"element {name} of {length} bytes, of which {len(raw)} are there; nothing after it was read"
            )
        if self.uniform and self.step and not _is_group(name, raw):
            self._series(name, begin, length, decimals)
            return False
        self.at = begin + length
        if name == "04":
            self.step = _step(raw)
        elif name == "45":
            self.into.status = int.from_bytes(raw, "big")
        elif _is_group(name, raw):
            self._group(name, raw)
        else:
            self._value(name, raw, decimals)
        return True

    def _series(self, name: str, begin: int, length: int, decimals: int) -> None:
        rest = self.body[begin:]
        for n in range(len(rest) // length):
            at = _later(self.time, self.step, n)
            self._value(name, rest[n * length : (n + 1) * length], decimals, n, at)
        if len(rest) % length:
            self.at = begin + len(rest) // length * length
            self._wrong(RejectCode.TRUNCATED, f"{len(rest) % length} bytes behind the last whole value of element {name}")

    def _group(self, name: str, raw: bytes) -> None:
        for n, value in enumerate(group_values(name, raw)):
            at = _later(self.time, STEP_OF_HOUR, n)
            self.into.observations.append(Observation(station=self.station, element=name, at=at, value=value, in_group=n))

    def _value(self, name: str, raw: bytes, decimals: int, n: int = -1, at: datetime | None = None) -> None:
        value = number_of(raw, decimals)
        if isinstance(value, Fault):
            self._wrong(value.code, f"element {name}: {value.message}")
            return
        time = at if n >= 0 else self.time
        self.into.observations.append(Observation(station=self.station, element=name, at=time, value=value, in_group=n))

    def _wrong(self, code: RejectCode, message: str) -> bool:
        self.into.faults.append(Fault(code, f"byte {self.at + 1} of the body: {message}"))
        return False


def _is_group(name: str, raw: bytes) -> bool:
    return (name == "F4" and len(raw) > 0) or (name in RELATIVE_STAGES and len(raw) % 2 == 0)


def group_values(name: str, raw: bytes) -> list[Decimal | None]:
    """The values of an hour group: rain in 0.1 mm, one byte each, or relative stage in 0.01 m, two bytes each."""
    if name == "F4":
        return [None if byte == 0xFF else Decimal(byte).scaleb(-1) for byte in raw]  # noqa: PLR2004 - the filler
    pairs = [int.from_bytes(raw[n : n + 2], "big") for n in range(0, len(raw) - 1, 2)]
    return [None if pair == 0xFFFF else Decimal(pair).scaleb(-2) for pair in pairs]  # noqa: PLR2004 - the filler


def _step(raw: bytes) -> timedelta | None:
    """Days, hours and minutes in BCD; None for the mark of an hour group, and for what is no step."""
    text = raw.hex()
    if len(text) != 6 or not text.isdigit():  # noqa: PLR2004 - three bytes
        return None
    return timedelta(days=int(text[:2]), hours=int(text[2:4]), minutes=int(text[4:])) or None


def _later(time: datetime | None, step: timedelta | None, n: int) -> datetime | None:
    try:
        return time + step * n if time is not None and step is not None else None
    except OverflowError:
        return None
