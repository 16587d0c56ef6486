"""Checked conditions as functions: all rows of a rule in one, and what these functions may call.

Results of arithmetic lose their float noise, and a missing value stays missing.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from rules.expression import Expression

BEAUFORT = (0.3, 1.6, 3.4, 5.5, 8.0, 10.8, 13.9, 17.2, 20.8, 24.5, 28.5, 32.7, 37.0, 41.5, 46.2, 51.0, 56.1)
"""Where forces 1 to 17 begin, in m/s (GB/T 28591-2012)."""


def _tidy(value: float) -> float:
    return round(value, 9) if math.isfinite(value) else math.nan


def _divide(left: float, right: float) -> float:
    return _tidy(left / right) if right else math.nan


def _max_of(*values: float) -> float:
    return math.nan if any(v != v for v in values) else max(values)  # noqa: PLR0124 - NaN is the missing value


def _min_of(*values: float) -> float:
    return math.nan if any(v != v for v in values) else min(values)  # noqa: PLR0124 - NaN is the missing value


def _round_of(value: float) -> float:
    return float(round(value)) if math.isfinite(value) else math.nan


def beaufort(speed: float) -> float:
    """The force of a wind speed in m/s, 0 to 17."""
    return float(bisect_right(BEAUFORT, speed)) if math.isfinite(speed) else math.nan


_GLOBALS = {
    "__builtins__": {},
    "tidy": _tidy,
    "divide": _divide,
    "max_of": _max_of,
    "min_of": _min_of,
    "abs_of": abs,
    "round_of": _round_of,
    "beaufort_of": beaufort,
}


def fuse(rows: Sequence[tuple[int, Expression]], names: Sequence[str], *, maybe: bool = False) -> Callable[..., int]:
    """One function of all names, in order, that gives the number of the highest row that holds (or may), or 0."""
    body = "".join(f"    if {e.maybe if maybe else e.code}: return {number}\n" for number, e in sorted(rows, key=lambda r: -r[0]))
    return _function(f"def rows({', '.join(f'v_{n}' for n in names)}):\n{body}    return 0\n")


def calculate(one: Expression) -> Callable[..., float]:
    """A function of the names of the expression, in its order, that gives its number."""
    return _function(f"def rows({', '.join(f'v_{n}' for n in one.names)}):\n    return {one.code}\n")


def _function(source: str) -> Callable[..., Any]:
    space: dict[str, Callable[..., Any]] = {}
    exec(compile(source, "<rule>", "exec"), dict(_GLOBALS), space)  # noqa: S102 - source is written by _Writer from checked nodes only
    return space["rows"]
