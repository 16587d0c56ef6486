"""CAP messages in: 1.2, 1.1 and 1.0; alone, in a list, or carried in an Atom feed or an EDXL distribution. Total.

What the schema forbids is refused, element by element with its line. What is only unwise, or a shape on the map that cannot
be, is a remark: a warning of life and death is not thrown away for a polygon that is not closed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from dispatcher.intake.catalogue import Catalogue
from dispatcher.intake.codecs.cap_area import text_in
from dispatcher.intake.codecs.cap_shape import NAMESPACES, faults, time_of
from dispatcher.intake.codecs.cap_values import alert_of
from dispatcher.intake.codecs.gather import Gathering
from dispatcher.intake.codecs.xmltree import Element, parse_xml
from dispatcher.intake.decode import DEFAULT_LIMITS, Limits
from dispatcher.model.cap import CapAlert
from dispatcher.model.reject import Fault, Reject, RejectCode, show
from dispatcher.ports import Item

_FAULTS_EACH = 20


@dataclass(frozen=True, slots=True)
class CapDecoded:
    """What one document held, in its order."""

    alerts: list[CapAlert]
    rejects: list[Reject]


def decode_cap(item: Item, limits: Limits = DEFAULT_LIMITS) -> CapDecoded:
    """The alerts of a document, and a reject for each that is none."""
    into, alerts = Gathering(item, Catalogue({}, {}), limits), list[CapAlert]()
    if into.too_large():
        return CapDecoded([], into.decoded().rejects)
    root = parse_xml(item.body)
    if isinstance(root, Fault):
        into.refuse(root)
        return CapDecoded([], into.decoded().rejects)
    found = list(_alerts(root))
    for index, element in enumerate(found, 1):
        wrong = list(islice(_wrong(element), _FAULTS_EACH))
        for line, fault in wrong:
            into.refuse(fault, f"alert {index}, line {line}", index, line=line)
        if not wrong:
            alerts.append(alert_of(element))
    if not found:
        into.refuse(_no_alert(root))
    return CapDecoded(alerts, into.decoded().rejects)


def _alerts(element: Element) -> Iterator[Element]:
    if element.name == "alert" and element.namespace in NAMESPACES:
        yield element
        return
    for child in element.children:
        yield from _alerts(child)


def _no_alert(root: Element) -> Fault:
    what = f"no CAP alert in it; the root is {show(root.name)} of namespace {show(root.namespace)}"
    return Fault(RejectCode.NOT_READABLE, f"{what}; allowed: alert of {', '.join(NAMESPACES)}")


def _wrong(element: Element) -> Iterator[tuple[int, Fault]]:
    """Why an alert cannot be used: its shape first; what its values say together only when that is right."""
    version = NAMESPACES[element.namespace]
    shape = list(islice(faults(element, version), _FAULTS_EACH))
    yield from shape
    if shape:
        return
    scope, line = text_in(element, "scope"), element.line
    for wanted, name in (("Restricted", "restriction"), ("Private", "addresses")):
        if scope == wanted and not text_in(element, name):
            yield line, Fault(RejectCode.MISSING_FIELD, f"{name} is missing; needed with scope {wanted}")
    if version != "1.0":
        yield from _wrong_references(element, version)


def _wrong_references(element: Element, version: str) -> Iterator[tuple[int, Fault]]:
    own = (text_in(element, "sender"), text_in(element, "identifier"))
    sent = time_of(text_in(element, "sent"), version)
    for given in (child for child in element.children if child.name == "references"):
        for word in given.text.split():
            parts = word.split(",")
            time = time_of(parts[2], version) if len(parts) == 3 else None  # noqa: PLR2004 - a triple
            if time is None:
                yield given.line, Fault(RejectCode.BAD_FIELD, f"reference {show(word)}; allowed: sender,identifier,sent")
            elif (parts[0], parts[1]) == own:
                yield given.line, Fault(RejectCode.BAD_FIELD, f"reference {show(word)} to itself; allowed: earlier messages")
            elif sent is not None and time > sent:
                yield given.line, Fault(RejectCode.BAD_FIELD, f"reference {show(word)} to a later message; allowed: earlier messages")
