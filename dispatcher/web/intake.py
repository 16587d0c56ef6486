"""Readings and forecasts by HTTP, in bulk: 202 once what was good is durable, with a reason for each item that was not."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from dispatcher.accounts import Role
from dispatcher.errors import InHand, Overloaded, StandsBy
from dispatcher.intake.given_answers import answer_to, remembered
from dispatcher.model.reject import RejectCode, digest
from dispatcher.ports import Kind
from dispatcher.timestamps import to_ms
from dispatcher.web.bodies import FORECAST, READING, documented
from dispatcher.web.bulk_bodies import bulk_body
from dispatcher.web.gate import need
from dispatcher.web.problems import Problem, problem_response
from dispatcher.web.security import BULK_LIMIT, TooLarge, announced_bytes
from dispatcher.web.state import context_of

router = APIRouter(prefix="/api/v1", tags=["in"])
_RETRY_AFTER_S: Final = 2
_LONGEST_KEY: Final = 200

_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    202: {"description": "Durable. ``accepted`` and ``rejected`` are counts; ``rejects`` says why, item by item."},
    400: {"description": "The body is no gzip although it says so, or the Idempotency-Key cannot be. Nothing was taken in."},
    409: {"description": "A request with the same Idempotency-Key is being worked on; come back after Retry-After seconds."},
    413: {"description": "The body is too large; recorded among the rejects."},
    415: {"description": "A Content-Encoding other than gzip. Nothing was taken in."},
    422: {"description": "Nothing in it was good; a problem document names each bad item. Or the Idempotency-Key came with another body."},
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


@router.post(
    "/alerts",
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "CAP 1.2 (1.1, 1.0), alone, in an Atom feed or an EDXL distribution; at most 1 MiB.",
            "content": {"application/cap+xml": {"schema": {"type": "string"}}},
        }
    },
    responses=_RESPONSES,
)
async def alerts(request: Request) -> Response:
    """Messages of an upper level or a neighbour. Needs the role forecaster or higher; who releases them is in the policies."""
    return await _take(request, Kind.ALERTS)


async def _take(request: Request, kind: Kind) -> Response:
    principal = need(request, Role.FORECASTER)
    subject = f"{request.url.path} {principal.name}"
    key = _key(request, subject)
    try:
        body = await bulk_body(request)
    except TooLarge as refusal:
        await _record(request, subject, max(announced_bytes(request.scope), BULK_LIMIT + 1), refusal)
        raise
    context = context_of(request)
    try:
        with context.intake.holding(key):
            given = await _given(request, key, body)
            if given is not None:
                return _response(given, {"Idempotency-Replayed": "true"})
            return _response(answer_to(await context.intake.submit(body, kind, subject, key)), {})
    except InHand as error:
        raise Problem(409, f"{error}: ask again for its answer.", {"Retry-After": str(_RETRY_AFTER_S)}) from None
    except StandsBy as error:
        raise Problem(503, str(error), {"Retry-After": str(_RETRY_AFTER_S)}) from None
    except Overloaded as error:
        raise Problem(429, str(error) or "More is waiting than may be held.", {"Retry-After": str(_RETRY_AFTER_S)}) from None


def _key(request: Request, subject: str) -> str:
    """The sender's own name for this request, which is nobody else's; empty when it gave none."""
    key = request.headers.get("idempotency-key", "")
    if len(key) > _LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Problem(400, f"This Idempotency-Key cannot be; allowed: at most {_LONGEST_KEY} printable ASCII characters.")
    return f"{subject} {key}" if key else ""


async def _given(request: Request, key: str, body: bytes) -> dict[str, Any] | None:
    """What was answered to this key before."""
    if not key:
        return None
    context = context_of(request)
    async with context.store.read() as reader:
        found = await remembered(reader, context.county, key)
    if found is None:
        return None
    sha256, answer = found
    if sha256 != digest(body):
        raise Problem(422, "This Idempotency-Key came with another body before; allowed: a new key for a new body.")
    return answer


def _response(answer: dict[str, Any], headers: Mapping[str, str]) -> Response:
    if answer["rejected"] and not answer["accepted"]:
        why = f"Nothing in this body was good: {answer['rejects'][0]['message']}"
        return problem_response(Problem(422, why, headers, rejected=answer["rejected"], rejects=answer["rejects"]))
    return JSONResponse(answer, status_code=202, headers=dict(headers))


async def _record(request: Request, subject: str, size: int, problem: TooLarge) -> None:
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
        "excerpt": problem.beginning,
        "sha256": "",
        "size": size,
        "journal_seq": 0,
        "part": 0,
    }
    async with context.store.write() as transaction:
        await transaction.run("rejects.add", row)
    context.refused(RejectCode.TOO_LARGE.value)
