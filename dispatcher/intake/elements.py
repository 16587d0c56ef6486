"""Cuts a body into its items without trusting it: JSON array, JSON object, JSON lines, or CSV.

What is broken stays in its own item as far as the text allows, so that one bad item does not take the good ones
beside it along. The text may hold surrogates where the bytes were not UTF-8.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from dispatcher.model.reject import Fault, RejectCode

REQUIRED = ("station", "variable", "value", "unit", "time")
"""The columns a CSV must have; the names are those of the JSON fields."""

HOPELESS_DEPTH = 64
"""Brackets nested deeper than this are not followed further: the rest of the body is refused at once."""

# A string that never ends is one token up to the end of the text: otherwise each of its quotes would be tried
# as a beginning of its own, which takes quadratic time.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:(?P<shut>")|\\?\Z)|[][{},]', re.DOTALL)
_CLOSES = {"]": "[", "}": "{"}
_DATA = re.compile(r"\S")


@dataclass(frozen=True, slots=True)
class Element:
    """One item of a body: its text or, for a CSV row, its fields; or the fault that kept it from being cut out.

    ``index`` and ``line`` count from 1. ``depth`` is the deepest nesting of brackets.
    """

    index: int
    line: int
    text: str
    depth: int = 0
    row: dict[str, str] | None = None
    fault: Fault | None = None


def elements(text: str) -> Iterator[Element]:
    """The items of a body that is not blank, in order; what cannot be cut is one last element with a fault."""
    first = text.lstrip()[:1]
    if first == "[":
        return _array(text)
    if first == "{":
        return _objects(text)
    return _table(text)


def _objects(text: str) -> Iterator[Element]:
    """JSON lines, or objects over several lines: a line that does not begin one belongs to an object still open."""
    index, begun, lines, open_, deepest = 0, 0, [""], 0, 0
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        if begun and (line.lstrip()[0] == "{" or open_ <= 0):
            index += 1
            yield _object(index, begun, lines, open_, deepest)
            begun = 0
        if not begun:
            begun, lines, open_, deepest = number, [], 0, 0
        lines.append(line)
        open_, deepest = _nesting(line, open_, deepest)
    yield _object(index + 1, begun, lines, open_, deepest)


def _object(index: int, line: int, lines: list[str], open_: int, deepest: int) -> Element:
    fault = Fault(RejectCode.TRUNCATED, "the text ends before the object does; allowed: a whole JSON object") if open_ > 0 else None
    return Element(index, line, "\n".join(lines).strip(), deepest, fault=fault)


def _nesting(line: str, open_: int, deepest: int) -> tuple[int, int]:
    """How many brackets are open after a line, and the most so far; a string that does not end counts as one."""
    for token in _TOKEN.finditer(line):
        word = token.group()
        if word in ("{", "["):
            open_ += 1
            deepest = max(deepest, open_)
        elif word in ("}", "]"):
            open_ -= 1
        elif word[0] == '"' and token["shut"] is None:
            open_ += 1
    return open_, deepest


def _array(text: str) -> Iterator[Element]:
    """Walk the array once, keeping the open brackets; a closing bracket that matches none is left to its item."""
    begin = text.index("[") + 1
    index, deepest, line, counted = 0, 0, 1, 0
    open_ = ["["]
    for token in _TOKEN.finditer(text, begin):
        word, at = token.group(), token.start()
        if word in ("{", "["):
            open_.append(word)
            deepest = max(deepest, len(open_) - 1)
            if deepest > HOPELESS_DEPTH:
                break
        elif word in _CLOSES and open_[-1] == _CLOSES[word]:
            open_.pop()
        if (word == "," and len(open_) == 1) or not open_:
            piece = text[begin:at].strip()
            if piece or index or word == ",":
                index += 1
                start = begin if not piece else text.index(piece[0], begin)
                line, counted = line + text.count("\n", counted, start), start
                yield Element(index, line, piece, deepest)
            if not open_:
                yield from _after(text, token.end(), index + 1)
                return
            begin, deepest = token.end(), 0
    yield _cut(text, begin, index + 1, deepest)


def _after(text: str, end: int, index: int) -> Iterator[Element]:
    rest = text[end:].strip()
    if rest:
        fault = Fault(RejectCode.NOT_READABLE, "more text after the end of the array; allowed: one array, or one object on each line")
        yield Element(index, 1 + text.count("\n", 0, end), rest, fault=fault)


def _cut(text: str, begin: int, index: int, depth: int) -> Element:
    if depth > HOPELESS_DEPTH:
        fault = Fault(RejectCode.TOO_DEEP, f"brackets nested more than {HOPELESS_DEPTH} deep; nothing after them was read")
    else:
        fault = Fault(RejectCode.TRUNCATED, "the text ends before the array does; the items before were read; allowed: a whole JSON array")
    found = _DATA.search(text, begin)
    start = found.start() if found else len(text)
    return Element(index, 1 + text.count("\n", 0, start), text[start:].rstrip(), fault=fault)


def _table(text: str) -> Iterator[Element]:
    lines = [(number, line.rstrip("\r")) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    number, head = lines[0]
    names = [name.strip() for name in _cells(head)]
    missing = [name for name in REQUIRED if name not in names]
    if len(missing) == len(REQUIRED):
        what = "neither JSON nor CSV; allowed: a JSON object or array, one JSON object on each line, or CSV with a line of names"
        yield Element(0, number, text, fault=Fault(RejectCode.NOT_READABLE, what))
    elif missing or len(set(names)) != len(names):
        what = f"the CSV's line of names lacks {', '.join(missing)}" if missing else "the CSV's line of names has a name twice"
        yield Element(0, number, text, fault=Fault(RejectCode.MISSING_FIELD, f"{what}; needed once each: {', '.join(REQUIRED)}"))
    else:
        for index, (at, line) in enumerate(lines[1:], 1):
            yield _row(index, at, line, names)


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line]))
    except (csv.Error, StopIteration):
        return []


def _row(index: int, at: int, line: str, names: list[str]) -> Element:
    cells = _cells(line)
    if len(cells) != len(names):
        what = f"{len(cells)} cells; allowed: {len(names)}, as in the line of names"
        return Element(index, at, line, fault=Fault(RejectCode.NOT_READABLE, what))
    return Element(index, at, line, row={name: cell.strip() for name, cell in zip(names, cells, strict=True) if cell.strip()})
