"""The roster of the week: who is on duty, gaps to come, who is away, and hand-over notes. Works without scripts."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from dispatcher.accounts import Role
from dispatcher.duty.book import DutyBook, Writer
from dispatcher.duty.model import Absence, DutyTable, OnDuty, Override, Roster, Turn
from dispatcher.duty.resolve import on_duty, turns_of
from dispatcher.timestamps import from_ms
from dispatcher.web.gate import principal_of
from dispatcher.web.problems import Problem
from dispatcher.web.rosters_api import writing
from dispatcher.web.state import context_of, shared

router = APIRouter(include_in_schema=False)
_WEEK = 7
_NOTES = 20


@router.get("/roster")
async def week(request: Request, since: str = "") -> Response:
    """Seven days from a day on, default from Monday of this week."""
    principal_of(request)
    context = context_of(request)
    table, now = context.duty.table, context.clock.now()
    today = now.astimezone(table.zone).date()
    first = _day(since) or today - timedelta(days=today.weekday())
    days = [first + timedelta(days=n) for n in range(_WEEK)]
    may_write = principal_of(request).may(Role.DUTY_OFFICER)
    async with context.store.read() as reader:
        asked = {"county": context.county, "roster": "", "limit": _NOTES, "before": 2**62}
        notes = await reader.fetch("duty.handovers", asked) if may_write else []
    return shared(request).pages.page(
        request,
        "roster.html",
        days=days,
        today=today,
        earlier=first - timedelta(days=_WEEK),
        later=first + timedelta(days=_WEEK),
        rosters=[(r, [_shifts(table, r, day) for day in days]) for r in table.rosters.values()],
        gaps=context.duty.gaps(now, now + timedelta(days=_WEEK)),
        absences=[a for a in table.absences if a.ends > now],
        overrides=[o for o in table.overrides if o.ends > now],
        notes=notes,
        may_write=may_write,
        contacts=sorted(context.registry.contacts.values(), key=lambda c: c.id),
        on_duty_now={r.id: on_duty(table, r, now) for r in table.rosters.values()},
        at=from_ms,
    )


def _shifts(table: DutyTable, roster: Roster, day: date) -> list[tuple[Turn, OnDuty]]:
    return [(turn, on_duty(table, roster, turn.begins)) for turn in turns_of(table, roster, day)]


@router.post("/roster/{act}")
async def written(request: Request, act: str) -> Response:
    """Write a note, an override or an absence down, or take one back, and show the week again."""
    form = {key: value for key, value in (await request.form()).items() if isinstance(value, str)}
    book, who = writing(request, form.get("csrf", ""))
    try:
        await _do(request, act, form, book, who)
    except ValueError as wrong:
        raise Problem(422, f"This form cannot be used: {wrong}.") from None
    return RedirectResponse("/roster", status_code=303)


async def _do(request: Request, act: str, form: Mapping[str, str], book: DutyBook, who: Writer) -> None:
    if act == "note":
        await book.hand_over(form.get("roster", ""), form.get("note", ""), who)
    elif act == "override":
        people, note = tuple(form.get("people", "").split()), form.get("note", "")
        begins, ends = _moment(request, form, "begins"), _moment(request, form, "ends")
        await book.override(Override(seq=0, roster=form.get("roster", ""), begins=begins, ends=ends, people=people, note=note), who)
    elif act == "absence":
        begins, ends = _moment(request, form, "begins"), _moment(request, form, "ends")
        person, stand_in, reason = (form.get(key, "").strip() for key in ("person", "stand_in", "reason"))
        await book.report_absence(Absence(seq=0, person=person, begins=begins, ends=ends, stand_in=stand_in, reason=reason), who)
    elif act in {"withdraw-override", "withdraw-absence"}:
        await book.withdraw(act.removeprefix("withdraw-"), int(form.get("seq", "0")), who)
    else:
        raise Problem(404, f"There is no act {act!r}.")


def _moment(request: Request, form: Mapping[str, str], name: str) -> datetime:
    """A local time of a form, such as 2026-07-20T08:00."""
    try:
        found = datetime.fromisoformat(form.get(name, ""))
    except ValueError:
        raise ValueError(f"{name} needs a date and a time such as 2026-07-20T08:00") from None
    return found if found.tzinfo else found.replace(tzinfo=context_of(request).duty.table.zone)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Problem(422, f"{text!r} is no day; allowed: a date such as 2026-07-20.") from None
