"""Duty rosters through the API: who is on duty when, gaps, overrides, absences with stand-ins, hand-over notes."""

from collections.abc import Awaitable
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from dispatcher.accounts import Role
from dispatcher.duty.book import LONGEST_NOTE, DutyBook, Writer
from dispatcher.duty.gaps import DutyGap
from dispatcher.duty.model import Absence, Entry, OnDuty, Override, Roster, Turn
from dispatcher.duty.resolve import on_duty, turns_between, turns_to_come
from dispatcher.timestamps import from_ms
from dispatcher.web.api import Before, Limit, Page
from dispatcher.web.gate import check_form_token, need
from dispatcher.web.problems import Problem
from dispatcher.web.state import context_of, origin_of

router = APIRouter(prefix="/api/v1", tags=["rosters"])
_NEWEST = 2**62
_MOST_HOURS = 24 * 62
Person = Annotated[str, Field(min_length=1, max_length=64)]
Hours = Annotated[int, Query(ge=1, le=_MOST_HOURS, description="How far to look.")]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GiveEntry(_Said):
    """Who has one shift of one day; nobody for an empty list."""

    roster: str
    day: date
    shift: str
    people: Annotated[list[Person], Field(max_length=20)]


class GiveEntries(_Said):
    """Shifts of any rosters, taken over together or not at all."""

    entries: Annotated[list[GiveEntry], Field(max_length=2_000)]


class GiveOverride(_Said):
    """Who is on duty from one moment to another, whatever the table says."""

    begins: AwareDatetime
    ends: AwareDatetime
    people: Annotated[list[Person], Field(max_length=20)]
    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""


class GiveAbsence(_Said):
    """Who is away, and who stands in; nobody for an empty ``stand_in``."""

    person: Person
    begins: AwareDatetime
    ends: AwareDatetime
    stand_in: Annotated[str, Field(max_length=64)] = ""
    reason: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""


class GiveNote(_Said):
    """What the next shift must know."""

    note: Annotated[str, Field(min_length=1, max_length=LONGEST_NOTE)]


async def done(act: Awaitable[None]) -> Response:
    """204, or 409 with its sentence when it cannot be done."""
    await act
    return Response(status_code=204)


def writing(request: Request, token: str | None = None) -> tuple[DutyBook, Writer]:
    """The book, and who is about to write in it: a duty officer or higher, with a token or from this session."""
    check_form_token(request, request.headers.get("x-csrf-token", "") if token is None else token)
    return context_of(request).duty, Writer(name=need(request, Role.DUTY_OFFICER).name, origin=origin_of(request))


def roster_of(request: Request, roster: str) -> Roster:
    """The roster of this name; 404 when there is none."""
    found = context_of(request).duty.table.rosters.get(roster)
    if found is None:
        raise Problem(404, f"There is no roster {roster!r}.")
    return found


def _local(request: Request, at: datetime) -> str:
    return at.astimezone(context_of(request).duty.table.zone).isoformat()


@router.get("/rosters")
async def rosters(request: Request) -> list[dict[str, Any]]:
    """Every roster, and who is on duty now."""
    table, now = context_of(request).duty.table, context_of(request).clock.now()
    return [_described(request, r) | {"now": _on_duty(request, on_duty(table, r, now))} for r in table.rosters.values()]


@router.get("/rosters/gaps")
async def gaps(request: Request, hours: Hours = 24) -> list[dict[str, Any]]:
    """When nobody who can be reached will be on duty, from now on."""
    now = context_of(request).clock.now()
    return [_gap(request, gap) for gap in context_of(request).duty.gaps(now, now + timedelta(hours=hours))]


@router.get("/rosters/turns")
async def turns(request: Request, hours: Hours = 24) -> list[dict[str, Any]]:
    """The shifts of every roster from now on, and who has them with stand-ins."""
    table, now = context_of(request).duty.table, context_of(request).clock.now()
    found = turns_to_come(table, now, now + timedelta(hours=hours))
    return [{"roster": one.roster, **_on_duty(request, one)} for one in found]


@router.put("/rosters/entries", status_code=204)
async def enter(request: Request, given: GiveEntries) -> Response:
    """Say who has which shifts. Needs the role duty officer or higher."""
    book, who = writing(request)
    made = [Entry(roster=e.roster, day=e.day, shift=e.shift, people=tuple(e.people)) for e in given.entries]
    return await done(book.enter(made, who))


@router.get("/rosters/{roster}")
async def roster(request: Request, roster: str, since: date | None = None, hours: Hours = 168) -> dict[str, Any]:
    """One roster with its shifts from the morning of a day on (default today), and who has them with stand-ins."""
    found, table = roster_of(request, roster), context_of(request).duty.table
    day = since or context_of(request).clock.now().astimezone(table.zone).date()
    begins = datetime.combine(day, datetime.min.time(), table.zone)
    turns = turns_between(table, found, begins, begins + timedelta(hours=hours))
    return _described(request, found) | {"turns": [_on_duty(request, on_duty(table, found, turn.begins), turn) for turn in turns]}


@router.post("/rosters/{roster}/overrides", status_code=204)
async def override(request: Request, roster: str, given: GiveOverride) -> Response:
    """Put others on duty for a time. Needs the role duty officer or higher."""
    book, who = writing(request)
    roster_of(request, roster)
    made = Override(seq=0, roster=roster, begins=given.begins, ends=given.ends, people=tuple(given.people), note=given.note)
    return await done(book.override(made, who))


@router.get("/overrides")
async def overrides(request: Request) -> list[dict[str, Any]]:
    """The overrides of the last weeks and those to come."""
    return [
        {
            "seq": o.seq,
            "roster": o.roster,
            "begins": _local(request, o.begins),
            "ends": _local(request, o.ends),
            "people": o.people,
            "note": o.note,
        }
        for o in context_of(request).duty.table.overrides
    ]


@router.post("/overrides/{seq}/withdraw", status_code=204)
async def withdraw_override(request: Request, seq: int) -> Response:
    """Take an override back. Needs the role duty officer or higher."""
    book, who = writing(request)
    return await done(book.withdraw("override", seq, who))


@router.get("/absences")
async def absences(request: Request) -> list[dict[str, Any]]:
    """Who is or was away in the last weeks, and who stands in."""
    return [
        {
            "seq": a.seq,
            "person": a.person,
            "begins": _local(request, a.begins),
            "ends": _local(request, a.ends),
            "stand_in": a.stand_in,
            "reason": a.reason,
        }
        for a in context_of(request).duty.table.absences
    ]


@router.post("/absences", status_code=204)
async def report_absence(request: Request, given: GiveAbsence) -> Response:
    """Report somebody away, with his stand-in. Needs the role duty officer or higher."""
    book, who = writing(request)
    made = Absence(seq=0, person=given.person, begins=given.begins, ends=given.ends, stand_in=given.stand_in, reason=given.reason)
    return await done(book.report_absence(made, who))


@router.post("/absences/{seq}/withdraw", status_code=204)
async def withdraw_absence(request: Request, seq: int) -> Response:
    """Take an absence back. Needs the role duty officer or higher."""
    book, who = writing(request)
    return await done(book.withdraw("absence", seq, who))


@router.post("/rosters/{roster}/handovers", status_code=204)
async def hand_over(request: Request, roster: str, given: GiveNote) -> Response:
    """Write down what the next shift must know. Needs the role duty officer or higher."""
    book, who = writing(request)
    roster_of(request, roster)
    return await done(book.hand_over(roster, given.note, who))


@router.get("/handovers")
async def handovers(request: Request, roster: str = "", limit: Limit = 100, before: Before = _NEWEST) -> Page[dict[str, Any]]:
    """Hand-over notes, the newest first; of one roster when it is named. Needs the role duty officer or higher."""
    need(request, Role.DUTY_OFFICER)
    context = context_of(request)
    async with context.store.read() as reader:
        rows = await reader.fetch("duty.handovers", {"county": context.county, "roster": roster, "limit": limit, "before": before})
    items = [{**row, "made_at": _local(request, from_ms(row["made_at"]))} for row in rows]
    return Page(items=items, next=rows[-1]["seq"] if len(rows) == limit else None)


def _described(request: Request, roster: Roster) -> dict[str, Any]:
    registry = context_of(request).registry
    names = {"name": roster.name, "name_en": roster.name_en, "area_name": registry.name_of(roster.area, registry.county.languages[0])}
    return {"id": roster.id, **names, "role": roster.role, "area": roster.area, "shifts": roster.shift_names()}


def _on_duty(request: Request, found: OnDuty, turn: Turn | None = None) -> dict[str, Any]:
    at = turn or found.turn
    times = {"day": at.day.isoformat(), "shift": at.shift, **_times(request, at)} if at else {}
    stood_in = [{"person": person, "by": by} for person, by in found.stood_in]
    return {**times, "people": found.people, "why": found.why.value, "stood_in": stood_in, "away": found.away}


def _times(request: Request, span: Turn | Override | Absence | DutyGap) -> dict[str, str]:
    return {"begins": _local(request, span.begins), "ends": _local(request, span.ends)}


def _gap(request: Request, gap: DutyGap) -> dict[str, Any]:
    return {"roster": gap.roster, **_times(request, gap), "lack": gap.lack.value, "shift": gap.shift, "people": gap.people}
