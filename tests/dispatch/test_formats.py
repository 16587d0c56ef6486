"""Other formats go the whole way: decided, kept, decided again after a crash; and a station is answered after the commit."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import cast

from adapters.sources.sl651_tcp import Sl651TcpSettings, Sl651TcpSource
from dispatcher.clock import Clock
from dispatcher.intake.codecs.choose import Formats
from dispatcher.intake.codecs.sl651 import Sl651Codec, Sl651Settings
from dispatcher.intake.codecs.sl651_body import BEIJING
from dispatcher.intake.codecs.sl651_frame import Control, Encoding, Frame, read_frame, write_frame
from dispatcher.intake.decode import DEFAULT_LIMITS
from dispatcher.intake.pipeline import Pipeline
from dispatcher.intake.sourcing import keep_open
from dispatcher.ports import Batch, Item
from rules.grade import Grade
from tests.dispatch.making import START, V1
from tests.dispatch.running import PATIENCE_S, Running

FORMATS = Formats(by_topic={"vendor/#": "senml"})


async def test_a_time_relative_to_now_is_the_same_when_the_journal_is_replayed(engine: Running) -> None:
    body = b'[{"n":"G1:rain","u":"mm","t":-60,"v":12}]'
    await engine.read(FORMATS.marked(Batch("mqtt", (Item(body, "vendor/x"),))))
    assert (await engine.notice(V1)).grade is Grade.RED
    before = engine.pipeline.engine.snapshot()
    engine.clock.advance(timedelta(hours=1))
    engine.pipeline = engine.new_pipeline()
    await engine.pipeline.start()
    assert engine.pipeline.engine.snapshot() == before


def rain(mm: int) -> bytes:
    """A report of the station of G1, sent at the start."""
    sent = START.astimezone(BEIJING)
    body = bytes.fromhex(f"0007{sent:%y%m%d%H%M%S}F1F1000000000150F0F0{sent:%y%m%d%H%M}2219{mm * 10:06d}")
    made = Frame(encoding=Encoding.HEX, up=True, centre=1, station="0000000001", password="1234", function=0x33, body=body, end=Control.ETX)
    return write_frame(made)


class Announced(Sl651TcpSource):
    """Says when it listens, to the test as well."""

    def __init__(self, settings: Sl651TcpSettings, clock: Clock) -> None:
        super().__init__(settings, clock)
        self.listens = asyncio.Event()

    def when_open(self, call: Callable[[], None]) -> None:
        def opened() -> None:
            call()
            self.listens.set()

        super().when_open(opened)


async def test_a_station_is_answered_once_what_it_said_is_decided_and_kept(engine: Running) -> None:
    codec = Sl651Codec(Sl651Settings(stations={"0000000001": "G1"}))
    pipeline = Pipeline(engine.place, engine.compiled, DEFAULT_LIMITS, {"sl651": codec})
    await pipeline.start()
    source = Announced(Sl651TcpSettings(port=0), engine.clock)
    running = asyncio.create_task(pipeline.run())
    reading = asyncio.create_task(keep_open(engine.place, pipeline, source))
    await asyncio.wait_for(source.listens.wait(), PATIENCE_S)
    reader, writer = await asyncio.open_connection("127.0.0.1", source.port)
    for _ in range(2):  # the second time because its answer was lost
        writer.write(rain(12))
        answer = read_frame(await asyncio.wait_for(reader.readexactly(25), PATIENCE_S))
        assert cast("Frame", answer).end is Control.ESC
    rows = await engine.rows("journal.since", seq=0, limit=9)
    writer.close()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await pipeline.stop()
    await asyncio.wait_for(running, PATIENCE_S)
    assert len(rows) == 2
    assert (await engine.notice(V1)).grade is Grade.RED
    assert len(await engine.notices()) == len({n.village for n in await engine.notices()})
