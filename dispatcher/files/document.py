"""YAML files whose every value knows its line and column, so that a mistake can be shown where it stands."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from dispatcher.errors import Problem
from dispatcher.files.duration import parse_duration

_STR = "tag:yaml.org,2002:str"
_DIGITS = 9
_INT = "tag:yaml.org,2002:int"


@dataclass(frozen=True, slots=True)
class Spot:
    """One value of a document. What it cannot give is noted in ``problems`` and replaced by an empty value."""

    node: yaml.Node
    file: str
    problems: list[Problem]

    def wrong(self, message: str) -> None:
        """Note a mistake at this place."""
        mark = self.node.start_mark
        self.problems.append(Problem(self.file, message, mark.line + 1, mark.column + 1))

    def pairs(self) -> list[tuple["Spot", "Spot"]]:
        """Keys and values of a mapping with free keys; a key given twice is a mistake."""
        if not isinstance(self.node, yaml.MappingNode):
            self.wrong("expected a mapping of names to values")
            return []
        found: list[tuple[Spot, Spot]] = []
        seen: set[str] = set()
        for key, value in self.node.value:
            spot = Spot(key, self.file, self.problems)
            word = str(key.value)
            if word in seen:
                spot.wrong(f"{word!r} is given twice")
            seen.add(word)
            found.append((spot, Spot(value, self.file, self.problems)))
        return found

    def entries(self, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, "Spot"]:
        """The values of a mapping with known keys; missing and unknown keys are mistakes."""
        allowed = [*required, *optional]
        found: dict[str, Spot] = {}
        is_mapping = isinstance(self.node, yaml.MappingNode)
        for key, value in self.pairs():
            word = str(key.node.value)
            if word in allowed:
                found[word] = value
            else:
                key.wrong(f"unknown key {word!r}; allowed: {', '.join(allowed)}")
        for word in required:
            if is_mapping and word not in found:
                self.wrong(f"{word!r} is missing; needed: {', '.join(required)}")
        return found

    def items(self) -> list["Spot"]:
        """The items of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.wrong("expected a list such as [a, b]")
            return []
        return [Spot(item, self.file, self.problems) for item in self.node.value]

    def is_list(self) -> bool:
        """Whether this is a list."""
        return isinstance(self.node, yaml.SequenceNode)

    def is_mapping(self) -> bool:
        """Whether this is a mapping."""
        return isinstance(self.node, yaml.MappingNode)

    def text(self) -> str:
        """A text that is not empty. Numbers are taken as written; words that YAML reads as true, false or null are refused."""
        if not isinstance(self.node, yaml.ScalarNode) or not self.node.value.strip():
            self.wrong("expected a text")
            return ""
        if self.node.tag not in {_STR, _INT}:
            self.wrong(f"{self.node.value!r} is not read as text here; put it in quotes")
            return ""
        return str(self.node.value).strip()

    def word(self, allowed: Collection[str], what: str) -> str:
        """One of the allowed words."""
        text = self.text()
        if text and text not in allowed:
            self.wrong(f"unknown {what} {text!r}; allowed: {', '.join(allowed)}")
            return ""
        return text

    def whole(self, low: int, high: int) -> int:
        """A whole number within bounds, both included; ``low`` stands in for a wrong one."""
        text = self.node.value if isinstance(self.node, yaml.ScalarNode) else ""
        if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS and low <= int(text) <= high):
            self.wrong(f"expected a whole number from {low} to {high}")
            return low
        return int(text)

    def duration(self) -> timedelta:
        """A length of time such as ``5m``."""
        try:
            return parse_duration(str(self.node.value) if isinstance(self.node, yaml.ScalarNode) else "")
        except ValueError as error:
            self.wrong(str(error))
            return timedelta(0)

    def zone(self) -> ZoneInfo:
        """A time zone of the IANA list; UTC stands in for a wrong one."""
        name = self.text()
        try:
            return ZoneInfo(name or "UTC")
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.wrong(f"unknown time zone {name!r}; allowed: a name of the IANA list such as Asia/Shanghai")
            return ZoneInfo("UTC")


def read_document(text: str, file: str, problems: list[Problem]) -> Spot | None:
    """The one document of a YAML text; None, with a problem noted, when it is empty or not YAML."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        problems.append(Problem(file, f"not YAML: {error.problem or error.context or 'unreadable'}", line, column))
        return None
    except yaml.YAMLError as error:
        problems.append(Problem(file, f"not YAML: {' '.join(str(error).split())}"))
        return None
    if node is None:
        problems.append(Problem(file, "the file is empty"))
        return None
    return Spot(node, file, problems)
