"""Inputs as written, such as ``sum(rain, 3h)``, to checked inputs."""

import re

from rules.duration import LONGEST_S, seconds
from rules.expression import LONGEST
from rules.model import GRADES, Input, Op
from rules.nodes import Node, Notes

ALLOWED = "sum max min mean change count (variable, window) and latest(variable) or latest(variable, max_age=duration)"
_CALL = re.compile(r"([a-z_]{1,32})\s*\(\s*([a-z][a-z0-9_]{0,63})\s*(?:,\s*([^,()]*?)\s*)?\)")
_NAME = r"[a-z][a-z0-9_]{0,31}"
_RESERVED = ("none", *(g.word for g in GRADES), "and", "or", "not", "min", "max", "abs", "round", "in", "is", "if", "else", "lambda", "for")


def read_inputs(notes: Notes, node: Node, max_age_s: int) -> tuple[Input, ...]:
    """The inputs of a rule; ``max_age_s`` is how old a ``latest`` value may be when it does not say."""
    found = []
    for name, key, value in notes.pairs(node, "inputs"):
        if not re.fullmatch(_NAME, name) or name in _RESERVED:
            notes.wrong(key, f"{name!r:.80} cannot name an input; allowed: {_NAME}, and none of {', '.join(_RESERVED)}")
        # A wrong input still has its name, so that rows which use it are not called wrong, too.
        stand_in = Input(name=name, op=Op.COUNT, variable="", window_s=1, text="")
        found.append(_read_input(notes, name, value, max_age_s) or stand_in)
    if not found:
        notes.wrong(node, f"inputs must name at least one value; allowed: {ALLOWED}")
    return tuple(found)


def _read_input(notes: Notes, name: str, node: Node, max_age_s: int) -> Input | None:
    text = notes.text(node, f"input {name!r:.40}", ALLOWED)
    if not text:
        return None
    call = _CALL.fullmatch(text) if len(text) <= LONGEST else None
    if call is None or call.group(1) not in tuple(Op):
        notes.wrong(node, f"input {text!r:.80} is not understood; allowed: {ALLOWED}")
        return None
    op, variable, rest = Op(call.group(1)), call.group(2), call.group(3)
    if op is Op.LATEST:
        if rest is None:
            return Input(name=name, op=op, variable=variable, window_s=max_age_s, text=text)
        rest = rest.removeprefix("max_age").lstrip().removeprefix("=").lstrip() if re.match(r"max_age\s*=", rest) else "?"
    try:
        window_s = seconds(rest or "?")
    except ValueError:
        window_s = 0
    if not 0 < window_s <= LONGEST_S:
        notes.wrong(node, f"input {text!r:.80} has no valid window; allowed: {ALLOWED}, durations such as 20m, 3h, 1d")
        return None
    return Input(name=name, op=op, variable=variable, window_s=window_s, text=text)
