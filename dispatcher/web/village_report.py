"""The page by which somebody of a village reports damage or danger: public, signed, works without scripts, with a photo.

The link is his own and holds for a season; it proves who reports, never more.
"""

from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import RedirectResponse, Response

from dispatcher.errors import LinkRefused
from dispatcher.incidents.messages import LONGEST_TEXT, photo_type
from dispatcher.incidents.model import VillageMessage
from dispatcher.registry.model import Contact
from dispatcher.web.state import context_of, origin_of, shared

router = APIRouter(include_in_schema=False, prefix="/v")
LARGEST_PHOTO = 5 * 1024 * 1024


@router.get("/{token}")
async def look(request: Request, token: str, done: str = "") -> Response:
    """The form."""
    try:
        who = _person(request, token)
    except LinkRefused as refused:
        return _refused(request, refused)
    return shared(request).pages.page(request, "village_report.html", language=who.language, who=who, done=bool(done), wrong="")


@router.post("/{token}")
async def report(
    request: Request,
    token: str,
    text: Annotated[str, Form(max_length=LONGEST_TEXT)] = "",
    lat: Annotated[str, Form(max_length=20)] = "",
    lon: Annotated[str, Form(max_length=20)] = "",
    photo: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Keep what was reported, then thank for it; the duty room has a task at once."""
    try:
        who = _person(request, token)
    except LinkRefused as refused:
        return _refused(request, refused)
    body = await photo.read(LARGEST_PHOTO + 1) if photo is not None else b""
    kind, place = photo_type(body), _position(lat, lon)
    wrong = _wrong(text, body, kind)
    if wrong:
        pages = shared(request).pages
        return pages.page(request, "village_report.html", 422, language=who.language, who=who, done=False, wrong=wrong)
    context = context_of(request)
    message = VillageMessage(
        county=context.county,
        status=context.status,
        person=who.id,
        village=who.area,
        text=text.strip(),
        at=context.clock.now(),
        path="link",
        lat=place[0] if place else None,
        lon=place[1] if place else None,
        photo_type=kind,
    )
    await context.incidents.message(message, body, origin_of(request))
    return RedirectResponse(f"/v/{token}?done=1", status_code=303)


def _wrong(text: str, photo: bytes, kind: str) -> str:
    """The key of what is wrong with a report; empty when it can be kept."""
    if not text.strip() and not photo:
        return "v.empty"
    if len(photo) > LARGEST_PHOTO:
        return "v.too_large"
    return "v.no_picture" if photo and not kind else ""


def _position(lat: str, lon: str) -> tuple[float, float] | None:
    """Degrees, when both are numbers on the earth; a wrong position must not keep a cry for help out."""
    try:
        found = float(lat), float(lon)
    except ValueError:
        return None
    return found if abs(found[0]) <= 90 and abs(found[1]) <= 180 else None  # noqa: PLR2004 - degrees


def _person(request: Request, token: str) -> Contact:
    return context_of(request).incidents.reporter(token)


def _refused(request: Request, refused: LinkRefused) -> Response:
    key, status = ("expired", 410) if refused.expired else ("altered", 403)
    return shared(request).pages.page(request, "link_refused.html", status, key=key, why="")
