"""One place under one rule at run time: reads its inputs, judges a moment, and moves its state."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter

from rules.climb import Climb, Trail, back, due, ease, fall, streaks, trail, up
from rules.forecast import Feed
from rules.grade import BY_NUMBER, Grade
from rules.measure import MISSING, coverage, filled
from rules.plan import LadderPlan
from rules.probe import Coverage, Probe
from rules.probes import probes_of
from rules.rest import AWAKE, dry, graded
from rules.scaled import ALWAYS, FOREVER, NEVER_S, SCALE
from rules.season import day_start
from rules.series import Series

_DAY_AT_LEAST_S = 23 * 3600
"""No local day is shorter."""
_NO_FEEDS: Mapping[str, tuple[Feed, ...]] = {}
_arrived_us: Callable[[Series], int] = attrgetter("arrived_us")


class Ladder:
    """The state of one place under one rule; ``episode`` and ``step`` number its changes, ``silences`` its silences.

    ``excused_us`` is until when silence did not count, in arrival time, because the rule was out of season. ``moment_s`` is the newest
    moment that was judged, ``before`` what stood before it, ``spoken`` whether a reading of the place's own was of that moment: only
    where several series, or forecasts, speak for one. ``onset_s`` is when what it warns of is expected, as said last; NEVER_S for now.
    """

    __slots__ = (
        "_probes", "before", "calm", "compiled", "dozing", "episode", "excused_us", "feeds", "fixed", "heard", "horizon_s", "limits",
        "lows", "many", "moment_s", "numbers", "onset_s", "place", "plain", "round_s", "rule", "series", "silences", "silent", "since_us",
        "spoken", "state", "step", "sums", "suspended", "touched", "wake", "wake_s",
    )  # fmt: skip

    def __init__(self, plan: LadderPlan, every: Sequence[Series], feeds: Mapping[tuple[str, str], Feed]) -> None:
        """At grade none, with nothing heard yet; ``every`` are all series of the engine."""
        self.compiled = plan.compiled
        self.rule = plan.compiled.rule
        self.place = plan.place
        self.series = tuple([every[n] for n in plan.series])
        self.numbers = plan.numbers
        dated = any(n.season for n in plan.numbers)
        self.fixed = None if dated else plan.numbers[0].values if plan.numbers else ()
        self.feeds = {name: tuple(feeds[k] for k in keys) for name, keys in plan.feeds.items()} if plan.feeds else _NO_FEEDS
        self.plain = plan.plain
        self.many = len(self.series) != 1 or bool(self.feeds)
        # Of a place with one series the inputs are all the same but for their windows: they need no memory of their own.
        self._probes = None if self.plain and not self.many else probes_of(plan, every, self.feeds, self.columns)
        self.heard = tuple((tuple(every[n] for n in group), needed) for group, needed in plan.heard) if self.many else ()
        self.limits = plan.limits
        self.lows = plan.lows
        self.horizon_s = plan.horizon_s
        self.round_s = plan.round_s
        self.sums = self._sums(plan, every)
        alone = self.sums is not None and self.plain and not self.many and not self.compiled.scale and not self.compiled.patient
        self.calm = self.compiled.calm if alone else None
        self.state = Climb()
        self.before: Trail | None = None
        self.moment_s = NEVER_S
        self.spoken = False
        self.onset_s = NEVER_S
        self.episode = 0
        self.step = 0
        self.since_us: int | None = None
        self.silent = False
        self.silences = 0
        self.suspended = False
        self.excused_us = 0
        self.dozing = False
        self.touched = False
        self.wake = ALWAYS
        self.wake_s = FOREVER

    def _sums(self, plan: LadderPlan, every: Sequence[Series]) -> Series | None:
        """The one series whose sums the table looks at; None where a ladder can rise in another way, too."""
        if not self.compiled.adding:
            return None
        found = {n for i in self.compiled.table_inputs for n in plan.sources[i]}
        if len(found) != 1:
            return None
        series = every[found.pop()]
        return series if series.checks.low >= 0 or series.counter else None

    @property
    def probes(self) -> tuple[Probe, ...]:
        """The inputs, joined to what they look at."""
        return self._probes or tuple([Probe(i, self.series, self.rule.day_s, self.compiled.zone) for i in self.rule.inputs])

    def coverage(self, index: int, at_s: int) -> Coverage:
        """How well an input is founded at a moment."""
        if self._probes is not None:
            return self._probes[index].coverage(at_s, self.horizon_s)
        one, series = self.rule.inputs[index], self.series[0]
        doubts = frozenset(series.doubted(at_s - one.window_s, at_s)) if series.suspects else frozenset()
        return *coverage(one.op, series, at_s, one.window_s), doubts

    def owns(self, series: Series) -> bool:
        """Whether a series is the place's own: one that must not fall silent."""
        return not self.many or any(s is series for group, _ in self.heard for s in group)

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

    def arrived_us(self, heard: Callable[[Series], int] = _arrived_us) -> int:
        """When what was heard longest ago was heard last, in microseconds of arrival time; ``heard`` says it of one series."""
        if not self.many:
            return heard(self.series[0])
        if not self.heard:
            return max((f.arrived_us for found in self.feeds.values() for f in found), default=0)
        return min(sorted(map(heard, group), reverse=True)[:needed][-1] for group, needed in self.heard)

    def values(self, at_s: int, edge_s: int = NEVER_S) -> list[float]:
        """All inputs at a moment, scaled; NaN where nothing is known or the window reaches beyond ``edge_s``."""
        if self._probes is None and edge_s == NEVER_S:
            series = self.series[0]
            end = series.upto(at_s)
            return [measure(series, at_s, window_s, end) for measure, window_s in self.compiled.reads]
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
            inputs = self.rule.inputs
            full = (filled(inputs[n].op, self.series[0], at_s, inputs[n].window_s) for n in self.compiled.covered)
            return all(used >= expected * least for used, expected in full)
        probes = self.probes
        full = (probes[n].filled(at_s, self.horizon_s) for n in self.compiled.covered)
        if not all(used >= expected * least for used, expected in full):
            return False
        after_s = self.rule.no_data.after_s
        return all(at_s - t <= max(after_s, 2 * s.interval_s) for s, t in self._proofs(at_s))

    def proven_s(self, at_s: int) -> int:
        """Up to when readings prove what ``lower.when`` says: the station that is farthest behind decides."""
        return min((t for _, t in self._proofs(at_s)), default=at_s) if self.many else at_s

    def _proofs(self, at_s: int) -> list[tuple[Series, int]]:
        found = []
        probes = self.probes
        for n in self.compiled.proof:
            for s in probes[n].active(at_s, self.horizon_s):
                end = s.upto(at_s)
                if end:
                    found.append((s, s.time(end - 1)))
        return found

    def forward(self, at_s: int, *, own: bool = True, run_s: int | None = None) -> bool:
        """Judge the newest moment; true when the grade changed or a person must be asked to change it.

        ``own`` is false when only a station around the place has reported. ``run_s`` is the newest model run where these count.
        """
        if self.many:
            if run_s is None and at_s == self.moment_s:
                run_s = self._counted_s()
            own = self._begin(at_s, own=own)
        elif self.dozing:
            self.dozing = False
            self.state.last_s = self.series[0].previous_s()
        self.touched = True
        values = self.values(at_s)
        met = self.met(at_s, values)
        state = self.state
        if state.grade or met:
            moved = self._move(state, at_s, met, values, own=own, run_s=run_s)
            self._doze(at_s, values)
            return moved
        if self.compiled.patient:
            streaks(state, self.compiled.patience, at_s, 0)
        state.last_s = at_s
        if self.sums is not None:
            self._sleep(at_s, values)
        return False

    def _counted_s(self) -> int | None:
        """The model run that was counted at the newest moment: a reading that comes after the forecast must not take it back."""
        return self.state.run_s if self.before is not None and self.state.run_s > self.before.run_s else None

    def _begin(self, at_s: int, *, own: bool) -> bool:
        """Go back when the moment was judged before; gives whether a reading of the place's own has spoken for it."""
        if at_s == self.moment_s and self.before is not None:
            back(self.state, self.before)
            own = own or self.spoken
        self.before, self.moment_s, self.spoken = trail(self.state), at_s, own
        return own

    def _move(self, state: Climb, at_s: int, met: int, values: list[float], *, own: bool, run_s: int | None) -> bool:
        self.wake, self.wake_s = AWAKE
        rule = self.rule
        confirmed = BY_NUMBER[met]
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
        """Without a grade."""
        if self.sums is None:
            return
        self.wake, self.wake_s = dry(self.sums, self.lows, values)
        if self.rule.season and not self.rule.season.holds(at_s, self.compiled.zone):
            self.wake, self.wake_s = (ALWAYS, FOREVER) if self.many else (FOREVER, self._midnight_s(at_s))

    def _doze(self, at_s: int, values: list[float]) -> None:
        """In a grade."""
        if self.calm is None or not self.state.grade:
            return
        season = self.rule.season
        if season and not season.holds(at_s, self.compiled.zone):
            return
        self.wake, self.wake_s = graded(self.series[0], self.state, self.rule, self.calm, self.limits[0], values)
        if season:
            self.wake_s = min(self.wake_s, self._midnight_s(at_s))
        self.dozing = True

    def _midnight_s(self, at_s: int) -> int:
        """A moment before which the season neither begins nor ends."""
        return day_start(at_s, 0, self.compiled.zone) + _DAY_AT_LEAST_S

    def rouse(self) -> None:
        """Judge every reading again."""
        self.settled()
        self.dozing = False
        self.wake, self.wake_s = AWAKE

    def settled(self) -> Climb:
        """The state as it would be had every reading been judged."""
        if self.dozing:
            self.state.last_s = self.series[0].last_s
        return self.state
