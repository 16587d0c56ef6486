"""The villages and how they can be reached, gaps first; and, for duty officers, who needs help there. Works without scripts."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import PlainTextResponse, Response

from dispatcher.accounts import Role
from dispatcher.errors import ConfigurationError
from dispatcher.registry.households import Household, as_csv
from dispatcher.views.reach import reach_of
from dispatcher.web.gate import check_form_token, need, principal_of
from dispatcher.web.problems import Problem
from dispatcher.web.rosters_api import done
from dispatcher.web.state import context_of, origin_of, shared

router = APIRouter()


class GiveHouseholds(BaseModel):
    """The whole list as CSV; it takes the place of the one before."""

    model_config = ConfigDict(extra="forbid")

    csv: str


@router.get("/villages", include_in_schema=False)
async def villages(request: Request) -> Response:
    """Every village; numbers of those who need help without names."""
    principal = principal_of(request)
    context = context_of(request)
    return shared(request).pages.page(
        request,
        "villages.html",
        villages=reach_of(context.registry, context.duty.table, context.clock.now()),
        counts=await context.households.counts(),
        may_look=principal.may(Role.DUTY_OFFICER),
    )


@router.get("/villages/{village}/households", include_in_schema=False)
async def households_page(request: Request, village: str) -> Response:
    """Who needs help in one village, and who helps. The look is written down."""
    return shared(request).pages.page(request, "households.html", village=village, households=await _looked(request, village))


@router.get("/api/v1/registry/households", tags=["registry"])
async def households(request: Request, village: str = "") -> list[Household]:
    """Households that need help, of one village or all. Needs the role duty officer; the look is in the audit log."""
    return await _looked(request, village)


@router.get("/api/v1/registry/households.csv", tags=["registry"])
async def exported(request: Request) -> Response:
    """The whole list as it is imported. Needs the role administrator; it is in the audit log."""
    who = need(request, Role.ADMINISTRATOR)
    found = await context_of(request).households.look("", who.name, origin_of(request), "export households")
    return PlainTextResponse(as_csv(found), media_type="text/csv; charset=utf-8")


@router.put("/api/v1/registry/households", tags=["registry"])
async def take(request: Request, given: GiveHouseholds) -> dict[str, int]:
    """Take a list over in place of the one before, whole or not at all. Needs the role administrator."""
    check_form_token(request, request.headers.get("x-csrf-token", ""))
    who = need(request, Role.ADMINISTRATOR)
    try:
        return {"households": await context_of(request).households.put_all(given.csv, who.name, origin_of(request))}
    except ConfigurationError as error:
        errors = [{"file": p.file, "line": p.line, "column": p.column, "message": p.message} for p in error.problems]
        raise Problem(422, f"This list cannot be used: {error.problems[0]}", errors=errors) from None


@router.delete("/api/v1/registry/households/{household}", status_code=204, tags=["registry"])
async def erase(request: Request, household: str) -> Response:
    """Delete one household for good. Needs the role administrator."""
    check_form_token(request, request.headers.get("x-csrf-token", ""))
    who = need(request, Role.ADMINISTRATOR)
    return await done(context_of(request).households.erase(household, who.name, origin_of(request)))


async def _looked(request: Request, village: str) -> list[Household]:
    who = need(request, Role.DUTY_OFFICER)
    context = context_of(request)
    if village and village not in context.registry.villages:
        raise Problem(404, f"There is no village {village!r}.")
    return await context.households.look(village, who.name, origin_of(request))
