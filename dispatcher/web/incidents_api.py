"""Incidents and reports upward through the API. Reading needs the role duty officer: they name people."""

import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from dispatcher.accounts import Role
from dispatcher.incidents.book import Book, Officer, Opening
from dispatcher.incidents.model import Instruction
from dispatcher.ports import Reader
from dispatcher.web.api import Before, Limit, Page, as_item
from dispatcher.web.gate import check_form_token, need
from dispatcher.web.incident_forms import DraftReport, EditReport, GiveFeedback, GiveInstruction, MoveReport, OpenIncident, Telephoned
from dispatcher.web.problems import Problem
from dispatcher.web.state import context_of, origin_of
from rules.grade import Grade

router = APIRouter(prefix="/api/v1", tags=["incidents"])
_NEWEST = 2**62


def officer_of(request: Request, token: str) -> tuple[Book, Officer]:
    """The book, and who is about to write in it: a duty officer or higher, from a form of this session or with a token."""
    check_form_token(request, token)
    return context_of(request).incidents, Officer(need(request, Role.DUTY_OFFICER), origin_of(request))


def _writing(request: Request) -> tuple[Book, Officer]:
    return officer_of(request, request.headers.get("x-csrf-token", ""))


@router.get("/incidents")
async def incidents(request: Request, limit: Limit = 100, before: Before = _NEWEST) -> Page[dict[str, Any]]:
    """Incidents, the newest first."""
    need(request, Role.DUTY_OFFICER)
    context = context_of(request)
    async with context.store.read() as reader:
        rows = await reader.fetch("incidents.listed", {"county": context.county, "before": before, "limit": limit})
    return Page(items=[as_item(request, row) for row in rows], next=rows[-1]["seq"] if len(rows) == limit else None)


@router.get("/incidents/{incident}")
async def incident(request: Request, incident: str) -> dict[str, Any]:
    """One incident with its reports, instructions and messages from villages."""
    need(request, Role.DUTY_OFFICER)
    async with context_of(request).store.read() as reader:
        found = await whole_incident(request, reader, incident)
    return {
        **as_item(request, found["incident"]),
        **{name: [as_item(request, row) for row in found[name]] for name in ("reports", "instructions", "messages")},
    }


async def whole_incident(request: Request, reader: Reader, incident: str) -> dict[str, Any]:
    """The rows of an incident; 404 when there is none."""
    county = context_of(request).county
    rows = await reader.fetch("incidents.one", {"id": incident, "county": county})
    if not rows:
        raise Problem(404, f"There is no incident {incident!r}.")
    return {
        "incident": rows[0],
        "reports": await reader.fetch("incidents.reports", {"incidents": json.dumps([incident])}),
        "instructions": await reader.fetch("incidents.instructions", {"incident": incident}),
        "messages": await reader.fetch("incidents.messages_of", {"incident": incident}),
    }


@router.post("/incidents", status_code=201)
async def open_incident(request: Request, said: OpenIncident) -> dict[str, str]:
    """Open an incident, from a warning, a village's message or by hand. Needs the role duty officer or higher."""
    book, who = _writing(request)
    opening = Opening(
        title=said.title, level=Grade.from_word(said.level), hazard=said.hazard, area=said.area, origin=said.origin,
        origin_ref=said.origin_ref, known_at=said.known_at,
    )  # fmt: skip
    return {"id": await book.open(opening, who)}


@router.post("/incidents/{incident}/telephoned", status_code=204)
async def telephoned(request: Request, incident: str, said: Telephoned) -> Response:
    """It was reported upward by telephone."""
    book, who = _writing(request)
    await book.telephoned(incident, said.to, who)
    return Response(status_code=204)


@router.post("/incidents/{incident}/reports", status_code=201)
async def draft(request: Request, incident: str, said: DraftReport) -> dict[str, int]:
    """Begin a report."""
    book, who = _writing(request)
    return {"number": await book.draft(incident, said.kind, said.parts, who)}


@router.put("/incidents/{incident}/reports/{number}", status_code=204)
async def edit(request: Request, incident: str, number: int, said: EditReport) -> Response:
    """Change what a draft says."""
    book, who = _writing(request)
    await book.edit(incident, number, said.parts, who)
    return Response(status_code=204)


@router.post("/incidents/{incident}/reports/{number}/moves", status_code=204)
async def move(request: Request, incident: str, number: int, said: MoveReport) -> Response:
    """Submit, approve, return, send or discard a report. Approving needs a releasing officer who did not draft it."""
    book, who = _writing(request)
    await book.move(incident, number, said.move, who, remark=said.remark, to=said.to, how=said.how)
    return Response(status_code=204)


@router.post("/incidents/{incident}/instructions", status_code=201)
async def instruct(request: Request, incident: str, said: GiveInstruction) -> dict[str, int]:
    """Write down a leader's written instruction (批示)."""
    book, who = _writing(request)
    return {"number": await book.instruct(incident, instruction_of(request, said), who)}


def instruction_of(request: Request, said: GiveInstruction) -> Instruction:
    """What was said, as the book takes it; its number and place are the book's to give."""
    given_at = said.given_at or context_of(request).clock.now()
    return Instruction(
        incident="", number=0, county="", recorded_by="", leader=said.leader.strip(), post=said.post.strip(), text=said.text.strip(),
        given_at=given_at, due=said.due,
    )  # fmt: skip


@router.post("/incidents/{incident}/instructions/{number}/feedback", status_code=204)
async def feed_back(request: Request, incident: str, number: int, said: GiveFeedback) -> Response:
    """What came of an instruction."""
    book, who = _writing(request)
    await book.feed_back(incident, number, said.text, who)
    return Response(status_code=204)


@router.post("/incidents/{incident}/close", status_code=204)
async def close(request: Request, incident: str) -> Response:
    """Close an incident whose final (or zero) report has been sent."""
    book, who = _writing(request)
    await book.close(incident, who)
    return Response(status_code=204)


@router.get("/messages")
async def messages(request: Request, limit: Limit = 100, before: Before = _NEWEST) -> Page[dict[str, Any]]:
    """What villages reported, the newest first."""
    need(request, Role.DUTY_OFFICER)
    context = context_of(request)
    async with context.store.read() as reader:
        rows = await reader.fetch("incidents.messages", {"county": context.county, "before": before, "limit": limit})
    return Page(items=[as_item(request, row) for row in rows], next=rows[-1]["seq"] if len(rows) == limit else None)


@router.get("/messages/{seq}/photo")
async def photo(request: Request, seq: int) -> Response:
    """The photo of a message, as it came."""
    need(request, Role.DUTY_OFFICER)
    context = context_of(request)
    async with context.store.read() as reader:
        rows = await reader.fetch("incidents.photo", {"message": seq, "county": context.county})
    if not rows:
        raise Problem(404, f"Message {seq} has no photo.")
    alone = {"content-security-policy": "default-src 'none'; sandbox"}
    return Response(bytes(rows[0]["body"]), media_type=rows[0]["photo_type"], headers=alone)
