"""A small, closed part of JSONPath: ``$.a.b[*].c``, ``@['odd name'][0]``. ``$`` is the message, ``@`` one item of it.

No filters, no scripts, no recursive descent: a path costs no more than the values it meets.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

_STEP = re.compile(r"""\.(?P<name>[^.\[\]'"*\s]+)|\[(?P<index>\d{1,6})\]|\[(?P<quote>['"])(?P<key>[^'"]*)(?P=quote)\]|(?P<all>\[\*\])""")
ALLOWED = "$ or @, then .name, ['name'], [0] or [*]"


@dataclass(frozen=True, slots=True)
class Every:
    """The step ``[*]``."""


Step = str | int | Every


@dataclass(frozen=True, slots=True)
class Path:
    """A path that was read. ``from_item`` when it begins with ``@``."""

    text: str
    from_item: bool
    steps: tuple[Step, ...]

    def find(self, root: object, item: object, most: int) -> list[Any]:
        """All values the path leads to, at most so many; none where it leads nowhere."""
        return list(islice(_walk(item if self.from_item else root, self.steps), most))

    def first(self, root: object, item: object) -> Any:  # noqa: ANN401 - a value of JSON
        """The first value, None when there is none."""
        return next(_walk(item if self.from_item else root, self.steps), None)


def read_path(text: str) -> Path:
    """A path from its text; ValueError says at which character it goes wrong and what is allowed."""
    if text[:1] not in ("$", "@"):
        raise ValueError(f"{text!r} is no path; allowed: {ALLOWED}")
    steps: list[Step] = []
    at = 1
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise ValueError(f"{text!r} cannot be read at character {at + 1}; allowed: {ALLOWED}")
        steps.append(_step(found))
        at = found.end()
    return Path(text, text[0] == "@", tuple(steps))


def _step(found: re.Match[str]) -> Step:
    if found["all"]:
        return Every()
    if found["index"] is not None:
        return int(found["index"])
    return found["name"] if found["name"] is not None else found["key"]


def _walk(value: object, steps: tuple[Step, ...]) -> Iterator[Any]:
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    if isinstance(step, Every):
        if isinstance(value, list):
            for one in value:
                yield from _walk(one, rest)
    elif isinstance(step, int):
        if isinstance(value, list) and step < len(value):
            yield from _walk(value[step], rest)
    elif isinstance(value, dict) and step in value:
        yield from _walk(value[step], rest)
