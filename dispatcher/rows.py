"""Frozen values (dataclasses, structs) to rows of the store and back, by their fields' types.

Times become milliseconds, enums their value, booleans 0 or 1, tuples and mappings JSON. A column is called like its field.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from enum import Enum
from functools import cache, lru_cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from msgspec import Struct

from dispatcher.ports import Row
from dispatcher.timestamps import from_ms, to_ms

T = TypeVar("T")
_Convert = Callable[[Any], Any]


def row_of(value: object, only: tuple[str, ...] = ()) -> dict[str, Any]:
    """The row of a frozen value, or some columns of it.

    All fields are read at once, and only those are converted that need it: rows come by the 10,000.
    """
    names, read_all, writers = _writing(type(value), only)  # type: ignore[arg-type]
    row = dict(zip(names, read_all(value), strict=True))
    for name, write in writers:
        row[name] = write(row[name])
    return row


def value_of(kind: type[T], row: Row) -> T:
    """The dataclass of a row; columns that it does not know are left out."""
    names, readers = _reading(kind)  # type: ignore[arg-type]
    values = {name: row[name] for name in names}
    for name, read in readers:
        values[name] = read(values[name])
    return kind(**values)


@cache
def _writing(kind: Any, only: tuple[str, ...]) -> tuple[tuple[str, ...], Callable[[Any], Any], tuple[tuple[str, _Convert], ...]]:
    """Names, what reads all of their values, and the conversions of those that are not stored as they are."""
    columns = [column for column in _columns(kind) if not only or column[0] in only]
    names = tuple(name for name, _, _ in columns)
    read_all = attrgetter(*names) if len(names) > 1 else lambda value: (getattr(value, names[0]),)
    return names, read_all, tuple((name, write) for name, write, _ in columns if write is not _same)


@cache
def _reading(kind: Any) -> tuple[tuple[str, ...], tuple[tuple[str, _Convert], ...]]:
    columns = _columns(kind)
    return tuple(name for name, _, _ in columns), tuple((name, read) for name, _, read in columns if read is not _same)


@cache
def _columns(kind: Any) -> tuple[tuple[str, _Convert, _Convert], ...]:
    hints = get_type_hints(kind)
    names = kind.__struct_fields__ if issubclass(kind, Struct) else [f.name for f in fields(kind)]
    return tuple((name, *_converters(hints[name])) for name in names)


def _converters(hint: Any) -> tuple[_Convert, _Convert]:  # noqa: PLR0911 - a table of types, one line each
    if get_origin(hint) in (Union, UnionType):
        inner = next(a for a in get_args(hint) if a is not NoneType)
        write, read = _converters(inner)
        return (lambda v: None if v is None else write(v)), (lambda v: None if v is None else read(v))
    if hint is datetime:
        return _to_ms, _from_ms
    if isinstance(hint, type) and issubclass(hint, Enum):
        return attrgetter("_value_"), _member_of(hint)  # ``value`` is the same by a longer way
    if hint is bool:
        return int, bool
    if get_origin(hint) is tuple:
        return (lambda v: _dump(v) if v else "[]"), (lambda v: () if v == "[]" else _tuple(json.loads(v)))
    if get_origin(hint) in (dict, Mapping):
        return _dump, json.loads
    return _same, _same


# What is planned, due or changed together has the same times.
_to_ms, _from_ms = lru_cache(1024)(to_ms), lru_cache(1024)(from_ms)


def _member_of(kind: type[Enum]) -> _Convert:
    """The member of a value, looked up; ValueError as of the class itself."""
    members = {member.value: member for member in kind}
    return lambda value: members[value] if value in members else kind(value)


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _tuple(value: Any) -> Any:
    return tuple(_tuple(v) for v in value) if isinstance(value, list) else value


def _same(value: Any) -> Any:
    return value
