"""The checks of a rule as written, such as ``range: [0, 30], max_step: 1.5 per 5m, spike: 25, stuck: 6h if > 0``."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rules.duration import seconds
from rules.near import metres
from rules.nodes import Node, Notes, is_mapping
from rules.quality import Checks, Quality

_KEYS = ("range", "max_step", "spike", "stuck", "rollover", "neighbours", "min_coverage")
_NUMBER = r"\d{1,9}(?:\.\d{1,9})?"
_STEP = re.compile(rf"({_NUMBER}) per (\w+)")
_STUCK = re.compile(rf"(\w+)(?: if (>=|<=|>|<|==|!=) (-?{_NUMBER}))?")
Found = dict[str, Any]


def read_quality(notes: Notes, node: Node | None, own: Sequence[str], all_variables: Sequence[str]) -> Quality:
    """The checks; what is not written for a variable by name holds for the one variable that the place measures itself."""
    if node is None:
        return Quality()
    found = notes.fields(node, "quality", (), _KEYS)
    coverage = notes.number(found["min_coverage"], "min_coverage") if "min_coverage" in found else Quality().min_coverage
    if not 0 <= coverage <= 1:
        notes.wrong(found["min_coverage"], "min_coverage must lie within 0 and 1")
    checks: dict[str, Found] = {}
    readers: Mapping[str, Callable[[Notes, Node], Found]] = {
        "range": _range, "max_step": _step, "spike": _spike, "stuck": _stuck, "rollover": _rollover,
    }  # fmt: skip
    for key, reader in readers.items():
        for variable, one in _each(notes, key, found.get(key), own or all_variables, all_variables):
            checks.setdefault(variable, {}).update(reader(notes, one))
    if "neighbours" in found:
        for variable, one in _neighbours_each(notes, found["neighbours"], own or all_variables, all_variables):
            checks.setdefault(variable, {}).update(_neighbours(notes, one))
    return Quality(checks={v: Checks(**c) for v, c in checks.items()}, min_coverage=coverage)


def _each(notes: Notes, key: str, node: Node | None, own: Sequence[str], all_variables: Sequence[str]) -> list[tuple[str, Node]]:
    if node is None:
        return []
    if is_mapping(node):
        return list(notes.fields(node, key, (), all_variables).items())
    if len(own) > 1:
        notes.wrong(node, f"this rule looks at {', '.join(own)}: write {key} as {{{own[0]}: {_FORMS[key]}}}")
    return [(v, node) for v in own[:1]]


def _neighbours_each(notes: Notes, node: Node, own: Sequence[str], all_variables: Sequence[str]) -> list[tuple[str, Node]]:
    """The check is a mapping itself: for the one variable of the place, or for each variable by name."""
    if is_mapping(node) and not any(key == "within" for key, _, _ in notes.pairs(node, "neighbours")):
        return list(notes.fields(node, "neighbours", (), all_variables).items())
    if len(own) > 1:
        notes.wrong(node, f"this rule looks at {', '.join(own)}: write neighbours as {{{own[0]}: {{within: 10km, apart: NUMBER}}}}")
    return [(v, node) for v in own[:1]]


def _neighbours(notes: Notes, node: Node) -> Found:
    found = notes.fields(node, "neighbours", ("within", "apart"), ("least",))
    if "within" not in found or "apart" not in found:
        return {}
    apart = _above_zero(notes, found["apart"], "apart")
    try:
        around_m = metres(notes.text(found["within"], "within", "a distance"))
    except ValueError as e:
        notes.wrong(found["within"], f"within {e}")
        return {}
    least = notes.whole(found["least"], "least", 1) if "least" in found else Checks().least
    return {"apart": apart, "around_m": around_m, "least": least}


_FORMS = {
    "range": "[lowest, highest]", "max_step": "NUMBER per DURATION", "spike": "NUMBER", "stuck": "DURATION if > NUMBER",
    "rollover": "NUMBER",
}  # fmt: skip


def _range(notes: Notes, node: Node) -> Found:
    cells = [notes.number(n, "range") for n in notes.items(node, "range")]
    if len(cells) != len(("lowest", "highest")) or cells[0] >= cells[1]:
        notes.wrong(node, "range must be [lowest, highest]")
        return {}
    return {"low": cells[0], "high": cells[1]}


def _step(notes: Notes, node: Node) -> Found:
    found = _STEP.fullmatch(notes.text(node, "max_step", "a number per duration"))
    try:
        if found and float(found.group(1)) > 0:
            return {"step": float(found.group(1)), "step_s": seconds(found.group(2)) or seconds("?")}
    except ValueError as e:
        notes.wrong(node, f"max_step: {e}")
        return {}
    notes.wrong(node, "max_step must be a number above 0 per duration, such as 1.5 per 5m")
    return {}


def _spike(notes: Notes, node: Node) -> Found:
    return {"spike": _above_zero(notes, node, "spike")}


def _rollover(notes: Notes, node: Node) -> Found:
    return {"rollover": _above_zero(notes, node, "rollover")}


def _above_zero(notes: Notes, node: Node, what: str) -> float:
    value = notes.number(node, what)
    if value <= 0:
        notes.wrong(node, f"{what} must be above 0")
    return value


def _stuck(notes: Notes, node: Node) -> Found:
    found = _STUCK.fullmatch(notes.text(node, "stuck", "a duration"))
    try:
        length_s = seconds(found.group(1)) if found else 0
    except ValueError as e:
        notes.wrong(node, f"stuck: {e}")
        return {}
    if not found or not length_s:
        notes.wrong(node, "stuck must be a duration, or a duration with a condition, such as 6h if > 0")
        return {}
    return {"stuck_s": length_s, "stuck_sign": found.group(2) or "", "stuck_than": float(found.group(3) or 0)}
