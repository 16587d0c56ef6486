"""YAML as nodes that know their line and column. Mistakes are collected, not raised, so that a user sees them all at once.

YAML 1.1 reads ``off``, ``no``, ``on`` and ``yes`` as booleans and ``12:30`` as a number: each value is therefore read from its
own text, and a boolean where a word is wanted is named as what it is.
"""

import re
from collections.abc import Collection, Sequence
from typing import TypeVar

import yaml

from rules.duration import seconds
from rules.errors import RuleError
from rules.model import GREATEST

LONGEST_FILE = 1_000_000
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_STR, _BOOL, _NULL = (f"tag:yaml.org,2002:{t}" for t in ("str", "bool", "null"))
T = TypeVar("T")
Node = yaml.nodes.Node


class Notes:
    """Reads nodes of one file and keeps the mistakes; what a wrong node gives back is a harmless stand-in."""

    def __init__(self, file: str) -> None:
        """No mistakes yet."""
        self.file = file
        self.errors: list[RuleError] = []

    def wrong(self, node: Node, message: str, shift: int = 0) -> None:
        """Note a mistake at a node, ``shift`` characters into its text."""
        mark = node.start_mark
        quoted = shift and isinstance(node, yaml.ScalarNode) and node.style in ("'", '"')
        self.errors.append(RuleError(self.file, mark.line + 1, mark.column + 1 + shift + bool(quoted), message))

    def compose(self, text: str) -> Node | None:
        """The root node of a file; None when it is not YAML."""
        if len(text) > LONGEST_FILE:
            self.errors.append(RuleError(self.file, 1, 1, f"the file has {len(text)} characters; allowed: {LONGEST_FILE}"))
            return None
        try:
            root: Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as e:
            mark = e.problem_mark or e.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            self.errors.append(RuleError(self.file, line, column, f"not YAML: {e.problem or e.context}"))
            return None
        except (yaml.YAMLError, RecursionError, ValueError) as e:
            reason = "nested too deep" if isinstance(e, RecursionError) else str(e).splitlines()[0]
            self.errors.append(RuleError(self.file, 1, 1, f"not YAML: {reason}"))
            return None
        if root is None:
            self.errors.append(RuleError(self.file, 1, 1, "the file is empty; allowed: a mapping with 'rules'"))
        return root

    def pairs(self, node: Node, what: str) -> list[tuple[str, Node, Node]]:
        """Key, key node and value node of each entry of a mapping, without double keys."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"{what} must be a mapping (name: value)")
            return []
        found: dict[str, tuple[str, Node, Node]] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != _STR:
                self.wrong(key, f"a key of {what} must be a word{_boolean(key)}")
            elif key.value in found:
                self.wrong(key, f"{key.value!r} is given twice in {what}")
            else:
                found[key.value] = (key.value, key, value)
        return list(found.values())

    def fields(self, node: Node, what: str, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Node]:
        """The values of a mapping whose keys are fixed."""
        known = (*required, *optional)
        found = {}
        for name, key, value in self.pairs(node, what):
            if name in known:
                found[name] = value
            else:
                self.wrong(key, f"unknown key {name!r} in {what}; allowed: {', '.join(known)}")
        if isinstance(node, yaml.MappingNode):
            for name in required:
                if name not in found:
                    self.wrong(node, f"{what} needs {name!r}")
        return found

    def items(self, node: Node, what: str) -> list[Node]:
        """The entries of a list."""
        if not isinstance(node, yaml.SequenceNode):
            self.wrong(node, f"{what} must be a list")
            return []
        return list(node.value)

    def text(self, node: Node, what: str, allowed: str = "text") -> str:
        """A word or text; numbers are taken as they are written."""
        if not isinstance(node, yaml.ScalarNode) or node.tag in (_BOOL, _NULL) or not node.value.strip():
            self.wrong(node, f"{what} must be {allowed}{_boolean(node)}")
            return ""
        return str(node.value).strip()

    def name(self, node: Node, what: str, shape: str = r"[a-z][a-z0-9-]{0,63}") -> str:
        """A word of a given shape."""
        found = self.text(node, what, "a word")
        if found and not re.fullmatch(shape, found):
            self.wrong(node, f"{what} {found!r:.80} has a wrong form; allowed: {shape}")
        return found

    def choice(self, node: Node, what: str, allowed: Collection[str]) -> str:
        """One of a few words."""
        listed = "one of " + ", ".join(allowed)
        found = self.text(node, what, listed)
        if found and found not in allowed:
            self.wrong(node, f"{what} {found!r:.80} is unknown; allowed: {listed}")
        return found if found in allowed else next(iter(allowed))

    def number(self, node: Node, what: str) -> float:
        """A decimal number."""
        if not isinstance(node, yaml.ScalarNode) or node.style or not _NUMBER.fullmatch(node.value):
            self.wrong(node, f"{what} must be a number")
            return 0.0
        value = float(node.value)
        if abs(value) > GREATEST:
            self.wrong(node, f"{what} must lie within {-GREATEST:g} and {GREATEST:g}")
            return 0.0
        return value

    def whole(self, node: Node, what: str, least: int) -> int:
        """A whole number that is at least ``least``."""
        if not isinstance(node, yaml.ScalarNode) or node.style or not re.fullmatch(r"\d{1,9}", node.value) or int(node.value) < least:
            self.wrong(node, f"{what} must be a whole number, at least {least}")
            return least
        return int(node.value)

    def span(self, node: Node, what: str, least_s: int = 1) -> int:
        """A duration in seconds."""
        try:
            length = seconds(self.text(node, what, "a duration"))
        except ValueError as e:
            self.wrong(node, f"{what}: {e}")
            return least_s
        if length < least_s:
            self.wrong(node, f"{what} must be at least {least_s} second")
        return max(length, least_s)


def blank(node: Node) -> bool:
    """Whether a value is left empty (or ``null``)."""
    return isinstance(node, yaml.ScalarNode) and node.tag == _NULL


def is_mapping(node: Node) -> bool:
    """Whether a value is written as a mapping."""
    return isinstance(node, yaml.MappingNode)


def is_sequence(node: Node) -> bool:
    """Whether a value is written as a list."""
    return isinstance(node, yaml.SequenceNode)


def _boolean(node: Node) -> str:
    if isinstance(node, yaml.ScalarNode) and node.tag == _BOOL:
        return f"; YAML reads {node.value!r} as true or false"
    return ""
