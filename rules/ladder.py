"""One place under one rule at run time: reads its inputs, judges a moment, and moves its state."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from rules.climb import Climb, Trail, back, due, ease, fall, streaks, trail, up
from rules.forecast import Feed
from rules.grade import Grade
from rules.inputs import Op
from rules.measure import MEASURES, MISSING, filled, upto
from rules.plan import LadderPlan
from rules.probes import probes_of
from rules.scaled import ALWAYS, NEVER_S, SCALE
from rules.series import Series


class Ladder:
    """The state of one place under one rule; ``episode`` and ``step`` number its changes, ``silences`` its silences.

    ``excused_us`` is until when silence did not count, in arrival time, because the rule was out of season. ``moment_s`` is the newest
    moment that was judged, ``before`` what stood before it, ``spoken`` whether a reading of the place's own was of that moment: only
    where several series, or forecasts, speak for one.
    """

    __slots__ = (
        "before", "compiled", "episode", "excused_us", "feeds", "fixed", "heard", "horizon_s", "limits", "lows", "many", "moment_s",
        "numbers", "own", "place", "plain", "probes", "proof", "reads", "round_s", "rule", "series", "silences", "silent",
        "since_us", "spoken", "state", "step", "sums", "suspended", "wake",
    )  # fmt: skip

    def __init__(self, plan: LadderPlan, every: Sequence[Series], feeds: Mapping[tuple[str, str], Feed]) -> None:
        """At grade none, with nothing heard yet; ``every`` are all series of the engine."""
        self.compiled = plan.compiled
        self.rule = plan.compiled.rule
        self.place = plan.place
        self.series = tuple(every[n] for n in plan.series)
        self.numbers = plan.numbers
        dated = any(n.season for n in plan.numbers)
        self.fixed = None if dated else plan.numbers[0].values if plan.numbers else ()
        self.feeds = {name: tuple(feeds[k] for k in keys) for name, keys in plan.feeds.items()}
        self.probes = probes_of(plan, every, self.feeds, self.columns)
        self.heard = tuple((tuple(every[n] for n in group), needed) for group, needed in plan.heard)
        self.own = frozenset(id(s) for group, _ in self.heard for s in group)
        self.proof = tuple(dict.fromkeys(n for n in self.compiled.proof))
        self.limits = tuple(tuple(zip(self.compiled.table_inputs, t, strict=True)) for t in plan.scaled)
        self.horizon_s = plan.horizon_s
        self.round_s = plan.round_s
        self.plain = plan.plain
        self.many = len(self.series) != 1 or bool(self.feeds)
        self.reads = tuple((MEASURES[p.spec.op], p.series[0], p.spec.window_s) for p in self.probes) if plan.plain else ()
        self.sums = self._sums()
        self.lows = tuple((n, min(t[k][0] for t in plan.scaled)) for k, n in enumerate(self.compiled.table_inputs))
        self.state = Climb()
        self.before: Trail | None = None
        self.moment_s = NEVER_S
        self.spoken = False
        self.episode = 0
        self.step = 0
        self.since_us: int | None = None
        self.silent = False
        self.silences = 0
        self.suspended = False
        self.excused_us = 0
        self.wake = ALWAYS

    def _sums(self) -> Series | None:
        """The one series whose sums the table looks at; None where a ladder can rise in another way, too."""
        found = {id(s): s for n in self.compiled.table_inputs for s in self.probes[n].series}
        specs = [self.probes[n].spec for n in self.compiled.table_inputs]
        simple = all(i.op is Op.SUM and not i.plus_forecast_s and not i.each for i in specs)
        if self.rule.rows or len(found) != 1 or not simple:
            return None
        series = next(iter(found.values()))
        return series if series.checks.low >= 0 or series.counter else None

    def columns(self, at_s: int) -> tuple[float, ...]:
        """The numbers of the place on the day of a moment."""
        if self.fixed is not None:
            return self.fixed
        for found in self.numbers:
            if found.season is None or found.season.holds(at_s, self.compiled.zone):
                return found.values
        return ()

    def clock_s(self) -> int:
        """The clock of the place: the newest event time of its series, or the moment of its newest forecast."""
        return max((s.last_s for s in self.series), default=NEVER_S) if not self.feeds else max(
            self.moment_s, *(s.last_s for s in self.series), NEVER_S
        )  # fmt: skip

    def arrived_us(self) -> int:
        """When what was heard longest ago was heard last, in microseconds of arrival time."""
        if not self.many:
            return self.series[0].arrived_us
        if not self.heard:
            return max((f.arrived_us for found in self.feeds.values() for f in found), default=0)
        return min(sorted((s.arrived_us for s in group), reverse=True)[:needed][-1] for group, needed in self.heard)

    def values(self, at_s: int, edge_s: int = NEVER_S) -> list[float]:
        """All inputs at a moment, scaled; NaN where nothing is known or the window reaches beyond ``edge_s``."""
        if self.plain and edge_s == NEVER_S:
            return [measure(s, at_s, window_s, upto(s, at_s)) for measure, s, window_s in self.reads]
        found: list[float] = []
        for p in self.probes:
            found.append(p.value(at_s, found) if at_s - p.span_s >= edge_s else MISSING)
        return found

    def met(self, at_s: int, values: list[float]) -> int:
        """The number of the highest grade that any row reaches."""
        rule, compiled = self.rule, self.compiled
        if rule.season and not rule.season.holds(at_s, compiled.zone):
            return 0
        best = 0
        for index, thresholds in self.limits[self.factor(at_s, values) if compiled.scale else 0]:
            value = values[index]
            # False for NaN, too: a missing value reaches nothing.
            if value >= thresholds[0]:
                best = max(best, bisect_right(thresholds, value))
        if compiled.grade_of and best < Grade.RED:
            best = max(best, compiled.grade_of(*self.floats(at_s, values)))
        return best

    def could_be(self, at_s: int, values: list[float]) -> int:
        """The highest grade that any row would reach if what is missing were as bad as can be: a missing value lowers nothing."""
        if all(v == v for v in values) or (self.rule.season and not self.rule.season.holds(at_s, self.compiled.zone)):  # noqa: PLR0124
            return 0
        limits = self.limits[self.factor(at_s, values)]
        best = max((len(t) for n, t in limits if values[n] != values[n]), default=0)
        return max(best, self.compiled.could_be(*self.floats(at_s, values))) if self.compiled.could_be else best

    def factor(self, at_s: int, values: list[float]) -> int:
        """Which line of ``scale`` holds, counted from 1; 0 for none."""
        if not self.compiled.scale:
            return 0
        found = self.compiled.scale(*self.floats(at_s, values))
        return len(self.rule.scale) + 1 - found if found else 0

    def floats(self, at_s: int, values: list[float]) -> tuple[float, ...]:
        """Inputs in their units, then columns: what conditions look at."""
        return (*(v / SCALE for v in values), *self.columns(at_s))

    def eased(self, at_s: int, values: list[float]) -> bool:
        """Whether ``lower.when`` holds, on windows that are full enough to prove it, and with no station fallen behind."""
        if not self.compiled.eased(*self.floats(at_s, values)):
            return False
        least = self.rule.quality.min_coverage
        if self.plain and not self.many:
            full = (filled(self.probes[n].spec.op, self.series[0], at_s, self.probes[n].spec.window_s) for n in self.compiled.covered)
            return all(used >= expected * least for used, expected in full)
        full = (self.probes[n].filled(at_s, self.horizon_s) for n in self.compiled.covered)
        if not all(used >= expected * least for used, expected in full):
            return False
        after_s = self.rule.no_data.after_s
        return all(at_s - t <= max(after_s, 2 * s.interval_s) for s, t in self._proofs(at_s))

    def proven_s(self, at_s: int) -> int:
        """Up to when readings prove what ``lower.when`` says: the station that is farthest behind decides."""
        return min((t for _, t in self._proofs(at_s)), default=at_s) if self.many else at_s

    def _proofs(self, at_s: int) -> list[tuple[Series, int]]:
        found = []
        for n in self.proof:
            for s in self.probes[n].active(at_s, self.horizon_s):
                end = upto(s, at_s)
                if end:
                    found.append((s, s.times[end - 1]))
        return found

    def forward(self, at_s: int, *, own: bool = True, run_s: int | None = None) -> bool:
        """Judge the newest moment; true when the grade changed or a person must be asked to change it.

        ``own`` is false when only a station around the place has reported. ``run_s`` is the newest model run where these count.
        """
        if self.many:
            own = self._begin(at_s, own=own)
            values = self.values(at_s)
        elif self.plain:
            values = [measure(s, at_s, window_s, len(s.times)) for measure, s, window_s in self.reads]
        else:
            values = self.values(at_s)
        met = self.met(at_s, values)
        state = self.state
        if state.grade or met:
            return self._move(state, at_s, met, values, own=own, run_s=run_s)
        if self.compiled.patient:
            streaks(state, self.compiled.patience, at_s, 0)
        state.last_s = at_s
        if self.sums is not None:
            self._sleep(at_s, values)
        return False

    def _begin(self, at_s: int, *, own: bool) -> bool:
        """Go back when the moment was judged before; gives whether a reading of the place's own has spoken for it."""
        if at_s == self.moment_s and self.before is not None:
            back(self.state, self.before)
            own = own or self.spoken
        self.before, self.moment_s, self.spoken = trail(self.state), at_s, own
        return own

    def _move(self, state: Climb, at_s: int, met: int, values: list[float], *, own: bool, run_s: int | None) -> bool:
        self.wake = ALWAYS
        rule = self.rule
        confirmed = Grade(met)
        if self.compiled.patient:
            confirmed = streaks(state, self.compiled.patience, at_s, met, own=own, round_s=self.round_s)
        ease(state, at_s, rule.no_data.after_s, eased=self.eased(at_s, values), run_s=run_s)
        if up(state, confirmed, at_s):
            state.asked = None
            return True
        to = due(state, rule.lower, self.proven_s(at_s), met, self.compiled.below)
        if to is not None and (could := min(self.could_be(at_s, values), state.grade)) > to:
            to = Grade(could) if could < state.grade else None
        if to is None or not rule.lower.ask:
            state.asked = None
            if to is not None:
                fall(state, rule.lower, to, at_s)
            return to is not None
        new, state.asked = state.asked != to, to
        state.asks += new
        return new

    def _sleep(self, at_s: int, values: list[float]) -> None:
        # No sum can grow by more than the total does: until that has grown by the smallest distance to a threshold, nothing can be met.
        if self.rule.season and not self.rule.season.holds(at_s, self.compiled.zone):
            return
        room = min([low - values[n] for n, low in self.lows])
        if self.sums is not None and room == room:  # noqa: PLR0124 - NaN is the missing value
            self.wake = self.sums.total + int(room)
