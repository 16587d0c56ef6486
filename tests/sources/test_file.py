"""The file source: a recording handed out in its own time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pydantic
import pytest

from adapters.sources.file import FileSettings, adapter, source_of
from dispatcher.clock import ManualClock
from dispatcher.errors import ConfigurationError, SourceLost
from dispatcher.intake.catalogue import CatalogueEntry, catalogue
from dispatcher.intake.decode import decode
from dispatcher.ports import Batch, Source, World
from dispatcher.testing.sources import PROMISES
from rules.reading import Reading

START = datetime(2026, 7, 20, tzinfo=UTC)
COUNTY = catalogue([CatalogueEntry(station="s1", variable="rain", kind="increment", interval_s=300)])


def world(clock: ManualClock | None = None) -> World:
    return World(clock=clock or ManualClock(START), county="990121", public_url="http://127.0.0.1")


class FileSide:
    """A file that grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.touch()

    def source(self) -> Source:
        return adapter.build(FileSettings(path=self.path, follow_clock=False, batch_items=7), world())

    async def introduce(self) -> None:
        """A file keeps everything for whoever comes."""

    async def publish(self, bodies: Sequence[bytes], key: str = "a") -> None:  # noqa: ARG002 - a file has no keys
        def append() -> None:
            with self.path.open("ab") as file:
                file.writelines(body + b"\n" for body in bodies)

        await asyncio.to_thread(append)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
async def test_a_file_keeps_the_promises_of_a_source(tmp_path: Path, promise: Callable[..., Awaitable[None]]) -> None:
    await promise(FileSide(tmp_path / "storm.jsonl"))


def recording(path: Path, rows: Sequence[tuple[int, object]], *, header: str = "station,variable,value,unit,time") -> Path:
    """A CSV of rain at minutes after the start."""
    lines = [f"s1,rain,{value},mm,{(START + timedelta(minutes=minute)).isoformat()}" for minute, value in rows]
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


async def pull(source: Source, positions: dict[str, str] | None = None) -> list[Batch]:
    """Everything until the source ends, acknowledged."""
    got = []
    async for batch in source.batches(positions or {}):
        got.append(batch)
        await source.ack(batch)
    return got


def readings(batches: Sequence[Batch]) -> list[Reading]:
    decoded = [decode(item, COUNTY) for batch in batches for item in batch.items]
    assert not any(d.rejects for d in decoded), [d.rejects for d in decoded]
    return [reading for d in decoded for reading in d.readings]


async def test_rows_come_in_the_order_of_their_times_and_equal_times_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = recording(tmp_path / "storm.csv", [(5, 1), (0, 2), (5, 3), (3, "4.5")])
    got = readings(await pull(adapter.build(FileSettings(path=path, follow_clock=False), world())))
    assert [reading.value for reading in got] == [2, 4.5, 1, 3]


async def test_a_row_is_handed_out_when_the_clock_reaches_its_time_and_not_before(tmp_path: Path) -> None:
    clock = ManualClock(START - timedelta(minutes=1))
    path = recording(tmp_path / "storm.csv", [(0, 1), (0, 2), (5, 3), (10, 4)])
    source = adapter.build(FileSettings(path=path), world(clock))
    seen: list[tuple[datetime, list[float]]] = []

    async def follow() -> None:
        async for batch in source.batches({}):
            seen.append((clock.now(), [reading.value for reading in readings([batch])]))
            await source.ack(batch)

    task = asyncio.create_task(follow())
    await settle()
    assert not seen
    clock.advance(timedelta(minutes=1))
    await settle()
    clock.advance(timedelta(minutes=4, seconds=59))
    await settle()
    assert seen == [(START, [1, 2])]
    clock.advance(timedelta(minutes=10))
    await settle()
    assert seen[1:] == [(START + timedelta(minutes=14, seconds=59), [3, 4])]
    await task


async def settle() -> None:
    """Let the reading thread and the loop get as far as they can."""
    for _ in range(20):
        await asyncio.sleep(0.005)


async def test_it_goes_on_behind_the_position_that_was_committed(tmp_path: Path) -> None:
    path = recording(tmp_path / "storm.csv", [(n, n) for n in range(10)])
    settings = FileSettings(path=path, follow_clock=False, batch_items=4)
    source = adapter.build(settings, world())
    first = await anext(source.batches({}))
    assert first.positions == {"file": "4"}
    rest = readings(await pull(adapter.build(settings, world()), dict(first.positions)))
    assert [reading.value for reading in rest] == [4, 5, 6, 7, 8, 9]
    assert await pull(adapter.build(settings, world()), {"file": "10"}) == []


async def test_no_more_than_a_few_batches_wait_for_their_acknowledgement(tmp_path: Path) -> None:
    path = recording(tmp_path / "storm.csv", [(n, n) for n in range(10)])
    source = adapter.build(FileSettings(path=path, follow_clock=False, batch_items=1), world())
    stream = source.batches({})
    held = [await anext(stream) for _ in range(4)]
    waiting = asyncio.ensure_future(anext(stream))
    await settle()
    assert not waiting.done()
    await source.ack(held[0])
    assert (await waiting).positions == {"file": "5"}


@pytest.mark.parametrize("value", ["", "x", "nan", "1_0", "1e999"])
async def test_a_row_that_is_no_reading_is_handed_on_in_its_place_for_the_decoder_to_refuse(tmp_path: Path, value: str) -> None:
    path = recording(tmp_path / "storm.csv", [(0, 1), (1, value), (2, 3)])
    [batch] = await pull(adapter.build(FileSettings(path=path, follow_clock=False), world()))
    decoded = [decode(item, COUNTY) for item in batch.items]
    assert [len(d.readings) for d in decoded] == [1, 0, 1]
    assert "storm.csv:3" in decoded[1].rejects[0].message


async def test_a_row_without_a_readable_time_stays_behind_the_row_before_it(tmp_path: Path) -> None:
    path = tmp_path / "storm.csv"
    rows = ["s1,rain,1,mm,2026-07-20T00:09:00Z", "s1,rain,2,mm,yesterday", "s1,rain,3,mm,2026-07-20T00:05:00Z"]
    path.write_text("\n".join(["station,variable,value,unit,time", *rows]), encoding="utf-8")
    [batch] = await pull(adapter.build(FileSettings(path=path, follow_clock=False), world()))
    assert [item.subject for item in batch.items] == ["storm.csv:4", "storm.csv:2", "storm.csv:3"]


async def test_a_byte_order_mark_and_other_columns_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "storm.csv"
    path.write_text("station,variable,value,unit,time,备注\ns1,rain,1.5,mm,2026-07-20T00:00:00Z,雨\n", encoding="utf-8-sig")
    assert len(readings(await pull(adapter.build(FileSettings(path=path, follow_clock=False), world())))) == 1


async def test_columns_that_are_missing_are_named_before_anything_is_handed_out(tmp_path: Path) -> None:
    path = tmp_path / "storm.csv"
    path.write_text("Fecha,Caudal\n1,2\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"storm\.csv:1: the line of names lacks station.* profile"):
        await pull(adapter.build(FileSettings(path=path, follow_clock=False), world()))


async def test_a_file_that_is_gone_is_source_lost(tmp_path: Path) -> None:
    path = recording(tmp_path / "storm.csv", [(0, 1)])
    source = adapter.build(FileSettings(path=path, follow_clock=False), world())
    path.unlink()
    with pytest.raises(SourceLost, match=r"storm\.csv"):
        await pull(source)


async def test_mapped_rows_are_replayed_like_a_file() -> None:
    rows = [
        {"station": "s1", "variable": "rain", "value": 2.5, "unit": "mm", "time": (START + timedelta(minutes=5)).isoformat()},
        {"station": "s1", "variable": "rain", "value": 1.5, "unit": "mm", "time": START.isoformat()},
    ]
    source = source_of("poyo", "poyo.csv", lambda: rows, ManualClock(START + timedelta(hours=1)))
    for _ in range(2):
        [batch] = await pull(source)
        assert batch.positions == {"poyo": "2"}
        assert [reading.value for reading in readings([batch])] == [1.5, 2.5]


async def test_an_empty_file_ends_at_once(tmp_path: Path) -> None:
    path = tmp_path / "storm.jsonl"
    path.touch()
    assert await pull(adapter.build(FileSettings(path=path), world())) == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param({"path": "no/such.csv"}, "path", id="no such file"),
        pytest.param({"path": __file__}, "allowed: .csv, .jsonl, .ndjson", id="another kind of file"),
        pytest.param({"path": __file__, "speed": 2}, "speed", id="unknown key"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=words):
        FileSettings.model_validate(settings)


def test_the_stream_is_an_iterator_of_batches(tmp_path: Path) -> None:
    source = adapter.build(FileSettings(path=recording(tmp_path / "storm.csv", [(0, 1)])), world())
    assert isinstance(source.batches({}), AsyncIterator)
