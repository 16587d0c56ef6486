"""What people and programs may say about incidents; the same fields from the page and through the API."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from dispatcher.incidents.life import Move
from dispatcher.incidents.model import Origin, ReportKind

Line = Annotated[str, Field(max_length=200)]
Prose = Annotated[str, Field(max_length=4_000)]


def _blank_is_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OpenIncident(_Said):
    """``known_at`` is when the house learnt of it; every limit counts from there; default now."""

    title: Line
    level: Literal["blue", "yellow", "orange", "red"]
    hazard: Line = ""
    area: Line = ""
    origin: Origin = Origin.HAND
    origin_ref: Line = ""
    known_at: Annotated[AwareDatetime | None, BeforeValidator(_blank_is_none)] = None


class DraftReport(_Said):
    """``parts`` by field: time, place, source, cause, course, casualties, losses, impact, trend, response, requests, on_scene."""

    kind: ReportKind
    parts: dict[str, Prose] = Field(default_factory=dict)


class EditReport(_Said):
    """What the draft says now, whole."""

    parts: dict[str, Prose]


class MoveReport(_Said):
    """``to`` and ``how`` (telephone, fax, system) belong to sending, ``remark`` to returning."""

    move: Move
    remark: Line = ""
    to: Line = ""
    how: Line = ""


class Telephoned(_Said):
    """Who was told on the telephone."""

    to: Line


class GiveInstruction(_Said):
    """批示. ``given_at`` default now; ``due`` is by when feedback is wanted."""

    leader: Line
    post: Line = ""
    text: Prose
    given_at: Annotated[AwareDatetime | None, BeforeValidator(_blank_is_none)] = None
    due: Annotated[AwareDatetime | None, BeforeValidator(_blank_is_none)] = None


class GiveFeedback(_Said):
    """What came of an instruction."""

    text: Prose
