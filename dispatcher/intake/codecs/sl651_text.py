"""The body of an SL 651-2014 message in ASCII: the same as in HEX/BCD, in words with a space behind each. Total."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from dispatcher.intake.codecs.sl651_body import RELATIVE_STAGES, STEP_OF_HOUR, UNIFORM, Body, Observation, group_values, time_of
from dispatcher.model.reject import Fault, RejectCode, show

NAMES: Mapping[str, str] = {
    "AC": "01", "AI": "02", "C": "03", "DT": "05", "ED": "06", "EJ": "07", "FL": "08", "GH": "09", "GTP": "0D", "H": "0E",
    "HW": "0F", "M10": "10", "M20": "11", "M30": "12", "M40": "13", "M50": "14", "M60": "15", "M80": "16", "M100": "17",
    "MST": "18", "P1": "1A", "P2": "1B", "P3": "1C", "P6": "1D", "P12": "1E", "PD": "1F", "PJ": "20", "PN01": "21",
    "PN05": "22", "PN10": "23", "PN30": "24", "PR": "25", "PT": "26", "Q": "27", "QA": "30", "QZ": "31", "UC": "33", "UE": "34",
    "US": "35", "VA": "36", "VJ": "37", "VT": "38", "Z": "39", "ZB": "3A", "ZU": "3B", "ZT": "45", "DRP": "F4",
    **{f"DRZ{n}": name for n, name in enumerate(RELATIVE_STAGES, 1)},
    **{f"Q{n}": f"{0x27 + n:02X}" for n in range(1, 9)},
    **{f"Z{n}": f"{0x3B + n:02X}" for n in range(1, 9)},
}  # fmt: skip
"""The word of an element to its identifier in HEX/BCD (annex C of the standard), for those a profile may want."""

_HEAD = 16
_NUMBER = re.compile(r"[+-]?(\d{1,15}(\.\d{0,9})?|\.\d{1,9})", re.ASCII)
_STEP = re.compile(r"DR([DHN])(\d\d)", re.ASCII)
_STATION = re.compile(r"[0-9A-Fa-f]{10}", re.ASCII)
_NONE = "M"
_UNITS = {"D": "days", "H": "hours", "N": "minutes"}


def read_text(body: bytes, function: int, station: str) -> Body:
    """The body of an ASCII message."""
    into = Body()
    text = body.decode("latin-1")
    serial, digits = text[:4], text[4:_HEAD]
    if len(text) < _HEAD or not re.fullmatch(r"[0-9A-Fa-f]{4}", serial):
        into.faults.append(
            Fault(RejectCode.TRUNCATED, f"a body that begins {show(text[:_HEAD])}; needed: serial number and time, 16 characters")
        )
        return into
    into.serial, into.sent_at = int(serial, 16), time_of(digits)
    if into.sent_at is None:
        into.faults.append(Fault(RejectCode.BAD_TIME, f"time of sending {show(digits)}; allowed: yyMMddHHmmss"))
    _Reader(into, station, uniform=function in UNIFORM).run(iter(text[_HEAD:].split()))
    return into


@dataclass(slots=True)
class _Reader:
    into: Body
    station: str
    uniform: bool
    time: datetime | None = None

    def run(self, words: Iterator[str]) -> None:
        for word in words:
            if word in ("RGZS", "PIC", "DATA"):
                return  # text of a person, a picture, a series of velocities: all the rest of the body
            step = _STEP.fullmatch(word)
            if step is None:
                if not self._pair(word, words):
                    return  # whose values would follow is not known
            elif self.uniform and int(step[2]):
                self._series(timedelta(**{_UNITS[step[1]]: int(step[2])}), words)
                return

    def _pair(self, word: str, words: Iterator[str]) -> bool:
        value = next(words, None)
        if value is None:
            self._wrong(RejectCode.TRUNCATED, f"{show(word)} without a value at the end of the body")
        elif word == "ST":
            return self._address(value, words)
        elif word == "TT":
            self.time = time_of(value)
            if self.time is None:
                self._wrong(RejectCode.BAD_TIME, f"time of observation {show(value)}; allowed: yyMMddHHmm")
        elif word == "ZT":
            self.into.status = int(value, 16) if re.fullmatch(r"[0-9A-Fa-f]{1,8}", value) else None
        elif word == "DRP" or word.startswith("DRZ"):
            self._group(NAMES.get(word, word), value)
        else:
            self._value(NAMES.get(word, word), value, self.time)
        return True

    def _address(self, value: str, words: Iterator[str]) -> bool:
        if not _STATION.fullmatch(value):
            self._wrong(RejectCode.UNKNOWN_STATION, f"station {show(value)}; allowed: ten hex characters; nothing after it was read")
            return False
        self.station = value.upper()
        next(words, None)  # the class of the station
        return True

    def _group(self, name: str, value: str) -> None:
        try:
            raw = bytes.fromhex(value)
        except ValueError:
            self._wrong(RejectCode.BAD_FIELD, f"element {name}: {show(value)}; allowed: an hour's values in hex")
            return
        for n, one in enumerate(group_values(name, raw)):
            at = self.time + STEP_OF_HOUR * n if self.time else None
            self.into.observations.append(Observation(station=self.station, element=name, at=at, value=one, in_group=n))

    def _series(self, step: timedelta, words: Iterator[str]) -> None:
        """Names first, then for each step a value of each."""
        names: list[str] = []
        values: list[str] = []
        for word in words:
            (values if values or word == _NONE or _NUMBER.fullmatch(word) else names).append(word)
        if not names:
            self._wrong(RejectCode.MISSING_FIELD, "no element behind the time step")
            return
        if len(values) % len(names):
            self._wrong(RejectCode.TRUNCATED, f"{len(values)} values for {len(names)} elements; allowed: as many for each")
        for n, value in enumerate(values):
            try:
                at = self.time + step * (n // len(names)) if self.time else None
            except OverflowError:
                at = None
            self._value(NAMES.get(names[n % len(names)], names[n % len(names)]), value, at, n // len(names))

    def _value(self, name: str, value: str, at: datetime | None, n: int = -1) -> None:
        if value != _NONE and not _NUMBER.fullmatch(value):
            self._wrong(RejectCode.BAD_FIELD, f"element {show(name)}: {show(value)}; allowed: a number, or M for none")
            return
        number = None if value == _NONE else Decimal(value)
        self.into.observations.append(Observation(station=self.station, element=name, at=at, value=number, in_group=n))

    def _wrong(self, code: RejectCode, message: str) -> None:
        self.into.faults.append(Fault(code, message))
