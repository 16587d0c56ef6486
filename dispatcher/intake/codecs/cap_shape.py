"""The shape of CAP messages: which elements, in which order, how often, and with which values. 1.0, 1.1 and 1.2."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from dispatcher.intake.codecs.xmltree import Element
from dispatcher.model.reject import Fault, RejectCode, show

NAMESPACES: Mapping[str, str] = {
    "urn:oasis:names:tc:emergency:cap:1.2": "1.2",
    "urn:oasis:names:tc:emergency:cap:1.1": "1.1",
    "http://www.incident.com/cap/1.0": "1.0",
}
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"

_TIME_12 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d", re.ASCII)
_TIME_BEFORE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?([-+]\d\d:\d\d|Z)", re.ASCII)
_INTEGER = re.compile(r"[-+]?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[-+]?(\d{1,18}(\.\d{0,18})?|\.\d{1,18})", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
_NAME = re.compile(r"[^\s,<&]+")

Values = frozenset[str]
Shape = tuple["Part", ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One element within another. ``what`` is the set of its values, the name of a kind of text, or a shape of its own."""

    name: str
    what: Values | str | Shape = "text"
    needed: bool = False
    many: bool = False


def _words(text: str) -> Values:
    return frozenset(text.split())


_PAIR: Shape = (Part("valueName", needed=True), Part("value", needed=True))
_STATUS = _words("Actual Exercise System Test")
_CATEGORIES = _words("Geo Met Safety Security Rescue Fire Health Env Transport Infra Other")
_RESPONSES = _words("Shelter Evacuate Prepare Execute Monitor Assess None")


def _area(version: str) -> Shape:
    codes = "text" if version == "1.0" else _PAIR
    height = "decimal" if version == "1.2" else "text"
    return (
        Part("areaDesc", needed=True),
        Part("polygon", many=True),
        Part("circle", many=True),
        Part("geocode", codes, many=True),
        Part("altitude", height),
        Part("ceiling", height),
    )


def _resource(version: str) -> Shape:
    return (
        Part("resourceDesc", needed=True),
        Part("mimeType", needed=version == "1.2"),
        Part("size", "integer"),
        Part("uri"),
        *(() if version == "1.0" else (Part("derefUri"),)),
        Part("digest"),
    )


def _info(version: str) -> Shape:
    codes = "text" if version == "1.0" else _PAIR
    responses = _RESPONSES | (_words("Avoid AllClear") if version == "1.2" else frozenset())
    certainties = _words("Likely Possible Unlikely Unknown") | ({"Very Likely"} if version == "1.0" else {"Observed"})
    return (
        Part("language", "language"),
        Part("category", _CATEGORIES | (frozenset() if version == "1.0" else {"CBRNE"}), needed=version != "1.0", many=True),
        Part("event", needed=True),
        *(() if version == "1.0" else (Part("responseType", responses, many=True),)),
        Part("urgency", _words("Immediate Expected Future Past Unknown"), needed=True),
        Part("severity", _words("Extreme Severe Moderate Minor Unknown"), needed=True),
        Part("certainty", certainties, needed=True),
        Part("audience"),
        Part("eventCode", codes, many=True),
        *(Part(name, "time") for name in ("effective", "onset", "expires")),
        *(Part(name) for name in ("senderName", "headline", "description", "instruction", "web", "contact")),
        Part("parameter", codes, many=True),
        Part("resource", _resource(version), many=True),
        Part("area", _area(version), many=True),
    )


def _alert(version: str) -> Shape:
    return (
        Part("identifier", "name", needed=True),
        Part("sender", "name", needed=True),
        Part("sent", "time", needed=True),
        Part("status", _STATUS | (frozenset() if version == "1.0" else {"Draft"}), needed=True),
        Part("msgType", _words("Alert Update Cancel Ack Error"), needed=True),
        *((Part("password"),) if version == "1.0" else ()),
        Part("source"),
        Part("scope", _words("Public Restricted Private"), needed=version != "1.0"),
        *(Part(name) for name in ("restriction", "addresses")),
        Part("code", many=True),
        *(Part(name) for name in ("note", "references", "incidents")),
        Part("info", _info(version), many=True),
    )


SHAPES: Mapping[str, Shape] = {version: _alert(version) for version in NAMESPACES.values()}


def faults(element: Element, version: str) -> Iterator[tuple[int, Fault]]:
    """Everything in an alert that is not as its version wants it, with the line."""
    yield from _inside(element, SHAPES[version], version)


def _inside(element: Element, shape: Shape, version: str) -> Iterator[tuple[int, Fault]]:
    if element.text.strip():
        yield (
            element.line,
            Fault(RejectCode.BAD_FIELD, f"text {show(element.text.strip())} right in {element.name}; allowed: elements only"),
        )
    order = {part.name: place for place, part in enumerate(shape)}
    at, seen = 0, set[str]()
    for child in element.children:
        if child.namespace == SIGNATURE and element.name == "alert":
            continue
        if child.namespace != element.namespace or child.name not in order:
            allowed = ", ".join(part.name for part in shape)
            yield child.line, Fault(RejectCode.BAD_FIELD, f"unknown element {show(child.name)} in {element.name}; allowed: {allowed}")
            continue
        place = order[child.name]
        part = shape[place]
        if place < at:
            yield (
                child.line,
                Fault(RejectCode.BAD_FIELD, f"{child.name} behind {shape[at].name}; allowed: in the order of CAP {version}, before it"),
            )
        if child.name in seen and not part.many:
            yield child.line, Fault(RejectCode.DUPLICATE_KEY, f"{child.name} twice in one {element.name}; allowed: once")
        at = max(at, place)
        seen.add(child.name)
        yield from _value(child, part, version)
    for part in shape:
        if part.needed and part.name not in seen:
            yield element.line, Fault(RejectCode.MISSING_FIELD, f"{part.name} is missing in {element.name}; needed by CAP {version}")


def _value(element: Element, part: Part, version: str) -> Iterator[tuple[int, Fault]]:
    if isinstance(part.what, tuple):
        yield from _inside(element, part.what, version)
        return
    if element.children:
        yield element.line, Fault(RejectCode.BAD_FIELD, f"elements in {part.name}; allowed: text")
        return
    text = element.text.strip()
    allowed = _allowed(text, part.what, version)
    if allowed:
        code = RejectCode.BAD_TIME if part.what == "time" else RejectCode.BAD_FIELD
        yield element.line, Fault(code, f"{part.name} {show(text)}; allowed: {allowed}")


def _allowed(text: str, what: Values | str, version: str) -> str:
    """Empty when the text is right, else what it may be."""
    if isinstance(what, frozenset):
        return "" if text in what else ", ".join(sorted(what))
    if what == "time":
        return "" if time_of(text, version) else "a time such as 2026-07-20T08:05:00+08:00, with a numeric offset and no fraction"
    pattern, words = _KINDS.get(what, (None, ""))
    return words if pattern is not None and not pattern.fullmatch(text) else ""


_KINDS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "integer": (_INTEGER, "a whole number"),
    "decimal": (_DECIMAL, "a number"),
    "language": (_LANGUAGE, "a language such as zh-CN"),
    "name": (_NAME, "text without spaces, commas, < and &"),
}


def time_of(text: str, version: str) -> datetime | None:
    """A time of CAP; None when it is none. ``Z`` and fractions are of the older versions only."""
    if not (_TIME_12 if version == "1.2" else _TIME_BEFORE).fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
