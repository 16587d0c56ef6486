"""The registry through the API: villages and how they can be reached, versions, import and export."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from dispatcher.accounts import Role
from dispatcher.errors import ConfigurationError
from dispatcher.views.reach import reach_of
from dispatcher.web.api import Before, Limit, Page, as_item
from dispatcher.web.gate import check_form_token, need
from dispatcher.web.problems import Problem
from dispatcher.web.state import context_of, origin_of

router = APIRouter(prefix="/api/v1/registry", tags=["registry"])
_NEWEST = 2**62


class GiveRegistry(BaseModel):
    """The texts of a registry's files by name, all of them; ``dry_run`` only shows what would change."""

    model_config = ConfigDict(extra="forbid")

    files: Annotated[dict[str, str], Field(max_length=64)]
    dry_run: bool = False


@router.get("/villages")
async def villages(request: Request) -> list[dict[str, Any]]:
    """Every village with its contacts' reachability now, and what is missing."""
    context = context_of(request)
    return [asdict(reach) for reach in reach_of(context.registry, context.duty.table, context.clock.now())]


@router.get("/versions")
async def versions(request: Request, limit: Limit = 100, before: Before = _NEWEST) -> Page[dict[str, Any]]:
    """Versions that were imported, the newest first, with what each changed."""
    need(request, Role.DUTY_OFFICER)
    context = context_of(request)
    async with context.store.read() as reader:
        rows = await reader.fetch("registry.listed", {"county": context.county, "limit": limit, "before": before})
    return Page(items=[as_item(request, row) for row in rows], next=rows[-1]["seq"] if len(rows) == limit else None)


@router.get("/export")
async def export(request: Request) -> dict[str, Any]:
    """The texts of the files that are in force. Needs the role administrator: they hold numbers of people."""
    need(request, Role.ADMINISTRATOR)
    return {"files": dict(context_of(request).registry_book.files())}


@router.post("/import")
async def take(request: Request, given: GiveRegistry) -> dict[str, Any]:
    """Take a registry over, whole or not at all; it decides from now on. Needs the role administrator."""
    check_form_token(request, request.headers.get("x-csrf-token", ""))
    who = need(request, Role.ADMINISTRATOR)
    book = context_of(request).registry_book
    try:
        found = await book.take(given.files, actor=who.name, origin=origin_of(request), dry_run=given.dry_run)
    except ConfigurationError as error:
        errors = [asdict(problem) for problem in error.problems]
        raise Problem(422, f"This registry cannot be used: {error.problems[0]}", errors=errors) from None
    return found.as_json()
