"""The page of the rules at work, and the buttons on tasks that ask for a person's word."""

import json
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from dispatcher.accounts import Role
from dispatcher.intake.acts import Verb
from dispatcher.timestamps import from_ms
from dispatcher.web.gate import check_form_token
from dispatcher.web.rules_api import NEWEST, desk_of, reload_now, say_on_task
from dispatcher.web.state import context_of, shared

router = APIRouter(include_in_schema=False)
_ACTIVATIONS = 10
_DIFFERENCES = 50


@router.get("/rules")
async def page(request: Request, done: str = "") -> Response:
    """What decides, what was refused, what each new version changed over the day before it, and which places need a word."""
    desk, context = desk_of(request), context_of(request)
    async with context.store.read() as reader:
        rows = await reader.fetch("plans.activations", {"county": context.county, "before": NEWEST, "limit": _ACTIVATIONS})
    activations = [dict(row) | {"differences": json.loads(row["differences"])} for row in rows]
    known = {x.compiled.rule.name: x.compiled.rule for x in desk.plan.ladders}
    return shared(request).pages.page(
        request, "rules.html", rules=sorted(known.values(), key=lambda r: r.name), activations=activations, refused=desk.problems,
        refused_at=desk.refused_at, shown=_DIFFERENCES, at=from_ms, done=done, problems=context.health.problems(),
        may_reload=request.state.principal.may(Role.ADMINISTRATOR),
    )  # fmt: skip


@router.post("/rules/reload")
async def reload(request: Request, csrf: Annotated[str, Form()] = "") -> Response:
    """Take the files now."""
    check_form_token(request, csrf)
    outcome = await reload_now(request)
    return RedirectResponse(f"/rules?done={'unchanged' if outcome.differences is None else 'activated'}", status_code=303)


@router.post("/tasks/{seq}/{verb}")
async def on_task(request: Request, seq: int, verb: Verb, csrf: Annotated[str, Form()] = "") -> Response:
    """What a task asks for: confirm or refuse a lowering, or lift."""
    check_form_token(request, csrf)
    await say_on_task(request, seq, verb)
    return RedirectResponse("/?done=task#tasks", status_code=303)
