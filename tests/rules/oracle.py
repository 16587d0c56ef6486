"""A second engine, slow and plain: all readings in a dict, every window summed anew, every streak walked back each time.

It shares no code with the engine beyond the words for grades. One variable, one place, exact decimals as fractions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

Number = Fraction | int
Values = dict[str, Number | None]
Calls = Mapping[str, tuple[str, int]]
Rows = Callable[[Values], int]
AFTER_S = 1200


@dataclass
class Spec:
    """A rule: inputs (operation, window in seconds), which grade its rows reach, when it eases, and its patience per grade."""

    inputs: Calls
    rows: Rows
    eases: Callable[[Values], bool]
    eases_on: tuple[str, ...]
    count: tuple[int, int, int, int] = (1, 1, 1, 1)
    for_s: tuple[int, int, int, int] = (0, 0, 0, 0)
    lower_for_s: int = 600
    one_step: bool = False
    interval_s: int = 300
    could: Callable[[Values], int] = lambda _: 0

    @property
    def horizon_s(self) -> int:
        hold = max(self.lower_for_s, *self.for_s, (max(self.count) - 1) * self.interval_s)
        return max(w * 3 // 2 if op == "change" else w for op, w in self.inputs.values()) + hold


@dataclass
class Oracle:
    """The state of one place; ``changes`` holds (before, after, at, late_by)."""

    spec: Spec
    data: dict[int, Number] = field(default_factory=dict)
    judged: dict[int, tuple[int, bool]] = field(default_factory=dict)
    grade: int = 0
    held_s: int = -(10**12)
    floor_s: int = -(10**12)
    changes: list[tuple[int, int, int, int]] = field(default_factory=list)

    def observe(self, at_s: int, value: Number) -> None:
        newest = max(self.data, default=None)
        if newest is not None and at_s <= newest - self.spec.horizon_s:
            return
        if self.data.get(at_s) == value:
            return
        self.data[at_s] = value
        if newest is None or at_s > newest:
            self._forward(at_s)
        else:
            self._late(at_s, newest)

    def values(self, at_s: int, edge_s: int = -(10**12)) -> Values:
        found: Values = {}
        for name, (op, window_s) in self.spec.inputs.items():
            span_s = window_s * 3 // 2 if op == "change" else window_s
            found[name] = None if at_s - span_s < edge_s else self._value(op, at_s, window_s)
        return found

    def _value(self, op: str, at_s: int, window_s: int) -> Number | None:
        inside = [self.data[t] for t in sorted(self.data) if at_s - window_s < t <= at_s]
        if op == "count":
            return len(inside)
        if not inside:
            return None
        if op == "change":
            reference = self._reference(at_s, window_s)
            return None if reference is None else inside[-1] - self.data[reference]
        total = sum(inside)
        plain = {"sum": total, "max": max(inside), "min": min(inside), "latest": inside[-1]}
        return plain[op] if op in plain else Fraction(total) / len(inside)

    def _reference(self, at_s: int, window_s: int) -> int | None:
        older = [t for t in self.data if at_s - window_s * 3 // 2 < t <= at_s - window_s]
        inside = sorted(t for t in self.data if at_s - window_s < t <= at_s)
        return max(older) if older else inside[0] if len(inside) > 1 else None

    def _judge(self, at_s: int, edge_s: int = -(10**12)) -> None:
        values = self.values(at_s, edge_s)
        eased = self.spec.eases(values) and all(self._full(name, at_s) for name in self.spec.eases_on)
        self.judged[at_s] = (self.spec.rows(values), eased)

    def _full(self, name: str, at_s: int) -> bool:
        op, window_s = self.spec.inputs[name]
        if op in ("latest", "count"):
            return True
        wanted = max(1, window_s // self.spec.interval_s) / 2
        if op == "change":
            reference = self._reference(at_s, window_s)
            return reference is not None and min(at_s - reference, window_s) // self.spec.interval_s >= wanted
        return sum(1 for t in self.data if at_s - window_s < t <= at_s) >= wanted

    def _confirmed(self, at_s: int) -> int:
        moments = [t for t in sorted(self.judged, reverse=True) if t <= at_s]
        best = 0
        for g in (1, 2, 3, 4):
            run = []
            for t in moments:
                if self.judged[t][0] < g:
                    break
                run.append(t)
            if len(run) >= self.spec.count[g - 1] and run and at_s - run[-1] >= self.spec.for_s[g - 1]:
                best = g
        return best

    def _eased_since(self, at_s: int) -> int | None:
        since, next_s = None, at_s
        for t in sorted((t for t in self.judged if t <= at_s), reverse=True):
            if not self.judged[t][1] or next_s - t > AFTER_S:
                break
            since = next_s = t
        return since

    def _down(self, grade: int, held_s: int, at_s: int) -> int:
        since, met = self._eased_since(at_s), self.judged[at_s][0]
        if since is None or met >= grade or at_s - max(since, held_s) < self.spec.lower_for_s:
            return grade
        return grade - 1 if self.spec.one_step else met

    def _forward(self, at_s: int) -> None:
        self._judge(at_s)
        before, confirmed = self.grade, self._confirmed(at_s)
        if confirmed > self.grade:
            self.grade, self.held_s = confirmed, at_s
        else:
            could = self.spec.could(self.values(at_s))
            to = self._down(self.grade, self.held_s, at_s)
            self.grade = max(to, min(could, before))
            if self.grade < before:
                self.floor_s = at_s
                self.held_s = at_s if self.spec.one_step else self.held_s
        if self.grade != before:
            self.changes.append((before, self.grade, at_s, 0))

    def _late(self, from_s: int, newest: int) -> None:
        edge_s = newest - self.spec.horizon_s
        self.judged = {}
        for t in sorted(t for t in self.data if t > edge_s):
            self._judge(t, edge_s)
        grade, held_s = 0, -(10**12)
        for t in sorted(t for t in self.judged if t >= max(from_s, self.floor_s)):
            confirmed = self._confirmed(t)
            if confirmed > grade:
                grade, held_s = confirmed, t
            elif grade:
                lower = self._down(grade, held_s, t)
                held_s = t if lower < grade and self.spec.one_step else held_s
                grade = lower
        if grade > self.grade:
            self.changes.append((self.grade, grade, newest, newest - from_s))
            self.grade, self.held_s = grade, newest
