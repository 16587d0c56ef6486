"""The live stream: lines of the feed as server-sent events, resumable by the number of the last one seen."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse

from dispatcher.views.load import last_feed_seq
from dispatcher.web.context import WebContext
from dispatcher.web.lines import AT_ONCE, Lines, event
from dispatcher.web.problems import Problem
from dispatcher.web.state import context_of, shared

router = APIRouter(prefix="/api/v1", tags=["live"])
_WAIT_S: Final = 1.0
_HEARTBEAT_WAITS: Final = 15
#: A stream ends after this many heartbeats, about an hour: the browser comes back, and its login is looked at again.
_MOST_HEARTBEATS: Final = 240
#: Between two rounds, so that a storm of commits costs one query each.
_PAUSE_S: Final = 0.25


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "feed: one line of the feed; board: something else changed"}},
)
async def events(request: Request, after: int | None = None) -> StreamingResponse:
    """The live stream (SSE). ``Last-Event-ID``, else ``after``, is the number of the last line seen; without both it begins now."""
    context = context_of(request)
    last = request.headers.get("last-event-id", "")
    if last and not last.isdecimal():
        raise Problem(400, f"Last-Event-ID must be the number of a line, not {last[:20]!r}.")
    seen = int(last) if last else after
    if seen is None:
        async with context.store.read() as reader:
            seen = await last_feed_seq(reader, context.county)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(stream(context, shared(request).lines, seen), media_type="text/event-stream", headers=headers)


async def stream(context: WebContext, lines: Lines, seen: int) -> AsyncGenerator[str, None]:
    """Events behind ``seen``, until the engine stops."""
    with context.broadcast.listen() as heard:
        yield "retry: 2000\n\n"
        silent = heartbeats = 0
        lines.spoil()  # what was committed before we listened
        while not context.stopping.is_set() and heartbeats < _MOST_HEARTBEATS:
            seen, text, count = await lines.after(seen)
            if text:
                yield text
            if count >= AT_ONCE:
                continue
            if await heard.wait(_WAIT_S):
                silent = 0
                lines.spoil()
                yield _BOARD
                await asyncio.sleep(_PAUSE_S)
                continue
            silent += 1
            if silent >= _HEARTBEAT_WAITS:
                silent, heartbeats = 0, heartbeats + 1
                yield ": still here\n\n"


_BOARD: Final = event("board", {})
