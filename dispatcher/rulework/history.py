"""Recorded readings as the rules would have met them: each arrives right after it was taken, silence is noticed in between."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from dispatcher.demo import DemoOptions, recorded
from dispatcher.intake.catalogue import Catalogue
from dispatcher.intake.decode import decode
from dispatcher.model.reject import Reject
from dispatcher.ports import Item
from rules.change import Change
from rules.engine import Engine
from rules.reading import Reading

_ARRIVES_AFTER = timedelta(seconds=1)
Batch = tuple[datetime, tuple[Reading, ...]]
Window = tuple[datetime, datetime]
Sample = tuple[datetime, Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Readings by the moment they arrive. ``unusable`` is what no way in would have taken.

    ``until`` is the end that was asked for: when it is later than the last reading, the gauges were silent up to there.
    """

    batches: tuple[Batch, ...]
    unusable: tuple[Reject, ...]
    until: datetime | None = None

    @property
    def begin(self) -> datetime:
        """When the first reading arrives."""
        return self.batches[0][0]

    @property
    def end(self) -> datetime:
        """When the last reading arrives, or what was asked for when that is later."""
        last = self.batches[-1][0]
        return max(last, self.until) if self.until else last


def read_history(directory: Path, file: Path, known: Catalogue, since: datetime | None = None, until: datetime | None = None) -> History:
    """The readings of a recording, within ``since`` and ``until``; ConfigurationError when it cannot be read."""
    options = DemoOptions(
        directory=directory, recording=file, rules=None, state=Path(), speed=1, port=0, broker_port=0, since=since, until=until
    )  # fmt: skip
    return history_of(recorded(options), known, until)


def history_of(rows: Sequence[Mapping[str, Any]], known: Catalogue, until: datetime | None = None) -> History:
    """Rows in order of time, as batches of readings."""
    batches: list[Batch] = []
    unusable: list[Reject] = []
    for time, group in groupby(rows, key=lambda row: str(row["time"])):
        body = "\n".join(json.dumps(row, ensure_ascii=False) for row in group)
        decoded = decode(Item(body.encode(), "recording"), known)
        unusable += decoded.rejects
        batches.append((datetime.fromisoformat(time) + _ARRIVES_AFTER, tuple(decoded.readings)))
    return History(batches=tuple(batches), unusable=tuple(unusable), until=until)


def replayed(engine: Engine, history: History) -> Iterator[Change]:
    """The changes of a history, in order."""
    for now, readings in history.batches:
        yield from _arrived(engine, now, readings)
    yield from _waited(engine, history.end)


def traced(engine: Engine, history: History, watched: Mapping[str, Iterable[Window]]) -> dict[str, list[Sample]]:
    """What the inputs of the watched places were worth after each arrival within their windows."""
    windows = {place: tuple(found) for place, found in watched.items()}
    samples: dict[str, list[Sample]] = {place: [] for place in windows}
    for now, readings in history.batches:
        for _ in _arrived(engine, now, readings):
            pass  # only the values are wanted
        for place, found in windows.items():
            if any(begin <= now <= end for begin, end in found):
                samples[place].append((now, engine.values(place)))
    return samples


def _arrived(engine: Engine, now: datetime, readings: Sequence[Reading]) -> Iterator[Change]:
    yield from _waited(engine, now)
    yield from engine.observe(readings, now).changes


def _waited(engine: Engine, until: datetime) -> Iterator[Change]:
    while (due := engine.next_tick()) is not None and due <= until:
        yield from engine.tick(due).changes
