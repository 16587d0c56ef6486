"""SL 651-2014 messages of hydrological stations become readings: framed, checked, put together, and mapped to variables.

A body may hold any number of frames, in either encoding, also written out in hex characters. Frames downwards, keep-alives,
answers to commands, texts and pictures hold no readings and are no mistake. 水文监测数据通信规约 SL 651-2014.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dispatcher.intake.catalogue import Catalogue, Place
from dispatcher.intake.codecs.gather import Gathering
from dispatcher.intake.codecs.sl651_body import RELATIVE_STAGES, STEP_OF_HOUR, Body, Observation, read_hex
from dispatcher.intake.codecs.sl651_frame import Bad, Encoding, Frame
from dispatcher.intake.codecs.sl651_packets import messages
from dispatcher.intake.codecs.sl651_text import read_text
from dispatcher.intake.decode import Limits
from dispatcher.model.reject import Decoded, Fault, RejectCode, show
from dispatcher.ports import Item

MEASURED = frozenset({0x30, 0x31, 0x32, 0x33, 0x34, 0x37, 0x38, 0x3A})
"""Functions whose body holds elements."""

TEST_REPORT = 0x30
_SILENT = frozenset({0x2F, 0x35, 0x36, 0x39, *range(0x40, 0x52)})
"""Functions that hold no elements: keep-alive, a person's text, pictures, answers to commands."""

_FAULTY = {"discharge": 1 << 5, "level": 1 << 6}
"""The bit of element 45 that says that the instrument of a variable is out of order."""


class ElementUse(BaseModel):
    """What an element of the standard means here. It is used where the registry has that variable in that kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    variable: str
    unit: str
    kind: Literal["increment", "instant", "counter"] = "instant"


ELEMENTS: Mapping[str, ElementUse] = {
    "F4": ElementUse(variable="rain", unit="mm", kind="increment"),
    "22": ElementUse(variable="rain", unit="mm", kind="increment"),
    "26": ElementUse(variable="rain", unit="mm", kind="counter"),
    "39": ElementUse(variable="level", unit="m"),
    "3B": ElementUse(variable="level", unit="m"),
    "F5": ElementUse(variable="level", unit="m"),
    "27": ElementUse(variable="discharge", unit="m3/s"),
    "02": ElementUse(variable="temperature", unit="degC"),
    "35": ElementUse(variable="wind_speed", unit="m/s"),
}
"""What is used of a message unless a profile says otherwise."""


class Sl651Settings(BaseModel):
    """The profile of a set of stations."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    codec: Literal["sl651"] = "sl651"
    stations: dict[str, str] = Field(default_factory=dict, description="Address (ten hex characters) to station, where they differ.")
    elements: dict[str, ElementUse | None] = Field(
        default_factory=dict, description="Element to variable, beside the usual; null drops one."
    )
    base_levels: dict[str, float] = Field(default_factory=dict, description="Station to the base of its relative stages F5, in m.")
    clock_tolerance_s: float = Field(default=3600, ge=0, description="A message sent further from now is not used; 0 asks nothing.")
    hour_groups: Literal["first", "of_hour"] = Field(
        default="first", description="The time of an hour group is that of its first value, or lies within the hour it covers."
    )


@dataclass(frozen=True, slots=True)
class Sl651Codec:
    """Messages of one profile."""

    settings: Sl651Settings
    _uses: Mapping[str, ElementUse] = field(init=False)

    def __post_init__(self) -> None:
        """Lay the profile over the usual elements."""
        uses = {**ELEMENTS, **{name.upper(): use for name, use in self.settings.elements.items()}}
        object.__setattr__(self, "_uses", {name: use for name, use in uses.items() if use is not None})

    def decode(self, item: Item, catalogue: Catalogue, limits: Limits, now: datetime) -> Decoded:
        """The readings of all messages in a body."""
        into = Gathering(item, catalogue, limits)
        if into.too_large():
            return into.decoded()
        if not item.body.strip():
            into.refuse(Fault(RejectCode.EMPTY, "an empty body; allowed: SL 651-2014 frames"))
            return into.decoded()
        for index, message in enumerate(messages(_bytes_of(item.body)), 1):
            if isinstance(message, Bad):
                into.refuse(message.fault, f"byte {message.at + 1}", index, message.raw)
            elif into.count > limits.items:
                into.refuse(Fault(RejectCode.TOO_MANY, f"more readings than allowed: {limits.items:,} in one body"), "", index)
                break
            elif message.up:
                _Message(self, message, into, index).read(now)
        return into.decoded()

    def station_of(self, address: str, catalogue: Catalogue) -> str:
        """The registry's name of an address: by profile, as it stands, or as the standard decodes it; else the address."""
        named = self.settings.stations.get(address)
        if named is not None:
            return named
        return next((name for name in _names(address) if name in catalogue.stations), address)

    def use_of(self, element: str) -> ElementUse | None:
        """What an element means; None when nothing."""
        return self._uses.get(element)


def _names(address: str) -> Iterator[str]:
    yield address
    if address.startswith("00"):
        yield address[2:]  # a hydrological station: eight digits of SL 502
    else:
        yield f"{address[:6]}{int(address[6:], 16):05d}"  # county of GB/T 2260 and a number


def _bytes_of(body: bytes) -> bytes:
    """Frames written out in hex characters, as gateways log and forward them, as bytes."""
    text = body.strip()
    if text[:4].upper() != b"7E7E":
        return body
    try:
        return bytes.fromhex(text.decode("ascii"))
    except ValueError:
        return body


def read_body(frame: Frame) -> Body:
    """What the body of a frame upwards says."""
    read = read_hex if frame.encoding is Encoding.HEX else read_text
    return read(frame.body, frame.function if frame.function in MEASURED else 0, frame.station)


@dataclass(slots=True)
class _Message:
    codec: Sl651Codec
    frame: Frame
    into: Gathering
    index: int
    relative: int = 0

    def read(self, now: datetime) -> None:
        function = self.frame.function
        if function in _SILENT:
            return
        if function not in MEASURED:
            allowed = ", ".join(f"{f:02X}" for f in sorted(MEASURED | _SILENT))
            self._refuse(Fault(RejectCode.NOT_READINGS, f"function {function:02X}; allowed: {allowed}"))
            return
        body = read_body(self.frame)
        wrong = self._clock(body, now)
        if wrong is not None:
            self._refuse(wrong, max(1, len(body.observations)))
            return
        for fault in body.faults:
            self._refuse(fault)
        before, used = self.into.count, sum([self._take(one, body) for one in body.observations])
        if self.relative:
            what = f"{self.relative} relative stages without a base; needed: base_levels of this station in the format"
            self._refuse(Fault(RejectCode.MISSING_FIELD, what), self.relative)
        elif not used and before == self.into.count and not body.faults:
            self._nothing_used(body)

    def _clock(self, body: Body, now: datetime) -> Fault | None:
        tolerance = self.codec.settings.clock_tolerance_s
        if body.sent_at is None or not tolerance or abs(body.sent_at - now) <= timedelta(seconds=tolerance):
            return None
        what = f"sent at {body.sent_at.isoformat()} by the station's clock, taken in at {now.isoformat(timespec='seconds')}"
        return Fault(RejectCode.BAD_TIME, f"{what}; allowed: {tolerance:g} s apart; none of its values was used")

    def _take(self, one: Observation, body: Body) -> bool:
        """Use one value where the registry wants it; true when it did, or when it was a filler of what it wants."""
        use = self.codec.use_of(one.element)
        if use is None:
            return False
        station = self.codec.station_of(one.station, self.into.catalogue)
        place = self.into.catalogue.places.get((station, use.variable, use.unit))
        if station in self.into.catalogue.stations and not _wanted(place, use):
            return False
        if one.value is None:
            return True
        value = float(one.value)
        if one.element in RELATIVE_STAGES:
            base = self.codec.settings.base_levels.get(station)
            if base is None:
                self.relative += 1
                return False
            value = round(value + base, 3)
        fields = {"station": station, "variable": use.variable, "value": value, "unit": use.unit, "time": self._time(one)}
        fields["quality"] = self._quality(use.variable, body)
        self.into.take(fields, f"message {self.index}, element {one.element}", self.index, self.frame.raw)
        return True

    def _time(self, one: Observation) -> str:
        if one.at is None:
            return "no time of observation"
        if self.codec.settings.hour_groups == "of_hour" and one.in_group >= 0 and one.element in ("F4", *RELATIVE_STAGES):
            first = one.at - STEP_OF_HOUR * one.in_group
            hour = (first - timedelta(seconds=1)).replace(minute=0, second=0, microsecond=0)
            return (hour + STEP_OF_HOUR * (one.in_group + 1)).isoformat()
        return one.at.isoformat()

    def _quality(self, variable: str, body: Body) -> str:
        """A test report is water poured by hand; an instrument that calls itself faulty is believed."""
        faulty = (body.status or 0) & _FAULTY.get(variable, 0)
        return "suspect" if faulty or self.frame.function == TEST_REPORT else "good"

    def _nothing_used(self, body: Body) -> None:
        had = ", ".join(dict.fromkeys(o.element for o in body.observations)) or "none"
        station = self.codec.station_of(self.frame.station, self.into.catalogue)
        variables = self.into.catalogue.stations.get(station)
        if variables is None:
            what = f"unknown station {show(self.frame.station)}; allowed: the {len(self.into.catalogue.stations)} stations of the registry"
            self._refuse(Fault(RejectCode.UNKNOWN_STATION, what))
        else:
            what = f"elements {had}, none of which gives what {station} measures; allowed there: {', '.join(variables)}"
            self._refuse(Fault(RejectCode.UNKNOWN_VARIABLE, what))

    def _refuse(self, fault: Fault, count: int = 1) -> None:
        where = f"message {self.index} of station {self.frame.station}, function {self.frame.function:02X}"
        self.into.refuse(fault, where, self.index, self.frame.raw, count)


def _wanted(place: Place | None, use: ElementUse) -> bool:
    return place is not None and place.kind == use.kind
