"""The JSON Schema of rule files, made from the loader's own words so that editors and loader agree.

A schema sees shapes and words. What it cannot see (unknown names in a condition, falling thresholds, a station without a
row) is left to the loader: what the schema refuses the loader refuses, too, but not the other way round.
"""

from typing import Any

from rules.change import Mode
from rules.expression import LONGEST
from rules.model import GRADES, GREATEST, Silence, Target

ID = "https://json-schema.org/draft/2020-12/schema"
_NAME = "^[a-z][a-z0-9-]{0,63}$"
_WORD = "^[a-z][a-z0-9_-]{0,63}$"
_INPUT = "^[a-z][a-z0-9_]{0,31}$"
_DURATION = r"^(?=.)([0-9]{1,4}d)?([0-9]{1,4}h)?([0-9]{1,4}m)?([0-9]{1,5}s)?$"
_DAYS = r"^\d\d-\d\d\.\.\d\d-\d\d$"
_WORDS = [g.word for g in GRADES]
Schema = dict[str, Any]


def schema_of_rules() -> Schema:
    """The whole schema as plain values."""
    return {
        "$schema": ID,
        "title": "Rules of the warning engine 预警规则",
        "description": "Rules are YAML, numbers per station are CSV tables beside them.",
        **_mapping({"rules": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/rule"}}}, {"grades": {"const": _WORDS}}),
        "$defs": {"rule": _rule(), "condition": _condition(), "row": _row(), "duration": _duration(), "patience": _patience()},
    }


def _rule() -> Schema:
    needed = {
        "rule": _text(_NAME, "Its name; a change and its record carry it. 规则名"),
        "version": {"type": "integer", "minimum": 1, "maximum": 999_999_999, "description": "Raise it with every edit. 版本"},
        "hazard": _text(_NAME, "The kind of event, such as flash-flood. 灾种"),
        "for_each": _text(_WORD, "The type of place that has a grade of its own, such as rain_gauge. 对象"),
        "inputs": _inputs(),
        "ladder": _ladder(),
        "lower": _lower(),
        "no_data": _no_data(),
    }
    more = {
        "title": {"type": "string", "minLength": 1},
        "issued_by": {"enum": ["county", "township"], "default": "county"},
        "mode": {"enum": [m.value for m in Mode], "default": Mode.LIVE.value, "description": "shadow decides and records, sends nothing."},
        "season": {"oneOf": [_text(_DAYS, "Both days included."), {"type": "array", "minItems": 1, "items": _text(_DAYS, "Part of it.")}]},
        "columns": _text(r"\.csv$", "Numbers per station, used in conditions by the name of their column."),
        "override": _text(r"\.csv$", "Thresholds per station for table rows; blank cells keep the row."),
        "day": {"type": ["string", "integer"], "description": "When a day begins, local time; 08:00 unless written (in quotes)."},
        "scale": {"type": "array", "minItems": 1, "items": _scale()},
        "raise": _raise(),
        "quality": _quality(),
    }
    return _mapping(needed, more)


def _inputs() -> Schema:
    return {
        "type": "object", "minProperties": 1, "propertyNames": {"pattern": _INPUT},
        "additionalProperties": {"type": "string", "minLength": 1, "maxLength": LONGEST},
        "description": "Named values, such as r3h: sum(rain, 3h). 输入",
    }  # fmt: skip


def _ladder() -> Schema:
    return {
        "type": "object", "minProperties": 1, "description": "The highest grade that any row reaches wins. 分级",
        "properties": {word: {"$ref": "#/$defs/condition"} for word in _WORDS},
        "propertyNames": {"pattern": _INPUT}, "additionalProperties": {"$ref": "#/$defs/row"},
    }  # fmt: skip


def _lower() -> Schema:
    needed = {
        "when": {"$ref": "#/$defs/condition"},
        "for": {"anyOf": [{"$ref": "#/$defs/duration"}, {"type": "string", "pattern": r"^\d{1,2} runs$"}]},
        "to": {"enum": [t.value for t in Target]},
    }
    return _mapping(needed, {"ask": {"const": "duty-room"}, "min_in_force": {"$ref": "#/$defs/duration"}})


def _no_data() -> Schema:
    needed = {"after": {"$ref": "#/$defs/duration"}, "grade": {"enum": [s.value for s in Silence]}}
    return _mapping(needed, {"tell": {"const": "duty-room"}}) | {"description": "Silence is never dry weather. 无数据"}


def _scale() -> Schema:
    return _mapping({"when": {"$ref": "#/$defs/condition"}, "by": {"type": "number", "minimum": 0.1, "maximum": 10}}, {})


def _raise() -> Schema:
    patience = {"$ref": "#/$defs/patience"}
    return {"oneOf": [patience, _mapping({}, dict.fromkeys(_WORDS, patience))]}


def _quality() -> Schema:
    numbers = {"type": "array", "minItems": 2, "maxItems": 2, "items": _number()}
    each = {"type": "object", "additionalProperties": numbers, "propertyNames": {"pattern": _WORD}}
    word = {"type": "string", "minLength": 1}
    return {
        "type": "object", "additionalProperties": False,
        "properties": {
            "range": {"oneOf": [numbers, each], "description": "[lowest, highest]; other values are told, not used."},
            "max_step": {"anyOf": [word, {"type": "object"}]}, "spike": {"anyOf": [_number(), word, {"type": "object"}]},
            "stuck": {"anyOf": [word, {"type": "object"}]},
            "neighbours": {"type": "object", "description": "{within: 10km, apart: 15, least: 2}, or that for each variable by name."},
            "min_coverage": {"type": "number", "minimum": 0, "maximum": 1},
            "rollover": {"anyOf": [_number(), {"type": "object"}], "description": "Where a running total begins again."},
        },
    }  # fmt: skip


def _condition() -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": LONGEST, "description": "Such as z >= warn and rise >= 0.8."}


def _row() -> Schema:
    cell = {"anyOf": [_number(), {"type": "null"}]}
    return {"type": "array", "minItems": len(_WORDS), "maxItems": len(_WORDS), "items": cell, "description": ", ".join(_WORDS)}


def _duration() -> Schema:
    return _text(_DURATION, "Such as 90s, 20m, 3h, 1h30m or 2d.")


def _patience() -> Schema:
    return _text(r"^(at_once|\d{1,3} in a row|for .+)$", "at_once, 'N in a row' or 'for DURATION'.")


def _number() -> Schema:
    return {"type": "number", "minimum": -GREATEST, "maximum": GREATEST}


def _text(pattern: str, description: str) -> Schema:
    return {"type": "string", "pattern": pattern, "description": description}


def _mapping(needed: Schema, more: Schema) -> Schema:
    return {"type": "object", "additionalProperties": False, "required": list(needed), "properties": needed | more}
