"""Duty rosters as files, out and in: iCalendar for the calendars that offices have, and duty.csv. Taken over whole or not at all."""

from datetime import timedelta
from typing import NoReturn

from fastapi import APIRouter, Request
from starlette.responses import Response

from dispatcher.duty.ical import as_calendar, from_calendar, names_of
from dispatcher.duty.table import as_table, from_table
from dispatcher.errors import ConfigurationError
from dispatcher.web.problems import Problem
from dispatcher.web.rosters_api import Hours, done, roster_of, writing
from dispatcher.web.state import context_of

router = APIRouter(prefix="/api/v1", tags=["rosters"])
_MONTH_H = 31 * 24


@router.get("/rosters/{roster}/calendar.ics")
async def calendar(request: Request, roster: str, hours: Hours = _MONTH_H) -> Response:
    """Who is on duty in the coming time, as iCalendar: an event for each stretch of a shift in which the same people have it."""
    found, context = roster_of(request, roster), context_of(request)
    shown, now = names_of(_names(request))[0], context.clock.now()
    text = as_calendar(context.duty.table, found, shown, now, now + timedelta(hours=hours), now)
    return Response(text, media_type="text/calendar; charset=utf-8")


@router.put("/rosters/{roster}/calendar.ics")
async def take_calendar(request: Request, roster: str) -> dict[str, int]:
    """Take what an iCalendar changes over, all or nothing: whole shifts and days as entries, other times as overrides.

    Needs the role duty officer or higher.
    """
    book, who = writing(request)
    found, ids = roster_of(request, roster), names_of(_names(request))[1]
    try:
        said = from_calendar(book.table, found, await request.body(), ids, context_of(request).clock.now(), "calendar.ics")
    except ConfigurationError as error:
        _refuse(error)
    await done(book.take(said.entries, said.overrides, who))
    return {"entries": len(said.entries), "overrides": len(said.overrides)}


@router.get("/rosters/duty.csv")
async def table(request: Request, hours: Hours = _MONTH_H) -> Response:
    """Whom the table names for each coming shift of every roster, before exceptions and stand-ins."""
    context = context_of(request)
    now = context.clock.now()
    text = as_table(context.duty.table, now, now + timedelta(hours=hours))
    return Response(text, media_type="text/csv; charset=utf-8")


@router.put("/rosters/duty.csv")
async def take_table(request: Request) -> dict[str, int]:
    """Take the shifts that a table gives to others than now, all or none. Needs the role duty officer or higher."""
    book, who = writing(request)
    try:
        entries = from_table(book.table, await request.body(), context_of(request).registry.contacts)
    except ConfigurationError as error:
        _refuse(error)
    await done(book.take(entries, (), who))
    return {"entries": len(entries), "overrides": 0}


def _names(request: Request) -> dict[str, tuple[str, ...]]:
    return {c.id: (c.name, c.name_en) for c in context_of(request).registry.contacts.values()}


def _refuse(error: ConfigurationError) -> NoReturn:
    errors = [{"file": p.file, "line": p.line, "column": p.column, "message": p.message} for p in error.problems]
    raise Problem(422, "This file cannot be used; nothing was taken over.", errors=errors) from None
