"""The pages of reporting upward: the list with what villages reported, and one incident with all that was said of it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from dispatcher.accounts import Role
from dispatcher.incidents.book import Opening
from dispatcher.incidents.life import MOVES, Move, why_not
from dispatcher.incidents.model import Incident, IncidentState, Instruction, LevelLimits, Origin, Part, Report, ReportKind, ReportState
from dispatcher.incidents.reminding import owed_of
from dispatcher.model import warning as warnings
from dispatcher.rows import value_of
from dispatcher.timestamps import from_ms
from dispatcher.web.gate import need
from dispatcher.web.incidents_api import officer_of, whole_incident
from dispatcher.web.problems import Problem
from dispatcher.web.state import context_of, shared
from rules.grade import Grade

router = APIRouter(include_in_schema=False)
_LISTED = 100


@router.get("/incidents")
async def listed(request: Request, warning: str = "", message: int = 0) -> Response:
    """All incidents, what villages reported, and the form for a new one; ``warning`` or ``message`` fills it in."""
    need(request, Role.DUTY_OFFICER)
    context = context_of(request)
    county = {"county": context.county, "limit": _LISTED, "before": 2**62}
    async with context.store.read() as reader:
        incidents = [value_of(Incident, row) for row in await reader.fetch("incidents.listed", county)]
        messages = await reader.fetch("incidents.messages", county)
        rows = await reader.fetch("warnings.one", {"id": warning}) if warning else []
        told = await reader.fetch("incidents.message", {"seq": message, "county": context.county}) if message else []
    return shared(request).pages.page(
        request,
        "incidents.html",
        incidents=incidents,
        messages=messages,
        warned=value_of(warnings.Warning, rows[0]) if rows else None,
        told=told[0] if told else None,
        at=from_ms,
    )


@router.post("/incidents")
async def opened(request: Request) -> Response:
    """Open an incident and show it."""
    form = await _form(request)
    book, who = officer_of(request, form.get("csrf", ""))
    title, hazard, area, ref = (form.get(k, "") for k in ("title", "hazard", "area", "origin_ref"))
    try:
        level, origin = Grade.from_word(form.get("level", "")), Origin(form.get("origin", Origin.HAND))
        made = await book.open(Opening(title=title, level=level, hazard=hazard, area=area, origin=origin, origin_ref=ref), who)
    except ValueError as wrong:
        raise Problem(422, f"This form cannot be used: {wrong}.") from None
    return RedirectResponse(f"/incidents/{made}", status_code=303)


@router.get("/incidents/{incident}")
async def shown(request: Request, incident: str, edit: int = 0) -> Response:
    """One incident: what is owed by when, its reports, instructions, and messages of villages."""
    principal = need(request, Role.DUTY_OFFICER)
    context = context_of(request)
    async with context.store.read() as reader:
        found = await whole_incident(request, reader, incident)
    one = value_of(Incident, found["incident"])
    reports = [value_of(Report, row) for row in found["reports"]]
    return shared(request).pages.page(
        request,
        "incident.html",
        incident=one,
        reports=[(r, _possible(r, principal.name, principal.role)) for r in reports],
        owed=owed_of(context.incidents.house, one, reports),
        instructions=[value_of(Instruction, row) for row in found["instructions"]],
        messages=found["messages"],
        recipients=_recipients(context.incidents.house.reporting.levels, one),
        editing=next((r for r in reports if r.number == edit and r.state is ReportState.DRAFT), None),
        last_parts=next((r.parts for r in reversed(reports) if r.state is ReportState.SENT), {}),
        parts=tuple(Part),
        kinds=tuple(ReportKind),
        open=one.state is IncidentState.OPEN,
        at=from_ms,
    )


@router.get("/incidents/{incident}/reports/{number}")
async def printed(request: Request, incident: str, number: int) -> Response:
    """One report as a sheet of paper."""
    need(request, Role.DUTY_OFFICER)
    async with context_of(request).store.read() as reader:
        found = await whole_incident(request, reader, incident)
    reports = [value_of(Report, row) for row in found["reports"] if row["number"] == number]
    if not reports:
        raise Problem(404, f"There is no report {number} of {incident!r}.")
    one = value_of(Incident, found["incident"])
    return shared(request).pages.page(request, "incident_report.html", incident=one, report=reports[0], parts=tuple(Part))


@router.post("/incidents/{incident}/reports")
async def written(request: Request, incident: str) -> Response:
    """A new draft, or what a draft says now (``number``)."""
    form = await _form(request)
    book, who = officer_of(request, form.get("csrf", ""))
    parts = {name.value: form[name] for name in Part if form.get(name, "").strip()}
    number = form.get("number", "")

    async def act() -> None:
        if number.isdecimal():
            await book.edit(incident, int(number), parts, who)
        else:
            await book.draft(incident, ReportKind(form.get("kind", "")), parts, who)

    return await _then(incident, act)


@router.post("/incidents/{incident}/{act}")
async def acted(request: Request, incident: str, act: str) -> Response:
    """Everything else a person does with an incident: telephoned, move, instruct, feedback, close."""
    form = await _form(request)
    book, who = officer_of(request, form.get("csrf", ""))
    number = int(form["number"]) if form.get("number", "").isdecimal() else 0

    async def do() -> None:
        match act:
            case "telephoned":
                await book.telephoned(incident, form.get("to", ""), who)
            case "move":
                said = {k: form.get(k, "") for k in ("remark", "to", "how")}
                await book.move(incident, number, Move(form.get("move", "")), who, **said)
            case "instruct":
                await book.instruct(incident, _instruction(form, context_of(request).clock.now()), who)
            case "feedback":
                await book.feed_back(incident, number, form.get("text", ""), who)
            case "close":
                await book.close(incident, who)
            case _:
                raise Problem(404, "There is no such act.")

    return await _then(incident, do)


async def _form(request: Request) -> dict[str, str]:
    return {k: v for k, v in (await request.form()).items() if isinstance(v, str)}


def _instruction(form: Mapping[str, str], now: datetime) -> Instruction:
    leader, post, text = (form.get(k, "").strip() for k in ("leader", "post", "text"))
    return Instruction(incident="", number=0, county="", recorded_by="", leader=leader, post=post, text=text, given_at=now)


async def _then(incident: str, act: Callable[[], Awaitable[None]]) -> Response:
    """Do it and show the incident again; 409 with the sentence when it cannot be done."""
    try:
        await act()
    except ValueError as wrong:
        raise Problem(422, f"This form cannot be used: {wrong}.") from None
    return RedirectResponse(f"/incidents/{incident}", status_code=303)


def _possible(report: Report, who: str, role: Role) -> list[tuple[Move, str]]:
    """The moves of a report's state, each with why this person may not take it."""
    return [(move, why_not(report, move, who, role)) for state, move in MOVES if state is report.state]


def _recipients(levels: Mapping[Grade, LevelLimits], incident: Incident) -> tuple[str, ...]:
    found = levels.get(incident.level)
    return found.to if found else ()
