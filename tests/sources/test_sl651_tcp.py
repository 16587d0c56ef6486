"""Stations that speak SL 651-2014 over TCP: heard, answered once durable, asked for what is missing, and set right."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from adapters.sources.sl651_line import MOST_RUBBISH, Line, Refused, Say, Taken, answer
from adapters.sources.sl651_tcp import Sl651TcpSettings, Sl651TcpSource, adapter
from dispatcher.clock import ManualClock
from dispatcher.errors import SourceLost
from dispatcher.intake.codecs.choose import Decoding
from dispatcher.intake.codecs.sl651_frame import Control, Encoding, Frame, find_frames, write_frame
from dispatcher.ports import Announcing, Batch, World
from dispatcher.testing.sources import PATIENCE_S, SILENCE_S, aclose
from tests.codecs.making import COUNTY, HEAD, NOW, PLACE, frame, message, packets, text

RAIN = message("2219000005")
WORKED = bytes.fromhex(
    "7E7E05001122334403E832002B020034170718110016F1F1001122334448F0F01707181100201900004026190000403923000104903812109903A421"
)


def only(data: bytes) -> Frame:
    [found] = find_frames(data)
    assert isinstance(found, Frame)
    return found


# ------------------------------------------------------------------------------------------ one connection


def test_the_answer_is_that_of_the_worked_example() -> None:
    station_time = NOW.replace(year=2017, month=7, day=18, hour=3, minute=0, second=16)
    assert answer(only(WORKED), station_time, Control.ESC).hex().upper() == "7E7E00112233440503E83280080200341707181100161BE5D4"


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_messages_are_found_however_the_stream_is_cut(size: int) -> None:
    line, ascii_ = Line(), text("PN05 0.5 ")
    stream = b"noise" + RAIN + ascii_ + b"~" + RAIN
    events = [e for n in range(0, len(stream), size) for e in line.feed(stream[n : n + size], NOW)]
    assert [e.body for e in events if isinstance(e, Taken)] == [RAIN, ascii_, RAIN]
    assert [e.body for e in events if isinstance(e, Refused)] == [b"noise", b"~"]
    assert not line.waits


def test_a_frame_with_a_wrong_checksum_is_refused_and_the_next_is_heard() -> None:
    line, spoilt = Line(), RAIN[:-1] + b"\x00"
    events = list(line.feed(spoilt + RAIN, NOW))
    assert events == [Refused(spoilt), Taken(RAIN, only(RAIN))]


def test_half_a_frame_is_refused_after_a_silence() -> None:
    line = Line()
    assert list(line.feed(RAIN[:-3], NOW)) == []
    assert line.waits
    assert list(line.silence(NOW)) == [Refused(RAIN[:-3])]
    assert not line.waits


def test_a_sign_of_life_and_an_echo_are_not_answered() -> None:
    alive = write_frame(frame(HEAD, 0x2F))
    echo = write_frame(frame(HEAD, up=False, end=Control.ESC))
    assert list(Line().feed(alive + echo, NOW)) == []


def test_an_answer_to_a_command_of_ours_is_confirmed_and_not_kept() -> None:
    [event] = Line().feed(write_frame(frame(HEAD + PLACE[:7], 0x4A)), NOW)
    assert isinstance(event, Say)
    assert (only(event.data).function, only(event.data).end) == (0x4A, Control.ESC)


@pytest.mark.parametrize("encoding", list(Encoding))
def test_a_missing_packet_is_asked_for_and_then_the_message_is_whole(encoding: Encoding) -> None:
    body = only(RAIN).body if encoding is Encoding.HEX else only(text("PN05 0.5 ")).body
    pieces = packets(body, 9, encoding=encoding)
    line = Line()
    [asked] = line.feed(pieces[0] + b"".join(pieces[2:]), NOW)
    assert isinstance(asked, Say)
    nak = only(asked.data)
    assert (nak.up, nak.end, nak.total, nak.number) == (False, Control.NAK, len(pieces), 2)
    resent = only(pieces[1])
    [taken] = line.feed(write_frame(frame(resent.body, 0x34, encoding=encoding, total=resent.total, number=2, end=Control.ETX)), NOW)
    assert isinstance(taken, Taken)
    assert taken.frame.body == body
    said = only(answer(taken.frame, NOW, Control.EOT))
    assert (said.total, said.number, said.end, said.body[:2]) == (len(pieces), len(pieces), Control.EOT, body[:2])


def test_a_packet_is_asked_for_twice_and_then_given_up() -> None:
    line, pieces = Line(), packets(only(RAIN).body, 9)
    list(line.feed(pieces[0] + pieces[-1], NOW))
    [again] = line.silence(NOW)
    assert isinstance(again, Say)
    [given_up] = line.silence(NOW)
    assert given_up == Refused(pieces[0] + pieces[-1])
    assert not line.waits


def test_packets_that_never_end_are_bounded() -> None:
    line, refused = Line(), 0
    for number in range(1, 400):
        piece = write_frame(frame(b"\x00" * 4000, 0x36, total=4095, number=number, end=Control.ETB))
        refused += sum(isinstance(e, Refused) for e in line.feed(piece, NOW))
    assert refused == 1


@pytest.mark.parametrize("rubbish", [b"x", b"\x7e\x7e", b"\x01", RAIN[:20]])
def test_a_line_full_of_rubbish_is_hung_up(rubbish: bytes) -> None:
    line = Line()
    stream = rubbish * (2 * MOST_RUBBISH // len(rubbish) + 5000)
    events = [e for n in range(0, len(stream), 4096) for e in line.feed(stream[n : n + 4096], NOW)]
    assert line.hopeless
    assert sum(len(e.body) for e in events if isinstance(e, Refused)) <= 2 * MOST_RUBBISH


def test_what_a_connection_left_is_refused_at_its_end() -> None:
    line, pieces = Line(), packets(only(RAIN).body, 9)
    list(line.feed(pieces[0] + RAIN[:5], NOW))
    assert list(line.end(NOW)) == [Refused(RAIN[:5]), Refused(pieces[0])]


# ------------------------------------------------------------------------------------------ the server


@asynccontextmanager
async def listening(clock: ManualClock | None = None, **settings: object) -> AsyncIterator[tuple[Sl651TcpSource, AsyncIterator[Batch]]]:
    world = World(clock=clock or ManualClock(NOW), county="990121", public_url="http://127.0.0.1")
    source = adapter.build(Sl651TcpSettings.model_validate({"port": 0, **settings}), world)
    assert isinstance(source, Sl651TcpSource)
    assert isinstance(source, Announcing)
    opened = asyncio.Event()
    source.when_open(opened.set)
    stream = source.batches({})
    first = asyncio.ensure_future(anext(stream))
    await asyncio.wait_for(opened.wait(), PATIENCE_S)

    async def batches() -> AsyncIterator[Batch]:
        yield await first
        async for batch in stream:
            yield batch

    rest = batches()
    try:
        yield source, rest
    finally:
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await aclose(rest)
        await aclose(stream)


class Station:
    """A station's modem."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def hears(self, length: int = 25) -> Frame:
        return only(await asyncio.wait_for(self.reader.readexactly(length), PATIENCE_S))

    async def hears_nothing(self) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(self.reader.read(1), SILENCE_S)

    async def is_hung_up(self) -> None:
        assert await asyncio.wait_for(self.reader.read(), PATIENCE_S) == b""


@asynccontextmanager
async def calling(source: Sl651TcpSource) -> AsyncIterator[Station]:
    station = Station(*await asyncio.open_connection("127.0.0.1", source.port))
    try:
        yield station
    finally:
        station.writer.close()


async def test_a_station_is_answered_only_once_its_message_is_durable() -> None:
    async with listening() as (source, batches), calling(source) as station:
        station.send(RAIN)
        batch = await asyncio.wait_for(anext(batches), PATIENCE_S)
        [item] = batch.items
        assert (item.body, item.subject, item.format) == (RAIN, "sl651/0043112901", "sl651")
        assert Decoding(COUNTY).decode(item, NOW).readings
        await station.hears_nothing()
        await source.ack(batch)
        said = await station.hears()
        assert (said.up, said.station, said.centre, said.end, said.body[:2]) == (False, "0043112901", 1, Control.ESC, HEAD[:2])


async def test_what_was_not_answered_before_a_stop_is_taken_when_it_comes_again() -> None:
    async with listening() as (source, batches), calling(source) as station:
        station.send(RAIN)
        await asyncio.wait_for(anext(batches), PATIENCE_S)
        await aclose(batches)
    async with listening() as (source, batches), calling(source) as station:
        station.send(RAIN)
        await source.ack(await asyncio.wait_for(anext(batches), PATIENCE_S))
        assert (await station.hears()).end is Control.ESC


async def test_more_to_follow_is_acknowledged_and_the_end_lets_a_station_hang_up() -> None:
    async with listening(stay_online=False) as (source, batches), calling(source) as station:
        for end, said in ((Control.ETB, Control.ACK), (Control.ETX, Control.EOT)):
            station.send(message("2219000005", end=end))
            await source.ack(await asyncio.wait_for(anext(batches), PATIENCE_S))
            assert (await station.hears()).end is said


async def test_a_station_whose_clock_is_off_has_it_set_twice_at_most() -> None:
    clock = ManualClock(NOW + timedelta(minutes=6))
    async with listening(clock) as (source, batches), calling(source) as station:
        for _ in range(3):
            station.send(RAIN)
            await source.ack(await asyncio.wait_for(anext(batches), PATIENCE_S))
        ends = [(said.function, said.end) for said in [await station.hears() for _ in range(5)]]
        assert ends.count((0x4A, Control.ENQ)) == 2
        assert ends.count((0x32, Control.ESC)) == 3


async def test_a_clock_is_set_to_our_time() -> None:
    clock = ManualClock(NOW + timedelta(minutes=6))
    async with listening(clock) as (source, batches), calling(source) as station:
        station.send(RAIN)
        await source.ack(await asyncio.wait_for(anext(batches), PATIENCE_S))
        await station.hears()
        assert (await station.hears()).body == bytes.fromhex("0000" + "260720081200")


async def test_rubbish_is_handed_on_and_not_answered() -> None:
    async with listening(silence_s=0.1) as (source, batches), calling(source) as station:
        station.send(b"GET / HTTP/1.1\r\n\r\n")
        batch = await asyncio.wait_for(anext(batches), PATIENCE_S)
        assert [item.subject for item in batch.items] == ["sl651/unread"]
        [reject] = Decoding(COUNTY).decode(batch.items[0], NOW).rejects
        assert "no frame" in reject.message
        await source.ack(batch)
        await station.hears_nothing()


async def test_a_station_that_is_gone_before_its_answer_breaks_nothing() -> None:
    async with listening() as (source, batches):
        async with calling(source) as station:
            station.send(RAIN)
            batch = await asyncio.wait_for(anext(batches), PATIENCE_S)
            station.writer.transport.abort()
        await source.ack(batch)
        async with calling(source) as again:
            again.send(RAIN)
            await source.ack(await asyncio.wait_for(anext(batches), PATIENCE_S))
            await again.hears()


async def test_a_silent_station_is_hung_up() -> None:
    async with listening(idle_s=0.2) as (source, _), calling(source) as station:
        await station.is_hung_up()


async def test_who_calls_from_elsewhere_or_when_too_many_are_on_the_line_is_hung_up() -> None:
    async with listening(networks=["203.0.113.0/24"]) as (source, _), calling(source) as stranger:
        await stranger.is_hung_up()
    async with listening(networks=["127.0.0.0/8"], most_connections=1) as (source, batches), calling(source) as first:
        first.send(RAIN)
        await asyncio.wait_for(anext(batches), PATIENCE_S)
        async with calling(source) as second:
            await second.is_hung_up()


async def test_stations_wait_while_too_much_is_not_durable() -> None:
    async with listening(most_waiting=2, batch_items=1) as (source, batches), calling(source) as station:
        station.send(RAIN * 50)
        count = 0
        while count < 50:
            batch = await asyncio.wait_for(anext(batches), PATIENCE_S)
            count += len(batch.items)
            await source.ack(batch)
        assert [(await station.hears()).end for _ in range(50)] == [Control.ESC] * 50


async def test_a_port_that_is_taken_is_source_lost() -> None:
    async with listening() as (source, _):
        other = Sl651TcpSource(Sl651TcpSettings(port=source.port), ManualClock(NOW))
        with pytest.raises(SourceLost, match=r"cannot listen on 127\.0\.0\.1"):
            await anext(other.batches({}))
