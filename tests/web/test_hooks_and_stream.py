import asyncio
from collections.abc import AsyncIterator

import pytest

from dispatcher.model.task import FeedKind, FeedLine
from dispatcher.ports import Heard, HookRefused, HookRequest, Message, Receipt, Status, Store
from dispatcher.rows import row_of
from dispatcher.web.events import stream
from dispatcher.web.lines import Lines
from rules.grade import Grade
from tests.web.bench import Bench, make_bench
from tests.web.seed import NOW, registry


class Gateway:
    """A channel whose calls are genuine when they say so."""

    name = "sms"

    def __init__(self) -> None:
        self.calls: list[HookRequest] = []

    async def send(self, message: Message) -> Receipt:
        raise NotImplementedError

    async def close(self) -> None:
        return

    def hear(self, request: HookRequest) -> Heard:
        self.calls.append(request)
        if ("genuine", "yes") not in request.form:
            raise HookRefused
        return Heard()


@pytest.fixture
async def hooked(store: Store) -> AsyncIterator[tuple[Bench, Gateway]]:
    gateway = Gateway()
    made = await make_bench(store, channels={"sms": gateway})
    task = asyncio.create_task(made.desk.run())
    async with made.client:
        yield made, gateway
    await made.desk.stop()
    await task


async def test_a_gateway_is_heard_with_the_public_url_and_every_blank_field(hooked: tuple[Bench, Gateway]) -> None:
    bench, gateway = hooked
    answer = await bench.client.post("/hooks/sms/status?d=a%2Fb", content=b"genuine=yes&Body=&Body=%E6%94%B6%E5%88%B0")
    assert answer.status_code == 204
    call = gateway.calls[0]
    assert call.url == "http://duty.example/hooks/sms/status?d=a%2Fb"
    assert list(call.form) == [("genuine", "yes"), ("Body", ""), ("Body", "收到")]
    assert call.hook == "status"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param("/hooks/sms/reply", b"genuine=no", 403, id="forged"),
        pytest.param("/hooks/pigeon/reply", b"genuine=yes", 404, id="unknown gateway"),
        pytest.param("/hooks/sms/reply", b"a=%", 403, id="odd escape"),
        pytest.param("/hooks/sms/reply", b"\xff\xfe=1", 400, id="not utf-8"),
        pytest.param("/hooks/sms/reply", b"a=" + b"x" * 70_000, 413, id="too large"),
    ],
)
async def test_a_call_that_is_not_genuine_changes_nothing(hooked: tuple[Bench, Gateway], path: str, body: bytes, status: int) -> None:
    answer = await hooked[0].client.post(path, content=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_stream_resumes_behind_the_last_line_seen_and_tells_of_other_changes(bench: Bench) -> None:
    events = stream(bench.context, Lines(bench.context), 7)
    assert "retry" in await anext(events)
    assert (await anext(events)).startswith("id: 8\nevent: feed\n")
    bench.place.broadcast.wake()
    assert (await anext(events)).startswith("event: board\n")
    line = FeedLine(
        county=registry().county.code,
        status=Status.ACTUAL,
        at=NOW,
        kind=FeedKind.ALERT,
        grade=Grade.RED,
        subject="",
        text_zh="红",
        text_en="red",
    )
    async with bench.store.write() as tx:
        await tx.run("desk.add_feed", row_of(line))
    told = await anext(events)
    assert told.startswith("id: 9\nevent: feed\n")
    assert "2026-07-20T17:12:40+08:00" in told
    await events.aclose()


async def test_the_stream_ends_when_the_engine_stops(bench: Bench) -> None:
    bench.context.stopping.set()
    assert [event async for event in stream(bench.context, Lines(bench.context), 0)] == ["retry: 2000\n\n"]
