"""One connection to an MQTT broker, seen below aiomqtt and paho. What these keep private is touched here and nowhere else."""

import asyncio
import ssl
from typing import Any

import aiomqtt

from adapters.sources.mqtt_frames import Frames, Malformed, Message, acknowledgements

_PUBACK = 0x40
_CHUNK_BYTES = 1 << 16


class Line:
    """One connection, seen below aiomqtt: reads messages itself, acknowledges by hand, stops reading when too much is held.

    What is no message goes to paho byte by byte, as if it came from the socket.
    """

    def __init__(self, client: aiomqtt.Client, frames: Frames, arrived: asyncio.Queue[list[Message]], most: int) -> None:
        """Must be made before the client connects."""
        # The one touch of what the libraries keep private; tests/sources/test_mqtt.py fails when it breaks.
        paho: Any = client._client  # noqa: SLF001
        self._receive, self._handle = paho._sock_recv, paho.loop_read  # noqa: SLF001
        self._welcomed, paho.on_connect = paho.on_connect, self._welcome
        paho._sock_recv, paho.loop_read = self._give, self._read  # noqa: SLF001
        self._paho = paho
        self._frames = frames
        self._most = most
        self._held = False
        self._given = b""
        self._end: OSError | None = None
        self.remembered = False
        self.waiting = 0
        self.left: list[Message] = []
        self.arrived = arrived

    def _welcome(self, client: Any, userdata: Any, flags: Any, *rest: Any) -> None:  # noqa: ANN401 - as paho calls it
        """The broker lets us in, and says whether it still knows our session."""
        self.remembered = bool(flags.session_present)
        self._welcomed(client, userdata, flags, *rest)

    def let_go(self) -> None:
        """Give paho back what is its own: what it still holds (a socket whose handshake failed) goes with it at once."""
        del self._paho._sock_recv, self._paho.loop_read  # noqa: SLF001

    def ack(self, received: list[tuple[int, int]]) -> None:
        """Tell the broker, all at once; without a connection it does nothing, and the broker will send the messages again."""
        packets = acknowledgements(received)
        if packets and self._paho.socket() is not None:
            self._paho._packet_queue(_PUBACK, packets, 0, 0)  # noqa: SLF001 - one write for all instead of one for each

    def take(self, most: int) -> list[Message]:
        """What is here, at most so many; reads on when there is room again."""
        while len(self.left) < most and not self.arrived.empty():
            self.left += self.arrived.get_nowait()
        taken, self.left = self.left[:most], self.left[most:]
        self.waiting -= len(taken)
        self._release()
        return taken

    def _read(self) -> int:
        """What aiomqtt calls when the socket can be read.

        Reads until nothing is left: of a connection that was reset uvloop tells once, also when there are messages before its end.
        """
        while self._end is None and not self._held:
            try:
                self._feed(self._receive(_CHUNK_BYTES))
            except BlockingIOError:
                break
            except (OSError, Malformed) as error:
                self._end = error if isinstance(error, OSError) else ConnectionError(f"the broker sent {error}")
        result = 0
        while (self._given or self._end) and not result:
            result = int(self._handle())
        return result

    def _feed(self, data: bytes) -> None:
        if not data:
            raise ConnectionError("the broker closed the connection")
        messages, others = self._frames.feed(data)
        if messages:
            self.waiting += len(messages)
            self.arrived.put_nowait(messages)
        self._given += others
        self._hold()

    def _give(self, most: int) -> bytes:
        """Stands for the socket where paho reads."""
        given, self._given = self._given[:most], self._given[most:]
        if not given:
            raise self._end or BlockingIOError
        return given

    def _hold(self) -> None:
        """Stop reading the socket when more is held than allowed; TCP then holds the broker back.

        Only messages the broker need not wait for an acknowledgement of get this far: QoS 0, or those of a broker
        without a limit under MQTT 3.1.1.
        """
        sock = self._paho.socket()
        if not self._held and sock is not None and self.waiting > self._most:
            self._held = True
            asyncio.get_running_loop().remove_reader(sock)

    def _release(self) -> None:
        """Read on when there is room again."""
        if self._held and self.waiting <= self._most // 2:
            self._held = False
            sock = self._paho.socket()
            if sock is not None:
                asyncio.get_running_loop().add_reader(sock, self._go_on)
                self._go_on()

    def _go_on(self) -> None:
        """What aiomqtt does when its socket can be read: TLS may hold decoded bytes that no selector sees."""
        while not self._held:
            self._read()
            sock = self._paho.socket()
            if not (isinstance(sock, ssl.SSLSocket) and sock.pending()):
                return
