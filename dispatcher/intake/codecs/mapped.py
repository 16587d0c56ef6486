"""Vendors' JSON by a mapping profile: which path leads to which field. One message may hold several readings.

In a profile a text that begins with ``$`` or ``@`` is a path, ``topic[2]`` is a level of the topic, anything else is meant as it stands.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from dispatcher.intake.catalogue import Catalogue
from dispatcher.intake.codecs.gather import Gathering, iso
from dispatcher.intake.codecs.jsonpath import Path, read_path
from dispatcher.intake.codecs.jsontext import parse_json, tell
from dispatcher.intake.decode import Limits
from dispatcher.model.reject import Decoded, Fault, RejectCode
from dispatcher.ports import Item

_TOPIC = re.compile(r"topic\[(\d{1,2})\]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_MOST_TEXT = 256


def _readable(text: str) -> str:
    if text[:1] in ("$", "@"):
        read_path(text)
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise ValueError(f"unknown time zone {name!r}; allowed: names such as Asia/Shanghai") from error
    return name


Where = Annotated[str, AfterValidator(_readable)]


class _Profile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MappedTime(_Profile):
    """Where the time is and how it is written."""

    path: Where = Field(description="Where the time is.")
    form: Literal["iso", "epoch_s", "epoch_ms"] = Field(default="iso", description="How it is written.")
    zone: Annotated[str, AfterValidator(_zone)] | None = Field(default=None, description="Time zone of times written without an offset.")


class MappedReading(_Profile):
    """One reading of each item."""

    variable: Where = Field(description="Its variable.")
    value: Where = Field(description="Where its value is; an item without it, or with null, has no such reading.")
    unit: Where = Field(description="Its unit.")
    kind: Where = Field(default="", description="Its kind, checked against the registry.")
    quality: Where = Field(default="", description="Its quality.")


class MappedSettings(_Profile):
    """The profile of one vendor's messages."""

    codec: Literal["mapped"] = "mapped"
    each: Where = Field(default="$", description="Path to the items of a message.")
    station: Where = Field(description="Where the station is.")
    time: MappedTime
    readings: Annotated[tuple[MappedReading, ...], Field(min_length=1)] = Field(description="What is read out of each item.")
    stations: dict[str, str] = Field(default_factory=dict, description="The vendor's station to that of the registry, where they differ.")
    variables: dict[str, str] = Field(default_factory=dict, description="The vendor's word for a variable to ours.")
    units: dict[str, str] = Field(default_factory=dict, description="The vendor's unit to one we know.")
    qualities: dict[str, Literal["good", "suspect", "bad"]] = Field(
        default_factory=dict, description="The vendor's mark of quality to ours."
    )
    missing: tuple[str | float, ...] = Field(default=(), description="Values that stand for none, such as -9999.")


@dataclass(frozen=True, slots=True)
class _Scope:
    """What paths can see: the message, one item of it, the topic."""

    root: object
    item: object
    topic: str

    def get(self, where: Path | str) -> object:
        if isinstance(where, Path):
            return where.first(self.root, self.item)
        level = _TOPIC.fullmatch(where)
        if level is None:
            return where
        parts = self.topic.split("/")
        return parts[int(level[1])] if int(level[1]) < len(parts) else None


def _compiled(text: str) -> Path | str:
    return read_path(text) if text[:1] in ("$", "@") else text


@dataclass(frozen=True, slots=True)
class MappedCodec:
    """Messages of one profile."""

    settings: MappedSettings
    _paths: Mapping[str, Path | str] = field(init=False)
    _zone: ZoneInfo | None = field(init=False)

    def __post_init__(self) -> None:
        """Read every path once."""
        s = self.settings
        words = {s.each, s.station, s.time.path}
        words |= {word for r in s.readings for word in (r.variable, r.value, r.unit, r.kind, r.quality)}
        object.__setattr__(self, "_paths", {word: _compiled(word) for word in words})
        object.__setattr__(self, "_zone", ZoneInfo(s.time.zone) if s.time.zone else None)

    def decode(self, item: Item, catalogue: Catalogue, limits: Limits, now: datetime) -> Decoded:
        """The readings of a message; each that is none is refused by itself."""
        del now  # every time is the vendor's own
        into = Gathering(item, catalogue, limits)
        if into.too_large():
            return into.decoded()
        root, fault = parse_json(item.body)
        if fault is not None:
            into.refuse(fault)
            return into.decoded()
        each = self._paths[self.settings.each]
        items = each.find(root, root, limits.items + 1) if isinstance(each, Path) else [root]
        if not items:
            what = f"nothing at {self.settings.each}, where the items of a message should be"
            into.refuse(Fault(RejectCode.MISSING_FIELD, what))
        for index, one in enumerate(items, 1):
            if into.count >= limits.items or index > limits.items:
                what = f"more than allowed: {limits.items:,} in one message; from here on none was read"
                into.refuse(Fault(RejectCode.TOO_MANY, what), f"item {index}", index)
                break
            self._item(_Scope(root, one, item.subject), into, index)
        return into.decoded()

    def _item(self, scope: _Scope, into: Gathering, index: int) -> None:
        where = f"item {index}"
        found = [(r, value) for r in self.settings.readings if (value := scope.get(self._paths[r.value])) is not None]
        if not found:
            wanted = ", ".join(dict.fromkeys(r.value for r in self.settings.readings))
            into.refuse(Fault(RejectCode.MISSING_FIELD, f"no value in it; needed: one of {wanted}"), where, index)
            return
        station = _word(scope.get(self._paths[self.settings.station]))
        if station is None:
            into.refuse(Fault(RejectCode.MISSING_FIELD, f"no station at {self.settings.station}"), where, index)
            return
        time, fault = _time(scope.get(self._paths[self.settings.time.path]), self.settings.time, self._zone)
        if fault is not None:
            into.refuse(fault, where, index)
            return
        for reading, value in found:
            if not self._is_missing(value):
                fields = {"station": self.settings.stations.get(station, station), "value": _number(value), "time": time}
                into.take(fields | self._others(reading, scope), f"{where}, {reading.value}", index)

    def _others(self, reading: MappedReading, scope: _Scope) -> dict[str, Any]:
        """Variable, unit and what is optional; what is not there stays away, for the judge to name."""
        s = self.settings
        fields: dict[str, Any] = {}
        for name, text, ours in (
            ("variable", reading.variable, s.variables),
            ("unit", reading.unit, s.units),
            ("kind", reading.kind, {}),
            ("quality", reading.quality, s.qualities),
        ):
            word = _word(scope.get(self._paths[text])) if text else None
            if word is not None:
                fields[name] = ours.get(word, word)
        return fields

    def _is_missing(self, value: object) -> bool:
        number = _number(value)
        return any(mark in (value, number) or number == _number(mark) for mark in self.settings.missing)


def _word(value: object) -> str | None:
    """A text or number as a word; whole numbers without their ``.0``, since JSON does not tell 7 from 7.0."""
    if isinstance(value, str):
        return value[:_MOST_TEXT]
    if isinstance(value, float) and not isinstance(value, bool):
        return str(int(value)) if value.is_integer() else repr(value)
    return None


def _number(value: object) -> object:
    """A number, also out of a text that is one; everything else is left to the judge to refuse, in words if it is nested."""
    if isinstance(value, list | dict):
        return tell(value)
    if isinstance(value, str) and len(value) <= _MOST_TEXT and _NUMBER.fullmatch(value.strip()):
        return float(value)
    return value


def _time(value: object, form: MappedTime, zone: ZoneInfo | None) -> tuple[object, Fault | None]:
    """The time as a text of our own format, or why it is none."""
    if form.form != "iso":
        number = _number(value)
        if not isinstance(number, float) or not math.isfinite(number):
            return "", Fault(RejectCode.BAD_TIME, f"{tell(value)} at {form.path}; allowed: a number, as {form.form} says")
        return iso(number / (1000 if form.form == "epoch_ms" else 1)), None
    if not isinstance(value, str) or zone is None:
        return value if isinstance(value, str) else tell(value), None
    try:
        time = datetime.fromisoformat(value[:_MOST_TEXT].strip())
        return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC).isoformat(), None
    except (ValueError, OverflowError):
        return value, None
