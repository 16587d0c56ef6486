"""The rules at work, for programs: what decides, where places stand, a person's word, new files."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from dispatcher.accounts import Role
from dispatcher.errors import ConfigurationError, NotProposed, Overloaded
from dispatcher.intake.acts import RuleAct, Verb
from dispatcher.intake.keeping import asked_of
from dispatcher.intake.reloading import Outcome
from dispatcher.intake.rules_desk import RulesDesk
from dispatcher.model.task import TaskKind
from dispatcher.ports import Row
from dispatcher.timestamps import from_ms
from dispatcher.web.gate import check_form_token, need
from dispatcher.web.problems import Problem
from dispatcher.web.state import context_of, origin_of
from rules.record import Standing

router = APIRouter(prefix="/api/v1", tags=["rules"])
NEWEST: Final = 2**62
_SHOWN: Final = 10
Item = dict[str, Any]


class Word(BaseModel):
    """A person's word on a place: ``confirm`` or ``refuse`` a lowering that is proposed, or ``lift`` it until its next good reading."""

    model_config = ConfigDict(extra="forbid")

    act: Verb
    rule: str = Field(max_length=100)
    place: str = Field(max_length=200)


def desk_of(request: Request) -> RulesDesk:
    """The rules of this engine; 503 where there are none."""
    desk = context_of(request).rules
    if desk is None:
        raise Problem(503, "No rules run here.")
    return desk


@router.get("/rules")
async def rules(request: Request) -> Item:
    """The rules that decide, since when and by whom, mistakes for which newer files were refused, and the newest changes of version."""
    desk, context = desk_of(request), context_of(request)
    async with context.store.read() as reader:
        rows = await reader.fetch("plans.activations", {"county": context.county, "before": NEWEST, "limit": _SHOWN})
    known = {x.compiled.rule.name: x.compiled.rule for x in desk.plan.ladders}
    shown = [
        {"rule": r.name, "version": r.version, "title": r.title, "hazard": r.hazard, "mode": r.mode.value, "table": r.digest}
        for r in known.values()
    ]
    refused = desk.refused_at and {"at": _local(request, desk.refused_at), "problems": [asdict(p) for p in desk.problems]}
    return {"digest": desk.plan.digest, "rules": shown, "refused": refused, "activations": [activation(request, row) for row in rows]}


def activation(request: Request, row: Row) -> Item:
    """One change of version as the API gives it."""
    since = row["rehearsed_from"]
    return {
        "digest": row["rules"], "at": _local(request, from_ms(row["at"])), "by": row["actor"], "readings": row["readings"],
        "rehearsed_from": None if since is None else _local(request, from_ms(since)), "differences": json.loads(row["differences"]),
    }  # fmt: skip


@router.get("/rules/places")
async def places(
    request: Request,
    rule: Annotated[str, Query(description="Only this rule.")] = "",
    *,
    proposed: Annotated[bool, Query(description="Only places that a rule proposes to lower.")] = False,
) -> dict[str, list[Item]]:
    """Where places stand: grade, since when, silence, what is proposed, values not used; those at none with nothing to say are not."""
    found = [s for s in desk_of(request).standing() if (not rule or s.rule == rule) and (s.proposed is not None if proposed else _says(s))]
    return {"items": [_standing(request, s) for s in found]}


def _says(s: Standing) -> bool:
    return bool(s.grade or s.no_data or s.suspect)


def _standing(request: Request, s: Standing) -> Item:
    return {
        "rule": s.rule, "place": s.place, "grade": s.grade.word, "since": _local(request, s.since), "no_data": s.no_data,
        "last_reading": _local(request, s.last_reading), "proposed": None if s.proposed is None else s.proposed.word, "suspect": s.suspect,
    }  # fmt: skip


@router.post("/rules/acts", status_code=204)
async def act(request: Request, word: Word) -> Response:
    """Say a word on a place. Needs the role duty officer or higher; 409 when the rules do not propose it (any more)."""
    check_form_token(request, request.headers.get("x-csrf-token", ""))
    await say(request, word.act, word.rule, word.place)
    return Response(status_code=204)


@router.post("/tasks/{seq}/{verb}", status_code=204)
async def on_task(request: Request, seq: int, verb: Verb) -> Response:
    """Do what a task asks for: confirm or refuse a lowering, or lift. Needs the role duty officer or higher."""
    check_form_token(request, request.headers.get("x-csrf-token", ""))
    await say_on_task(request, seq, verb)
    return Response(status_code=204)


@router.post("/rules/reload")
async def reload(request: Request) -> Item:
    """Look at the rule and registry files now, and let them decide. Needs the role administrator; 422 with each mistake in them."""
    check_form_token(request, request.headers.get("x-csrf-token", ""))
    outcome = await reload_now(request)
    differences = outcome.differences
    found: Item = {"digest": outcome.digest, "activated": differences is not None}
    if differences is not None:
        shown = [{"place": a.place, "rule": a.rule, "old": a.old.word, "new": a.new.word, "from": _local(request, a.begin),
                  "to": _local(request, a.end)} for a in differences.found]  # fmt: skip
        found |= {"rehearsed_from": _local(request, differences.since), "readings": differences.readings, "differences": shown}
    return found


async def say_on_task(request: Request, seq: int, verb: Verb) -> None:
    """The word that an open task asks for; 404 and 409 when it asks for none. A task that is out of date is closed."""
    need(request, Role.DUTY_OFFICER)
    context = context_of(request)
    async with context.store.read() as reader:
        rows = await reader.fetch("desk.task", {"seq": seq, "county": context.county})
    if not rows:
        raise Problem(404, f"There is no open task {seq}.")
    asked = asked_of(rows[0]["key"])
    lifts = rows[0]["kind"] == TaskKind.LIFT.value
    if asked is None or lifts is not (verb is Verb.LIFT):
        raise Problem(409, f"Task {seq} does not ask whether to {verb.value}.")
    try:
        await say(request, verb, *asked, task=seq)
    except Problem as problem:
        if problem.status == 409:  # noqa: PLR2004 - conflict
            await context.desk.close_task(seq, need(request, Role.DUTY_OFFICER).name, origin_of(request))
        raise


async def say(request: Request, verb: Verb, rule: str, place: str, *, task: int | None = None) -> None:
    """Say it in the name of who is logged in."""
    principal = need(request, Role.DUTY_OFFICER)
    try:
        await desk_of(request).say(RuleAct(verb=verb, rule=rule, place=place, by=principal.name), origin_of(request), task=task)
    except NotProposed as error:
        raise Problem(409, f"{error}.") from None
    except Overloaded as error:
        raise Problem(503, f"{error}.") from None


async def reload_now(request: Request) -> Outcome:
    """Take the files in the name of the administrator who asks."""
    principal = need(request, Role.ADMINISTRATOR)
    try:
        return await desk_of(request).reload(principal.name, origin_of(request))
    except ConfigurationError as error:
        errors = [asdict(p) for p in error.problems]
        raise Problem(422, f"The files have {len(errors)} mistakes; the rules before go on: {error.problems[0]}", errors=errors) from None
    except Overloaded as error:
        raise Problem(503, f"{error}.") from None


def _local(request: Request, at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(context_of(request).registry.county.timezone).isoformat()
