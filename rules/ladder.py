"""One place under one rule at run time: reads its series, judges a moment, and moves its state."""

from bisect import bisect_right

from rules.climb import Climb, down, ease, streaks, up
from rules.grade import Grade
from rules.measure import MISSING, filled, upto
from rules.plan import LadderPlan
from rules.series import ALWAYS, NEVER_S, SCALE, Series


class Ladder:
    """The state of one place under one rule; ``episode`` and ``step`` number its changes, ``silences`` its silences.

    ``excused_us`` is until when silence did not count, in arrival time, because the rule was out of season.
    """

    __slots__ = (
        "columns", "compiled", "episode", "excused_us", "horizon_s", "limits", "place", "reads", "rule", "series", "silences",
        "silent", "since_us", "state", "step", "suspended", "thresholds", "wake",
    )  # fmt: skip

    def __init__(self, plan: LadderPlan, series: tuple[Series, ...]) -> None:
        """At grade none, with nothing heard yet."""
        self.compiled = plan.compiled
        self.rule = plan.compiled.rule
        self.place = plan.place
        self.series = series
        self.thresholds = plan.thresholds
        self.limits = tuple(zip(plan.compiled.table_inputs, plan.thresholds, strict=True))
        self.reads = tuple((i.measure, series[i.slot], i.window_s) for i in plan.compiled.inputs)
        self.columns = plan.columns
        self.horizon_s = plan.horizon_s
        self.state = Climb()
        self.episode = 0
        self.step = 0
        self.since_us: int | None = None
        self.silent = False
        self.silences = 0
        self.suspended = False
        self.excused_us = 0
        self.wake = ALWAYS

    def newest(self, at_s: int) -> list[float]:
        """All inputs at the newest moment, scaled; NaN where nothing is known."""
        return [measure(s, at_s, window_s, len(s.times)) for measure, s, window_s in self.reads]

    def clock_s(self) -> int:
        """The station's clock: the newest event time of its series."""
        return max(s.last_s for s in self.series)

    def arrived_us(self) -> int:
        """When the variable heard longest ago was heard last, in microseconds of arrival time."""
        return min(s.arrived_us for s in self.series)

    def values(self, at_s: int, edge_s: int = NEVER_S) -> list[float]:
        """All inputs at a moment, scaled; NaN where nothing is known or the window reaches beyond ``edge_s``."""
        found = []
        for i in self.compiled.inputs:
            series = self.series[i.slot]
            inside = at_s - i.span_s >= edge_s
            found.append(i.measure(series, at_s, i.window_s, upto(series, at_s)) if inside else MISSING)
        return found

    def met(self, at_s: int, values: list[float]) -> int:
        """The number of the highest grade that any row reaches."""
        rule = self.rule
        if rule.season and not rule.season.holds(at_s, self.compiled.zone):
            return 0
        best = 0
        for index, thresholds in self.limits:
            value = values[index]
            # False for NaN, too: a missing value reaches nothing.
            if value >= thresholds[0]:
                best = max(best, bisect_right(thresholds, value))
        if self.compiled.grade_of and best < Grade.RED:
            best = max(best, self.compiled.grade_of(*self.floats(values)))
        return best

    def floats(self, values: list[float]) -> tuple[float, ...]:
        """Inputs in their units, then columns: what conditions look at."""
        return (*(v / SCALE for v in values), *self.columns)

    def eased(self, at_s: int, values: list[float]) -> bool:
        """Whether ``lower.when`` holds, on windows that are full enough to prove it."""
        if not self.compiled.eased(*self.floats(values)):
            return False
        for n in self.compiled.covered:
            i = self.compiled.inputs[n]
            used, expected = filled(i.op, self.series[i.slot], at_s, i.window_s)
            if used < expected * self.rule.quality.min_coverage:
                return False
        return True

    def forward(self, at_s: int) -> bool:
        """Judge the newest moment; true when the grade changed."""
        values = self.newest(at_s)
        met = self.met(at_s, values)
        state = self.state
        if state.grade or met:
            return self._move(state, at_s, met, values)
        if self.compiled.patient:
            streaks(state, self.rule.patience, at_s, 0)
        state.last_s = at_s
        if self.compiled.sums_only:
            self._sleep(at_s, values)
        return False

    def _move(self, state: Climb, at_s: int, met: int, values: list[float]) -> bool:
        self.wake = ALWAYS
        confirmed = streaks(state, self.rule.patience, at_s, met) if self.compiled.patient else Grade(met)
        ease(state, at_s, self.rule.no_data.after_s, eased=self.eased(at_s, values))
        return up(state, confirmed, at_s) or down(state, self.rule.lower, at_s, met)

    def _sleep(self, at_s: int, values: list[float]) -> None:
        # No sum can grow by more than the total does: until that has grown by the smallest distance to a threshold, nothing can be met.
        if self.rule.season and not self.rule.season.holds(at_s, self.compiled.zone):
            return
        room = min(thresholds[0] - values[n] for n, thresholds in self.limits)
        self.wake = self.series[0].total + int(room)

    def again(self, from_s: int) -> int | None:
        """Judge all moments from a late or corrected reading to the newest one, as if it had come in time.

        Gives the moment the higher grade was reached when the place must rise, None otherwise; never lowers.
        """
        now_s = self.clock_s()
        edge_s = now_s - self.horizon_s
        sim, raised_s = Climb(floor_s=self.state.floor_s), None
        for at_s in self._moments(from_s, edge_s):
            values = self.values(at_s, edge_s)
            met = self.met(at_s, values)
            confirmed = streaks(sim, self.rule.patience, at_s, met)
            ease(sim, at_s, self.rule.no_data.after_s, eased=self.eased(at_s, values))
            if at_s >= max(from_s, sim.floor_s) and up(sim, confirmed, at_s):
                raised_s = at_s
            elif sim.grade:
                down(sim, self.rule.lower, at_s, met)
        state = self.state
        state.counts, state.firsts, state.eased_s, state.last_s = sim.counts, sim.firsts, sim.eased_s, sim.last_s
        self.wake = ALWAYS
        return raised_s if raised_s is not None and up(state, sim.grade, now_s) else None

    def _moments(self, from_s: int, edge_s: int) -> list[int]:
        times = sorted({t for s in self.series for t in s.times if t > edge_s})
        start_s = from_s - self.rule.hold_s
        before = sum(1 for t in times if t < start_s)
        return times[max(0, before - max(p.count for p in self.rule.patience)) :]

    def lower_now(self, at_s: int) -> bool:
        """Try the way down once more at the newest moment, after its last variable came in."""
        return down(self.state, self.rule.lower, at_s, self.met(at_s, self.values(at_s)))
