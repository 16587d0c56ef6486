"""What bodies with readings and forecasts look like, for the description of the API."""

from typing import Any, Final

_TIME: Final = {"type": "string", "format": "date-time"}
_THRESHOLD: Final = {
    "type": "object",
    "required": ["threshold", "probability"],
    "properties": {"threshold": {"type": "number"}, "probability": {"type": "number", "minimum": 0, "maximum": 1}},
}
READING: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["station", "variable", "value", "unit", "time"],
    "properties": {
        "station": {"type": "string"},
        "variable": {"type": "string"},
        "value": {"type": "number"},
        "unit": {"type": "string"},
        "time": _TIME,
        "quality": {"enum": ["good", "suspect", "bad"]},
    },
}
FORECAST: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["source", "issued_at", "place", "variable", "valid_from", "valid_to"],
    "properties": {
        "source": {"type": "string"},
        "issued_at": _TIME,
        "place": {"type": "string"},
        "variable": {"type": "string"},
        "valid_from": _TIME,
        "valid_to": _TIME,
        "value": {"type": "number"},
        "unit": {"type": "string"},
        "quantiles": {"type": "object", "additionalProperties": {"type": "number"}},
        "exceedance": {"type": "array", "items": _THRESHOLD},
    },
}


def documented(item: dict[str, Any], forms: str, *more: str) -> dict[str, Any]:
    """The body of an operation that takes such items in these forms; ``more`` are further media types."""
    types: dict[str, Any] = {"application/json": {"schema": {"oneOf": [item, {"type": "array", "items": item}]}}}
    types |= {name: {"schema": {"type": "string"}} for name in ("application/x-ndjson", *more)}
    return {"requestBody": {"required": True, "description": f"{forms}; at most 1 MiB.", "content": types}}
