"""Drills: started, ended, scored; and which villages have not exercised for a year. Page and API."""

import asyncio
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from starlette.responses import RedirectResponse, Response

from dispatcher.accounts import Role
from dispatcher.drills.model import Drill, DrillPlan
from dispatcher.drills.report import drill_sheet
from dispatcher.drills.roll_calls import attendance
from dispatcher.drills.script import FASTEST
from dispatcher.reports.sheet import Sheet
from dispatcher.reports.words import WORDS
from dispatcher.rows import value_of
from dispatcher.rulework.svg import drawing
from dispatcher.timestamps import from_ms
from dispatcher.web.api import Before, Item, Limit, Page, as_item
from dispatcher.web.gate import need
from dispatcher.web.language import choose
from dispatcher.web.problems import Problem
from dispatcher.web.release_api import by_whom
from dispatcher.web.state import context_of, shared
from rules.grade import Grade

router = APIRouter()
OVERDUE = timedelta(days=365)
"""Each village exercises once a year before the flood season."""
_LISTED = 50
_DECEMBER = 12
_NEWEST = 2**62
Codes = Annotated[tuple[str, ...], BeforeValidator(lambda v: tuple(v.replace("，", ",").split(",")) if isinstance(v, str) else v)]


class StartDrill(BaseModel):
    """Who is to be exercised. ``areas`` are codes of villages, townships or the county.

    ``storm`` is one of ``/drills/storms``, played at ``speed``; hazard and grade are then what the rules make of it.
    """

    model_config = ConfigDict(extra="forbid")

    title: str = Field(max_length=200)
    hazard: str = Field(default="", max_length=60)
    grade: Literal["blue", "yellow", "orange", "red", ""] = ""
    areas: Codes
    minutes: int = 120
    township: bool = False
    county: bool = False
    speakers: bool = False
    storm: str = Field(default="", max_length=200)
    speed: float = Field(default=1.0, ge=1, le=FASTEST)

    @model_validator(mode="after")
    def _something_happens(self) -> "StartDrill":
        if not self.storm and not (self.hazard and self.grade):
            raise ValueError("a drill needs a hazard and a grade, or a storm")
        return self

    def plan(self) -> DrillPlan:
        """As the engine takes it."""
        said = self.model_dump() | {
            "grade": Grade.from_word(self.grade or "none"),
            "areas": tuple(a.strip() for a in self.areas if a.strip()),
        }
        return DrillPlan(**said)


@router.get("/api/v1/drills", tags=["drills"])
async def drills(request: Request, limit: Limit = 100, before: Before = _NEWEST) -> Page[Item]:
    """Drills, the newest first; ``ended_at`` is null while one runs."""
    context = context_of(request)
    async with context.store.read() as reader:
        rows = await reader.fetch("drills.listed", {"county": context.county, "before": before, "limit": limit})
    return Page(items=[as_item(request, row) for row in rows], next=rows[-1]["seq"] if len(rows) == limit else None)


@router.get("/api/v1/drills/storms", tags=["drills"])
async def storms(request: Request) -> list[str]:
    """What a drill may name as its storm. Needs the role duty officer or higher."""
    need(request, Role.DUTY_OFFICER)
    return await asyncio.to_thread(context_of(request).drills.storms)


@router.get("/api/v1/drills/overdue", tags=["drills"])
async def overdue(request: Request) -> list[Item]:
    """Villages that have not exercised for a year, those that never did first."""
    return await overdue_villages(request)


@router.post("/api/v1/drills", status_code=201, tags=["drills"])
async def start(request: Request, said: StartDrill) -> dict[str, Any]:
    """Begin a drill: the participants are called at once, and nobody else. Needs the role releasing officer or higher."""
    by = by_whom(request, Role.RELEASING_OFFICER)
    drill = await context_of(request).drills.start(said.plan(), by)
    return {"id": drill.id, "villages": len(drill.villages), "people": len(drill.people), "speakers": len(drill.speakers)}


@router.post("/api/v1/drills/end", tags=["drills"])
async def end(request: Request) -> dict[str, str]:
    """End the drill that runs; its participants are told. Needs the role duty officer or higher."""
    by = by_whom(request, Role.DUTY_OFFICER)
    return {"id": (await context_of(request).drills.end(by)).id}


@router.get("/api/v1/drills/{drill}/report", tags=["drills"])
async def report(request: Request, drill: str) -> Response:
    """The score of a drill, and against the last one of the same villages. Needs the role duty officer or higher."""
    return JSONResponse(jsonable_encoder((await _sheet(request, drill)).facts))


@router.get("/api/v1/drills/{drill}/report.pdf", tags=["drills"])
async def report_pdf(request: Request, drill: str) -> Response:
    """The report of a drill on paper."""
    printer = context_of(request).reporter.printer
    sheet = await _sheet(request, drill)
    if printer is None:
        raise Problem(501, "Nothing here can make a PDF: install the extra 'pdf', or print the page.")
    headers = {"content-disposition": f'attachment; filename="drill-{drill}.pdf"'}
    return Response(await asyncio.to_thread(printer.print, sheet), media_type="application/pdf", headers=headers)


class AskRollCall(BaseModel):
    """``spread_minutes`` above 0: at a moment within it that nobody knows."""

    model_config = ConfigDict(extra="forbid")

    within_minutes: int = Field(default=10, ge=1, le=120)
    spread_minutes: int = Field(default=0, ge=0, le=60 * 24 * 7)


@router.post("/api/v1/roll-calls", status_code=201, tags=["drills"])
async def roll_call(request: Request, said: AskRollCall) -> dict[str, Any]:
    """Ask everybody on duty to answer. Needs the role releasing officer or higher."""
    by = by_whom(request, Role.RELEASING_OFFICER)
    within, spread = timedelta(minutes=said.within_minutes), timedelta(minutes=said.spread_minutes)
    made = await context_of(request).roll_calls.ask(within, by, spread)
    return {"id": made.id} if spread else {"id": made.id, "due": made.due}  # a random moment stays a surprise


@router.get("/api/v1/roll-calls/attendance", tags=["drills"])
async def attended(request: Request, month: Annotated[str, Query(pattern=r"^\d{4}-\d{2}$")]) -> list[Item]:
    """Who was reachable in a month (2026-07): asked, in time, late, median seconds. Needs the role duty officer or higher."""
    need(request, Role.DUTY_OFFICER)
    context = context_of(request)
    zone = context.drills.house.registry.county.timezone
    year, number = (int(part) for part in month.split("-"))
    if not 1 <= number <= _DECEMBER:
        raise Problem(422, f"There is no month {month!r}; allowed: 01 to 12.")
    since = datetime(year, number, 1, tzinfo=zone)
    until = datetime(year + number // _DECEMBER, number % _DECEMBER + 1, 1, tzinfo=zone)
    async with context.store.read() as reader:
        found = await attendance(reader, context.drills.house, since, until)
    return [asdict(a) for a in found]


@router.post("/roll-calls", include_in_schema=False)
async def roll_called(request: Request) -> Response:
    """Ask everybody on duty now, from the page."""
    form = await request.form()
    by = by_whom(request, Role.RELEASING_OFFICER, str(form.get("csrf", "")))
    minutes = str(form.get("within", ""))
    await context_of(request).roll_calls.ask(timedelta(minutes=int(minutes) if minutes.isdecimal() else 0), by)
    return RedirectResponse("/drills", status_code=303)


@router.get("/drills", include_in_schema=False)
async def page(request: Request) -> Response:
    """What runs, what has been, who is overdue, and the form for a new one."""
    need(request, Role.DUTY_OFFICER)
    context = context_of(request)
    async with context.store.read() as reader:
        rows = await reader.fetch("drills.listed", {"county": context.county, "before": _NEWEST, "limit": _LISTED})
        now = context.clock.now()
        present = await attendance(reader, context.drills.house, now - timedelta(days=30), now)
    found = [value_of(Drill, row) for row in rows]
    house = context.drills.house
    return shared(request).pages.page(
        request,
        "drills.html",
        drills=found,
        running=next((d for d in found if d.ended_at is None), None),
        overdue=await overdue_villages(request),
        hazards=sorted(h for p in house.policies.policies.values() for h in p.hazards),
        townships=sorted({v.township for v in house.registry.villages.values()}),
        attendance=present,
        storms=await asyncio.to_thread(context.drills.storms),
        may_start=need(request, Role.DUTY_OFFICER).may(Role.RELEASING_OFFICER),
    )


@router.post("/drills", include_in_schema=False)
async def started(request: Request) -> Response:
    """Begin a drill from the form."""
    form = await request.form()
    by = by_whom(request, Role.RELEASING_OFFICER, str(form.get("csrf", "")))
    areas = [str(code) for code in form.getlist("areas")]
    words = {k: str(form.get(k, "")) for k in ("title", "hazard", "grade", "minutes", "storm", "speed") if form.get(k)}
    flags = {k: k in form for k in ("township", "county", "speakers")}
    try:
        said = StartDrill.model_validate({**words, **flags, "areas": ",".join(areas)})
    except ValueError as wrong:
        raise Problem(422, f"This form cannot be used: {wrong}") from None
    await context_of(request).drills.start(said.plan(), by)
    return RedirectResponse("/drills", status_code=303)


@router.post("/drills/end", include_in_schema=False)
async def ended(request: Request) -> Response:
    """End the drill that runs."""
    form = await request.form()
    await context_of(request).drills.end(by_whom(request, Role.DUTY_OFFICER, str(form.get("csrf", ""))))
    return RedirectResponse("/drills", status_code=303)


@router.get("/drills/{drill}/report", include_in_schema=False)
async def report_page(request: Request, drill: str) -> Response:
    """To be read, and printed by the browser."""
    sheet = await _sheet(request, drill)
    files = f"/api/v1/drills/{drill}/report"
    return shared(request).pages.page(request, "report.html", sheet=sheet, drawing=drawing, files=files, table=False)


async def overdue_villages(request: Request) -> list[Item]:
    """Each village with when it last exercised, longest ago first."""
    context = context_of(request)
    registry, now = context.drills.house.registry, context.clock.now()
    async with context.store.read() as reader:
        rows = await reader.fetch("drills.last_of_villages", {"county": context.county})
    last = {row["village"]: from_ms(row["at"]) for row in rows}
    late = [(last.get(v), v) for v in registry.villages if v not in last or now - last[v] > OVERDUE]
    zone = registry.county.timezone
    ordered = sorted(late, key=lambda x: (x[0] is not None, x[0] or now, x[1]))
    return [{"village": v, "last": at.astimezone(zone).isoformat() if at else None} for at, v in ordered]


async def _sheet(request: Request, drill: str) -> Sheet:
    need(request, Role.DUTY_OFFICER)
    context = context_of(request)
    language = choose(request, context.registry.county.languages[0])
    async with context.store.read() as reader:
        drills, spoken = context.drills, language if language in WORDS else "zh"
        sheet = await drill_sheet(reader, drills.house, drill, spoken, context.clock.now(), drills.plan)
    if sheet is None:
        raise Problem(404, f"There is no drill {drill!r}.")
    return sheet
