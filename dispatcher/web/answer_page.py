"""The answer page of a village: public, signed, without scripts, small enough for an old phone. Looking records nothing."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from dispatcher.calls.early import ahead_of, occasion_for
from dispatcher.calls.helping import calls_helpers
from dispatcher.errors import LinkRefused, NotAsked
from dispatcher.model.answer import Path, Said
from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.policy.model import Action
from dispatcher.policy.snapshot import plan_from_json
from dispatcher.registry.guidance import guidance_of
from dispatcher.registry.households import Household
from dispatcher.templates.render import action_of
from dispatcher.timestamps import from_ms, to_ms
from dispatcher.web.behalf import People
from dispatcher.web.state import context_of, origin_of, shared

router = APIRouter(include_in_schema=False, prefix="/a")


class VillageAnswer(BaseModel):
    """The form of the page."""

    model_config = ConfigDict(extra="ignore")

    action: Said
    people: People = None
    note: str = Field(default="", max_length=500)


@router.get("/{token}")
async def look(request: Request, token: str, done: str = "") -> Response:
    """What the village is told and asked, and what it has answered so far."""
    try:
        notice, person = await context_of(request).desk.open_link(token)
    except (LinkRefused, NotAsked) as error:
        return _refused(request, error)
    values, language = await _page_of(request, notice, person)
    said = Said(done) if done in tuple(Said) else None
    # The page confirms what is recorded, not what the address says.
    done_now = said if said is not None and any(a["action"] == said and a["person"] == person for a in values["answers"]) else None
    return shared(request).pages.page(request, "answer.html", language=language, **values, done=done_now)


@router.post("/{token}")
async def answer(request: Request, token: str, form: Annotated[VillageAnswer, Form()]) -> Response:
    """Record an answer, then show what was recorded."""
    context = context_of(request)
    try:
        notice, person = await context.desk.open_link(token)
    except (LinkRefused, NotAsked) as error:
        return _refused(request, error)
    origin = origin_of(request)
    try:
        await context.desk.answer(
            notice.id, action=form.action, path=Path.LINK, person=person, people=form.people, note=form.note.strip(), origin=origin
        )
    except NotAsked as error:
        language = _language(request, person)
        return shared(request).pages.page(request, "link_refused.html", 409, language=language, key="closed", why=str(error))
    chosen = request.query_params.get("lang", "")
    suffix = f"&lang={chosen}" if chosen in ("zh", "en") else ""
    return RedirectResponse(f"/a/{token}?done={form.action.value}{suffix}", status_code=303)


def _refused(request: Request, error: LinkRefused | NotAsked) -> Response:
    if isinstance(error, NotAsked):
        key, status = "closed", 410
    else:
        key, status = ("expired", 410) if error.expired else ("altered", 403)
    return shared(request).pages.page(request, "link_refused.html", status, key=key, why="")


def _language(request: Request, person: str) -> str:
    contact = context_of(request).registry.contacts.get(person)
    return contact.language if contact else ""


async def _page_of(request: Request, notice: Notice, person: str) -> tuple[dict[str, Any], str]:
    context = context_of(request)
    async with context.store.read() as reader:
        plans = await reader.fetch("notices.plan", {"digest": notice.plan})
        answers = await reader.fetch("desk.answers_of", {"notices": json.dumps([notice.id])})
    asks = notice.purpose is Purpose.WARN and notice.state is not NoticeState.SUPERSEDED
    actions: tuple[Action, ...] = plan_from_json(plans[0]["body"]).actions if plans and asks else ()
    village = context.registry.villages.get(notice.village)
    mine = await _households(request, notice, person) if plans and asks and calls_helpers(plan_from_json(plans[0]["body"])) else []
    helps = bool(mine) and await _only_helps(request, notice, person)
    own = [a for a in answers if (a["helper"] and a["person"] == person if helps else not a["helper"])]
    language = _language(request, person)
    values = {
        "notice": notice,
        "village": village,
        "actions": actions,
        "households": mine,
        "answers": own,
        "said": {a["action"] for a in own},
        "told": {lang: _told(request, notice, lang) for lang in ("zh", "en")},
        "at": from_ms,
    }
    return values, language


async def _households(request: Request, notice: Notice, person: str) -> list[Household]:
    """Whom the person has to bring to safety, in every village he was told of: addresses and needs, no names. The look is written down."""
    context = context_of(request)
    contact = context.registry.contacts.get(person)
    if contact is None:
        return []
    async with context.store.read() as reader:
        asked = await reader.fetch("notices.asked_of", {"address": contact.phone, "before": to_ms(context.clock.now())})
    villages = {notice.village, *(row["village"] for row in asked if row["warning"] == notice.warning)}
    same = [person, *(c.id for c in context.registry.contacts_with_phone(contact.phone) if c.id != person)]
    return await context.households.of_helper(same, villages, origin_of(request))


async def _only_helps(request: Request, notice: Notice, person: str) -> bool:
    context = context_of(request)
    scope = {"notices": json.dumps([notice.id]), "addresses": json.dumps([context.registry.contacts[person].phone])}
    async with context.store.read() as reader:
        return bool(await reader.fetch("desk.told_as_helpers", scope))


def _told(request: Request, notice: Notice, language: str) -> str:
    """What the text message told the village to do; empty when there is no such text."""
    house = context_of(request).releases.house
    try:
        template = house.templates.find(notice.hazard, occasion_for(house, notice), "sms", language)
    except KeyError:
        return ""
    known = guidance_of(house.registry, notice.village, language, house.travel_time(notice.village))
    return ahead_of(house, notice, language) + action_of(template, known, house.templates.words[template.language])
