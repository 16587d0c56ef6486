"""The bytes of an MQTT connection cut into packets: messages read at once, everything else left to the client library.

No I/O: bytes in, packets out. A client library reads a packet with a system call for each of its parts and builds objects
for each; at some ten thousand messages a second that is most of the work there is.
"""

from typing import NamedTuple

_PUBLISH = 3
_PUBACK, _PUBREC = b"\x40\x02", b"\x50\x02"
_MORE = 0x80
_LONGEST_HEAD = 70_000
"""A topic has at most 65,535 bytes. Of a large message with more than that before its body, no body is kept."""


class Malformed(Exception):
    """These bytes are not MQTT."""


class Message(NamedTuple):
    """One PUBLISH. ``mid`` is 0 with QoS 0; ``kept`` is what the broker had from earlier (retained)."""

    topic: bytes
    body: bytes
    mid: int
    qos: int
    kept: bool = False


class Frames:
    """One connection. ``most_bytes`` bounds what is kept of a body: of a longer one, as much and one byte, to be refused."""

    def __init__(self, *, version5: bool, most_bytes: int) -> None:
        """Nothing has come yet."""
        self._version5 = version5
        self._most = most_bytes
        self._keep = most_bytes + _LONGEST_HEAD
        self._rest = b""
        self._skip = 0
        self._cut: Message | None = None

    def feed(self, data: bytes) -> tuple[list[Message], bytes]:
        """The messages that are complete now, and all other complete packets as they came."""
        messages: list[Message] = []
        others: list[bytes] = []
        if self._skip:
            data = self._skipped(data, messages)
        data = self._rest + data if self._rest else data
        at, end = 0, len(data)
        while end - at > 1:
            start, stop = _bounds(data, at)
            if stop > end or not start:
                break
            if data[at] >> 4 == _PUBLISH:
                messages.append(self._message(data, data[at], start, stop))
            else:
                others.append(data[at:stop])
            at = stop
        self._rest = data[at:]
        if len(self._rest) > self._keep:
            self._begin_to_skip(self._rest)
        return messages, b"".join(others)

    def _message(self, data: bytes, first: int, start: int, stop: int) -> Message:
        """A PUBLISH whose variable header begins at ``start``."""
        topic_at = start + 2
        at = topic_at + (data[start] << 8 | data[start + 1]) if topic_at <= stop else stop + 1
        topic_end = at
        qos, mid = first >> 1 & 3, 0
        if qos:
            if at + 2 > stop:
                raise Malformed("a message that ends before its identifier")
            mid = data[at] << 8 | data[at + 1]
            at += 2
        if self._version5:
            properties, end = _bounds(data, at - 1) if at < stop else (0, 0)
            at = end if properties else stop + 1
        if at > stop or qos == 3:  # noqa: PLR2004 - the one QoS that does not exist
            raise Malformed("a message that ends before its body")
        return Message(data[topic_at:topic_end], data[at : min(stop, at + self._most + 1)], mid, qos, bool(first & 1))

    def _begin_to_skip(self, data: bytes) -> None:
        """The packet that has begun is too large to be kept whole: its beginning is kept, the rest let go as it comes."""
        start, stop = _bounds(data, 0)
        if data[0] >> 4 != _PUBLISH:
            raise Malformed("a packet that is larger than any but a message may be")
        message = self._message(data, data[0], start, stop)
        self._cut = message if len(message.body) > self._most else message._replace(body=b"")
        self._skip, self._rest = stop - len(data), b""

    def _skipped(self, data: bytes, messages: list[Message]) -> bytes:
        """Let go of what belongs to the large message; it is handed on when all of it has come."""
        gone = min(self._skip, len(data))
        self._skip -= gone
        if not self._skip and self._cut is not None:
            messages.append(self._cut)
            self._cut = None
        return data[gone:]


def _bounds(data: bytes, at: int) -> tuple[int, int]:
    """Where what the length behind ``at`` counts begins and ends; (0, 0) when the length itself is not there whole."""
    length, shift = 0, 0
    for n in range(at + 1, min(at + 5, len(data))):
        byte = data[n]
        length |= (byte & 0x7F) << shift
        if byte < _MORE:
            return n + 1, n + 1 + length
        shift += 7
    if len(data) >= at + 5:
        raise Malformed("a length of more than four bytes")
    return 0, 0


def acknowledgements(received: list[tuple[int, int]]) -> bytes:
    """The packets that acknowledge these (mid, QoS): PUBACK, and PUBREC for QoS 2, whose second half the library answers."""
    return b"".join((_PUBACK if qos == 1 else _PUBREC) + mid.to_bytes(2, "big") for mid, qos in received if qos)
