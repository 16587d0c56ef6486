"""The rules engine: batches of readings and ``now`` in, changes that say why out. Pure: no input or output, no clock, no threads.

The same readings and the same ``now`` give the same decisions, whatever the sizes of the batches.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from rules.change import Decisions
from rules.climb import fall, keep, settle
from rules.errors import SnapshotError
from rules.evidence import lifted
from rules.forecast import Feed, Forecast
from rules.grade import Grade
from rules.intake import take, take_columns
from rules.ladder import Ladder
from rules.plan import Plan
from rules.reading import Columns, Known, Reading
from rules.record import EPOCH, Standing, by_act, by_word, standing
from rules.running import AHEAD_S, Running, unsettle
from rules.saved import Whole, load
from rules.scaled import SCALE
from rules.series import Series
from rules.snapshot import fill, filled_up, save, save_more
from rules.snapshot import settle as settle_saved
from rules.watch import Watch

Feeds = dict[tuple[str, str], Feed]
_NOTHING: dict[str, Series] = {}


class Engine:
    """Runs one plan. One caller at a time."""

    def __init__(self, plan: Plan) -> None:
        """All places at grade none, with nothing heard; silence counts from the first ``now``."""
        self.plan = plan
        self._run = Running()
        self._retired: dict[str, int] = {}
        self._adopt(*_fresh(plan))
        self._new = True

    def _adopt(self, series: list[Series], ladders: list[Ladder], feeds: Feeds) -> None:
        self._series, self._ladders, self._feeds = series, ladders, feeds
        self._index: dict[str, dict[str, Series]] = {}
        self._known: Known = ()
        self._by_number: list[Series | None] = []
        self._by_place: dict[str, list[Ladder]] = {}
        self._asking: dict[tuple[str, str], tuple[Ladder, ...]] = {}
        self._run.around = {id(s): tuple(series[n] for n in p.around) for s, p in zip(series, self.plan.series, strict=True) if p.around}
        for s in series:
            by_station = self._index.setdefault(s.variable, {})
            s.twin = by_station.get(s.station)
            by_station[s.station] = s
        for x in ladders:
            self._by_place.setdefault(x.place, []).append(x)
            for key in dict.fromkeys((f.place, f.variable) for found in x.feeds.values() for f in found):
                self._asking[key] = (*self._asking.get(key, ()), x)
        self._await()

    def _await(self) -> None:
        self._started = self._followed = False
        # A restored engine knows its deadlines before its first now; what was never heard starts with that now.
        self._run.watch = Watch([x for x in self._ladders if x.arrived_us()])

    def observe(self, readings: Sequence[Reading], now: datetime) -> Decisions:
        """Take readings in the order they came. Places whose time has run out by ``now`` fall silent first."""
        self._begin(now)
        run = self._run
        limit_s = run.now_us // 1_000_000 + AHEAD_S
        if isinstance(readings, Columns) and not readings.marks:
            take_columns(self._numbered(readings.known), readings, limit_s, run.now_us, run.woke, run.odd)
        else:
            take(self._index, readings, limit_s, run.now_us, run.woke, run.odd)
        return self._end()

    def _numbered(self, known: Known) -> list[Series | None]:
        """The series of everything that may send, by its place in ``known``; looked up once for each ``known``."""
        if known is not self._known:
            self._known, self._by_number = known, [self._index.get(v, _NOTHING).get(s) for s, v in known]
        return self._by_number

    def observe_forecasts(self, forecasts: Sequence[Forecast], now: datetime) -> Decisions:
        """Take forecasts in the order they came; those that no rule asks for are passed over."""
        self._begin(now)
        for one in forecasts:
            feed = self._feeds.get((one.place, one.variable))
            if feed is not None:
                self._run.forecast(one, feed, self._asking[one.place, one.variable])
        return self._end()

    def tick(self, now: datetime) -> Decisions:
        """Let time pass: places that have sent nothing for too long fall silent."""
        self._begin(now)
        return self._end()

    def next_tick(self) -> datetime | None:
        """When the next place would fall silent; None before the first ``now`` and when nothing is awaited."""
        at_us = self._run.watch.next_us()
        return None if at_us is None else EPOCH + timedelta(microseconds=at_us)

    def lift(self, rule: str, place: str, now: datetime, *, standing: Grade = Grade.NONE) -> Decisions:
        """A person lifts: grade to none, and nothing more until the next good reading. LookupError for an unknown rule or place.

        ``standing`` is the grade that is in force outside although silence has withdrawn it here: that ends with it.
        """
        ladder = self._find(rule, place)
        self._begin(now)
        before = max(ladder.state.grade, standing)
        ladder.suspended = ladder.touched = True
        unsettle(ladder)
        settle(ladder.state, ladder.clock_s())
        if before:
            self._run.changes.append(by_act(ladder, before, lifted(), now))
        return self._end()

    def refuse(self, rule: str, place: str, now: datetime) -> Decisions:
        """A person keeps the grade: the time for lowering begins again, and lasts an hour at least before it is proposed again.

        LookupError for an unknown rule or place, and when nothing is proposed (any more).
        """
        ladder = self._proposing(rule, place)
        self._begin(now)
        if ladder.state.asked is not None:
            keep(ladder.state, ladder.rule.lower, ladder.clock_s())
        return self._end()

    def confirm(self, rule: str, place: str, now: datetime) -> Decisions:
        """A person agrees that the place is lowered as proposed.

        LookupError for an unknown rule or place, and when nothing is proposed (any more).
        """
        ladder = self._proposing(rule, place)
        self._begin(now)
        before, to = ladder.state.grade, ladder.state.asked
        # Silence that is noticed first may have raised or withdrawn the grade: then nothing is proposed any more.
        if to is not None and to < before:
            change_at_s = ladder.clock_s()
            for s in ladder.series:
                s.rouse()
            fall(ladder.state, ladder.rule.lower, to, change_at_s)
            self._run.changes.append(by_word(ladder, before, now))
        return self._end()

    def _proposing(self, rule: str, place: str) -> Ladder:
        ladder = self._find(rule, place)
        ladder.touched = True
        if ladder.state.asked is None:
            raise LookupError(f"rule {rule!r} does not propose to lower place {place!r}; it is {ladder.state.grade.word}")
        return ladder

    def _find(self, rule: str, place: str) -> Ladder:
        ladder = next((x for x in self._by_place.get(place, ()) if x.rule.name == rule), None)
        if ladder is None:
            there = ", ".join(x.rule.name for x in self._by_place.get(place, ())) or "none"
            raise LookupError(f"no rule {rule!r} at place {place!r}; rules there: {there}")
        return ladder

    def grades(self, rule: str, place: str) -> bool:
        """Whether a rule grades a place."""
        return any(x.rule.name == rule for x in self._by_place.get(place, ()))

    def standing(self) -> Iterable[Standing]:
        """Where every place stands under every rule."""
        return tuple(map(standing, self._ladders))

    def values(self, place: str, at: datetime | None = None) -> dict[str, float]:
        """What the inputs of a place are worth now, in their units; missing and endless ones are left out.

        ``at`` is an earlier moment that the series still hold, of event time; later than the newest reading
        nothing is known. A name that two rules use is written ``rule.name``. LookupError for an unknown place.
        """
        if place not in self._by_place:
            raise LookupError(f"no rule looks at place {place!r}")
        ladders = self._by_place[place]
        names = [i.name for x in ladders for i in x.rule.inputs]
        found: dict[str, float] = {}
        for x in ladders:
            clock_s = x.clock_s()
            at_s = clock_s if at is None else int(at.timestamp())
            if not 0 <= at_s <= clock_s:
                continue
            for i, value in zip(x.rule.inputs, x.values(at_s), strict=True):
                if abs(value) < float("inf"):
                    found[i.name if names.count(i.name) == 1 else f"{x.rule.name}.{i.name}"] = value / SCALE
        return found

    def snapshot(self) -> bytes:
        """All state that decides what comes next."""
        return save(self.plan.digest, self._series, self._ladders, self._feeds.values(), self._retired)

    def checkpoint(self) -> bytes:
        """A snapshot that increments will follow."""
        data = self.snapshot()
        self._settle()
        # What was never heard gets the time of the first ``now``: before that there is nothing to go on from.
        self._followed = self._started
        return data

    def increment(self) -> bytes | None:
        """What has changed since the last checkpoint or increment; None when there is no checkpoint that it could follow."""
        if not self._followed:
            return None
        data = save_more(self.plan.digest, self._series, self._ladders, self._feeds)
        self._settle()
        return data

    def _settle(self) -> None:
        settle_saved(self._series, self._ladders, self._feeds.values())

    def restore(self, data: bytes, more: Sequence[bytes] = ()) -> None:
        """Take over a snapshot and the increments after it, also of another plan: what still exists moves over, the rest starts empty.

        SnapshotError when the bytes are not a snapshot; the engine is then as it was.
        """
        self._restore(load(data, more))

    def succeed(self, old: "Engine", history: "Engine | None" = None) -> None:
        """Take over from an engine with another plan, as ``restore`` does.

        Windows that reach farther back than before are filled from ``history``: an engine with this plan that has seen the past again.
        """
        saved = load(old.snapshot())
        if history is not None:
            before = {(s.station, s.variable): s.horizon_s for s in old.plan.series}
            longer = {(s.station, s.variable) for s in self.plan.series if s.horizon_s > before.get((s.station, s.variable), 0)}
            saved = filled_up(saved, history.snapshot(), longer)
        self._restore(saved)

    def _restore(self, saved: Whole) -> None:
        # What a new engine was made with is as good as what would be made now, and half of the work.
        series, ladders, feeds = (self._series, self._ladders, self._feeds) if self._new else _fresh(self.plan)
        try:
            self._retired = fill(saved, self.plan.digest, series, ladders, feeds)
        except SnapshotError:
            if self._new:
                self._adopt(*_fresh(self.plan))
            raise
        for x in ladders:
            if x.silent or x.suspended:
                unsettle(x)
        if self._new:
            self._await()
        else:
            self._adopt(series, ladders, feeds)
        self._new = False

    def _begin(self, now: datetime) -> None:
        run = self._run
        run.begin(now)
        if not self._started:
            self._started, self._new = True, False
            for s in self._series:
                s.arrived_us = s.arrived_us or run.now_us
            for f in self._feeds.values():
                f.arrived_us = f.arrived_us or run.now_us
            run.watch = Watch(self._ladders)
        for ladder in run.watch.due(run.now_us):
            run.fall_silent(ladder)

    def _end(self) -> Decisions:
        return Decisions(changes=tuple(self._run.changes), remarks=tuple(self._run.remarks))


def _fresh(plan: Plan) -> tuple[list[Series], list[Ladder], Feeds]:
    series = [
        Series(s.station, s.variable, s.interval_s, s.checks, s.horizon_s, counter=s.counter, maintenance=s.maintenance)
        for s in plan.series
    ]
    keys = dict.fromkeys(k for x in plan.ladders for found in x.feeds.values() for k in found)
    feeds = {k: Feed(*k) for k in keys}
    ladders = [Ladder(x, series, feeds) for x in plan.ladders]
    for x in ladders:
        for s in x.series:
            s.ladders = (*s.ladders, x)
    return series, ladders, feeds
