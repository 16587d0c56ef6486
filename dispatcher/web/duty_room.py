"""The duty room: the board, its fragment for the live page, answers on behalf, tasks closed."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from dispatcher.accounts import Role
from dispatcher.errors import NotAsked
from dispatcher.model.answer import Said
from dispatcher.model.notice import Notice
from dispatcher.registry.model import Contact, Registry
from dispatcher.rows import value_of
from dispatcher.timestamps import from_ms
from dispatcher.views.board import Filter
from dispatcher.views.load import load_board
from dispatcher.views.proposal import waiting_proposals
from dispatcher.web.behalf import HEARD_BY, BehalfForm, write_down
from dispatcher.web.gate import check_form_token, need
from dispatcher.web.problems import Problem
from dispatcher.web.state import context_of, origin_of, shared

router = APIRouter(include_in_schema=False)
_TASKS = 50
_FEED = 40


@router.get("/")
async def page(request: Request, township: str = "", answer: str = "", done: str = "", *, open: bool = False) -> Response:  # noqa: A002
    """The duty-room page; ``answer`` is the notice whose form stands open, for browsers without scripts."""
    values = await _board(request, Filter(township=township, only_open=open))
    form = await _form(request, answer) if answer else None
    return shared(request).pages.page(request, "duty_room.html", **values, form=form, done=done)


@router.get("/fragments/board")
async def fragment(request: Request, township: str = "", *, open: bool = False) -> Response:  # noqa: A002 - the word in the address
    """The part of the page that changes."""
    values = await _board(request, Filter(township=township, only_open=open))
    return shared(request).pages.page(request, "board.html", **values, form=None)


@router.get("/fragments/answer")
async def answer_form(request: Request, notice: str) -> Response:
    """The form by which an answer is written down for a village."""
    need(request, Role.DUTY_OFFICER)
    return shared(request).pages.page(request, "answer_form.html", form=await _form(request, notice))


@router.post("/notices/{notice_id:path}/answers")
async def answer(request: Request, notice_id: str, form: Annotated[BehalfForm, Form()]) -> Response:
    """Write an answer down on behalf of a village, with the way it was learnt."""
    check_form_token(request, form.csrf)
    try:
        await write_down(request, notice_id, form)
    except NotAsked as error:
        return shared(request).pages.page(request, "refused.html", 409, reason=str(error))
    return RedirectResponse("/?done=answer", status_code=303)


@router.post("/tasks/{seq}/close")
async def close(request: Request, seq: int, csrf: Annotated[str, Form()] = "") -> Response:
    """Close a task."""
    check_form_token(request, csrf)
    principal = need(request, Role.DUTY_OFFICER)
    await context_of(request).desk.close_task(seq, principal.name, origin_of(request))
    return RedirectResponse("/?done=task#tasks", status_code=303)


async def _board(request: Request, wanted: Filter) -> dict[str, Any]:
    context = context_of(request)
    county = {"county": context.county}
    async with context.store.read() as reader:
        board = await load_board(reader, context.registry, wanted, context.clock.now())
        tasks = await reader.fetch("desk.open_tasks", county | {"limit": _TASKS})
        count = await reader.fetch("views.count_open_tasks", county)
        feed = await reader.fetch("desk.feed_latest", county | {"limit": _FEED})
        proposals = await waiting_proposals(reader, context.county)
    return {
        "board": board,
        "proposals": proposals,
        "unknown": context.unknown(),
        "wanted": wanted,
        "townships": sorted({v.township for v in context.registry.villages.values()}),
        "tasks": tasks,
        "open_tasks": count[0]["n"],
        "feed": feed,
        "seq": feed[0]["seq"] if feed else 0,
        "problems": context.health.problems(),
        "may_answer": request.state.principal.may(Role.DUTY_OFFICER),
        "at": from_ms,
    }


async def _form(request: Request, notice_id: str) -> dict[str, Any]:
    context = context_of(request)
    async with context.store.read() as reader:
        rows = await reader.fetch("notices.one", {"id": notice_id})
    if not rows or rows[0]["county"] != context.county:
        raise Problem(404, f"There is no notice {notice_id!r}.")
    notice = value_of(Notice, rows[0])
    return {"notice": notice, "contacts": contacts_of(context.registry, notice.village), "heard_by": HEARD_BY, "said": tuple(Said)}


def contacts_of(registry: Registry, village: str) -> Sequence[Contact]:
    """Who may have told us: the village's own people first, then the township's."""
    place = registry.villages.get(village)
    areas = (village, place.township if place else "")
    return [c for area in areas for c in registry.contacts.values() if c.area == area]
