"""One warning: what happened when, and what went to whom. Numbers are masked for everybody: nobody dials from here."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dispatcher.accounts import Role
from dispatcher.timestamps import from_ms
from dispatcher.views.masking import mask
from dispatcher.views.warning import load_warning
from dispatcher.web.problems import Problem
from dispatcher.web.state import context_of, shared

router = APIRouter(include_in_schema=False)


@router.get("/warnings/{warning_id:path}")
async def page(request: Request, warning_id: str, page: int = 1) -> Response:
    """The time line and the deliveries per village."""
    context = context_of(request)
    async with context.store.read() as reader:
        view = await load_warning(reader, context.registry, warning_id, page)
    if view is None:
        raise Problem(404, f"There is no warning {warning_id!r}.")
    who = request.state.principal
    return shared(request).pages.page(
        request,
        "warning.html",
        view=view,
        mask=mask,
        at=from_ms,
        problems=context.health.problems(),
        holding=view.holding,
        may_propose=who.may(Role.FORECASTER),
        may_retract=who.may(Role.RELEASING_OFFICER),
    )
