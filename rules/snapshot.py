"""The state of an engine as bytes, and back, also into a plan that has changed since.

Format 2: MessagePack. Arrays are eight-byte little-endian integers.
"""

import sys
from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from rules.climb import Climb, Trail
from rules.errors import SnapshotError
from rules.forecast import Feed, Forecast
from rules.ladder import Ladder
from rules.scaled import NEVER_S, SCALE
from rules.series import Series

FORMAT = 2


class SavedSeries(msgspec.Struct, array_like=True):
    """One series; ``values`` and ``totals`` (of a counter) are scaled. ``checks`` names the checks it was kept under."""

    station: str
    variable: str
    checks: str
    times: bytes
    values: bytes
    arrived_us: int
    doubt: bool
    spell: int
    late: list[int]
    suspects: tuple[tuple[int, str], ...]
    held: tuple[int, int] | None
    run: tuple[int, int | None]
    total_times: bytes
    totals: bytes


class SavedLadder(msgspec.Struct, array_like=True):
    """One place under one rule."""

    rule: str
    place: str
    state: Climb
    episode: int
    step: int
    silences: int
    since_us: int | None
    silent: bool
    suspended: bool
    excused_us: int
    moment_s: int
    spoken: bool
    before: Trail | None


class SavedFeed(msgspec.Struct, array_like=True):
    """All forecasts of one variable for one place."""

    place: str
    variable: str
    arrived_us: int
    forecasts: list[Forecast]


class Saved(msgspec.Struct):
    """A whole snapshot; ``digest`` names the rules it was made under.

    ``retired`` is how far places that no rule grades any more had numbered their episodes, by ``rule/place``: should one come back, no id
    of a change is given twice.
    """

    format: int
    digest: str
    series: list[SavedSeries]
    ladders: list[SavedLadder]
    feeds: list[SavedFeed]
    retired: dict[str, int] = {}


def save(
    digest: str, series: Iterable[Series], ladders: Iterable[Ladder], feeds: Iterable[Feed], retired: Mapping[str, int]
) -> bytes:  # fmt: skip
    """All state that decides what comes next."""
    return msgspec.msgpack.encode(
        Saved(
            FORMAT, digest, [_save_series(s) for s in series], [_save_ladder(x) for x in ladders],
            [SavedFeed(f.place, f.variable, f.arrived_us, list(f.all())) for f in feeds], dict(retired),
        )
    )  # fmt: skip


def load(data: bytes) -> Saved:
    """The snapshot in these bytes; SnapshotError when they hold none."""
    try:
        saved = msgspec.msgpack.decode(data, type=Saved)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as e:
        raise SnapshotError(f"not a snapshot of the rules engine: {e}") from None
    if saved.format != FORMAT:
        raise SnapshotError(f"snapshot format {saved.format} is unknown; allowed: {FORMAT}")
    return saved


def filled_up(saved: Saved, history: bytes, longer: Collection[tuple[str, str]]) -> Saved:
    """The snapshot with these series (station, variable) as ``history``, another snapshot, has them, where it has readings."""
    known = [s for s in load(history).series if (s.station, s.variable) in longer and s.times]
    better = {(s.station, s.variable) for s in known}
    saved.series = [s for s in saved.series if (s.station, s.variable) not in better] + known
    return saved


def fill(
    saved: Saved, series: Sequence[Series], ladders: Sequence[Ladder], feeds: Mapping[tuple[str, str], Feed]
) -> dict[str, int]:  # fmt: skip
    """Put what was saved into empty series, ladders and feeds, as far as these still exist; gives what is retired now."""
    by_series: dict[tuple[str, str], list[SavedSeries]] = {}
    for s in saved.series:
        by_series.setdefault((s.station, s.variable), []).append(s)
    for one in series:
        found = by_series.get((one.station, one.variable))
        if found:
            _fill_series(one, min(found, key=lambda c: (c.checks != str(one.checks), bool(c.total_times) is (one.counter is None))))
    by_ladder = {(x.rule, x.place): x for x in saved.ladders}
    for x in ladders:
        if (x.rule.name, x.place) in by_ladder:
            _fill_ladder(x, by_ladder[x.rule.name, x.place])
    for f in saved.feeds:
        feed = feeds.get((f.place, f.variable))
        if feed is not None:
            feed.arrived_us = f.arrived_us
            for forecast in f.forecasts:
                feed.put(forecast)
    numbered = saved.retired | {f"{x.rule}/{x.place}": x.episode for x in saved.ladders}
    for x in ladders:
        x.episode = numbered.pop(f"{x.rule.name}/{x.place}", 0)
    return numbered


def _save_series(s: Series) -> SavedSeries:
    times, values = array("q", s.times_after(NEVER_S)), array("q", s.values(0, s.size()))
    counter, guard = s.counter, s.guard
    held = counter.held if counter else guard.held if guard else None
    return SavedSeries(
        s.station, s.variable, str(s.checks), _little(times).tobytes(), _little(values).tobytes(), s.arrived_us, s.doubt, s.spell,
        sorted(s.late), s.suspects, held, (guard.run_s, guard.run_value) if guard else (NEVER_S, None),
        _little(counter.times).tobytes() if counter else b"", _little(counter.values).tobytes() if counter else b"",
    )  # fmt: skip


def _save_ladder(x: Ladder) -> SavedLadder:
    return SavedLadder(
        x.rule.name, x.place, x.settled(), x.episode, x.step, x.silences, x.since_us, x.silent, x.suspended, x.excused_us, x.moment_s,
        x.spoken, x.before,
    )  # fmt: skip


def _fill_series(series: Series, saved: SavedSeries) -> None:
    """Values that the checks of today would not let pass stay out."""
    low, high = series.checks.low * SCALE, series.checks.high * SCALE
    pairs = zip(_numbers(saved, saved.times), _numbers(saved, saved.values), strict=False)
    series.refill((at_s, value) for at_s, value in pairs if low <= value <= high)
    series.arrived_us, series.doubt, series.spell, series.late = saved.arrived_us, saved.doubt, saved.spell, frozenset(saved.late)
    series.suspects = saved.suspects
    if series.counter:
        series.counter.times, series.counter.values = _numbers(saved, saved.total_times), _numbers(saved, saved.totals)
        series.counter.held = saved.held
    if series.guard:
        series.guard.held = saved.held
        series.guard.run_s, series.guard.run_value = saved.run
    series.trim()
    if saved.doubt:
        series.trouble()


def _fill_ladder(ladder: Ladder, saved: SavedLadder) -> None:
    ladder.state = saved.state
    ladder.episode, ladder.step, ladder.silences, ladder.since_us = saved.episode, saved.step, saved.silences, saved.since_us
    ladder.silent, ladder.suspended, ladder.excused_us = saved.silent, saved.suspended, saved.excused_us
    ladder.moment_s, ladder.spoken, ladder.before = saved.moment_s, saved.spoken, saved.before


def _numbers(saved: SavedSeries, raw: bytes) -> "array[int]":
    found = array("q")
    try:
        found.frombytes(raw)
    except ValueError as e:
        raise SnapshotError(f"the series of {saved.station!r} is damaged: {e}") from None
    return _little(found)


def _little(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers
