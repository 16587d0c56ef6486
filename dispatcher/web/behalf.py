"""An answer that a duty officer writes down for a village, from the page or through the API."""

from typing import Annotated, Final, Literal

from fastapi import Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dispatcher.accounts import Role
from dispatcher.model.answer import Path, Said
from dispatcher.web.gate import need
from dispatcher.web.problems import Problem
from dispatcher.web.state import context_of, origin_of

MOST_PEOPLE: Final = 100_000
HEARD_BY: Final = ("telephone", "radio", "in_person")


def _blank_is_none(value: object) -> object:
    """An empty field of a form says nothing."""
    return None if isinstance(value, str) and not value.strip() else value


People = Annotated[Annotated[int, Field(ge=0, le=MOST_PEOPLE)] | None, BeforeValidator(_blank_is_none)]


class BehalfAnswer(BaseModel):
    """What was learnt, from whom and how. ``person`` is a contact's id, empty for somebody else named in ``heard_from``."""

    model_config = ConfigDict(extra="forbid")

    action: Said
    person: str = Field(default="", max_length=200)
    heard_by: Literal["telephone", "radio", "in_person"] = "telephone"
    heard_from: str = Field(default="", max_length=200)
    people: People = None
    note: str = Field(default="", max_length=500)

    def as_note(self) -> str:
        """How it was learnt, in front of the note: ``by telephone from …; …``."""
        way = "in person" if self.heard_by == "in_person" else f"by {self.heard_by}"
        source = f"{way} from {self.heard_from.strip()}" if self.heard_from.strip() else way
        return f"{source}; {self.note.strip()}" if self.note.strip() else source


class BehalfForm(BehalfAnswer):
    """The same from a form of the page."""

    csrf: str = ""


async def write_down(request: Request, notice_id: str, answer: BehalfAnswer) -> None:
    """Record it in the name of who is logged in (duty officer or higher); NotAsked and 404 as the desk says."""
    principal = need(request, Role.DUTY_OFFICER)
    context = context_of(request)
    if answer.person and answer.person not in context.registry.contacts:
        raise Problem(422, f"There is no contact {answer.person!r}; leave it empty for somebody who is not on the list.")
    async with context.store.read() as reader:
        rows = await reader.fetch("notices.one", {"id": notice_id})
    if not rows or rows[0]["county"] != context.county:
        raise Problem(404, f"There is no notice {notice_id!r}.")
    await context.desk.answer(
        notice_id,
        action=answer.action,
        path=Path.DUTY_ROOM,
        person=answer.person,
        on_behalf_by=principal.name,
        people=answer.people,
        note=answer.as_note(),
        origin=origin_of(request),
    )
