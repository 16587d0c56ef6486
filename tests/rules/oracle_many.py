"""The slow second engine for a place with several stations: every moment looked at anew, in plain dicts.

The rule is fixed (see ``RULE``); only the way down may be by steps.
"""

from dataclasses import dataclass, field

RULE = """
rules:
- rule: t
  version: 1
  hazard: rainstorm
  for_each: slope
  inputs:
    h: sum(rain, 20m, take=second_highest)
    top: max(rain, 15m, take=highest)
    k: count(sum(rain, 15m) >= 4)
  ladder:
    blue: h >= 3
    yellow: top >= 5
    orange: k >= 2
    red: k >= 3 and h >= 8
  raise: {{yellow: 2 in a row, red: for 10m}}
  lower: {{when: h < 2 and top < 3, for: 10m, to: {to}}}
  no_data: {{after: 20m, grade: hold}}
"""
NEVER = -(10**12)
COUNT = (1, 2, 1, 1)
FOR_S = (0, 0, 0, 600)
HORIZON_S = 1200 + 600
INTERVAL_S = 300
AFTER_S = 1200
LOWER_S = 600


@dataclass
class Many:
    """The state of one place; ``changes`` holds (before, after, at, late_by)."""

    one_step: bool
    data: dict[str, dict[int, float]]
    judged: dict[int, tuple[int, bool]] = field(default_factory=dict)
    grade: int = 0
    held_s: int = NEVER
    floor_s: int = NEVER
    changes: list[tuple[int, int, int, int]] = field(default_factory=list)

    def observe(self, station: str, at_s: int, value: float) -> None:
        own = self.data[station]
        newest = max(own, default=None)
        if (newest is not None and at_s <= newest - HORIZON_S) or own.get(at_s) == value:
            return
        others_s = max((max(d) for s, d in self.data.items() if d and s != station), default=NEVER)
        own[at_s] = value
        if newest is None or at_s > newest:
            if at_s >= others_s:
                self._forward(at_s)
            else:
                self._late(at_s, 0)
        else:
            self._late(at_s, newest - at_s)

    def _inside(self, station: str, at_s: int, window_s: int) -> list[float]:
        return [v for t, v in self.data[station].items() if at_s - window_s < t <= at_s]

    def _values(self, at_s: int, edge_s: int) -> tuple[float | None, float | None, float | None]:
        sums = sorted(sum(x) for s in self.data if (x := self._inside(s, at_s, 1200)))
        tops = [max(x) for s in self.data if (x := self._inside(s, at_s, 900))]
        agree = [sum(x) >= 4 for s in self.data if (x := self._inside(s, at_s, 900))]
        h = sums[-2] if len(sums) > 1 and at_s - 1200 >= edge_s else None
        near = at_s - 900 >= edge_s
        return h, max(tops) if tops and near else None, sum(agree) if agree and near else None

    def _active(self, at_s: int) -> list[str]:
        return [s for s, d in self.data.items() if d and max(d) > at_s - HORIZON_S]

    def _proofs(self, at_s: int) -> list[int]:
        return [max(past) for s in self._active(at_s) if (past := [t for t in self.data[s] if t <= at_s])]

    def _full(self, at_s: int, window_s: int) -> bool:
        active = self._active(at_s)
        used = sum(len(self._inside(s, at_s, window_s)) for s in active)
        return used >= max(len(active) * (window_s // INTERVAL_S), 1) / 2

    def _judge(self, at_s: int, edge_s: int = NEVER) -> None:
        h, top, k = self._values(at_s, edge_s)
        met = 0
        if h is not None and h >= 3:
            met = 1
        if top is not None and top >= 5:
            met = 2
        if k is not None and k >= 2:
            met = 3
        if k is not None and k >= 3 and h is not None and h >= 8:
            met = 4
        eased = h is not None and h < 2 and top is not None and top < 3 and self._full(at_s, 1200) and self._full(at_s, 900)
        eased = eased and all(at_s - t <= AFTER_S for t in self._proofs(at_s))
        self.judged[at_s] = (met, eased)

    def _confirmed(self, at_s: int) -> int:
        best = 0
        for g in (1, 2, 3, 4):
            count, first, last = 0, 0, 0
            for t in sorted(t for t in self.judged if t <= at_s):
                if self.judged[t][0] < g:
                    count = 0
                elif not count:
                    count, first, last = 1, t, t
                elif t - last >= INTERVAL_S // 2:
                    count, last = count + 1, t
            if count >= COUNT[g - 1] and at_s - first >= FOR_S[g - 1]:
                best = g
        return best

    def _down(self, grade: int, held_s: int, at_s: int) -> int:
        since, next_s = None, at_s
        for t in sorted((t for t in self.judged if t <= at_s), reverse=True):
            if not self.judged[t][1] or next_s - t > AFTER_S:
                break
            since = next_s = t
        met = self.judged[at_s][0]
        proven = min(self._proofs(at_s), default=at_s)
        if since is None or met >= grade or proven - max(since, held_s) < LOWER_S:
            return grade
        return grade - 1 if self.one_step else met

    def _forward(self, at_s: int) -> None:
        self._judge(at_s)
        before, confirmed = self.grade, self._confirmed(at_s)
        if confirmed > before:
            self.grade, self.held_s = confirmed, at_s
        else:
            self.grade = self._down(before, self.held_s, at_s)
            if self.grade < before:
                self.floor_s = at_s
                self.held_s = at_s if self.one_step else self.held_s
        if self.grade != before:
            self.changes.append((before, self.grade, at_s, 0))

    def _late(self, from_s: int, late_s: int) -> None:
        now_s = max(max(d) for d in self.data.values() if d)
        edge_s = now_s - HORIZON_S
        self.judged = {}
        for t in sorted({t for d in self.data.values() for t in d if t > edge_s}):
            self._judge(t, edge_s)
        grade, held_s, floor_s = 0, NEVER, self.floor_s
        for t in sorted(self.judged):
            confirmed = self._confirmed(t)
            if t >= max(from_s, floor_s) and confirmed > grade:
                grade, held_s = confirmed, t
            elif grade and (lower := self._down(grade, held_s, t)) < grade:
                grade, floor_s = lower, t
                held_s = t if self.one_step else held_s
        if grade > self.grade:
            self.changes.append((self.grade, grade, now_s, late_s))
            self.grade, self.held_s = grade, now_s
