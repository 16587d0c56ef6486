"""The rules engine: batches of readings and ``now`` in, changes that say why out. Pure: no input or output, no clock, no threads.

The same readings and the same ``now`` give the same decisions, whatever the sizes of the batches.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from rules.change import Change, Decisions, Remark
from rules.climb import settle, silence
from rules.evidence import lifted, unheard
from rules.intake import take
from rules.ladder import Ladder
from rules.plan import Plan
from rules.reading import Reading
from rules.record import EPOCH, Standing, by_act, by_late, by_reading, micros, standing
from rules.remarks import clock, data_back, late, no_data, suspect
from rules.series import ALWAYS, NEVER_S, SCALE, Series
from rules.snapshot import closest, fill_ladder, fill_series, load, save
from rules.watch import Watch, deadline_us

AHEAD_S = 300
"""A reading may be this many seconds ahead of now; beyond that the station's clock is wrong."""


class Engine:
    """Runs one plan. One caller at a time."""

    def __init__(self, plan: Plan) -> None:
        """All places at grade none, with nothing heard; silence counts from the first ``now``."""
        self.plan = plan
        self._now = EPOCH
        self._now_us = 0
        self._changes: list[Change] = []
        self._remarks: list[Remark] = []
        self._adopt(*_fresh(plan))

    def _adopt(self, series: list[Series], ladders: list[Ladder]) -> None:
        self._series, self._ladders = series, ladders
        self._started = False
        self._index: dict[tuple[str, str], Series] = {}
        self._by_place: dict[str, list[Ladder]] = {}
        for s in series:
            s.twin = self._index.get((s.station, s.variable))
            self._index[s.station, s.variable] = s
        for x in ladders:
            self._by_place.setdefault(x.place, []).append(x)
        # A restored engine knows its deadlines before its first now; what was never heard starts with that now.
        self._watch = Watch([x for x in ladders if x.arrived_us()])

    def observe(self, readings: Sequence[Reading], now: datetime) -> Decisions:
        """Take readings in the order they came. Places whose time has run out by ``now`` fall silent first."""
        self._begin(now)
        take(self._index.get, readings, self._now_us // 1_000_000 + AHEAD_S, self._now_us, self._woke, self._odd)
        return self._end()

    def tick(self, now: datetime) -> Decisions:
        """Let time pass: places that have sent nothing for too long fall silent."""
        self._begin(now)
        return self._end()

    def next_tick(self) -> datetime | None:
        """When the next place would fall silent; None before the first ``now`` and when nothing is awaited."""
        at_us = self._watch.next_us()
        return None if at_us is None else EPOCH + timedelta(microseconds=at_us)

    def lift(self, rule: str, place: str, now: datetime) -> Decisions:
        """A person lifts: grade to none, and nothing more until the next good reading. LookupError for an unknown rule or place."""
        ladder = next((x for x in self._by_place.get(place, ()) if x.rule.name == rule), None)
        if ladder is None:
            raise LookupError(f"no rule {rule!r} at place {place!r}; rules there: {self._names(place)}")
        self._begin(now)
        before = ladder.state.grade
        ladder.suspended = True
        _unsettle(ladder)
        if settle(ladder.state, ladder.clock_s()):
            self._changes.append(by_act(ladder, before, lifted(), now))
        return self._end()

    def standing(self) -> Iterable[Standing]:
        """Where every place stands under every rule."""
        return tuple(map(standing, self._ladders))

    def values(self, place: str) -> dict[str, float]:
        """What the inputs of a place are worth now, in their units; missing ones are left out.

        A name that two rules use is written ``rule.name``. LookupError for an unknown place.
        """
        if place not in self._by_place:
            raise LookupError(f"no rule looks at place {place!r}")
        ladders = self._by_place[place]
        names = [i.name for x in ladders for i in x.compiled.inputs]
        found: dict[str, float] = {}
        for x in ladders:
            for i, value in zip(x.compiled.inputs, x.values(x.clock_s()), strict=True):
                if value == value:  # noqa: PLR0124 - NaN is the missing value
                    found[i.name if names.count(i.name) == 1 else f"{x.rule.name}.{i.name}"] = value / SCALE
        return found

    def snapshot(self) -> bytes:
        """All state that decides what comes next."""
        return save(self.plan.digest, self._series, self._ladders)

    def restore(self, data: bytes) -> None:
        """Take over a snapshot, also of another plan: series and places that still exist move over, others start empty.

        SnapshotError when the bytes are not a snapshot; the engine is then as it was.
        """
        saved = load(data)
        series, ladders = _fresh(self.plan)
        by_series = closest(saved.series)
        for s in series:
            candidates = by_series.get((s.station, s.variable), [])
            if candidates:
                fill_series(s, min(candidates, key=lambda c: (c.low, c.high) != (s.low, s.high)), SCALE)
        by_ladder = {(x.rule, x.place): x for x in saved.ladders}
        for x in ladders:
            if (x.rule.name, x.place) in by_ladder:
                fill_ladder(x, by_ladder[x.rule.name, x.place])
                if x.silent or x.suspended:
                    _unsettle(x)
        self._adopt(series, ladders)

    def _begin(self, now: datetime) -> None:
        self._now, self._now_us = now, micros(now)
        self._changes, self._remarks = [], []
        if not self._started:
            self._started = True
            for s in self._series:
                s.arrived_us = s.arrived_us or self._now_us
            self._watch = Watch(self._ladders)
        for ladder in self._watch.due(self._now_us):
            self._fall_silent(ladder)

    def _end(self) -> Decisions:
        return Decisions(changes=tuple(self._changes), remarks=tuple(self._remarks))

    def _fall_silent(self, ladder: Ladder) -> None:
        rule, clock_s = ladder.rule, ladder.clock_s()
        if rule.season and not rule.season.holds(self._now_us // 1_000_000, ladder.compiled.zone):
            ladder.excused_us = self._now_us
            self._watch.add(ladder)
            return
        ladder.silent = True
        ladder.silences += 1
        _unsettle(ladder)
        silent_s = (self._now_us - ladder.arrived_us()) // 1_000_000
        self._remarks.append(no_data(ladder, silent_s, self._now))
        before = ladder.state.grade
        if silence(ladder.state, rule.no_data.grade, clock_s):
            self._changes.append(by_act(ladder, before, unheard(ladder, silent_s), self._now))

    def _woke(self, series: Series, at_s: int) -> None:
        if series.unsettled:
            self._settle(series)
        for x in series.ladders:
            before = x.state.grade
            others_s = NEVER_S if len(x.series) == 1 else max(s.last_s for s in x.series if s is not series)
            if at_s > others_s:
                if x.forward(at_s):
                    self._changes.append(by_reading(x, before, at_s, self._now))
            elif not self._again(x, at_s, others_s) and at_s == others_s and x.lower_now(at_s):
                self._changes.append(by_reading(x, before, at_s, self._now))
        series.wake = min(x.wake for x in series.ladders)

    def _again(self, ladder: Ladder, at_s: int, clock_s: int) -> bool:
        before = ladder.state.grade
        raised_s = ladder.again(at_s)
        if raised_s is not None:
            self._changes.append(by_late(ladder, before, raised_s, clock_s - at_s, self._now))
        return raised_s is not None

    def _settle(self, series: Series) -> None:
        """A good reading ends doubt and suspension, and silence when all variables of the place are back."""
        if series.doubt:
            series.doubt = False
            series.spell += 1
        series.unsettled = False
        for x in series.ladders:
            if not (x.silent or x.suspended):
                continue
            x.suspended = False
            if x.silent and deadline_us(x) <= self._now_us:
                series.unsettled = True
                continue
            if x.silent:
                self._remarks.append(data_back(x, self._now))
            x.silent = False
            self._watch.add(x)

    def _odd(self, series: Series, reading: Reading) -> None:
        """Anything but a good newest reading: a wrong clock, a doubtful value, a late one, a duplicate, a correction."""
        value, at_s = reading.value, reading.at_s
        ahead_s = at_s - self._now_us // 1_000_000
        if ahead_s > AHEAD_S:
            self._doubt(series, clock(series, ahead_s, self._now))
        elif reading.quality != "good" or not series.low <= value <= series.high:
            self._doubt(series, suspect(series, value, reading.quality, self._now))
        elif at_s <= series.last_s - series.horizon_s:
            self._remarks.append(late(series, series.last_s - at_s, self._now))
        elif series.put(at_s, round(value * SCALE)):
            for x in series.ladders:
                self._again(x, at_s, x.clock_s())
            series.wake = ALWAYS

    def _doubt(self, series: Series, remark: Remark) -> None:
        series.doubt = series.unsettled = True
        self._remarks.append(remark)

    def _names(self, place: str) -> str:
        return ", ".join(x.rule.name for x in self._by_place.get(place, ())) or "none"


def _fresh(plan: Plan) -> tuple[list[Series], list[Ladder]]:
    series = [Series(s.station, s.variable, s.interval_s, s.bounds, s.horizon_s) for s in plan.series]
    ladders = [Ladder(x, tuple(series[n] for n in x.series)) for x in plan.ladders]
    for x in ladders:
        for s in x.series:
            s.ladders = (*s.ladders, x)
    return series, ladders


def _unsettle(ladder: Ladder) -> None:
    """Let the next good reading of each series end silence or suspension."""
    for s in ladder.series:
        s.unsettled = True
