"""A call as written in a rule, such as ``sum(rain, 3h, near=10km)``, split into its parts. It is never run as code."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_SHAPE = re.compile(r"([a-z_]{1,32})\s*\((.*)\)", re.DOTALL)
_OPTION = re.compile(r"([a-z_]{1,32})\s*=(?!=)\s*(.*)", re.DOTALL)
_COMPARED = re.compile(r"(.*\))\s*(>=|<=|>|<)\s*(.+)", re.DOTALL)
LONGEST = 500


@dataclass(frozen=True, slots=True)
class Call:
    """``op(args, name=option)``."""

    op: str
    args: tuple[str, ...]
    options: Mapping[str, str]


def call(text: str) -> Call | None:
    """The parts of a call; None when the text is not one whole call. ValueError when an option is given twice or out of place."""
    found = _SHAPE.fullmatch(text.strip()) if len(text) <= LONGEST else None
    parts = _split(found.group(2)) if found else None
    if found is None or parts is None:
        return None
    args: list[str] = []
    options: dict[str, str] = {}
    for part in parts:
        option = _OPTION.fullmatch(part)
        if option is None and options:
            raise ValueError(f"has {part!r:.40} after an option")
        if option is None:
            args.append(part)
        elif option.group(1) in options:
            raise ValueError(f"has the option {option.group(1)!r} twice")
        else:
            options[option.group(1)] = option.group(2).strip()
    return Call(found.group(1), tuple(args), options)


def compared(text: str) -> tuple[str, str, str] | None:
    """A call, a sign and what it is compared with; None when the text is no such comparison."""
    found = _COMPARED.fullmatch(text.strip())
    return (found.group(1), found.group(2), found.group(3)) if found else None


def _split(text: str) -> list[str] | None:
    """The arguments between the outer commas; None when brackets do not match, so that ``f(a) + f(b)`` is no call."""
    parts, depth, start = [], 0, 0
    for i, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            return None
        if letter == "," and not depth:
            parts.append(text[start:i].strip())
            start = i + 1
    parts.append(text[start:].strip())
    return None if depth else [p for p in parts if p or len(parts) > 1]
