"""One connection of a station that speaks SL 651-2014, sans I/O: bytes in, messages and answers out (遥测站与中心站的一次通信).

Frames are found in the stream, packets of one message put together, missing packets asked for (NAK). What is no frame is
handed on too, so that it is refused with its bytes where all rejects are kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from dispatcher.intake.codecs.sl651_body import BEIJING
from dispatcher.intake.codecs.sl651_frame import Control, Encoding, Frame, Short, next_mark, read_frame, write_frame
from dispatcher.intake.codecs.sl651_packets import join

KEEP_ALIVE = 0x2F
SET_CLOCK = 0x4A
_COMMANDS = range(0x40, 0x52)
_RESENDS = 2
"""So often is one packet asked for again, as the standard says."""

MOST_BYTES = 1 << 20
"""Most bytes of one message of several packets."""

MOST_RUBBISH = 1 << 14
"""So many bytes that are no frame, and the connection is not worth keeping."""

_NOISE = 4096
_MOST_MESSAGES = 16


@dataclass(frozen=True, slots=True)
class Taken:
    """A message for the engine; to be answered once it is durable. ``body`` are its frames as they came."""

    body: bytes
    frame: Frame


@dataclass(frozen=True, slots=True)
class Refused:
    """Bytes that are no message, for the reject store; never answered."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Say:
    """Bytes to send at once."""

    data: bytes


Event = Taken | Refused | Say


class Line:
    """What has been heard on one connection so far. ``now`` goes into answers."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._buffer = b""
        self._noise = b""
        self._rubbish = 0
        self._packets: dict[tuple[str, int], _Group] = {}

    @property
    def hopeless(self) -> bool:
        """So much rubbish came that it is better to hang up."""
        return self._rubbish > MOST_RUBBISH

    @property
    def waits(self) -> bool:
        """Something has begun that is not whole."""
        return bool(self._buffer or self._noise or self._packets)

    def feed(self, data: bytes, now: datetime) -> Iterator[Event]:
        """What these bytes complete."""
        self._buffer += data
        yield from self._read(now, final=False)

    def silence(self, now: datetime) -> Iterator[Event]:
        """Nothing came for a while: what is not whole will not become so by itself."""
        yield from self._read(now, final=True)
        yield from self._drop_noise()
        for key in list(self._packets):
            yield from self._ask(key, now)

    def end(self, now: datetime) -> Iterator[Event]:
        """The connection is over."""
        yield from self._read(now, final=True)
        yield from self._drop_noise()
        for key in list(self._packets):
            yield self._give_up(key)

    def _read(self, now: datetime, *, final: bool) -> Iterator[Event]:
        while self._buffer and not self.hopeless:
            found = read_frame(self._buffer)
            if isinstance(found, Short) and not final:
                break
            if isinstance(found, Frame):
                self._buffer = self._buffer[len(found.raw) :]
                yield from self._drop_noise()
                yield from self._frame(found, now)
                continue
            cut = self._next(final=final)
            self._noise, self._buffer = self._noise + self._buffer[:cut], self._buffer[cut:]
            self._rubbish += cut
            if len(self._noise) >= _NOISE:
                yield from self._drop_noise()

    def _next(self, *, final: bool) -> int:
        """Where the next frame may begin; half a mark at the end of the buffer may become one."""
        place = next_mark(self._buffer, 1)
        half = place == len(self._buffer) > 1 and self._buffer[-1:] == Encoding.HEX.mark[:1] and not final
        return place - 1 if half else place

    def _drop_noise(self) -> Iterator[Event]:
        if self._noise:
            yield Refused(self._noise)
            self._noise = b""

    def _frame(self, frame: Frame, now: datetime) -> Iterator[Event]:
        if not frame.up or frame.function == KEEP_ALIVE:
            return  # an echo of ourselves, or only a sign of life
        if frame.total:
            yield from self._packet(frame, now)
        elif frame.function in _COMMANDS:
            yield Say(answer(frame, now, Control.ESC))
        else:
            yield Taken(frame.raw, frame)

    def _packet(self, frame: Frame, now: datetime) -> Iterator[Event]:
        key = (frame.station, frame.function)
        if key in self._packets and self._packets[key].total != frame.total:
            yield self._give_up(key)
        if key not in self._packets and len(self._packets) >= _MOST_MESSAGES:
            yield self._give_up(next(iter(self._packets)))
        group = self._packets.setdefault(key, _Group(frame.total))
        group.put(frame)
        if not 1 <= frame.number <= frame.total or group.size > MOST_BYTES:
            yield self._give_up(key)
        elif len(group.frames) == frame.total:
            del self._packets[key]
            whole = join(group.frames)
            yield Taken(whole.raw, whole)
        elif frame.end is Control.ETX:
            yield from self._ask(key, now)

    def _ask(self, key: tuple[str, int], now: datetime) -> Iterator[Event]:
        """Ask for the first packet that is missing, or give up when it was asked for often enough."""
        group = self._packets[key]
        number = next(n for n in range(1, group.total + 1) if n not in group.frames)
        group.asked[number] = group.asked.get(number, 0) + 1
        if group.asked[number] > _RESENDS:
            yield self._give_up(key)
        else:
            some = group.frames[min(group.frames)]
            body = (
                some.body if some.number == 1 else b"0" * 4 if some.encoding is Encoding.ASCII else b"\0\0"
            )  # only the first packet has the serial number
            yield Say(answer(replace(some, number=number, body=body), now, Control.NAK))

    def _give_up(self, key: tuple[str, int]) -> Refused:
        frames = self._packets.pop(key).frames
        return Refused(b"".join(frames[number].raw for number in sorted(frames)))


@dataclass(slots=True)
class _Group:
    """The packets of one message that are there, and how often which of the others was asked for."""

    total: int
    frames: dict[int, Frame] = field(default_factory=dict)
    asked: dict[int, int] = field(default_factory=dict)
    size: int = 0

    def put(self, frame: Frame) -> None:
        before = self.frames.get(frame.number)
        self.size += len(frame.raw) - (len(before.raw) if before else 0)
        self.frames[frame.number] = frame


def answer(frame: Frame, now: datetime, end: Control) -> bytes:
    """The answer to a message: its serial number and our time. Of several packets, NAK names the one that is asked for."""
    ascii_ = frame.encoding is Encoding.ASCII
    serial = frame.body[: 4 if ascii_ else 2]
    number = frame.number if end is Control.NAK else frame.total
    return write_frame(replace(frame, up=False, end=end, number=number, body=serial + _time(now, frame.encoding)))


def set_clock(frame: Frame, now: datetime) -> bytes:
    """The command that sets the clock of the station a frame came from to our time."""
    serial = b"0000" if frame.encoding is Encoding.ASCII else b"\x00\x00"
    body = serial + _time(now, frame.encoding)
    return write_frame(replace(frame, up=False, end=Control.ENQ, function=SET_CLOCK, total=0, number=0, body=body))


def _time(now: datetime, encoding: Encoding) -> bytes:
    digits = f"{now.astimezone(BEIJING):%y%m%d%H%M%S}"
    return digits.encode("ascii") if encoding is Encoding.ASCII else bytes.fromhex(digits)
