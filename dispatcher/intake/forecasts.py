"""One forecast of a body, looked at by itself: a value for the rules, or the reason in words why it is none."""

from collections.abc import Mapping
from typing import Annotated

import pydantic

from dispatcher.intake.catalogue import Catalogue
from dispatcher.intake.elements import Element
from dispatcher.intake.examine import MAX_DEPTH, Bounds, epoch_s
from dispatcher.intake.units import VARIABLES, Conversion
from dispatcher.model.reject import Fault, RejectCode, show
from rules.forecast import Forecast

LONGEST_S = 31 * 86_400
_MOST_POINTS = 100
_ALLOWED = {
    "source": "text of at most 64 characters",
    "place": "text",
    "variable": "text",
    "issued_at": "text such as 2026-07-20T08:00:00+08:00",
    "valid_from": "text such as 2026-07-20T08:00:00+08:00",
    "valid_to": "text such as 2026-07-20T14:00:00+08:00",
    "value": "a finite number, not in quotation marks",
    "unit": "text",
    "quantiles": 'shares between 0 and 1 with their values, such as {"0.5": 65, "0.9": 110}',
    "exceedance": 'thresholds with their probabilities, such as [{"threshold": 50, "probability": 0.7}]',
}
_Number = Annotated[float, pydantic.Field(allow_inf_nan=False)]
_Share = Annotated[float, pydantic.Field(ge=0, le=1)]
_STRICT = pydantic.ConfigDict(strict=True, frozen=True, extra="ignore")


class ThresholdModel(pydantic.BaseModel):
    """The chance of an amount or more."""

    model_config = _STRICT

    threshold: _Number
    probability: _Share


class ForecastModel(pydantic.BaseModel):
    """One forecast as it may arrive; fields of other names are a vendor's own affair."""

    model_config = _STRICT

    source: Annotated[str, pydantic.Field(min_length=1, max_length=64)]
    place: str
    variable: str
    issued_at: str
    valid_from: str
    valid_to: str
    value: _Number | None = None
    unit: str | None = None
    quantiles: Annotated[dict[str, _Number], pydantic.Field(max_length=_MOST_POINTS)] | None = None
    exceedance: Annotated[list[ThresholdModel], pydantic.Field(max_length=_MOST_POINTS)] | None = None


class _Refused(ValueError):
    def __init__(self, code: RejectCode, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(code, message)


def examine_forecast(element: Element, catalogue: Catalogue, bounds: Bounds) -> Forecast | Fault:
    """The forecast of an item, or the first reason why it is none."""
    try:
        return _forecast(_model(element), catalogue, bounds)
    except _Refused as refused:
        return refused.fault


def _model(element: Element) -> ForecastModel:
    if element.row is not None:
        raise _Refused(RejectCode.NOT_READABLE, "a forecast cannot be a row of CSV; allowed: JSON objects")
    if element.depth > MAX_DEPTH:
        raise _Refused(RejectCode.TOO_DEEP, f"brackets nested {element.depth} deep; allowed: {MAX_DEPTH}")
    try:
        return ForecastModel.model_validate_json(element.text.encode())
    except UnicodeEncodeError as error:
        what = f"bytes that are not UTF-8 at character {error.start + 1} of the item; allowed: UTF-8 only"
        raise _Refused(RejectCode.NOT_UTF8, what) from None
    except pydantic.ValidationError as error:
        found = error.errors(include_url=False)[0]
        raise _worded(found["type"], found["loc"]) from None


def _worded(kind: str, where: tuple[int | str, ...]) -> _Refused:
    if not where:
        return _Refused(RejectCode.NOT_READABLE, "not a JSON object; allowed: a JSON object for each forecast")
    name = str(where[0])
    if kind == "missing" and len(where) == 1:
        needed = ", ".join(f'"{n}"' for n, f in ForecastModel.model_fields.items() if f.is_required())
        return _Refused(RejectCode.MISSING_FIELD, f'field "{name}" is missing; needed: {needed}')
    return _Refused(RejectCode.BAD_FIELD, f'field "{name}" cannot be read; allowed: {_ALLOWED.get(name, "nothing else")}')


def _forecast(model: ForecastModel, catalogue: Catalogue, bounds: Bounds) -> Forecast:
    if model.place not in catalogue.areas:
        what = f'field "place": unknown place {show(model.place)}; allowed: the {len(catalogue.areas)} stations and areas of the registry'
        raise _Refused(RejectCode.UNKNOWN_STATION, what)
    variable = VARIABLES.get(model.variable)
    if variable is None:
        what = f'field "variable": unknown variable {show(model.variable)}; allowed: {", ".join(VARIABLES)}'
        raise _Refused(RejectCode.UNKNOWN_VARIABLE, what)
    unit = variable.unit if model.unit is None else model.unit
    if unit not in variable.units:
        what = f'field "unit": unknown unit {show(unit)} for {variable.name}; allowed: {", ".join(variable.units)}'
        raise _Refused(RejectCode.UNKNOWN_UNIT, what)
    convert = variable.units[unit]
    value = None if model.value is None else _converted(model.value, convert)
    if value is not None and not variable.low <= value <= variable.high:
        what = f'field "value": {model.value:g} {unit} of {variable.name} cannot be; allowed: {variable.low:g} to {variable.high:g}'
        raise _Refused(RejectCode.OUT_OF_RANGE, what)
    times = {name: _time(name, getattr(model, name), bounds) for name in ("issued_at", "valid_from", "valid_to")}
    if not 0 < times["valid_to"] - times["valid_from"] <= LONGEST_S:
        what = f'field "valid_to": {show(model.valid_to)}; allowed: after "valid_from", by at most {LONGEST_S // 86_400} days'
        raise _Refused(RejectCode.BAD_TIME, what)
    quantiles, exceedance = _quantiles(model.quantiles or {}, convert), _exceedance(model.exceedance or [], convert)
    if value is None and not quantiles and not exceedance:
        raise _Refused(RejectCode.MISSING_FIELD, 'none of "value", "quantiles" and "exceedance" is there; needed: at least one')
    return Forecast(
        source=model.source,
        place=model.place,
        variable=model.variable,
        valid_from_s=times["valid_from"],
        valid_to_s=times["valid_to"],
        issued_at_s=times["issued_at"],
        value=value,
        quantiles=quantiles,
        exceedance=exceedance,
    )


def _converted(value: float, convert: Conversion) -> float:
    return value * convert.times / convert.over + convert.plus


def _time(name: str, text: str, bounds: Bounds) -> int:
    try:
        at_s = epoch_s(text)
    except (ValueError, OverflowError) as error:
        raise _Refused(RejectCode.BAD_TIME, f'field "{name}": {error}') from None
    if not bounds.earliest_s <= at_s <= bounds.latest_s:
        raise _Refused(RejectCode.BAD_TIME, f'field "{name}": {show(text)} cannot be; allowed: 1990 to 2100')
    return at_s


def _quantiles(found: Mapping[str, float], convert: Conversion) -> tuple[tuple[float, float], ...]:
    points = []
    for text, value in found.items():
        try:
            share = float(text)
        except ValueError:
            share = -1.0
        if not 0 < share < 1:
            raise _Refused(RejectCode.BAD_FIELD, f'field "quantiles": {show(text)}; allowed: {_ALLOWED["quantiles"]}')
        points.append((share, _converted(value, convert)))
    points.sort()
    if [v for _, v in points] != sorted(v for _, v in points):
        raise _Refused(RejectCode.BAD_FIELD, 'field "quantiles": a larger share has a smaller value; allowed: values that rise')
    return tuple(points)


def _exceedance(found: list[ThresholdModel], convert: Conversion) -> tuple[tuple[float, float], ...]:
    points = sorted((_converted(t.threshold, convert), t.probability) for t in found)
    if [p for _, p in points] != sorted((p for _, p in points), reverse=True):
        raise _Refused(RejectCode.BAD_FIELD, 'field "exceedance": more is said to be likelier than less; allowed: probabilities that fall')
    return tuple(points)
