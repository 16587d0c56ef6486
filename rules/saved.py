"""The shape of a snapshot as bytes. Format 3: MessagePack; numbers of a series are little-endian, four or eight bytes each.

A whole snapshot names every series and place; one of what has changed since names them by their number in the whole.
"""

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TypeVar

import msgspec

from rules.climb import Climb, Trail
from rules.errors import SnapshotError
from rules.forecast import Forecast
from rules.scaled import NEVER_S

FORMAT = 3
_BEFORE = 2
Held = tuple[int, int] | None
Run = tuple[int, int | None]


class SavedSeries(msgspec.Struct, array_like=True, gc=False):
    """One series; ``totals`` are scaled, and eight bytes each where they are ``wide``. ``checks`` names the checks it was kept under.

    ``times`` are empty where readings follow each other from ``first_s`` every ``step_s`` seconds; else eight bytes each, as are
    the ``counter_times`` and ``counter_values`` of a counter.
    """

    station: str
    variable: str
    checks: str
    step_s: int
    first_s: int
    times: bytes
    totals: bytes
    wide: bool
    arrived_us: int
    doubt: bool
    spell: int
    late: tuple[int, ...]
    suspects: tuple[tuple[int, str], ...]
    held: Held
    run: Run
    counter_times: bytes
    counter_values: bytes

    @property
    def filled(self) -> bool:
        """Whether it has readings."""
        return len(self.totals) > (8 if self.wide else 4)


class SavedTail(msgspec.Struct, array_like=True, gc=False):
    """What has come to a series since; ``totals`` begin with the one that the first new reading was added to."""

    number: int
    first_s: int
    times: bytes
    totals: bytes
    wide: bool
    arrived_us: int
    held: Held
    run: Run


class SavedLadder(msgspec.Struct, array_like=True, gc=False):
    """One place under one rule; while it is ``dozing``, its last moment is the last reading of its series."""

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
    dozing: bool = False
    onset_s: int = NEVER_S


class SavedFeed(msgspec.Struct, array_like=True):
    """All forecasts of one variable for one place."""

    place: str
    variable: str
    arrived_us: int
    forecasts: list[Forecast]


class Saved(msgspec.Struct, tag="whole", tag_field="kind"):
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


class SavedMore(msgspec.Struct, tag="more", tag_field="kind"):
    """What has changed since the snapshot before, by number: whole series, those that only went on, places, and feeds."""

    format: int
    digest: str
    series: list[tuple[int, SavedSeries]]
    tails: list[SavedTail]
    ladders: list[tuple[int, SavedLadder]]
    feeds: list[tuple[int, SavedFeed]]


class _SeriesBefore(msgspec.Struct, array_like=True):
    """A series as format 2 wrote it."""

    station: str
    variable: str
    checks: str
    times: bytes
    values: bytes
    arrived_us: int
    doubt: bool
    spell: int
    late: tuple[int, ...]
    suspects: tuple[tuple[int, str], ...]
    held: Held
    run: Run
    counter_times: bytes
    counter_values: bytes


class _Before(msgspec.Struct):
    format: int
    digest: str
    series: list[_SeriesBefore]
    ladders: list[SavedLadder]
    feeds: list[SavedFeed]
    retired: dict[str, int] = {}


class _Head(msgspec.Struct):
    format: int


@dataclass(slots=True)
class Whole:
    """A snapshot with everything that has followed it; ``tails`` by the number of their series, in order."""

    saved: Saved
    tails: dict[int, list[SavedTail]] = field(default_factory=dict)

    def follow(self, more: SavedMore) -> None:
        """Add what has changed since; SnapshotError when it followed another one."""
        saved = self.saved
        if more.digest != saved.digest:
            raise SnapshotError("a snapshot of changes was made under other rules than the whole one before it")
        named = ((more.series, saved.series), (more.ladders, saved.ladders), (more.feeds, saved.feeds))
        strange = any(not 0 <= n < len(there) for numbered, there in named for n, _ in numbered)
        if strange or any(not 0 <= tail.number < len(saved.series) for tail in more.tails):
            raise SnapshotError("a snapshot of changes names what the whole one before it does not hold")
        for n, series in more.series:
            saved.series[n] = series
            self.tails.pop(n, None)
        for n, ladder in more.ladders:
            saved.ladders[n] = ladder
        for n, feed in more.feeds:
            saved.feeds[n] = feed
        for tail in more.tails:
            self.tails.setdefault(tail.number, []).append(tail)


def load(data: bytes, more: Sequence[bytes] = ()) -> Whole:
    """A whole snapshot and those of changes after it, in order; SnapshotError when the bytes hold none."""
    known = _decoded(data, _Head).format
    if known == _BEFORE:
        whole = Whole(_converted(_decoded(data, _Before)))
    elif known == FORMAT:
        whole = Whole(_decoded(data, Saved))
    else:
        raise SnapshotError(f"snapshot format {known} is unknown; allowed: {_BEFORE}, {FORMAT}")
    for part in more:
        whole.follow(_decoded(part, SavedMore))
    return whole


Kind = TypeVar("Kind")


def _decoded(data: bytes, kind: type[Kind]) -> Kind:
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as e:
        raise SnapshotError(f"not a snapshot of the rules engine: {e}") from None


def _converted(old: _Before) -> Saved:
    return Saved(FORMAT, old.digest, list(map(_converted_series, old.series)), old.ladders, old.feeds, old.retired)


def _converted_series(s: _SeriesBefore) -> SavedSeries:
    totals = raw(array("q", accumulate(numbers(s.values), initial=0)))
    return SavedSeries(
        station=s.station, variable=s.variable, checks=s.checks, step_s=0, first_s=0, times=s.times, totals=totals, wide=True,
        arrived_us=s.arrived_us, doubt=s.doubt, spell=s.spell, late=s.late, suspects=s.suspects, held=s.held, run=s.run,
        counter_times=s.counter_times, counter_values=s.counter_values,
    )  # fmt: skip


def raw(numbers: "array[int]") -> bytes:
    """Numbers as bytes."""
    return _little(numbers).tobytes()


def numbers(data: bytes, *, wide: bool = True) -> "array[int]":
    """Bytes as numbers; SnapshotError when they are damaged."""
    found = array("q" if wide else "i")
    try:
        found.frombytes(data)
    except ValueError as e:
        raise SnapshotError(f"a series is damaged: {e}") from None
    return _little(found)


def _little(found: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        found = found[:]
        found.byteswap()
    return found
