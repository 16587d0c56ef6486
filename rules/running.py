"""What each reading does: from the hot loop's few words to ladders that move, and to remarks."""

import math
from datetime import datetime

from rules.change import Change, Remark
from rules.climb import silence
from rules.evidence import unheard
from rules.forecast import Feed, Forecast
from rules.grade import Grade
from rules.guard import middle_of
from rules.ladder import Ladder
from rules.model import GREATEST
from rules.onset import comes_sooner
from rules.reading import Reading
from rules.record import EPOCH, by_act, by_late, by_reading, micros
from rules.remarks import ahead, ask, clock, data_back, late, no_data, suspect
from rules.rerun import again
from rules.scaled import ALWAYS, FOREVER, NEVER_S, SCALE
from rules.series import Series
from rules.watch import Watch, deadline_us

MAINTENANCE = "maintenance"
AHEAD_S = 300
"""A reading may be this many seconds ahead of now; beyond that the station's clock is wrong."""


class Running:
    """The moving parts of an engine during one call; ``changes`` and ``remarks`` are what it has decided so far."""

    def __init__(self) -> None:
        """Nothing decided; ``begin`` before anything else."""
        self.now = EPOCH
        self.now_us = 0
        self.changes: list[Change] = []
        self.remarks: list[Remark] = []
        self.watch = Watch(())
        self.around: dict[int, tuple[Series, ...]] = {}

    def begin(self, now: datetime) -> None:
        """Places whose time has run out fall silent before anything else happens."""
        self.now, self.now_us = now, micros(now)
        self.changes, self.remarks = [], []

    def fall_silent(self, ladder: Ladder) -> None:
        """A place has sent nothing for too long."""
        rule, clock_s = ladder.rule, ladder.clock_s()
        ladder.touched = True
        if rule.season and not rule.season.holds(self.now_us // 1_000_000, ladder.compiled.zone):
            ladder.excused_us = self.now_us
            self.watch.add(ladder)
            return
        if (heard_us := ladder.arrived_us(self._heard_us)) + rule.no_data.after_s * 1_000_000 > self.now_us:
            ladder.excused_us = heard_us  # somebody works on the station
            self.watch.add(ladder)
            return
        ladder.silent = True
        ladder.silences += 1
        unsettle(ladder)
        silent_s = (self.now_us - ladder.arrived_us()) // 1_000_000
        self.remarks.append(no_data(ladder, silent_s, self.now))
        before = ladder.state.grade
        if silence(ladder.state, rule.no_data.grade, clock_s, ladder.compiled.above):
            self.changes.append(by_act(ladder, before, unheard(ladder, silent_s), self.now))

    def _heard_us(self, series: Series) -> int:
        return series.heard_us(self.now_us)

    def woke(self, series: Series, at_s: int) -> None:
        """A newest good reading that may change a ladder."""
        if series.unsettled:
            self.settle(series)
        wake = wake_s = FOREVER
        for x in series.ladders:
            if x.many:
                self._woke_many(x, series, at_s)
            elif series.total >= x.wake or at_s >= x.wake_s:
                before = x.state.grade
                if x.forward(at_s):
                    self._moved(x, before, at_s)
            wake = min(wake, x.wake) if x.sums is series else ALWAYS
            wake_s = min(wake_s, x.wake_s)
        series.rest(wake, wake_s)

    def _woke_many(self, ladder: Ladder, series: Series, at_s: int) -> None:
        """One of several series: the moment may be judged already, or lie before what another station has sent."""
        if ladder.suspended:
            return
        others_s = max((s.last_s for s in ladder.series if s is not series), default=NEVER_S)
        if ladder.feeds:
            others_s = max(others_s, ladder.moment_s)
        if at_s < others_s:
            self._again(ladder, at_s, 0)
        else:
            before = ladder.state.grade
            if ladder.forward(at_s, own=ladder.owns(series)):
                self._moved(ladder, before, at_s)
            elif ladder.onset_s > at_s and ladder.compiled.observing[ladder.state.grade]:
                self._nearer(ladder, at_s)
        if ladder.sums is not None and ladder.sums is not series:
            ladder.sums.wake = min(ladder.sums.wake, ladder.wake)

    def _moved(self, ladder: Ladder, before: Grade, at_s: int) -> None:
        if ladder.state.grade is before:
            self.remarks.append(ask(ladder, self.now))
        else:
            self.changes.append(by_reading(ladder, before, at_s, self.now))

    def _nearer(self, ladder: Ladder, at_s: int) -> None:
        """A grade that rests on forecasts stays: say so when what it warns of is expected sooner than was said. Later is not told."""
        if comes_sooner(ladder, at_s):
            self.changes.append(by_reading(ladder, ladder.state.grade, at_s, self.now))

    def _again(self, ladder: Ladder, at_s: int, late_s: int) -> None:
        if ladder.suspended:
            return
        before = ladder.state.grade
        raised_s = again(ladder, at_s)
        if raised_s is not None:
            self.changes.append(by_late(ladder, before, raised_s, late_s, self.now))
        elif ladder.onset_s > at_s and ladder.compiled.observing[ladder.state.grade]:
            self._nearer(ladder, ladder.clock_s())
        if ladder.sums is not None:
            ladder.sums.wake = ALWAYS

    def settle(self, series: Series) -> None:
        """A good reading ends doubt and suspension, and silence when all that the place must hear is back."""
        if series.doubt:
            series.doubt = False
            series.touched = True
            series.spell += 1
        series.unsettled = False
        for x in series.ladders:
            if (x.silent or x.suspended) and x.owns(series) and not self._settled(x):
                series.trouble()

    def _settled(self, ladder: Ladder) -> bool:
        """End suspension and, if nothing is missing any more, silence; false while something is."""
        ladder.suspended = False
        ladder.touched = True
        if ladder.silent and self._is_silent(ladder):
            return False
        if ladder.silent:
            self.remarks.append(data_back(ladder, self.now))
        ladder.silent = False
        self.watch.add(ladder)
        return True

    def _is_silent(self, ladder: Ladder) -> bool:
        """Whether something that the place must hear is still missing."""
        if deadline_us(ladder) > self.now_us:
            return False
        after_us = ladder.rule.no_data.after_s * 1_000_000
        return ladder.arrived_us(self._heard_us) + after_us <= self.now_us

    def odd(self, series: Series, reading: Reading) -> None:
        """Anything but a newest reading that nothing can be held against."""
        value, at_s, checks = reading.value, reading.at_s, series.checks
        ahead_s = at_s - self.now_us // 1_000_000
        low, high = (0.0, GREATEST) if series.counter else (checks.low, checks.high)
        if ahead_s > AHEAD_S:
            series.doubt = True
            series.trouble()
            self.remarks.append(clock(series, ahead_s, self.now))
        elif series.maintenance and series.tended(at_s):
            self._tend(series, reading)
        elif reading.quality != "good" or not low <= value <= high:
            self._doubt(series, at_s, value, reading.quality if reading.quality != "good" else "range")
        elif at_s <= series.last_s - series.horizon_s:
            self.remarks.append(late(series, series.last_s - at_s, self.now))
        elif series.counter:
            self._count(series, at_s, round(value * SCALE))
        elif at_s > series.last_s:
            self._guard(series, at_s, round(value * SCALE))
        elif series.put(at_s, round(value * SCALE)):
            self._changed(series, at_s)

    def _tend(self, series: Series, reading: Reading) -> None:
        """Somebody works on the station: the value is remembered and not used. Nobody is told: it was announced."""
        series.mark(reading.at_s, MAINTENANCE)
        counter = series.counter
        if counter and reading.quality == "good" and 0 <= reading.value <= GREATEST and reading.at_s > (counter.times or (0,))[-1]:
            counter.newest(reading.at_s, round(reading.value * SCALE), series.interval_s, series.checks)

    def _changed(self, series: Series, at_s: int) -> None:
        """A late or corrected reading has landed."""
        for x in series.ladders:
            self._again(x, at_s, max(0, series.last_s - at_s))
        series.wake = ALWAYS

    def _accept(self, series: Series, at_s: int, scaled: int) -> None:
        series.arrived_us = self.now_us
        series.append(at_s, scaled)
        series.pardon(at_s)
        if series.total >= series.wake or at_s >= series.wake_s:
            self.woke(series, at_s)

    def _guard(self, series: Series, at_s: int, scaled: int) -> None:
        guard = series.guard
        if guard is None:
            self._accept(series, at_s, scaled)
            return
        middle = None if series.checks.apart is None else middle_of(self.around.get(id(series), ()), at_s, series.checks.least)
        why = guard.judge(at_s, scaled, series.newest(), series.interval_s, middle)
        if why:
            self._doubt(series, at_s, scaled / SCALE, why)
            return
        held, guard.held = guard.held, None
        # In order of time: what was held may be newer than this one, which has come late; or it is the same moment, corrected.
        for moment_s, value in sorted([*([held] if held and held[0] != at_s else []), (at_s, scaled)]):
            self._accept(series, moment_s, value)

    def _count(self, series: Series, at_s: int, total: int) -> None:
        """A running total: what has fallen since the one before."""
        counter = series.counter
        if counter is None:
            return
        series.touched = True
        if counter.times and at_s <= counter.times[-1]:
            found = counter.late(at_s, total, series.interval_s, series.checks)
            if isinstance(found, str):
                self._doubt(series, at_s, total / SCALE, found)
            elif found:
                series.refill(counter.all(series.interval_s, series.checks))
                series.late |= {at_s}
                self._changed(series, at_s)
            return
        since = total - counter.values[-1] if counter.times else 0
        fallen = counter.newest(at_s, total, series.interval_s, series.checks)
        if isinstance(fallen, str):
            self._doubt(series, at_s, total / SCALE, fallen, max(since, 0))
            return
        series.arrived_us = self.now_us
        if not fallen and series.unsettled:
            self.settle(series)
        for t, amount in fallen:
            self._accept(series, t, amount)

    def _doubt(self, series: Series, at_s: int, value: float, why: str, scaled: int | None = None) -> None:
        """A value that is not used: remembered, reported, and reported at once as what it would mean if it were true."""
        series.mark(at_s, why)
        series.doubt = True
        series.trouble()
        reach = Grade.NONE
        if math.isfinite(value) and abs(value) <= GREATEST and at_s > series.last_s - series.horizon_s:
            reach = self._reach(series, at_s, round(value * SCALE) if scaled is None else scaled)
        self.remarks.append(suspect(series, value, why, reach, self.now))

    def _reach(self, series: Series, at_s: int, scaled: int) -> Grade:
        """The grade from orange up that a value would raise a place to."""
        last_s, old = series.last_s, series.at(at_s)
        series.put(at_s, scaled)
        series.last_s = max(last_s, at_s)
        best = Grade.NONE
        for x in series.ladders:
            t = x.clock_s()
            met = x.met(t, x.values(t))
            if met >= Grade.ORANGE and met > x.state.grade:
                best = max(best, Grade(met))
        if old is None:
            series.drop(at_s)
        else:
            series.put(at_s, old)
        series.last_s = last_s
        return best

    def forecast(self, one: Forecast, feed: Feed, ladders: tuple[Ladder, ...]) -> None:
        """One forecast: every place that asks for it is judged at its clock, or now."""
        now_s = self.now_us // 1_000_000
        if one.issued_at_s > now_s + AHEAD_S:
            self.remarks.append(ahead(one, ladders[0].rule.name, one.issued_at_s - now_s, self.now))
            return
        if not feed.put(one):
            return
        feed.arrived_us = self.now_us
        feed.touched = True
        for x in ladders:
            if not x.heard and (x.silent or x.suspended):
                self._settled(x)
            if x.suspended:
                continue
            at_s, before = max(now_s, x.clock_s()), x.state.grade
            if x.forward(at_s, own=not x.heard, run_s=feed.newest_s(at_s)):
                self._moved(x, before, at_s)
            elif x.onset_s > max(at_s, one.valid_from_s):
                self._nearer(x, at_s)
            if x.sums is not None:
                x.sums.wake = min(x.sums.wake, x.wake)


def unsettle(ladder: Ladder) -> None:
    """Let the next good reading of each series of the place end silence or suspension."""
    ladder.rouse()
    for s in ladder.series:
        if ladder.owns(s):
            s.trouble()
