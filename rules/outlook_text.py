"""What a rule asks of a forecast, such as ``fc_prob(rain, window=6h, at_least=50, lead=0h..24h)``."""

import re
from collections.abc import Mapping

from rules.call_text import Call
from rules.duration import LONGEST_S, seconds
from rules.inputs import Op, Outlook
from rules.variables import variable

_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?")
_NEEDED = {
    Op.FC_VALUE: ("lead",),
    Op.FC_PROB: ("at_least", "lead"),
    Op.FC_RUNS: ("at_least", "prob", "lead"),
    Op.FC_LEAD: ("at_least", "prob"),
}
_FREE = {Op.FC_VALUE: ("take", "max_age"), Op.FC_PROB: ("max_age",), Op.FC_RUNS: ("max_age",), Op.FC_LEAD: ("lead", "max_age")}


def read_outlook(found: Call, name: str, max_age_s: int) -> Outlook:
    """The checked question; ValueError says what is wrong with it."""
    op, options = Op(found.op), found.options
    adds = variable(name).adds
    needed = (*(("window",) if adds else ()), *_NEEDED[op])
    known = (*needed, *_FREE[op])
    for option in options:
        if option not in known:
            why = f"; {name} does not add up, so it has no window" if option == "window" else ""
            raise ValueError(f"has the unknown option {option!r}; {op} of {name} takes {', '.join(known)}{why}")
    missing = [n for n in needed if n not in options]
    if missing or len(found.args) != 1:
        raise ValueError(f"needs {', '.join(missing) or 'a variable alone'}; {op} of {name} takes {', '.join(known)}")
    first_s, last_s = _lead(options["lead"]) if "lead" in options else (0, LONGEST_S)
    prob = _number(options, "prob") if "prob" in options else 0.5
    if not 0 < prob <= 1:
        raise ValueError("has a prob that is not above 0 and at most 1")
    if options.get("take", "highest") not in ("highest", "lowest"):
        raise ValueError("takes highest or lowest of a forecast")
    return Outlook(
        window_s=_span(options["window"]) if adds else 0,
        first_s=first_s,
        last_s=last_s,
        max_age_s=_span(options["max_age"]) if "max_age" in options else max_age_s,
        at_least=_number(options, "at_least") if "at_least" in options else 0.0,
        prob=prob,
        lowest=options.get("take") == "lowest",
    )


def _number(options: Mapping[str, str], name: str) -> float:
    text = options[name]
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"has {name}={text:.40}, which is no number")
    return float(text)


def _span(text: str) -> int:
    length_s = seconds(text)
    if not length_s:
        raise ValueError("has a duration of nothing")
    return length_s


def _lead(text: str) -> tuple[int, int]:
    first, dots, last = text.partition("..")
    if not dots:
        raise ValueError(f"has lead={text:.40}, which is no range such as 0h..24h")
    first_s, last_s = seconds(first), seconds(last)
    if first_s >= last_s:
        raise ValueError(f"has lead={text:.40}, which ends before it begins")
    return first_s, last_s
