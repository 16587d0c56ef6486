"""HTTP/1.1 to one gateway over lines that are kept: one request, one whole answer, no more.

A library that does everything costs three times what a text costs otherwise, and an alert for a county is 30,000 texts.
Parsing is httptools'; there are no redirects, proxies, cookies or compression, because nothing asks for them.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import httptools

_KEEP_ALIVE_S = 60
_LONGEST_ANSWER = 16 * 1024 * 1024
_INTERIM = 200
_SIZED = frozenset({b"content-length", b"transfer-encoding"})


class NoLine(OSError):
    """No connection stood: the request did not leave."""


class NoAnswer(OSError):
    """The request left, and no whole answer came."""


class Answer(NamedTuple):
    """What the gateway said; names of headers are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a gateway listens."""

    host: str
    port: int
    tls: bool


def split(url: str) -> tuple[Origin, str, str]:
    """Origin, authority and target of an address."""
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    origin = Origin(parts.hostname or "", parts.port or (443 if tls else 80), tls)
    return origin, parts.netloc.rpartition("@")[2], (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def request_head(method: str, target: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """The beginning of a request; ValueError when a value would begin a line of its own."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    head = "\r\n".join(lines)
    if head.count("\r") != len(lines) - 1 or head.count("\n") != len(lines) - 1:
        raise ValueError("a header must not hold a line break")
    return head.encode("latin-1")


class _Line(asyncio.Protocol):
    """One connection: at most one request is under way on it."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._length = 0
        self._headed = self._sized = False
        self.idle_since_s = 0.0

    @property
    def usable(self) -> bool:
        """Whether another request may go over it."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes, timeout_s: float) -> Answer:
        """Send a request and wait for its answer. The line is closed when that does not come, or comes to be unwanted."""
        if self._transport is None or self._transport.is_closing():
            raise NoLine("the connection was closed before the request left")
        loop = asyncio.get_running_loop()
        self._answer = loop.create_future()
        timer = loop.call_later(timeout_s, self._fail, "no answer in time")
        try:
            self._transport.write(request)
            return await self._answer
        except BaseException:
            self.close()
            raise
        finally:
            timer.cancel()
            self._answer = None

    def close(self) -> None:
        """Close it at once."""
        if self._transport is not None:
            self._transport.abort()

    # ------------------------------------------------------------------------------- what the connection tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Some bytes."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail("what came is no answer in HTTP/1.1")

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone. An answer of unknown length ends with it."""
        self._transport = None
        if exc is None and self._headed and not self._sized:
            self._end()
        self._fail("the connection broke before the answer was complete")

    # --------------------------------------------------------------------------------------- what is parsed

    def on_message_begin(self) -> None:
        """An answer begins; one that nobody asked for ends the connection."""
        self._headers, self._body, self._length = {}, [], 0
        self._headed = self._sized = False
        if self._answer is None or self._answer.done():
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        name = name.lower()
        self._sized = self._sized or name in _SIZED
        self._headers[name.decode("latin-1")] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The body follows."""
        self._headed = True

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        self._body.append(body)
        self._length += len(body)
        if self._length > _LONGEST_ANSWER:
            self._fail("the answer is too long")

    def on_message_complete(self) -> None:
        """The answer is whole; an interim one is not the answer."""
        if self._parser.get_status_code() < _INTERIM:
            return
        keeps = self._parser.should_keep_alive()
        self._end()
        if not keeps:
            self.close()

    def _end(self) -> None:
        self._headed = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(self._parser.get_status_code(), self._headers, b"".join(self._body)))

    def _fail(self, why: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NoAnswer(why))
        self.close()


class Lines:
    """The lines to one origin, at most so many; who finds none free waits for his turn."""

    def __init__(self, origin: Origin, *, most: int, connect_timeout_s: float, timeout_s: float) -> None:
        """Opens nothing."""
        self._origin = origin
        self._connect_timeout_s = connect_timeout_s
        self._timeout_s = timeout_s
        self._free: deque[_Line] = deque()
        self._all: set[_Line] = set()
        self._turns = asyncio.Semaphore(most)
        self._tls = ssl.create_default_context() if origin.tls else None

    async def ask(self, request: bytes) -> Answer:
        """One request, one answer; NoLine or NoAnswer otherwise."""
        async with self._turns:
            line = self._kept() or await self._opened()
            try:
                return await line.ask(request, self._timeout_s)
            finally:
                if line.usable:
                    line.idle_since_s = asyncio.get_running_loop().time()
                    self._free.append(line)
                else:
                    self._all.discard(line)

    def close(self) -> None:
        """Close all of them; whoever waits for an answer gets none."""
        for line in self._all:
            line.close()
        self._free.clear()
        self._all.clear()

    def _kept(self) -> _Line | None:
        """The line used last, if the far side is likely to have it open still."""
        oldest_s = asyncio.get_running_loop().time() - _KEEP_ALIVE_S
        while self._free:
            line = self._free.pop()
            if line.usable and line.idle_since_s > oldest_s:
                return line
            line.close()
            self._all.discard(line)
        return None

    async def _opened(self) -> _Line:
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                _, line = await asyncio.get_running_loop().create_connection(
                    _Line, self._origin.host, self._origin.port, ssl=self._tls, server_hostname=self._origin.host if self._tls else None
                )
        except (OSError, TimeoutError) as error:
            raise NoLine(f"the gateway cannot be reached ({type(error).__name__})") from None
        self._all.add(line)
        return line
