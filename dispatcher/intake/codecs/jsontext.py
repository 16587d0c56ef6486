"""JSON of vendors as plain values, or the reason why it cannot be read. Total."""

import json
from typing import Any, NoReturn

from dispatcher.model.reject import Fault, RejectCode, show

_BOM = b"\xef\xbb\xbf"


class _Refused(ValueError):
    def __init__(self, code: RejectCode, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(code, message)


def parse_json(body: bytes) -> tuple[Any, Fault | None]:
    """The value and no fault, or a fault. Keys that stand twice, NaN and Infinity are refused; all numbers are floats."""
    raw = body.removeprefix(_BOM)
    if not raw.strip():
        return None, Fault(RejectCode.EMPTY, "an empty body; allowed: JSON")
    try:
        return json.loads(raw.decode(), object_pairs_hook=_pairs, parse_constant=_constant, parse_int=float), None
    except _Refused as refused:
        return None, refused.fault
    except UnicodeDecodeError as error:
        return None, Fault(RejectCode.NOT_UTF8, f"bytes that are not UTF-8 at byte {error.start + 1}; allowed: UTF-8 only")
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        return None, Fault(RejectCode.NOT_READABLE, f"not JSON at {where} ({error.msg}); allowed: one JSON value")
    except RecursionError:
        return None, Fault(RejectCode.TOO_DEEP, "brackets nested too deep to be read; nothing in it was read")


def tell(value: object) -> str:
    """A value of JSON for a message: short, and never a walk through what is nested."""
    if isinstance(value, dict):
        return "an object"
    return "an array" if isinstance(value, list) else show(value)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise _Refused(RejectCode.DUPLICATE_KEY, f"field {show(twice)} stands in one object more than once; allowed: once")
    return fields


def _constant(word: str) -> NoReturn:
    raise _Refused(RejectCode.BAD_FIELD, f"{word} is not a number; allowed: a finite number")
