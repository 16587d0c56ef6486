"""Inputs as written, such as ``sum(rain, 3h, near=10km, take=highest)``, to checked inputs."""

import re
from collections.abc import Sequence
from dataclasses import replace

from rules.call_text import LONGEST, Call, call, compared
from rules.duration import LONGEST_S, seconds
from rules.expression import ExpressionError, number
from rules.inputs import DAY_S, FORECAST_OPS, WINDOW_OPS, Each, Input, Near, Op, Take
from rules.model import GRADES
from rules.near import metres
from rules.nodes import Node, Notes
from rules.outlook_text import read_outlook

ALLOWED = (
    "sum max min mean median change slope count (variable, window or day), latest(variable, max_age=duration), each with near=catchment "
    "or near=10km and take=nearest|highest|second_highest|mean|lowest; count(CALL >= number), days(CALL over day >= number); "
    "fc_value fc_prob fc_runs fc_lead (variable, …); or arithmetic of inputs above it"
)
_VARIABLE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NAME = r"[a-z][a-z0-9_]{0,31}"
_MOST_DAYS = 30
_DAYS = 7
_RESERVED = (
    "none", *(g.word for g in GRADES), "and", "or", "not", "min", "max", "abs", "round", "beaufort", "in", "is", "if", "else", "lambda",
    "for", "day",
)  # fmt: skip
_NO_DAY = (Op.CHANGE, Op.SLOPE)


class _Refused(ValueError):
    """Says what is wrong with an input."""


def read_inputs(notes: Notes, node: Node, max_age_s: int, columns: Sequence[str] = ()) -> tuple[Input, ...]:
    """The inputs of a rule; ``max_age_s`` is how old a ``latest`` value or a forecast may be when it does not say."""
    found: list[Input] = []
    for name, key, value in notes.pairs(node, "inputs"):
        if not re.fullmatch(_NAME, name) or name in _RESERVED:
            notes.wrong(key, f"{name!r:.80} cannot name an input; allowed: {_NAME}, and none of {', '.join(_RESERVED)}")
        text = notes.text(value, f"input {name!r:.40}", ALLOWED)
        try:
            one = _Reader(text, max_age_s, tuple(i.name for i in found), tuple(columns)).read() if text else None
        except ValueError as e:
            notes.wrong(value, f"input {text!r:.80} {e}; allowed: {ALLOWED}")
            one = None
        # A wrong input still has its name, so that rows which use it are not called wrong, too.
        stand_in = Input(name=name, op=Op.COUNT, variable="", window_s=1, text="")
        found.append(replace(one, name=name) if one else stand_in)
    if not found:
        notes.wrong(node, f"inputs must name at least one value; allowed: {ALLOWED}")
    return tuple(found)


def input_names(notes: Notes, node: Node) -> tuple[str, ...]:
    """The names alone, before anything is read."""
    return tuple(name for name, _, _ in notes.pairs(node, "inputs"))


class _Reader:
    """One input under reading; ``above`` are the inputs before it."""

    def __init__(self, text: str, max_age_s: int, above: tuple[str, ...], columns: tuple[str, ...]) -> None:
        self.text = text
        self.max_age_s = max_age_s
        self.above = above
        self.columns = columns

    def read(self) -> Input:
        """The input; ValueError says what is wrong."""
        if len(self.text) > LONGEST:
            raise _Refused("is too long")
        found = call(self.text)
        if found is None or self._is_arithmetic(found):
            return self._derived()
        if found.op in FORECAST_OPS:
            variable = self._variable(found)
            outlook = read_outlook(found, variable, self.max_age_s)
            return Input(name="", op=Op(found.op), variable=variable, window_s=0, text=self.text, outlook=outlook)
        each = compared(found.args[0]) if found.args else None
        if found.op == "days" or (found.op == Op.COUNT and each):
            return self._each(found, each)
        return self._measured(found)

    def _is_arithmetic(self, found: Call) -> bool:
        if found.op in ("abs", "round", "beaufort"):
            return True
        return found.op in (Op.MIN, Op.MAX) and len(found.args) > 1 and not _is_window(found.args[1])

    def _derived(self) -> Input:
        try:
            one = number(self.text, (*self.above, *self.columns))
        except ExpressionError as e:
            raise _Refused(f"is not understood ({e})") from None
        if not set(one.names) & set(self.above):
            raise _Refused("is not understood (it looks at no input above it)")
        return Input(name="", op=Op.DERIVED, variable="", window_s=0, text=self.text, number=one)

    def _measured(self, found: Call) -> Input:
        if found.op not in (*WINDOW_OPS, Op.LATEST):
            raise _Refused("is not understood")
        op, variable = Op(found.op), self._variable(found)
        ages = op is Op.LATEST or "plus" in found.options
        known = ("near", "take", *(("plus",) if op is Op.SUM else ()), *(("max_age",) if ages else ()))
        _options(found, known)
        window_s, daily = self._window(op, found)
        plus_s = 0
        if "plus" in found.options:
            if found.options["plus"] != "forecast" or daily:
                raise _Refused("can only have plus=forecast, and not since the beginning of the day")
            plus_s = self._max_age_s(found)
        return Input(
            name="", op=op, variable=variable, window_s=window_s, daily=daily, text=self.text, near=_near(found), take=_take(found),
            plus_forecast_s=plus_s,
        )  # fmt: skip

    def _window(self, op: Op, found: Call) -> tuple[int, bool]:
        rest = found.args[1:]
        if op is Op.LATEST:
            if rest:
                raise _Refused("has no valid window: latest takes max_age=duration")
            return self._max_age_s(found), False
        if len(rest) != 1:
            raise _Refused("has no valid window")
        if rest[0] == "day" and op not in _NO_DAY:
            return DAY_S, True
        return _span(rest[0]), False

    def _max_age_s(self, found: Call) -> int:
        return _span(found.options["max_age"]) if "max_age" in found.options else self.max_age_s

    def _each(self, found: Call, each: tuple[str, str, str] | None) -> Input:
        _options(found, ("most",) if found.op == "days" else ())
        if each is None or len(found.args) != 1:
            raise _Refused("must compare a call with a number")
        inner = call(each[0])
        if inner is None:
            raise _Refused("must compare a call with a number")
        one = self._measured(inner)
        days = found.op == "days"
        if days and not one.daily:
            raise _Refused("must look at a day, such as max(temperature, day)")
        if not days and one.take:
            raise _Refused("counts stations, so that it cannot take one of them")
        try:
            limit = number(each[2], self.columns)
        except ExpressionError as e:
            raise _Refused(f"compares with what is no number or column ({e})") from None
        return replace(one, text=self.text, each=Each(days=days, sign=each[1], limit=limit, most=_most(found) if days else 0))

    def _variable(self, found: Call) -> str:
        if not found.args or not _VARIABLE.fullmatch(found.args[0]):
            raise _Refused("is not understood")
        return found.args[0]


def _is_window(text: str) -> bool:
    try:
        return text == "day" or seconds(text) >= 0
    except ValueError:
        return False


def _span(text: str) -> int:
    try:
        length_s = seconds(text)
    except ValueError:
        length_s = 0
    if not 0 < length_s <= LONGEST_S:
        raise _Refused("has no valid window, such as 20m, 3h, 1d or day")
    return length_s


def _options(found: Call, known: Sequence[str]) -> None:
    for name in found.options:
        if name not in known:
            raise _Refused(f"has the unknown option {name!r}; {found.op} takes {', '.join(known) or 'none'}")


def _near(found: Call) -> Near | None:
    text = found.options.get("near")
    if text is None:
        return None
    if text == "catchment":
        return Near(catchment=True)
    try:
        radius_m = metres(text)
    except ValueError as e:
        raise _Refused(f"has near={text:.40}, which is neither catchment nor {e}") from None
    return Near(radius_m=radius_m)


def _take(found: Call) -> Take | None:
    text = found.options.get("take")
    if text is not None and text not in tuple(Take):
        raise _Refused(f"has take={text:.40}, which is none of {', '.join(Take)}")
    return Take(text) if text else None


def _most(found: Call) -> int:
    text = found.options.get("most", str(_DAYS))
    if not text.isdecimal() or int(text[:6]) not in range(2, _MOST_DAYS + 1):
        raise _Refused(f"has most={text:.10}, which is not a number of days from 2 to {_MOST_DAYS}")
    return int(text)
