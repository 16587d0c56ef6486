"""Readings and forecasts by HTTP, in bulk: 202 once what was good is durable, with a reason for each item that was not."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from dispatcher.accounts import Role
from dispatcher.errors import Overloaded, StandsBy
from dispatcher.model.reject import Reject, RejectCode
from dispatcher.ports import Kind
from dispatcher.timestamps import to_ms
from dispatcher.web.bodies import FORECAST, READING, documented
from dispatcher.web.gate import need
from dispatcher.web.problems import Problem
from dispatcher.web.security import BULK_LIMIT, TooLarge, announced_bytes, too_large
from dispatcher.web.state import context_of

router = APIRouter(prefix="/api/v1", tags=["in"])
_RETRY_AFTER_S: Final = 2
_EXCERPT: Final = 256
_MOST_LISTED: Final = 1_000

_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    202: {"description": "Durable. ``accepted`` and ``rejected`` are counts; ``rejects`` says why, item by item."},
    413: {"description": "The body is too large; recorded among the rejects."},
    422: {"description": "Nothing in it was good; a problem document names each bad item."},
    429: {"description": "More is waiting than may be held; come back after Retry-After seconds. Nothing was taken in."},
    503: {"description": "This worker stands by; the one that decides takes it, or this one once it has taken over. Nothing was taken in."},
}


@router.post(
    "/readings",
    status_code=202,
    openapi_extra=documented(READING, "One object, an array, JSON lines, or CSV with the same names", "text/csv"),
    responses=_RESPONSES,
)
async def readings(request: Request) -> Response:
    """Readings of stations. Needs the role forecaster or higher."""
    return await _take(request, Kind.READINGS)


@router.post("/forecasts", status_code=202, openapi_extra=documented(FORECAST, "One object, an array, or JSON lines"), responses=_RESPONSES)
async def forecasts(request: Request) -> Response:
    """Forecasts. Needs the role forecaster or higher."""
    return await _take(request, Kind.FORECASTS)


async def _take(request: Request, kind: Kind) -> Response:
    principal = need(request, Role.FORECASTER)
    subject = f"{request.url.path} {principal.name}"
    body = await _body(request, subject)
    try:
        decoded = await context_of(request).intake.submit(body, kind, subject)
    except StandsBy as error:
        raise Problem(503, str(error), {"Retry-After": str(_RETRY_AFTER_S)}) from None
    except Overloaded as error:
        raise Problem(429, str(error) or "More is waiting than may be held.", {"Retry-After": str(_RETRY_AFTER_S)}) from None
    rejected = sum(r.count for r in decoded.rejects)
    listed = [reject_as_json(r) for r in decoded.rejects[:_MOST_LISTED]]
    accepted = len(decoded.readings) + len(decoded.forecasts)
    if rejected and not accepted:
        raise Problem(422, f"Nothing in this body was good: {decoded.rejects[0].message}", rejected=rejected, rejects=listed)
    return JSONResponse({"accepted": accepted, "rejected": rejected, "rejects": listed}, status_code=202)


async def _body(request: Request, subject: str) -> bytes:
    """The body, read no further than its limit; what is larger is recorded and refused."""
    announced = announced_bytes(request.scope)
    taken = bytearray()
    try:
        async for chunk in request.stream():
            taken += chunk
            if announced > BULK_LIMIT:
                raise too_large(BULK_LIMIT)  # after its first part, which tells whose it is
    except TooLarge as refusal:
        excerpt = bytes(taken[:_EXCERPT]) or refusal.beginning
        await _record(request, subject, excerpt, max(announced, BULK_LIMIT + 1), refusal)
        raise
    return bytes(taken)


async def _record(request: Request, subject: str, excerpt: bytes, size: int, problem: Problem) -> None:
    """Into the reject store; the hash stays empty, since the whole was never read."""
    context = context_of(request)
    row = {
        "county": context.county,
        "source": "http",
        "subject": subject,
        "at": to_ms(context.clock.now()),
        "code": RejectCode.TOO_LARGE.value,
        "reason": problem.detail,
        "item": 0,
        "excerpt": excerpt,
        "sha256": "",
        "size": size,
        "journal_seq": 0,
        "part": 0,
    }
    async with context.store.write() as transaction:
        await transaction.run("rejects.add", row)
    context.refused(RejectCode.TOO_LARGE.value)


def reject_as_json(reject: Reject) -> dict[str, Any]:
    """One refused item as the caller sees it."""
    return {
        "code": reject.code.value,
        "message": reject.message,
        "item": reject.index,
        "line": reject.line,
        "excerpt": reject.excerpt.decode("utf-8", "replace"),
    }
