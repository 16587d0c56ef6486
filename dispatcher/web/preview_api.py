"""``POST /api/v1/preview``: what a release would set going, before anybody signs it."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from dispatcher.accounts import Role
from dispatcher.calls.preview import Announcement
from dispatcher.registry.areas import villages_within
from dispatcher.web.gate import need
from dispatcher.web.problems import Problem
from dispatcher.web.release_forms import onset_in
from dispatcher.web.state import context_of
from rules.grade import Grade

router = APIRouter(tags=["warnings"])


class LookAhead(BaseModel):
    """A warning that somebody thinks of. ``areas`` are codes of villages or of what they lie in."""

    model_config = ConfigDict(extra="forbid")

    hazard: str
    grade: str = Field(pattern="^(blue|yellow|orange|red)$")
    areas: list[str] = Field(min_length=1, max_length=10_000)
    before: str = Field(default="none", pattern="^(none|blue|yellow|orange|red)$")
    onset: AwareDatetime | None = Field(default=None, description="When it is expected to begin.")
    in_hours: float | None = Field(default=None, ge=0, le=72, description="The same, in hours from now.")
    told_in: str = Field(default="", max_length=60, description="With `before`: the stage it was told in, none for the most imminent.")
    reason_zh: str = Field(default="", max_length=500)
    reason_en: str = Field(default="", max_length=500)


@router.post("/preview")
async def preview(request: Request, asked: LookAhead) -> dict[str, Any]:
    """Recipients, segments, cost and time for each channel; roles that nobody holds, villages that nobody would hear."""
    need(request, Role.FORECASTER)
    context = context_of(request)
    if context.look_ahead is None:
        raise Problem(503, "This engine cannot look ahead.")
    codes: dict[str, None] = {}
    for area in asked.areas:
        inside = villages_within(context.registry, area)
        if not inside:
            raise Problem(422, f"No village lies in {area!r}; give codes of villages, townships or the county.")
        codes |= dict.fromkeys(v.code for v in inside)
    before, after = Grade.from_word(asked.before), Grade.from_word(asked.grade)
    zh, en = asked.reason_zh or asked.reason_en, asked.reason_en or asked.reason_zh
    onset = onset_in(asked.onset, asked.in_hours, context.clock.now())
    said = [
        Announcement(village=v, before=before, after=after, reason_zh=zh, reason_en=en, onset=onset, told_in=asked.told_in) for v in codes
    ]
    try:
        found = await context.look_ahead(asked.hazard, said)
    except KeyError as unknown:
        raise Problem(422, f"{unknown.args[0]}.") from None
    return asdict(found)
