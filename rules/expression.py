"""The small language of ladder rows and lowering conditions: a whitelist of Python's own grammar.

Comparison, and/or/not, + - * /, names, numbers, durations (in hours) and five calls. A missing value is NaN: whatever looks at
it does not count as met, also under ``not``, because negation is pushed down to the comparisons.
"""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rules.duration import seconds

ALLOWED = "comparisons, and/or/not, + - * /, names of inputs and columns, numbers, durations, min() max() abs() round() beaufort()"
LONGEST = 500
DEEPEST = 20
GREATEST = 1e12
_OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
_COMPARE: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
_BINARY: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_ARITY = {"min": (2, 8), "max": (2, 8), "abs": (1, 1), "round": (1, 1), "beaufort": (1, 1)}
_DURATION = re.compile(r"(?<![\w.])\d+[dhms](?:\d+[hms])*(?!\w)")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class ExpressionError(ValueError):
    """The expression is refused; ``offset`` counts characters from its start."""

    def __init__(self, message: str, offset: int = 0) -> None:
        """``message`` says what is wrong and what is allowed."""
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked condition or number: ``text`` as written, ``names`` it looks at in order of appearance, ``code`` safe to compile.

    ``maybe`` holds where a missing value could make the condition hold.
    """

    text: str
    names: tuple[str, ...]
    code: str
    maybe: str = ""


def expression(text: str, inputs: Sequence[str], columns: Sequence[str]) -> Expression:
    """Check a condition against the whitelist and the names a rule has; ExpressionError otherwise."""
    tree, durations = parsed(text)
    writer = _Writer((*inputs, *columns), durations)
    code = writer.condition(tree, negate=False, depth=0)
    if not set(writer.names) & set(inputs):
        raise ExpressionError(f"the expression looks at no input; inputs here: {', '.join(inputs)}")
    maybe = _Writer(writer.known, durations, maybe=True).condition(tree, negate=False, depth=0)
    return Expression(text.strip(), tuple(writer.names), code, maybe)


def number(text: str, names: Sequence[str]) -> Expression:
    """Check the expression of a number; ExpressionError otherwise."""
    tree, durations = parsed(text)
    writer = _Writer(names, durations)
    code = writer.number(tree, 0)
    return Expression(text.strip(), tuple(writer.names), code)


def parsed(text: str) -> tuple[ast.expr, Mapping[str, float]]:
    """The tree of an expression, with a name in the place of each duration, and how many hours these are."""
    if len(text) > LONGEST:
        raise ExpressionError(f"an expression of {len(text)} characters is too long; allowed: {LONGEST}")
    durations: dict[str, float] = {}

    def placeholder(found: re.Match[str]) -> str:
        if len(durations) == len(_DIGITS):
            raise ExpressionError(f"more than {len(_DIGITS)} durations in one expression", found.start())
        # Of the same length, so that columns in messages stay right; no input may begin with a capital.
        name = f"D{_DIGITS[len(durations)]}".ljust(len(found.group()), "_")
        durations[name] = _hours(found)
        return name

    try:
        return ast.parse(_DURATION.sub(placeholder, text.strip()), mode="eval").body, durations
    except SyntaxError as e:
        raise ExpressionError(f"not an expression: {e.msg}; allowed: {ALLOWED}", max((e.offset or 1) - 1, 0)) from None
    except (MemoryError, RecursionError):
        raise ExpressionError(f"not an expression; allowed: {ALLOWED}") from None
    except ValueError as e:
        raise e if isinstance(e, ExpressionError) else ExpressionError(f"not an expression; allowed: {ALLOWED}") from None


def _hours(found: re.Match[str]) -> float:
    try:
        return seconds(found.group()) / 3600
    except ValueError as e:
        raise ExpressionError(str(e), found.start()) from None


class _Writer:
    """Writes checked nodes as Python source; anything it does not know is refused."""

    def __init__(self, known: Sequence[str], durations: Mapping[str, float], *, maybe: bool = False) -> None:
        self.known = known
        self.maybe = maybe
        self.durations = durations
        self.names: list[str] = []

    def condition(self, node: ast.expr, *, negate: bool, depth: int) -> str:
        """The source of a condition, or of its opposite."""
        _check_depth(node, depth)
        if isinstance(node, ast.BoolOp):
            word = " and " if isinstance(node.op, ast.And) is not negate else " or "
            return "(" + word.join(self.condition(v, negate=negate, depth=depth + 1) for v in node.values) + ")"
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.condition(node.operand, negate=not negate, depth=depth + 1)
        if isinstance(node, ast.Compare):
            return self._comparison(node, negate=negate, depth=depth)
        raise ExpressionError(f"{_what(node)} is not a condition; allowed: {ALLOWED}", node.col_offset)

    def _comparison(self, node: ast.Compare, *, negate: bool, depth: int) -> str:
        sides = [self.number(n, depth + 1) for n in (node.left, *node.comparators)]
        parts = []
        for left, op, right in zip(sides, node.ops, sides[1:], strict=False):
            if type(op) not in _COMPARE:
                raise ExpressionError(f"this comparison is not allowed; allowed: {' '.join(_OPPOSITE)}", node.col_offset)
            sign = _COMPARE[type(op)]
            sign = _OPPOSITE[sign] if negate else sign
            # What may hold is what the opposite is not known to.
            parts.append(f"(not {_known(left, _OPPOSITE[sign], right)})" if self.maybe else _known(left, sign, right))
        return "(" + (" or " if negate else " and ").join(parts) + ")"

    def number(self, node: ast.expr, depth: int) -> str:
        """The source of a number; results of arithmetic lose their float noise, so that 12.3 - 0.5 is 11.8."""
        _check_depth(node, depth)
        if isinstance(node, ast.Constant):
            return _constant(node)
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            sign = "-" if isinstance(node.op, ast.USub) else "+"
            return f"({sign}{self.number(node.operand, depth + 1)})"
        if isinstance(node, ast.BinOp):
            return self._arithmetic(node, depth)
        if isinstance(node, ast.Call):
            return self._call(node, depth)
        raise ExpressionError(f"{_what(node)} is not allowed; allowed: {ALLOWED}", node.col_offset)

    def _name(self, node: ast.Name) -> str:
        if node.id in self.durations:
            return repr(self.durations[node.id])
        if node.id not in self.known:
            raise ExpressionError(f"unknown name {node.id!r}; allowed here: {', '.join(self.known)}", node.col_offset)
        if node.id not in self.names:
            self.names.append(node.id)
        return f"v_{node.id}"

    def _arithmetic(self, node: ast.BinOp, depth: int) -> str:
        left, right = self.number(node.left, depth + 1), self.number(node.right, depth + 1)
        if isinstance(node.op, ast.Div):
            return f"divide({left}, {right})"
        if type(node.op) not in _BINARY:
            raise ExpressionError(f"operator {_what(node.op)} is not allowed; allowed: + - * /", node.col_offset)
        return f"tidy({left} {_BINARY[type(node.op)]} {right})"

    def _call(self, node: ast.Call, depth: int) -> str:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _ARITY or node.keywords:
            raise ExpressionError(f"this call is not allowed; allowed calls: {', '.join(_ARITY)}", node.col_offset)
        least, most = _ARITY[name]
        if not least <= len(node.args) <= most:
            raise ExpressionError(f"{name}() takes {least} to {most} values, not {len(node.args)}", node.col_offset)
        return f"{name}_of({', '.join(self.number(a, depth + 1) for a in node.args)})"


def _known(left: str, sign: str, right: str) -> str:
    # NaN != x is True in Python; unknown must never count as met.
    return f"({left} < {right} or {left} > {right})" if sign == "!=" else f"({left} {sign} {right})"


def _check_depth(node: ast.expr, depth: int) -> None:
    if depth > DEEPEST:
        raise ExpressionError(f"the expression is nested more than {DEEPEST} deep", node.col_offset)


def _constant(node: ast.Constant) -> str:
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ExpressionError(f"{value!r:.40} is not a number; allowed: {ALLOWED}", node.col_offset)
    if not abs(value) <= GREATEST:
        raise ExpressionError(f"a number beyond {GREATEST:.0e} is not allowed", node.col_offset)
    return repr(float(value))


def _what(node: ast.AST) -> str:
    return type(node).__name__
