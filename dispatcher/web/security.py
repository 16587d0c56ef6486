"""What holds for every response and every request: security headers, bounded bodies."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dispatcher.web.problems import Problem, problem_response

BULK_LIMIT: Final = 1024 * 1024
FORM_LIMIT: Final = 64 * 1024
REGISTRY_LIMIT: Final = 64 * 1024 * 1024
REGISTRY_PATHS: Final = frozenset({"/api/v1/registry/import", "/api/v1/registry/households"})
ROSTER_FILES: Final = ("/calendar.ics", "/rosters/duty.csv")
PHOTO_LIMIT: Final = 6 * 1024 * 1024
PHOTO_PREFIX: Final = "/v/"
BULK_PATHS: Final = frozenset({"/api/v1/readings", "/api/v1/forecasts", "/api/v1/alerts"})

_BEGINNING: Final = 256

_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class SecurityHeaders:
    """Adds the headers that keep a page from being framed, sniffed, or sent further; pages are never cached."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add to the head of the response."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class BoundedBody:
    """Refuses a body above the limit of its path with 413: at once when its length is announced, else while it comes.

    One that breaks off is nobody's error: there is nobody left to be answered, and nothing of it was used.
    The bulk addresses look at the announced length themselves, after the login: what they refuse is also recorded.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a counted body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = limit_of(scope["path"])
        if scope["path"] not in BULK_PATHS and announced_bytes(scope) > limit:
            await problem_response(too_large(limit))(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise too_large(limit, message.get("body", b""))
            return message

        try:
            await self._app(scope, counted, send)
        except Problem as problem:
            await problem_response(problem)(scope, receive, send)
        except ClientDisconnect:
            return


def limit_of(path: str) -> int:
    """How many bytes a body for this path may have."""
    if path in REGISTRY_PATHS:
        return REGISTRY_LIMIT
    if path.startswith(PHOTO_PREFIX):
        return PHOTO_LIMIT
    return BULK_LIMIT if path in BULK_PATHS or path.endswith(ROSTER_FILES) else FORM_LIMIT


def announced_bytes(scope: Scope) -> int:
    """The length that the head of a request announces; 0 when it does not."""
    length = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
    return int(length) if length.isdigit() else 0


class TooLarge(Problem):
    """A body above its limit; ``beginning`` holds the first bytes of the part that went over it."""

    beginning: bytes = b""


def too_large(limit: int, body: bytes = b"") -> TooLarge:
    """The refusal of a body above its limit."""
    refusal = TooLarge(413, f"The body is larger than {limit} bytes, which is all that this address takes.", {"Connection": "close"})
    refusal.beginning = body[:_BEGINNING]
    return refusal
