"""The lines to a gateway, against servers that behave and servers that do not."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.channels.kept_lines import Answer, Lines, NoAnswer, NoLine, Origin, request_head, split
from tests.services.certificates import Authority

REQUEST = request_head("GET", "/", [("Host", "gateway")])
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Gateway:
    """A server that says what it is told to, and counts who came."""

    def __init__(self, *says: bytes, closes: bool = False, after_s: float = 0) -> None:
        self.says = list(says)
        self.came = 0
        self.asked = 0
        self.serving: set[asyncio.Task[None] | None] = set()
        self._closes = closes
        self._after_s = after_s

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came += 1
        self.serving.add(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                self.asked += 1
                await asyncio.sleep(self._after_s)
                for part in self.says:
                    writer.write(part)
                    await writer.drain()
                if self._closes:
                    break
        writer.close()


@contextlib.asynccontextmanager
async def lines_to(gateway: Gateway, *, most: int = 2, timeout_s: float = 5) -> AsyncIterator[Lines]:
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0)
    lines = Lines(Origin("127.0.0.1", server.sockets[0].getsockname()[1], tls=False), most=most, connect_timeout_s=5, timeout_s=timeout_s)
    async with server:
        yield lines
        lines.close()
        await asyncio.gather(*filter(None, gateway.serving))


async def test_one_line_carries_one_request_after_the_other() -> None:
    gateway = Gateway(ANSWER)
    async with lines_to(gateway) as lines:
        for _ in range(3):
            assert await lines.ask(REQUEST) == Answer(200, {"content-length": "2"}, b"ok")
    assert (gateway.came, gateway.asked) == (1, 3)


async def test_there_are_never_more_lines_than_allowed_and_everybody_has_his_turn() -> None:
    gateway = Gateway(ANSWER, after_s=0.01)
    async with lines_to(gateway, most=2) as lines:
        answers = await asyncio.gather(*(lines.ask(REQUEST) for _ in range(20)))
    assert [answer.body for answer in answers] == [b"ok"] * 20
    assert gateway.came <= 2


@pytest.mark.parametrize(
    "says",
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n", b"1\r\nk\r\n0\r\n\r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", ANSWER),
        (b"HTTP/1.1 200 OK\r\nContent-", b"Length: 2\r\n\r\n", b"o", b"k"),
    ],
    ids=["chunked", "after an interim answer", "in pieces"],
)
async def test_an_answer_is_read_however_it_is_cut(says: tuple[bytes, ...]) -> None:
    async with lines_to(Gateway(*says)) as lines:
        for _ in range(2):
            answer = await lines.ask(REQUEST)
            assert (answer.status, answer.body) == (200, b"ok")


async def test_an_answer_without_a_length_ends_with_its_line() -> None:
    gateway = Gateway(b"HTTP/1.1 200 OK\r\n\r\no", b"k", closes=True)
    async with lines_to(gateway) as lines:
        for _ in range(2):
            assert (await lines.ask(REQUEST)).body == b"ok"
    assert gateway.came == 2


@pytest.mark.parametrize(
    "says",
    [
        b"",
        b"HTTP/1.1 20",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 101 X\r\nUpgrade: a\r\n\r\n",
    ],
    ids=["nothing", "half a line", "half a body", "another protocol", "an upgrade"],
)
async def test_a_request_without_a_whole_answer_may_have_been_taken(says: bytes) -> None:
    async with lines_to(Gateway(says, closes=True)) as lines:
        with pytest.raises(NoAnswer):
            await lines.ask(REQUEST)


async def test_an_answer_that_is_late_is_not_given_to_the_next_request() -> None:
    gateway = Gateway(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst", after_s=0.3)
    async with lines_to(gateway, most=1, timeout_s=0.1) as lines:
        with pytest.raises(NoAnswer):
            await lines.ask(REQUEST)
        await asyncio.sleep(0.5)
        with pytest.raises(NoAnswer):
            await lines.ask(REQUEST)
    assert gateway.came == 2


async def test_whoever_gives_up_takes_his_line_with_him() -> None:
    gateway = Gateway(ANSWER, after_s=0.2)
    async with lines_to(gateway, most=1) as lines:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await lines.ask(REQUEST)
        assert (await lines.ask(REQUEST)).body == b"ok"
    assert gateway.came == 2


async def test_a_line_that_the_far_side_closed_is_not_used_again() -> None:
    gateway = Gateway(ANSWER, closes=True)
    async with lines_to(gateway) as lines:
        for _ in range(3):
            assert (await lines.ask(REQUEST)).body == b"ok"
            await asyncio.sleep(0.05)
    assert gateway.came == 3


async def test_what_nobody_asked_for_ends_the_line() -> None:
    gateway = Gateway(ANSWER, ANSWER)
    async with lines_to(gateway) as lines:
        for _ in range(2):
            assert (await lines.ask(REQUEST)).body == b"ok"
            await asyncio.sleep(0.05)
    assert gateway.came == 2


async def test_where_nobody_listens_nothing_has_left() -> None:
    async with lines_to(Gateway(ANSWER)) as lines:
        pass
    with pytest.raises(NoLine):
        await lines.ask(REQUEST)


async def test_a_gateway_that_does_not_speak_tls_gets_nothing_of_a_request() -> None:
    gateway = Gateway(ANSWER)
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0)
    async with server:
        origin = Origin("127.0.0.1", server.sockets[0].getsockname()[1], tls=True)
        lines = Lines(origin, most=1, connect_timeout_s=0.5, timeout_s=1)
        with pytest.raises(NoLine):
            await lines.ask(REQUEST)
        await asyncio.gather(*filter(None, gateway.serving))
    assert gateway.asked == 0


async def test_over_tls_the_gateway_proves_who_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, gateway = Authority(tmp_path / "certificates"), Gateway(ANSWER)
    signed = authority.sign("gateway")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(signed.certificate, signed.key)
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0, ssl=context)
    async with server:
        origin = Origin("127.0.0.1", server.sockets[0].getsockname()[1], tls=True)
        strangers = Lines(origin, most=1, connect_timeout_s=5, timeout_s=5)
        with pytest.raises(NoLine):
            await strangers.ask(REQUEST)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca.certificate))
        lines = Lines(origin, most=1, connect_timeout_s=5, timeout_s=5)
        for _ in range(2):
            assert (await lines.ask(REQUEST)).body == b"ok"
        lines.close()
        await asyncio.gather(*filter(None, gateway.serving))
    assert (gateway.came, gateway.asked) == (1, 2)


def test_a_header_cannot_begin_a_line_of_its_own() -> None:
    with pytest.raises(ValueError, match="line break"):
        request_head("GET", "/", [("Host", "a\r\nX-Other: b")])


def test_an_address_is_split_into_where_and_what() -> None:
    assert split("https://api.example/2010-04-01/x.json?a=1") == (
        Origin("api.example", 443, tls=True),
        "api.example",
        "/2010-04-01/x.json?a=1",
    )
    assert split("http://127.0.0.1:8080") == (Origin("127.0.0.1", 8080, tls=False), "127.0.0.1:8080", "/")
