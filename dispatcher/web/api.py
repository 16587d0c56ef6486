"""The API: lists, paged from the newest; answers on behalf and tasks closed. Times with the county's offset."""

from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from dispatcher.accounts import Role
from dispatcher.errors import NotAsked
from dispatcher.intake.refeeding import ask
from dispatcher.ports import Row
from dispatcher.timestamps import from_ms
from dispatcher.upkeep.audit import Act
from dispatcher.views.masking import mask
from dispatcher.web import preview_api
from dispatcher.web.behalf import BehalfAnswer, write_down
from dispatcher.web.gate import check_form_token, need, principal_of
from dispatcher.web.lines import feed_line
from dispatcher.web.problems import Problem
from dispatcher.web.state import context_of, origin_of
from rules.grade import Grade

router = APIRouter(prefix="/api/v1", tags=["api"])
router.include_router(preview_api.router)
T = TypeVar("T")
_NEWEST: Final = 2**62
Limit = Annotated[int, Query(ge=1, le=500, description="Most items of a page.")]
Before = Annotated[int, Query(ge=1, description="Only items before this number: ``next`` of the page before.")]
_TIMES: Final = frozenset(
    (
        *("at", "opened_at", "updated_at", "closed_at", "released_at", "expires_at", "planned_at", "accepted_at", "sent_at"),
        *("alert_due", "next_due", "due", "lease", "renew_at", "deadline", "since", "onset", "stage_due"),
        *("known_at", "phoned_at", "reminded_at", "drafted_at", "given_at", "feedback_at"),
    )
)
_GRADES: Final = frozenset(("grade", "before", "told", "village_grade", "level"))


class Page(BaseModel, Generic[T]):
    """One page of a list; ``next`` is the ``before`` (or ``after``) of the following page, null at the end."""

    items: list[T]
    next: int | None


Item = dict[str, Any]


def as_item(request: Request, row: Row) -> Item:
    """A row as the API gives it: times in RFC 3339, grades as words."""
    zone = context_of(request).registry.county.timezone
    item: Item = {}
    for name, value in row.items():
        if name in _TIMES:
            item[name] = None if value is None else from_ms(value).astimezone(zone).isoformat()
        else:
            item[name] = Grade(value).word if name in _GRADES and value is not None else value
    return item


async def _list(request: Request, query: str, limit: int, **params: object) -> Page[Item]:
    context = context_of(request)
    async with context.store.read() as reader:
        rows = await reader.fetch(query, params | {"county": context.county, "limit": limit})
    return Page(items=[as_item(request, row) for row in rows], next=rows[-1]["seq"] if len(rows) == limit else None)


@router.get("/warnings")
async def warnings(request: Request, limit: Limit = 100, before: Before = _NEWEST) -> Page[Item]:
    """Warnings, open and lifted."""
    return await _list(request, "warnings.listed", limit, before=before)


@router.get("/warnings/{warning_id:path}")
async def warning(request: Request, warning_id: str) -> Item:
    """One warning with its villages and its alerts."""
    async with context_of(request).store.read() as reader:
        rows = await reader.fetch("warnings.one", {"id": warning_id})
        if not rows or rows[0]["county"] != context_of(request).county:
            raise Problem(404, f"There is no warning {warning_id!r}.")
        villages = await reader.fetch("warnings.villages", {"warning": warning_id})
        alerts = await reader.fetch("warnings.alerts", {"warning": warning_id})
    return as_item(request, rows[0]) | {
        "villages": [as_item(request, row) for row in villages],
        "alert_list": [as_item(request, {k: v for k, v in row.items() if k != "cap"}) for row in alerts],
    }


@router.get("/notices")
async def notices(request: Request, limit: Limit = 100, before: Before = _NEWEST, *, lifted: bool = False) -> Page[Item]:
    """The current notice of each village of the warnings in force; with ``lifted`` those of past warnings too."""
    return await _list(request, "views.notices", limit, before=before, lifted=int(lifted))


@router.get("/notices/{notice_id:path}/deliveries")
async def deliveries(
    request: Request, notice_id: str, limit: Limit = 100, after: Annotated[int, Query(ge=0, description="``next`` of the page before.")] = 0
) -> Page[Item]:
    """Deliveries of a notice, in the order they were planned. Numbers are whole from the role duty officer on."""
    await _known_notice(request, notice_id)
    page = await _list(request, "views.deliveries", limit, notice=notice_id, after=after)
    if not principal_of(request).may(Role.DUTY_OFFICER):
        for item in page.items:
            item["address"] = mask(item["address"])
    return page


async def _known_notice(request: Request, notice_id: str) -> None:
    async with context_of(request).store.read() as reader:
        rows = await reader.fetch("notices.one", {"id": notice_id})
    if not rows or rows[0]["county"] != context_of(request).county:
        raise Problem(404, f"There is no notice {notice_id!r}.")


@router.post("/notices/{notice_id:path}/answers", status_code=204)
async def answer(request: Request, notice_id: str, answer: BehalfAnswer) -> Response:
    """Write an answer down on behalf of a village. Needs the role duty officer or higher."""
    check_form_token(request, request.headers.get("x-csrf-token", ""))
    try:
        await write_down(request, notice_id, answer)
    except NotAsked as error:
        raise Problem(409, str(error)) from None
    return Response(status_code=204)


@router.get("/tasks")
async def tasks(request: Request, limit: Limit = 100, before: Before = _NEWEST) -> Page[Item]:
    """Open tasks of the duty room."""
    return await _list(request, "views.open_tasks", limit, before=before)


@router.post("/tasks/{seq}/close", status_code=204)
async def close(request: Request, seq: int) -> Response:
    """Close a task. Needs the role duty officer or higher."""
    check_form_token(request, request.headers.get("x-csrf-token", ""))
    principal = need(request, Role.DUTY_OFFICER)
    if not await context_of(request).desk.close_task(seq, principal.name, origin_of(request)):
        raise Problem(404, f"There is no open task {seq}.")
    return Response(status_code=204)


@router.get("/rejects")
async def rejects(request: Request, limit: Limit = 100, before: Before = _NEWEST) -> Page[Item]:
    """What came in and could not be used, with reasons."""
    page = await _list(request, "rejects.listed", limit, before=before)
    for item in page.items:
        item["excerpt"] = bytes(item["excerpt"]).decode("utf-8", "replace")
    return page


class Refeed(BaseModel):
    """Which rejects are to be tried again."""

    seqs: list[Annotated[int, Field(ge=1)]] = Field(min_length=1, max_length=1_000)


@router.post("/rejects/refeed", status_code=202)
async def refeed(request: Request, wanted: Refeed) -> dict[str, int]:
    """Feed rejects again, with all they came in with; those whose bytes are gone are left out. Needs the role forecaster or higher."""
    check_form_token(request, request.headers.get("x-csrf-token", ""))
    principal, context = need(request, Role.FORECASTER), context_of(request)
    act = Act(actor=principal.name, origin=origin_of(request), act="refeed", subject="rejects")
    async with context.store.write() as tx:
        asked = await ask(tx, context.county, wanted.seqs, act, context.clock.now())
    context.broadcast.wake()
    return {"asked": asked}


@router.get("/feed")
async def feed(request: Request, limit: Limit = 100, after: Annotated[int, Query(ge=0)] = 0) -> Page[Item]:
    """Lines of the live stream behind ``after``, oldest first."""
    context = context_of(request)
    async with context.store.read() as reader:
        rows = await reader.fetch("desk.feed_after", {"county": context.county, "after": after, "limit": limit})
    return Page(items=[feed_line(context, row) for row in rows], next=rows[-1]["seq"] if len(rows) == limit else None)
