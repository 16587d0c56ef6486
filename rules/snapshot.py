"""The state of an engine to bytes, and back, also into a plan that has changed since."""

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec

from rules.errors import SnapshotError
from rules.forecast import Feed
from rules.ladder import Ladder
from rules.quality import Checks
from rules.saved import FORMAT, Saved, SavedFeed, SavedLadder, SavedMore, SavedSeries, SavedTail, Whole, load, numbers, raw
from rules.scaled import NEVER_S, SCALE
from rules.series import Series

Feeds = Mapping[tuple[str, str], Feed]


def save(
    digest: str, series: Iterable[Series], ladders: Iterable[Ladder], feeds: Iterable[Feed], retired: Mapping[str, int]
) -> bytes:  # fmt: skip
    """All state that decides what comes next."""
    parts = (list(map(_whole, series)), list(map(_save_ladder, ladders)), list(map(_save_feed, feeds)))
    return msgspec.msgpack.encode(Saved(FORMAT, digest, *parts, dict(retired)))


def settle(series: Iterable[Series], ladders: Iterable[Ladder], feeds: Iterable[Feed]) -> None:
    """From here on changes count: what there is has been saved."""
    for s in series:
        s.touched, s.kept_s = False, s.last_s
    for x in ladders:
        x.touched = False
    for f in feeds:
        f.touched = False


def save_more(digest: str, series: Sequence[Series], ladders: Sequence[Ladder], feeds: Feeds) -> bytes:
    """All that has changed since ``settle``, at the cost of what has changed."""
    whole = [(n, _whole(s)) for n, s in enumerate(series) if s.touched]
    tails = [_tail(n, s) for n, s in enumerate(series) if s.last_s > s.kept_s and not s.touched]
    changed = [(n, _save_ladder(x)) for n, x in enumerate(ladders) if x.touched]
    heard = [(n, _save_feed(f)) for n, f in enumerate(feeds.values()) if f.touched]
    return msgspec.msgpack.encode(SavedMore(FORMAT, digest, whole, tails, changed, heard))


def _whole(s: Series) -> SavedSeries:
    counter, guard = s.counter, s.guard
    held = counter.held if counter else guard.held if guard else None
    first_s = s.time(0) if s.size() else NEVER_S
    return SavedSeries(
        s.station, s.variable, _text(s.checks), s.interval_s, first_s, b"" if s.times is None else raw(s.times), raw(s.totals),
        s.totals.typecode == "q", s.arrived_us, s.doubt, s.spell, tuple(sorted(s.late)), s.suspects, held,
        (guard.run_s, guard.run_value) if guard else (NEVER_S, None),
        raw(counter.times) if counter else b"", raw(counter.values) if counter else b"",
    )  # fmt: skip


def _tail(number: int, s: Series) -> SavedTail:
    start, guard = s.upto(s.kept_s), s.guard
    return SavedTail(
        number, s.time(start), b"" if s.times is None else raw(s.times[start:]), raw(s.totals[start:]), s.totals.typecode == "q",
        s.arrived_us, guard.held if guard else None, (guard.run_s, guard.run_value) if guard else (NEVER_S, None),
    )  # fmt: skip


def _save_ladder(x: Ladder) -> SavedLadder:
    return SavedLadder(
        x.rule.name, x.place, x.settled(), x.episode, x.step, x.silences, x.since_us, x.silent, x.suspended, x.excused_us, x.moment_s,
        x.spoken, x.before, x.dozing, x.onset_s,
    )  # fmt: skip


def _save_feed(f: Feed) -> SavedFeed:
    return SavedFeed(f.place, f.variable, f.arrived_us, list(f.all()))


@lru_cache(maxsize=4096)
def _text(checks: Checks) -> str:
    return str(checks)


# ---------------------------------------------------------------------------------------------------- back


def filled_up(whole: Whole, history: bytes, longer: Collection[tuple[str, str]]) -> Whole:
    """The snapshot with these series (station, variable) as ``history``, another snapshot, has them, where it has readings."""
    known = [s for s in load(history).saved.series if (s.station, s.variable) in longer and s.filled]
    better = {(s.station, s.variable) for s in known}
    kept = [(n, s) for n, s in enumerate(whole.saved.series) if (s.station, s.variable) not in better]
    tails = {new: whole.tails[old] for new, (old, _) in enumerate(kept) if old in whole.tails}
    whole.saved.series = [s for _, s in kept] + known
    return Whole(whole.saved, tails)


def fill(whole: Whole, digest: str, series: Sequence[Series], ladders: Sequence[Ladder], feeds: Feeds) -> dict[str, int]:
    """Put what was saved into empty series, ladders and feeds, as far as these still exist; gives what is retired now.

    ``digest`` names the rules that these are of. Mostly the snapshot was made under the same: then each finds its own at its own number.
    """
    saved = whole.saved
    same = saved.digest == digest
    if same and len(saved.series) == len(series) and all(map(_is_series, series, saved.series)):
        numbered: Iterable[tuple[Series, int]] = zip(series, range(len(series)), strict=True)
    else:
        numbered = _found(series, saved.series)
    texts: dict[int, str] = {}
    for one, n in numbered:
        checks = texts.get(id(one.checks)) or texts.setdefault(id(one.checks), _text(one.checks))
        _fill_series(one, checks, saved.series[n], whole.tails.get(n, ()))
    for f in saved.feeds:
        feed = feeds.get((f.place, f.variable))
        if feed is not None:
            feed.arrived_us = f.arrived_us
            for forecast in f.forecasts:
                feed.put(forecast)
    if same and len(saved.ladders) == len(ladders) and all(map(_is_ladder, ladders, saved.ladders)):
        for x, mine in zip(ladders, saved.ladders, strict=True):
            _fill_ladder(x, mine)
        return dict(saved.retired)
    return _fill_found(saved, ladders)


def _is_series(one: Series, saved: SavedSeries) -> bool:
    return one.station == saved.station and one.variable == saved.variable


def _is_ladder(x: Ladder, saved: SavedLadder) -> bool:
    return x.place == saved.place and x.rule.name == saved.rule


def _found(series: Sequence[Series], saved: Sequence[SavedSeries]) -> Iterator[tuple[Series, int]]:
    """The number that each series has among those that were saved, where it has one."""
    by_series: dict[tuple[str, str], list[int]] = {}
    for n, s in enumerate(saved):
        by_series.setdefault((s.station, s.variable), []).append(n)
    for one in series:
        found = by_series.get((one.station, one.variable))
        if found:
            yield one, found[0] if len(found) == 1 else min(found, key=lambda n: _strangeness(one, saved[n]))


def _fill_found(saved: Saved, ladders: Sequence[Ladder]) -> dict[str, int]:
    by_ladder = {(x.rule, x.place): x for x in saved.ladders}
    for x in ladders:
        mine = by_ladder.get((x.rule.name, x.place))
        if mine is not None:
            _fill_ladder(x, mine)
    numbered = saved.retired | {f"{x.rule}/{x.place}": x.episode for x in saved.ladders}
    for x in ladders:
        x.episode = numbered.pop(f"{x.rule.name}/{x.place}", 0)
    return numbered


def _strangeness(one: Series, saved: SavedSeries) -> tuple[bool, bool]:
    """How little a saved series is this one, where several bear its name."""
    return saved.checks != _text(one.checks), bool(saved.counter_times) is (one.counter is None)


def _fill_series(series: Series, checks: str, saved: SavedSeries, tails: Sequence[SavedTail]) -> None:
    """Values that the checks of today, in words, would not let pass stay out."""
    totals = numbers(saved.totals, wide=saved.wide)
    times = numbers(saved.times) if saved.times else None
    if not totals or (times is not None and len(times) != len(totals) - 1):
        raise SnapshotError(f"the series of {saved.station!r} is damaged: it has not one total for each reading")
    low, high = series.checks.low * SCALE, series.checks.high * SCALE
    if saved.checks == checks and saved.step_s == series.interval_s:
        series.take_over(saved.first_s, times, totals)
    else:
        pairs = _pairs(saved.first_s, saved.step_s, times, totals)
        series.refill((at_s, value) for at_s, value in pairs if low <= value <= high)
    for tail in tails:
        own = numbers(tail.times) if tail.times else None
        for at_s, value in _pairs(tail.first_s, saved.step_s, own, numbers(tail.totals, wide=tail.wide)):
            if low <= value <= high:
                series.append(at_s, value)
    newest: SavedSeries | SavedTail = tails[-1] if tails else saved
    series.arrived_us, series.doubt, series.spell, series.suspects = newest.arrived_us, saved.doubt, saved.spell, saved.suspects
    if saved.late:
        series.late = frozenset(saved.late)
    if series.counter:
        series.counter.times, series.counter.values = numbers(saved.counter_times), numbers(saved.counter_values)
        series.counter.held = newest.held
    if series.guard:
        series.guard.held = newest.held
        series.guard.run_s, series.guard.run_value = newest.run
    series.trim()
    if saved.doubt:
        series.trouble()


def _pairs(first_s: int, step_s: int, times: "array[int] | None", totals: "array[int]") -> Iterator[tuple[int, int]]:
    """Time and value of each reading."""
    for n in range(len(totals) - 1):
        yield first_s + n * step_s if times is None else times[n], totals[n + 1] - totals[n]


def _fill_ladder(ladder: Ladder, saved: SavedLadder) -> None:
    ladder.state = saved.state
    ladder.episode, ladder.step, ladder.silences, ladder.since_us = saved.episode, saved.step, saved.silences, saved.since_us
    ladder.silent, ladder.suspended, ladder.excused_us = saved.silent, saved.suspended, saved.excused_us
    ladder.moment_s, ladder.spoken, ladder.before = saved.moment_s, saved.spoken, saved.before
    ladder.onset_s = saved.onset_s
    if saved.dozing and not ladder.many:
        ladder.state.last_s = ladder.series[0].last_s
