"""The live stream: lines of the feed as server-sent events, resumable by the number of the last one seen."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse

from dispatcher.ports import Row
from dispatcher.timestamps import from_ms
from dispatcher.views.load import last_feed_seq
from dispatcher.web.context import WebContext
from dispatcher.web.problems import Problem
from dispatcher.web.state import context_of
from rules.grade import Grade

router = APIRouter(prefix="/api/v1", tags=["live"])
_AT_ONCE: Final = 200
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
    return StreamingResponse(stream(context, seen), media_type="text/event-stream", headers=headers)


async def stream(context: WebContext, seen: int) -> AsyncGenerator[str, None]:
    """Events behind ``seen``, until the engine stops."""
    with context.broadcast.listen() as heard:
        yield "retry: 2000\n\n"
        silent = heartbeats = 0
        while not context.stopping.is_set() and heartbeats < _MOST_HEARTBEATS:
            async with context.store.read() as reader:
                rows = await reader.fetch("desk.feed_after", {"county": context.county, "after": seen, "limit": _AT_ONCE})
            for row in rows:
                seen = row["seq"]
                yield event("feed", feed_line(context, row), seen)
            if len(rows) == _AT_ONCE:
                continue
            if await heard.wait(_WAIT_S):
                silent = 0
                yield event("board", {})
                await asyncio.sleep(_PAUSE_S)
                continue
            silent += 1
            if silent >= _HEARTBEAT_WAITS:
                silent, heartbeats = 0, heartbeats + 1
                yield ": still here\n\n"


def event(kind: str, data: dict[str, Any], seq: int | None = None) -> str:
    """One event; only lines of the feed carry a number to resume from."""
    number = "" if seq is None else f"id: {seq}\n"
    return f"{number}event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def feed_line(context: WebContext, row: Row) -> dict[str, Any]:
    """A line of the feed as the API gives it."""
    return {
        "seq": row["seq"],
        "at": from_ms(row["at"]).astimezone(context.registry.county.timezone).isoformat(),
        "status": row["status"],
        "kind": row["kind"],
        "grade": Grade(row["grade"]).word,
        "subject": row["subject"],
        "text_zh": row["text_zh"],
        "text_en": row["text_en"],
    }
