"""One item of a body, looked at by itself: a reading, or the reason in words why it is none."""

import difflib
import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, NoReturn

import pydantic

from dispatcher.intake.catalogue import KIND_WORDS, Catalogue, Place
from dispatcher.intake.elements import REQUIRED, Element
from dispatcher.intake.units import VARIABLES
from dispatcher.model.reject import Fault, RejectCode, show
from rules.reading import Reading

MAX_DEPTH = 8
"""Brackets may be nested this deep in one item: vendors wrap their own data beside ours."""

_TIME_CHARACTERS = 40
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_OPTIONAL = ("kind", "interval", "quality")
_LIKENESS = 0.85
_ALLOWED = {
    "station": "text",
    "variable": "text",
    "value": "a finite number, not in quotation marks",
    "unit": "text",
    "time": "text such as 2026-07-20T08:05:00+08:00",
    "kind": ", ".join(KIND_WORDS),
    "interval": "seconds, a number above 0",
    "quality": "good, suspect, bad",
    "id": "text of at most 128 characters",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The event times that can be real, in seconds since 1970-01-01 UTC; default 1990 to 2100.

    A logger that lost its clock says 1970 or 1980. Whether a time fits to ``now`` is the rules' business.
    """

    earliest_s: int = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp())
    latest_s: int = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())


DEFAULT_BOUNDS = Bounds()


class ReadingModel(pydantic.BaseModel):
    """One reading as it may arrive; fields of other names are a vendor's own affair."""

    model_config = pydantic.ConfigDict(strict=True, frozen=True, extra="ignore")

    station: str
    variable: str
    value: Annotated[float, pydantic.Field(allow_inf_nan=False)]
    unit: str
    time: str
    kind: str | None = None
    interval: Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)] | None = None
    quality: Literal["good", "suspect", "bad"] | None = None
    id: Annotated[str, pydantic.Field(max_length=128)] | None = None


@lru_cache(maxsize=8192)
def epoch_s(text: str) -> int:
    """Whole seconds since 1970-01-01 UTC of an aware ISO 8601 time, fractions cut off; ValueError says what is allowed.

    Remembered, because stations report on the same minutes; a pure function of its text all the same.
    """
    if len(text) > _TIME_CHARACTERS:
        raise ValueError(f"{show(text)} is too long; allowed: {_ALLOWED['time']}")
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{show(text)} is not an ISO 8601 time; allowed: {_ALLOWED['time']}") from None
    if time.utcoffset() is None:
        raise ValueError(f"{show(text)} has no time zone; allowed: an offset such as +08:00, or Z")
    return math.floor(time.timestamp())


class _Refused(ValueError):
    """Carries a fault out of the JSON parser's hooks."""

    def __init__(self, code: RejectCode, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(code, message)


@dataclass(frozen=True, slots=True)
class Examiner:
    """Turns items into readings against one catalogue."""

    catalogue: Catalogue
    bounds: Bounds

    def examine(self, element: Element) -> Reading | Fault:
        """The reading of an item, or the first reason why it is none."""
        try:
            _check_text(element)
            fields = _parse(element.text) if element.row is None else _numbers(element.row)
            _check_spelling(fields)
            return self._place(_validate(fields))
        except _Refused as refused:
            return refused.fault

    def judge(self, fields: dict[str, Any]) -> Reading | Fault:
        """The same for fields that a codec has read out of another format; they bear the names of ours."""
        try:
            return self._place(_validate(fields))
        except _Refused as refused:
            return refused.fault

    def _place(self, model: ReadingModel) -> Reading:
        place = self.catalogue.places.get((model.station, model.variable, model.unit))
        if place is None:
            self._refuse_place(model)
        if model.kind is not None and KIND_WORDS.get(model.kind) != place.kind:
            what = f'field "kind": {show(model.kind)}; allowed: {place.kind}, as the station is registered'
            raise _Refused(RejectCode.BAD_KIND, what)
        value = _in_range(model, place)
        return Reading(place.station, place.variable, value, self._at_s(model.time), model.quality or "good")

    def _refuse_place(self, model: ReadingModel) -> NoReturn:
        variables = self.catalogue.stations.get(model.station)
        if variables is None:
            known = len(self.catalogue.stations)
            what = f'field "station": unknown station {show(model.station)}; allowed: the {known} stations of the registry'
            raise _Refused(RejectCode.UNKNOWN_STATION, what)
        if model.variable not in variables:
            what = f'field "variable": {show(model.variable)} at station {show(model.station)}; allowed there: {", ".join(variables)}'
            raise _Refused(RejectCode.UNKNOWN_VARIABLE, what)
        what = f'field "unit": unknown unit {show(model.unit)} for {model.variable}; allowed: {", ".join(VARIABLES[model.variable].units)}'
        raise _Refused(RejectCode.UNKNOWN_UNIT, what)

    def _at_s(self, text: str) -> int:
        try:
            at_s = epoch_s(text)
        except (ValueError, OverflowError) as error:
            raise _Refused(RejectCode.BAD_TIME, f'field "time": {error}') from None
        earliest_s, latest_s = self.bounds.earliest_s, self.bounds.latest_s
        if not earliest_s <= at_s <= latest_s:
            allowed = f"{datetime.fromtimestamp(earliest_s, UTC):%Y-%m-%d} to {datetime.fromtimestamp(latest_s, UTC):%Y-%m-%d}"
            raise _Refused(RejectCode.BAD_TIME, f'field "time": {show(text)} cannot be; allowed: {allowed}')
        return at_s


def _in_range(model: ReadingModel, place: Place) -> float:
    value = model.value * place.times / place.over + place.plus
    if place.low <= value <= place.high:
        return value
    unit = VARIABLES[place.variable].unit
    what = f'field "value": {model.value:g} {model.unit} of {place.variable} cannot be; allowed: {place.low:g} to {place.high:g} {unit}'
    raise _Refused(RejectCode.OUT_OF_RANGE, what)


def _check_text(element: Element) -> None:
    if element.depth > MAX_DEPTH:
        raise _Refused(RejectCode.TOO_DEEP, f"brackets nested {element.depth} deep; allowed: {MAX_DEPTH}")
    try:
        element.text.encode()
    except UnicodeEncodeError as error:
        what = f"bytes that are not UTF-8 at character {error.start + 1} of the item; allowed: UTF-8 only"
        raise _Refused(RejectCode.NOT_UTF8, what) from None


def _parse(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant, parse_int=float)
    except json.JSONDecodeError as error:
        what = f"not JSON at character {error.pos + 1} of the item ({error.msg}); allowed: a JSON object"
        raise _Refused(RejectCode.NOT_READABLE, what) from None
    if not isinstance(value, dict):
        raise _Refused(RejectCode.BAD_FIELD, f"the item is {show(value)}; allowed: a JSON object")
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Refused(RejectCode.DUPLICATE_KEY, f"field {show(twice)} stands there more than once; allowed: once")
    return fields


def _constant(word: str) -> NoReturn:
    raise _Refused(RejectCode.BAD_FIELD, f"{word} is not a number; allowed: {_ALLOWED['value']}")


def _numbers(row: dict[str, str]) -> dict[str, Any]:
    """The cells of a CSV row with its numbers as numbers; what is none stays text, for the model to refuse."""
    return {name: _number(cell) if name in ("value", "interval") else cell for name, cell in row.items()}


def _number(cell: str) -> float | str:
    return float(cell) if _NUMBER.fullmatch(cell) else cell


def _check_spelling(fields: dict[str, Any]) -> None:
    """A misspelt "quality" must not turn a bad reading into a good one."""
    for name in fields.keys() - _ALLOWED.keys():
        meant = difflib.get_close_matches(name.lower()[:_TIME_CHARACTERS], _OPTIONAL, n=1, cutoff=_LIKENESS)
        if meant:
            raise _Refused(RejectCode.BAD_FIELD, f'unknown field {show(name)}, so like "{meant[0]}"; allowed: {", ".join(_ALLOWED)}')


def _validate(fields: dict[str, Any]) -> ReadingModel:
    missing = [name for name in REQUIRED if name not in fields]
    if missing:
        what = f"field {', '.join(map(repr, missing))} is missing; needed: {', '.join(REQUIRED)}".replace("'", '"')
        raise _Refused(RejectCode.MISSING_FIELD, what)
    for name in _ALLOWED.keys() & fields.keys():
        if isinstance(fields[name], str) and not _is_text(fields[name]):
            raise _Refused(
                RejectCode.BAD_FIELD, f'field "{name}": {show(fields[name])} has half a surrogate pair; allowed: whole characters'
            )
    try:
        return ReadingModel.model_validate(fields)
    except pydantic.ValidationError as error:
        name = str(error.errors(include_url=False)[0]["loc"][0])
        code = RejectCode.BAD_TIME if name == "time" else RejectCode.BAD_FIELD
        raise _Refused(code, f'field "{name}": {show(fields[name])}; allowed: {_ALLOWED[name]}') from None


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
