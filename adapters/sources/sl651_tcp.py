"""Stations that speak SL 651-2014 over TCP: a server that takes their messages, answers once they are durable, and sets their clocks.

Modes M1, M2 and M3 of the standard, in both encodings. A message without an answer is sent again by its station, so what
was not durable when we stopped comes again. 遥测站自报：确认帧在数据落盘之后发出.
"""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork

from adapters.sources.sl651_line import Event, Line, Refused, Say, Taken, answer, set_clock
from dispatcher.clock import Clock
from dispatcher.errors import SourceLost
from dispatcher.intake.codecs.sl651 import read_body
from dispatcher.intake.codecs.sl651_frame import Control, Frame
from dispatcher.ports import Adapter, Batch, Item, Source, World

_CHUNK = 4096
_UNHEARD = 1 << 16
"""So many bytes of answers that a station does not take, and we hang up."""

_CLOCK_SETS = 2
"""So often the clock of a station is set on one connection: the standard asks for two when it is far off."""


class Sl651TcpSettings(BaseModel):
    """Where to listen and how to treat stations. What their elements mean is the format's business."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="sl651", description="What rejects and figures of this source are filed under.")
    host: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 for all.")
    port: int = Field(default=6510, ge=0, le=65535, description="TCP port; 0 takes a free one.")
    networks: tuple[IPvAnyNetwork, ...] = Field(
        default=(), description="Networks stations may call from, such as 10.0.0.0/8; none means all. The protocol itself proves nobody."
    )
    stay_online: bool = Field(default=True, description="End answers with ESC (the station stays on the line) or EOT (it may hang up).")
    clock_tolerance_s: float = Field(
        default=300, ge=0, description="Seconds a station's clock may be off before it is set; 0 never sets one."
    )
    silence_s: float = Field(
        default=10, gt=0, description="Seconds of silence after which half a frame is refused and missing packets asked for."
    )
    idle_s: float = Field(default=600, gt=0, description="Seconds of silence after which we hang up.")
    most_connections: int = Field(default=5000, ge=1, description="Most stations on the line at once.")
    most_waiting: int = Field(default=1000, ge=1, description="Most messages held that are not yet durable.")
    batch_items: int = Field(default=500, ge=1, description="Most messages of one commit.")


class _Station:
    """One connection: hands over what it hears, and answers when told to."""

    def __init__(self, source: "Sl651TcpSource", writer: asyncio.StreamWriter) -> None:
        self._source = source
        self._writer = writer
        self._clock_sets = 0
        self.line = Line()

    async def take(self, events: Iterable[Event]) -> None:
        """Hand over messages, waiting while too many wait; send at once what is to be sent at once."""
        for event in events:
            match event:
                case Taken(body=body, frame=frame):
                    await self._source.put(Item(body, f"{self._source.name}/{frame.station}", format="sl651"), self, frame)
                case Refused(body=body):
                    await self._source.put(Item(body, f"{self._source.name}/unread", format="sl651"), None, None)
                case Say(data=data):
                    self._send(data)

    def durable(self, frame: Frame, settings: Sl651TcpSettings, clock: Clock) -> None:
        """Answer a message, and set the station's clock when it is off."""
        ends = Control.ESC if settings.stay_online else Control.EOT
        now = clock.now()
        self._send(answer(frame, now, Control.ACK if frame.end is Control.ETB and not frame.total else ends))
        sent_at = read_body(frame).sent_at
        tolerance = timedelta(seconds=settings.clock_tolerance_s)
        if tolerance and self._clock_sets < _CLOCK_SETS and (sent_at is None or abs(sent_at - now) > tolerance):
            self._clock_sets += 1
            self._send(set_clock(frame, now))

    def _send(self, data: bytes) -> None:
        """Who is gone is not told: without an answer it sends again."""
        transport = self._writer.transport
        if transport.is_closing():
            return
        if transport.get_write_buffer_size() > _UNHEARD:
            transport.abort()
            return
        self._writer.write(data)


Waiting = tuple[Item, _Station | None, Frame | None]


def _nobody(_: None = None) -> None:
    """Nobody wants to know."""


class Sl651TcpSource:
    """The server. It has no positions: what is not answered comes again."""

    def __init__(self, settings: Sl651TcpSettings, clock: Clock) -> None:
        """Opens nothing."""
        self.name = settings.name
        self.port = settings.port
        self._settings = settings
        self._clock = clock
        self._opened: Callable[[], None] = _nobody
        self._waiting: asyncio.Queue[Waiting] = asyncio.Queue(maxsize=settings.most_waiting)
        self._tasks: set[asyncio.Task[None]] = set()

    def when_open(self, call: Callable[[], None]) -> None:
        """Called once we listen."""
        self._opened = call

    async def put(self, item: Item, station: _Station | None, frame: Frame | None) -> None:
        """Hold a message until the engine takes it; waits while too many wait, and its station with it."""
        await self._waiting.put((item, station, frame))

    async def batches(self, positions: Mapping[str, str]) -> AsyncIterator[Batch]:
        """Listen, and yield what stations send."""
        del positions
        self._waiting = asyncio.Queue(maxsize=self._settings.most_waiting)
        try:
            server = await asyncio.start_server(self._serve, self._settings.host, self._settings.port)
        except OSError as error:
            where = f"{self._settings.host}:{self._settings.port}"
            raise SourceLost(f"{self.name}: cannot listen on {where}: {error.strerror or error}") from error
        self.port = server.sockets[0].getsockname()[1]
        self._opened()
        try:
            while True:
                yield self._batch(await self._waiting.get())
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def ack(self, batch: Batch) -> None:
        """The messages are durable: answer their stations."""
        if isinstance(batch.token, tuple):
            for station, frame in batch.token:
                station.durable(frame, self._settings, self._clock)

    def _batch(self, first: Waiting) -> Batch:
        taken = [first]
        while len(taken) < self._settings.batch_items and not self._waiting.empty():
            taken.append(self._waiting.get_nowait())
        answers = tuple((station, frame) for _, station, frame in taken if station is not None and frame is not None)
        return Batch(self.name, tuple(item for item, _, _ in taken), token=answers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One station, from its call until it is silent, gone, or sends rubbish."""
        task = asyncio.current_task()
        if task is None or len(self._tasks) >= self._settings.most_connections or not self._may_call(writer):
            writer.close()
            return
        self._tasks.add(task)
        try:
            await self._listen(reader, _Station(self, writer))
        except asyncio.CancelledError:
            writer.transport.abort()  # we stop: what has no answer comes again
        except OSError:
            pass  # it is gone, and calls again
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _listen(self, reader: asyncio.StreamReader, station: _Station) -> None:
        line, silent_s = station.line, 0.0
        while silent_s < self._settings.idle_s and not line.hopeless:
            patience_s = min(self._settings.silence_s, self._settings.idle_s - silent_s) if line.waits else self._settings.idle_s - silent_s
            try:
                async with asyncio.timeout(patience_s):
                    data = await reader.read(_CHUNK)
            except TimeoutError:
                silent_s += patience_s
                await station.take(line.silence(self._clock.now()))
                continue
            if not data:
                break
            silent_s = 0.0
            await station.take(line.feed(data, self._clock.now()))
        await station.take(line.end(self._clock.now()))

    def _may_call(self, writer: asyncio.StreamWriter) -> bool:
        if not self._settings.networks:
            return True
        peer = ipaddress.ip_address(str(writer.get_extra_info("peername")[0]).partition("%")[0])
        peer = getattr(peer, "ipv4_mapped", None) or peer
        return any(peer in network for network in self._settings.networks)


def build(settings: Sl651TcpSettings, world: World) -> Source:
    """A server with these settings."""
    return Sl651TcpSource(settings, world.clock)


adapter = Adapter(settings=Sl651TcpSettings, build=build)
