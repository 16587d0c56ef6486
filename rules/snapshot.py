"""The state of an engine as bytes, and back, also into a plan that has changed since.

Format 1: MessagePack. Arrays are eight-byte little-endian integers.
"""

import sys
from array import array
from collections.abc import Iterable, Mapping

import msgspec

from rules.climb import Climb
from rules.errors import SnapshotError
from rules.grade import Grade
from rules.ladder import Ladder
from rules.series import ALWAYS, NEVER_S, Series

FORMAT = 1


class SavedSeries(msgspec.Struct, array_like=True):
    """One series; ``values`` are scaled."""

    station: str
    variable: str
    low: float
    high: float
    times: bytes
    values: bytes
    arrived_us: int
    doubt: bool
    spell: int
    late: list[int]


class SavedLadder(msgspec.Struct, array_like=True):
    """One place under one rule."""

    rule: str
    place: str
    grade: Grade
    hold_s: int
    eased_s: int | None
    floor_s: int
    last_s: int
    counts: list[int]
    firsts: list[int]
    episode: int
    step: int
    silences: int
    since_us: int | None
    silent: bool
    suspended: bool
    excused_us: int


class Saved(msgspec.Struct):
    """A whole snapshot; ``digest`` names the rules it was made under."""

    format: int
    digest: str
    series: list[SavedSeries]
    ladders: list[SavedLadder]


def save(digest: str, series: Iterable[Series], ladders: Iterable[Ladder]) -> bytes:
    """All state that decides what comes next."""
    return msgspec.msgpack.encode(
        Saved(FORMAT, digest, [_save_series(s) for s in series], [_save_ladder(x) for x in ladders])
    )  # fmt: skip


def load(data: bytes) -> Saved:
    """The snapshot in these bytes; SnapshotError when they hold none."""
    try:
        saved = msgspec.msgpack.decode(data, type=Saved)
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise SnapshotError(f"not a snapshot of the rules engine: {e}") from None
    if saved.format != FORMAT:
        raise SnapshotError(f"snapshot format {saved.format} is unknown; allowed: {FORMAT}")
    return saved


def _save_series(s: Series) -> SavedSeries:
    values = array("q", (b - a for a, b in zip(s.totals, s.totals[1:], strict=False)))
    return SavedSeries(
        s.station, s.variable, s.low, s.high, _little(s.times).tobytes(), _little(values).tobytes(), s.arrived_us, s.doubt, s.spell,
        sorted(s.late),
    )  # fmt: skip


def _save_ladder(x: Ladder) -> SavedLadder:
    c = x.state
    return SavedLadder(
        x.rule.name, x.place, c.grade, c.hold_s, c.eased_s, c.floor_s, c.last_s, c.counts, c.firsts, x.episode, x.step, x.silences,
        x.since_us, x.silent, x.suspended, x.excused_us,
    )  # fmt: skip


def fill_series(series: Series, saved: SavedSeries, scale: int) -> None:
    """Put saved readings into an empty series; values outside its bounds stay out."""
    times, values = array("q"), array("q")
    try:
        times.frombytes(saved.times)
        values.frombytes(saved.values)
    except ValueError as e:
        raise SnapshotError(f"the series of {saved.station!r} is damaged: {e}") from None
    for at_s, value in zip(_little(times), _little(values), strict=False):
        if series.low * scale <= value <= series.high * scale:
            series.times.append(at_s)
            series.total += value
            series.totals.append(series.total)
    series.last_s = series.times[-1] if series.times else NEVER_S
    series.arrived_us, series.doubt, series.spell, series.late = saved.arrived_us, saved.doubt, saved.spell, set(saved.late)
    series.unsettled = saved.doubt
    series.trim()
    series.wake = ALWAYS


def fill_ladder(ladder: Ladder, saved: SavedLadder) -> None:
    """Put a saved state into a ladder."""
    ladder.state = Climb(
        grade=saved.grade, hold_s=saved.hold_s, eased_s=saved.eased_s, floor_s=saved.floor_s, last_s=saved.last_s,
        counts=saved.counts, firsts=saved.firsts,
    )  # fmt: skip
    ladder.episode, ladder.step, ladder.silences, ladder.since_us = saved.episode, saved.step, saved.silences, saved.since_us
    ladder.silent, ladder.suspended, ladder.excused_us = saved.silent, saved.suspended, saved.excused_us


def closest(saved: Iterable[SavedSeries]) -> Mapping[tuple[str, str], list[SavedSeries]]:
    """Saved series by station and variable."""
    found: dict[tuple[str, str], list[SavedSeries]] = {}
    for s in saved:
        found.setdefault((s.station, s.variable), []).append(s)
    return found


def _little(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers
