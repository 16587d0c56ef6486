"""A recording handed out as if it happened now: CSV or JSON lines, in time order, against the engine's clock."""

import asyncio
import csv
import json
import re
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from pydantic import BaseModel, ConfigDict, Field, FilePath, field_validator

from dispatcher.clock import Clock
from dispatcher.errors import ConfigurationError, Problem, SourceLost
from dispatcher.intake.elements import REQUIRED
from dispatcher.intake.examine import epoch_s
from dispatcher.ports import Adapter, Batch, Item, Source, World

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_UNACKNOWLEDGED_BATCHES = 4
_SUFFIXES = (".csv", ".jsonl", ".ndjson")


class FileSettings(BaseModel):
    """Which recording, and whether it follows the clock or is read as fast as it is acknowledged."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="file", description="What the position of this recording is filed under.")
    path: FilePath = Field(description=f"The recording ({', '.join(_SUFFIXES)}). It must stay as it is while it is read.")
    follow_clock: bool = Field(default=True, description="Hand out each reading at its own time; false: as fast as they are taken.")
    batch_items: int = Field(default=500, ge=1, description="Most readings of one commit.")

    @field_validator("path")
    @classmethod
    def _readable(cls, path: Path) -> Path:
        if path.suffix.lower() not in _SUFFIXES:
            raise ValueError(f"cannot replay a file {path.suffix or 'without a suffix'!r}; allowed: {', '.join(_SUFFIXES)}")
        return path


@dataclass(frozen=True, slots=True)
class Row:
    """One reading of a recording; ``at_s`` is its event time in seconds since 1970-01-01 UTC, when it is handed out."""

    at_s: int
    item: Item


Mapped = Callable[[], Iterable[Mapping[str, object]]]
"""Gives mappings with the fields of a reading, text or numbers."""


class FileSource:
    """Rows in time order. The position is how many were handed out, so the recording must stay the same."""

    def __init__(self, name: str, load: Callable[[], list[Row]], clock: Clock | None, batch_items: int) -> None:
        """``load`` reads the rows once the source is opened; without a clock they are handed out at once."""
        self.name = name
        self._load = load
        self._clock = clock
        self._batch_items = batch_items
        self._room = asyncio.Event()
        self._unacknowledged = 0

    async def batches(self, positions: Mapping[str, str]) -> AsyncIterator[Batch]:
        """Yield rows when the clock has reached them; end when all were handed out."""
        try:
            rows = await asyncio.to_thread(self._load)
        except OSError as error:
            raise SourceLost(f"{self.name}: {error.strerror}: {error.filename}") from error
        self._unacknowledged = 0
        self._room.set()
        done = min(int(positions.get(self.name, "0")), len(rows))
        times = [row.at_s for row in rows]
        while done < len(rows):
            await self._room.wait()
            await self._wait_until(times[done])
            due = bisect_right(times, self._now_s(), lo=done) if self._clock else len(rows)
            first, done = done, min(due, done + self._batch_items)
            self._unacknowledged += done - first
            if self._unacknowledged >= _UNACKNOWLEDGED_BATCHES * self._batch_items:
                self._room.clear()
            yield Batch(self.name, tuple(row.item for row in rows[first:done]), {self.name: str(done)}, done)

    async def ack(self, batch: Batch) -> None:
        """Nobody to tell: the position was committed with the batch. There is room for another."""
        self._unacknowledged = max(0, self._unacknowledged - len(batch.items))
        self._room.set()

    async def _wait_until(self, at_s: int) -> None:
        if self._clock is None:
            return
        due = datetime.fromtimestamp(at_s, UTC)
        while (now := self._clock.now()) < due:
            await self._clock.sleep(due - now)

    def _now_s(self) -> float:
        return self._clock.now().timestamp() if self._clock else 0.0


def source_of(name: str, subject: str, read: Mapped, clock: Clock | None, batch_items: int = 500) -> FileSource:
    """A source of rows that were mapped already, such as those of ``dispatcher.files.recordings.read_recording``.

    ``read`` is called each time the source is opened and must give the same rows again: the position counts them.
    """
    return FileSource(name, lambda: in_time_order(_mapped(subject, read())), clock, batch_items)


def in_time_order(rows: Iterable[Row]) -> list[Row]:
    """Sorted by time, rows of one time in their order."""
    return sorted(rows, key=lambda row: row.at_s)


def _mapped(subject: str, rows: Iterable[Mapping[str, object]], first: int = 1) -> Iterator[Row]:
    """A row whose time cannot be read goes where it stands, right behind the one before it, for the decoder to refuse."""
    at_s = 0
    for number, row in enumerate(rows, first):
        at_s = _time_of(row.get("time"), at_s)
        fields = {name: _value(value) if name in ("value", "interval") else value for name, value in row.items() if value not in ("", None)}
        body = json.dumps(fields, ensure_ascii=False, default=str).encode("utf-8", errors="surrogateescape")
        yield Row(at_s, Item(body, f"{subject}:{number}"))


def _time_of(time: object, otherwise: int) -> int:
    try:
        return int(time.timestamp()) if isinstance(time, datetime) else epoch_s(str(time))
    except (ValueError, OverflowError):
        return otherwise


def _value(value: object) -> object:
    """A number as a number; what is none stays as it is, for the decoder to refuse."""
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value.strip()) else value


def _read(path: Path) -> list[Row]:
    return in_time_order(_csv(path) if path.suffix.lower() == ".csv" else _lines(path))


def _csv(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in REQUIRED if name not in (reader.fieldnames or ())]
        if missing:
            what = f"the line of names lacks {', '.join(missing)}; needed: {', '.join(REQUIRED)}, or a recording profile that maps them"
            raise ConfigurationError([Problem(path.name, what, line=1)])
        rows = ({str(name): value for name, value in row.items() if isinstance(value, str)} for row in reader)
        try:
            yield from _mapped(path.name, rows, first=2)
        except csv.Error as error:
            raise ConfigurationError([Problem(path.name, f"not CSV: {error}", line=reader.line_num)]) from error


class _Time(msgspec.Struct):
    time: str = ""


def _lines(path: Path) -> Iterator[Row]:
    """The bytes of each line as they are."""
    at_s, decoder = 0, msgspec.json.Decoder(_Time)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            body = line.strip()
            if body:
                with suppress(msgspec.MsgspecError, ValueError, RecursionError):
                    at_s = _time_of(decoder.decode(body).time, at_s)
                yield Row(at_s, Item(body, f"{path.name}:{number}"))


def build(settings: FileSettings, world: World) -> Source:
    """A source for these settings."""
    clock = world.clock if settings.follow_clock else None
    return FileSource(settings.name, lambda: _read(settings.path), clock, settings.batch_items)


adapter = Adapter(settings=FileSettings, build=build)
