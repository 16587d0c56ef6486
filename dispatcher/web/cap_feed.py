"""The public feed of CAP messages: Atom, and each message at an address of its own, as it was frozen at release. Never a drill."""

from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import APIRouter, Request
from starlette.responses import Response

from dispatcher.model.warning import Alert
from dispatcher.ports import Status
from dispatcher.rows import value_of
from dispatcher.timestamps import to_ms
from dispatcher.web.problems import Problem
from dispatcher.web.state import context_of
from rules.grade import Grade

router = APIRouter(prefix="/cap", tags=["public"])
ATOM: Final = "http://www.w3.org/2005/Atom"
CAP_TYPE: Final = "application/cap+xml"
_MOST: Final = 200
_CACHE: Final = {"cache-control": "public, max-age=10", "access-control-allow-origin": "*"}


@router.get("/feed.atom")
async def feed(request: Request) -> Response:
    """Messages that have not run out, the newest first. Open to everybody."""
    context = context_of(request)
    now = context.clock.now()
    query = {"county": context.county, "status": Status.ACTUAL.value, "now": to_ms(now), "limit": _MOST}
    async with context.store.read() as reader:
        rows = await reader.fetch("warnings.public_alerts", query)
    zone, own = context.registry.county.timezone, f"{context.public_url}/cap/feed.atom"
    language = context.registry.county.languages[0]
    root = Element("feed", {"xmlns": ATOM})
    SubElement(root, "id").text = own
    SubElement(root, "title").text = context.registry.issuer(language)
    alerts = [value_of(Alert, row) for row in rows]
    SubElement(root, "updated").text = (alerts[0].sent_at if alerts else now).astimezone(zone).isoformat(timespec="seconds")
    SubElement(root, "link", {"rel": "self", "href": own})
    SubElement(SubElement(root, "author"), "name").text = context.registry.issuer(language)
    for alert, row in zip(alerts, rows, strict=True):
        entry = SubElement(root, "entry")
        address = f"{context.public_url}/cap/{alert.identifier}.xml"
        SubElement(entry, "id").text = address
        SubElement(entry, "title").text = _title(request, alert, row["hazard"], row["area"], language)
        SubElement(entry, "updated").text = alert.sent_at.astimezone(zone).isoformat(timespec="seconds")
        SubElement(entry, "link", {"href": address, "type": CAP_TYPE})
    body = '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode")
    return Response(body, media_type="application/atom+xml", headers=_CACHE)


@router.get("/{identifier}.xml")
async def message(request: Request, identifier: str) -> Response:
    """One message, byte for byte as released. Open to everybody."""
    async with context_of(request).store.read() as reader:
        rows = await reader.fetch("warnings.public_alert", {"identifier": identifier, "status": Status.ACTUAL.value})
    if not rows or rows[0]["county"] != context_of(request).county:
        raise Problem(404, "There is no such public message.")
    return Response(rows[0]["cap"], media_type=CAP_TYPE, headers=_CACHE)


def _title(request: Request, alert: Alert, hazard: str, area: str, language: str) -> str:
    context = context_of(request)
    words = context.texts.words.get(language)
    name = words.hazards.get(hazard, hazard) if words else hazard
    highest = max((Grade(now) for _, _, now in alert.places), default=Grade.NONE)
    grade = words.grades.get(highest, highest.word) if words else highest.word
    return f"{context.registry.name_of(area, language)} {name} {grade} ({alert.message_type.value})"
