"""The feed as events, written out once for all who follow it."""

import asyncio
import json
from collections import deque
from typing import Any, Final

from dispatcher.ports import Row
from dispatcher.timestamps import from_ms
from dispatcher.web.context import WebContext
from rules.grade import Grade

AT_ONCE: Final = 500
_KEPT: Final = 5_000


class Lines:
    """The newest lines of the feed as events, read and written out once for all viewers, however many there are."""

    def __init__(self, context: WebContext) -> None:
        """Nothing is read yet."""
        self._context = context
        self._recent: deque[tuple[int, str]] = deque(maxlen=_KEPT)
        self._reading = asyncio.Lock()
        self._stale = True
        self._joined: dict[int, tuple[int, str, int]] = {}

    def spoil(self) -> None:
        """Something was committed: whoever asks next reads on."""
        self._stale = True

    async def after(self, seen: int) -> tuple[int, str, int]:
        """The number of the newest line, the events of those behind ``seen``, and how many they are; at most some hundred at once."""
        if self._stale:
            async with self._reading:
                if self._stale:
                    self._stale = False
                    await self._read_on(seen)
        if not self._recent or seen < self._recent[0][0] - 1:  # somebody who comes back after a long time
            rows = await self._rows(seen)
            return (rows[-1]["seq"] if rows else seen), "".join(self._event(row) for row in rows), len(rows)
        found = self._joined.get(seen)
        if found is None:
            behind = [(seq, text) for seq, text in self._recent if seq > seen]
            found = (behind[-1][0] if behind else seen), "".join(text for _, text in behind), len(behind)
            self._joined[seen] = found
        return found

    async def _read_on(self, seen: int) -> None:
        newest = self._recent[-1][0] if self._recent else seen
        while rows := await self._rows(newest):
            self._recent.extend((row["seq"], self._event(row)) for row in rows)
            newest = rows[-1]["seq"]
        self._joined.clear()

    async def _rows(self, seen: int) -> list[Row]:
        async with self._context.store.read() as reader:
            return await reader.fetch("desk.feed_after", {"county": self._context.county, "after": seen, "limit": AT_ONCE})

    def _event(self, row: Row) -> str:
        return event("feed", feed_line(self._context, row), row["seq"])


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
