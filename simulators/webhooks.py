"""Calls to the engine's web addresses: signed as Twilio does, repeated until they get through."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from simulators import signature

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
REFUSED = 400
SERVER_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a call ended: the HTTP status of the last try, or 0 when nobody answered."""

    status: int
    tries: int = 1
    page: str = ""

    @property
    def through(self) -> bool:
        """Somebody took it."""
        return 0 < self.status < REFUSED

    @property
    def answered(self) -> bool:
        """Somebody took it or said no (4xx); otherwise it is worth another try."""
        return 0 < self.status < SERVER_ERROR

    @property
    def code(self) -> str:
        """``http-410`` or ``no-answer``."""
        return f"http-{self.status}" if self.status else "no-answer"


class Webhooks:
    """One session kept alive for all calls."""

    def __init__(self, session: aiohttp.ClientSession, token: str, patience_s: float) -> None:
        """``patience_s``: how long, in real seconds, a call is repeated before it is given up."""
        self._session = session
        self._token = token
        self._patience_s = patience_s

    async def call(self, url: str, form: Sequence[tuple[str, str]], key: str) -> Outcome:
        """POST a signed form until it is answered. ``key`` is the idempotency token, the same for every try."""
        headers = {signature.HEADER: signature.signature(self._token, url, form), "I-Twilio-Idempotency-Token": key}
        return await self.insist("POST", url, form, headers)

    async def insist(
        self, method: str, url: str, form: Sequence[tuple[str, str]] = (), headers: Mapping[str, str] | None = None
    ) -> Outcome:
        """Make a request until it is answered or patience is at its end. No connection and 5xx are tried again, slower each time."""
        give_up_at = time.monotonic() + self._patience_s
        pause_s, tries = FIRST_PAUSE_S, 0
        while True:
            tries += 1
            status, page = await self._request(method, url, form, headers or {})
            outcome = Outcome(status=status, tries=tries, page=page)
            if outcome.answered or time.monotonic() + pause_s > give_up_at:
                return outcome
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _request(self, method: str, url: str, form: Sequence[tuple[str, str]], headers: Mapping[str, str]) -> tuple[int, str]:
        carried = {"data": form} if method == "POST" else {"params": form}
        try:
            async with self._session.request(method, url, headers=headers, **carried) as response:  # type: ignore[arg-type]
                return response.status, await response.text(errors="replace")
        except (aiohttp.ClientError, TimeoutError):
            return 0, ""
