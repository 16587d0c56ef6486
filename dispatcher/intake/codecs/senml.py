"""SenML packs (RFC 8428) in JSON: base fields, relative times, sums; names become stations and variables by a template.

``resolve`` gives the pack's resolved form, with every time absolute; the codec makes readings of it.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from dispatcher.intake.catalogue import Catalogue
from dispatcher.intake.codecs.gather import Gathering, iso
from dispatcher.intake.codecs.jsontext import parse_json, tell
from dispatcher.intake.decode import Limits
from dispatcher.model.reject import Decoded, Fault, RejectCode, show
from dispatcher.ports import Item

VERSION = 10
"""The version of SenML that is read; a pack of a higher one is refused, as the RFC asks."""

_RELATIVE_BELOW = 2**28
"""A time below this many seconds counts from now."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:./_]{0,255}")
_VALUES = ("v", "vs", "vb", "vd")
_NUMBERS = ("bv", "bs", "v", "s", "bt", "t", "ut", "bver")
_TEXTS = ("bn", "n", "bu", "u", "vs", "vd")
_PLACEHOLDERS = re.compile(r"\{(station|variable)\}")


class SenmlSettings(BaseModel):
    """How the names in a pack become stations and variables of the registry."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    codec: Literal["senml"] = "senml"
    names: str = Field(default="{station}:{variable}", description="Shape of a full name; {station} is needed, {variable} mostly.")
    variable: str = Field(default="", description="The variable when the names have none.")
    stations: dict[str, str] = Field(default_factory=dict, description="Station in the name to station in the registry, where they differ.")
    variables: dict[str, str] = Field(
        default_factory=dict, description="Variable in the name to variable in the registry, where they differ."
    )
    units: dict[str, str] = Field(default_factory=dict, description="Unit in the pack to a unit we know, where they differ.")

    @field_validator("names")
    @classmethod
    def _has_station(cls, names: str) -> str:
        found = _PLACEHOLDERS.findall(names)
        if found.count("station") != 1 or found.count("variable") > 1:
            raise ValueError("allowed: a text with {station} once and {variable} at most once")
        return names


@dataclass(frozen=True, slots=True)
class Record:
    """One resolved record. ``index`` counts the records of the pack from 1; ``at_s`` is seconds since 1970-01-01 UTC."""

    index: int
    name: str
    unit: str
    at_s: float
    value: float | None = None
    sum: float | None = None
    other: object = None


def resolve(pack: object, now_s: float) -> tuple[list[Record], list[tuple[int, Fault]]]:
    """The resolved records of a parsed pack, and the faults of records by their number (0: of the pack)."""
    if not isinstance(pack, list):
        return [], [(0, Fault(RejectCode.NOT_READABLE, f"{tell(pack)} is no SenML pack; allowed: an array of records"))]
    records: list[Record] = []
    faults: list[tuple[int, Fault]] = []
    base: dict[str, Any] = {}
    for index, fields in enumerate(pack, 1):
        fault = _shape(fields)
        if fault is None:
            base |= {name: fields[name] for name in ("bn", "bt", "bu", "bv", "bs", "bver") if name in fields}
            found = _record(index, fields, base, now_s)
            fault = found if isinstance(found, Fault) else None
            if isinstance(found, Record):
                records.append(found)
        if fault is not None:
            faults.append((index, fault))
            if fault.code is RejectCode.UNKNOWN_FORMAT:
                break
    return records, faults


def _shape(fields: object) -> Fault | None:
    if not isinstance(fields, dict):
        return Fault(RejectCode.BAD_FIELD, f"the record is {tell(fields)}; allowed: a JSON object")
    for name in _NUMBERS:
        if name in fields and not (isinstance(fields[name], float) and math.isfinite(fields[name])):
            return Fault(RejectCode.BAD_FIELD, f'field "{name}": {tell(fields[name])}; allowed: a finite number')
    for name in _TEXTS:
        if name in fields and not isinstance(fields[name], str):
            return Fault(RejectCode.BAD_FIELD, f'field "{name}": {tell(fields[name])}; allowed: text')
    must = next((name for name in fields if name.endswith("_")), None)
    if must is not None:
        return Fault(RejectCode.BAD_FIELD, f"field {show(must)} must be understood and is not; allowed: the fields of RFC 8428")
    return None


def _record(index: int, fields: Mapping[str, Any], base: Mapping[str, Any], now_s: float) -> Record | Fault | None:
    if base.get("bver", VERSION) > VERSION:
        return Fault(RejectCode.UNKNOWN_FORMAT, f'field "bver": {base["bver"]:g}; allowed: at most {VERSION}; nothing after it was read')
    values = [name for name in _VALUES if name in fields]
    if len(values) > 1:
        return Fault(RejectCode.BAD_FIELD, f"fields {' and '.join(values)} in one record; allowed: one of {', '.join(_VALUES)}")
    if not values and "s" not in fields:
        if {"n", "u", "t"} & fields.keys():
            return Fault(RejectCode.MISSING_FIELD, f"no value; needed: one of {', '.join(_VALUES)}, or a sum s")
        return None  # it only sets base fields
    name = base.get("bn", "") + fields.get("n", "")
    if not _NAME.fullmatch(name):
        what = f"name {show(name)}; allowed: 1 to 256 of A-Z a-z 0-9 - : . / _, the first a letter or digit"
        return Fault(RejectCode.BAD_FIELD, what)
    at_s = base.get("bt", 0.0) + fields.get("t", 0.0)
    at_s += now_s if at_s < _RELATIVE_BELOW else 0.0
    other = next((fields[n] for n in ("vs", "vb", "vd") if n in fields), None)
    value = fields["v"] + base.get("bv", 0.0) if "v" in fields else None
    total = fields["s"] + base.get("bs", 0.0) if "s" in fields else None
    return Record(index, name, fields.get("u", base.get("bu", "")), at_s, value, total, other)


@dataclass(frozen=True, slots=True)
class SenmlCodec:
    """Packs of one naming."""

    settings: SenmlSettings

    def decode(self, item: Item, catalogue: Catalogue, limits: Limits, now: datetime) -> Decoded:
        """The readings of a pack; each record that is none is refused by itself."""
        into = Gathering(item, catalogue, limits)
        if into.too_large():
            return into.decoded()
        pack, fault = parse_json(item.body)
        if fault is not None:
            into.refuse(fault)
            return into.decoded()
        if isinstance(pack, list) and len(pack) > limits.items:
            what = f"more records than allowed: {limits.items:,} in one pack; from there on none was read"
            into.refuse(Fault(RejectCode.TOO_MANY, what), index=limits.items + 1, count=len(pack) - limits.items)
            pack = pack[: limits.items]
        records, faults = resolve(pack, now.timestamp())
        shape = _pattern(self.settings.names)
        for record in records:
            self._take(record, shape, into)
        for index, wrong in faults:
            into.refuse(wrong, f"record {index}" if index else "", index)
        return into.decoded()

    def _take(self, record: Record, shape: re.Pattern[str], into: Gathering) -> None:
        where = f"record {record.index}"
        found = shape.fullmatch(record.name)
        if found is None:
            what = f"name {show(record.name)}; allowed: names like {self.settings.names}"
            into.refuse(Fault(RejectCode.UNKNOWN_STATION, what), where, record.index)
            return
        if record.value is None:
            got = "only a sum" if record.other is None else tell(record.other)
            into.refuse(Fault(RejectCode.BAD_FIELD, f'{got} for {show(record.name)}; allowed: a number in "v"'), where, record.index)
            return
        parts = found.groupdict()
        station, variable = parts["station"], parts.get("variable", self.settings.variable)
        fields = {
            "station": self.settings.stations.get(station, station),
            "variable": self.settings.variables.get(variable, variable),
            "value": record.value,
            "unit": self.settings.units.get(record.unit, record.unit),
            "time": iso(record.at_s),
        }
        into.take(fields, where, record.index)


def _pattern(names: str) -> re.Pattern[str]:
    parts = _PLACEHOLDERS.split(names)
    groups = {"station": "(?P<station>.+)", "variable": "(?P<variable>[^:/]+)"}
    return re.compile("".join(groups[part] if at % 2 else re.escape(part) for at, part in enumerate(parts)))
