"""Asking Twilio what became of texts and who wrote back, for an installation that Twilio cannot call.

Replies: the list of messages to us, newest first, from a mark on. A list that is cut is gone on with from where it was cut, before
the mark moves. Reports: the list of what we sent lately; a text that it does not show is asked for by its SID, a few at a time.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from adapters.channels.twilio_account import ERRORS, Account
from dispatcher.errors import DeliveryError
from dispatcher.ports import Awaited, Receipt, Reply

PAGE: Final = 1000
REPLIES_AT_ONCE: Final = 1000
REPORTS_AT_ONCE: Final = 5000
OVERLAP: Final = timedelta(minutes=2)
"""What came as long before the mark is looked at again: a list may show a message some time after its date."""

BEFORE_FIRST: Final = timedelta(minutes=1)
LISTED: Final = timedelta(minutes=15)
SHOWN_WITHIN: Final = timedelta(seconds=30)
SINGLY_AT_ONCE: Final = 50
FORGOTTEN: Final = "20404"
_TOGETHER: Final = 10
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Mark:
    """All up to ``since`` is known. While a list is being gone through, ``top`` is its newest and ``until`` how far down it was read."""

    since: datetime
    top: datetime | None = None
    until: datetime | None = None

    def text(self) -> str:
        """As it is kept."""
        return json.dumps([at.isoformat() if at else None for at in (self.since, self.top, self.until)])


def mark_of(text: str) -> Mark:
    """What ``Mark.text`` wrote."""
    since, top, until = (datetime.fromisoformat(at) if at else None for at in json.loads(text))
    if since is None:
        raise ValueError("a mark says since when")
    return Mark(since, top, until)


def after(mark: Mark, dates: Sequence[datetime], *, cut: bool) -> Mark:
    """The mark after a list with these dates; ``cut`` when it goes on below them."""
    top = mark.top or max((*dates, mark.since))
    return Mark(mark.since, top, min(dates)) if cut else Mark(max(top, mark.since))


@dataclass(slots=True)
class Inquiry:
    """Asks one account about the texts from and to ``sender``. ``receipt`` makes a report of a message resource."""

    account: Account
    sender: str
    channel: str
    receipt: Callable[[str, Any], Receipt]
    _until: datetime | None = None
    _asked: dict[str, int] = field(default_factory=dict)
    _turn: int = 0

    async def replies(self, kept: str, now: datetime) -> tuple[list[Reply], Mark]:
        """What people wrote since the mark, oldest first, and the mark after it; nothing older than our first look."""
        if not kept:
            return [], Mark(now - BEFORE_FIRST)
        mark, limit = mark_of(kept), REPLIES_AT_ONCE
        while True:
            found = await self._list(limit, date_sent_after=mark.since - OVERLAP, date_sent_before=mark.until, **self._towards("to"))
            dates = [message.date_sent for message in found if message.date_sent]
            cut = len(found) >= limit and bool(dates)
            if not (cut and mark.until and min(dates) >= mark.until):
                break
            limit *= 2  # more in one second than a list holds: without more we should not get past it
        inbound = [m for m in reversed(found) if m.direction == "inbound" and self._is_ours(m)]
        return [self._reply(m) for m in inbound], after(mark, dates, cut=cut)

    def _reply(self, text: Any) -> Reply:  # noqa: ANN401 - the library's own resource
        at = text.date_sent + _SECOND if text.date_sent else None  # its dates have whole seconds
        return Reply(channel=self.channel, address=text.from_ or "", text=text.body or "", reference=text.sid or "", at=at)

    async def reports(self, awaited: Sequence[Awaited], now: datetime) -> list[Receipt]:
        """What has changed about the texts awaited."""
        if not awaited:
            self._until = None
            return []
        by_reference = {one.reference: one for one in awaited}
        bottom = max(min(one.since for one in awaited), now - LISTED) - _SECOND
        found = await self._list(REPORTS_AT_ONCE, date_sent_after=bottom, date_sent_before=self._until, **self._towards("from_"))
        dates = [message.date_sent for message in found if message.date_sent]
        cut = len(found) >= REPORTS_AT_ONCE and bool(dates)
        whole = not cut and self._until is None
        self._until = min(dates) if cut else None
        shown = {message.sid: message for message in found}
        late = [one for one in awaited if one.reference not in shown and one.since < (now - SHOWN_WITHIN if whole else bottom)]
        shown |= {message.sid: message for message in await self._singly(late)}
        told = [(one, self.receipt(one.delivery, shown[r])) for r, one in by_reference.items() if r in shown]
        return [receipt for one, receipt in told if receipt.state is not one.state]

    async def _singly(self, late: Sequence[Awaited]) -> list[Any]:
        """Some of them by their SIDs: those first that were not asked for the longest time."""
        self._turn += 1
        self._asked = {one.reference: self._asked.get(one.reference, 0) for one in late}
        chosen = sorted(self._asked, key=self._asked.__getitem__)[:SINGLY_AT_ONCE]
        self._asked |= dict.fromkeys(chosen, self._turn)
        found: list[Any] = []
        for start in range(0, len(chosen), _TOGETHER):
            found += await asyncio.gather(*(self._one(sid) for sid in chosen[start : start + _TOGETHER]))
        return [message for message in found if message is not None]

    async def _one(self, sid: str) -> Any:  # noqa: ANN401 - as above
        try:
            return await self._answered(lambda: self.account.client.messages(sid).fetch_async())
        except DeliveryError as error:
            if error.code == FORGOTTEN:
                return None  # it stays as it is
            raise

    async def _list(self, limit: int, **asked: object) -> list[Any]:
        given: Mapping[str, Any] = {name: value for name, value in asked.items() if value is not None}
        found: list[Any] = await self._answered(
            lambda: self.account.client.messages.list_async(limit=limit, page_size=min(limit, PAGE), **given)
        )
        return found

    async def _answered(self, ask: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - the library's own resources
        try:
            return await ask()
        except ERRORS as error:
            raise self.account.failure(error, asked_only=True) from None

    def _towards(self, side: str) -> Mapping[str, str]:
        """What to ask the list for; a messaging service has many numbers, and the list knows only numbers."""
        return {} if self.sender.startswith("MG") else {side: self.sender}

    def _is_ours(self, message: Any) -> bool:  # noqa: ANN401 - as above
        return not self.sender.startswith("MG") or message.messaging_service_sid == self.sender
