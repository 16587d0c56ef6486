"""The values of a CAP message whose shape was checked, and remarks on what is unwise in it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from dispatcher.intake.codecs.cap_area import area_of, pairs_in, text_in, texts_in
from dispatcher.intake.codecs.cap_shape import NAMESPACES, SIGNATURE, time_of
from dispatcher.intake.codecs.xmltree import Element
from dispatcher.model.cap import CapAlert, CapInfo, CapResource, Reference


def alert_of(element: Element) -> CapAlert:
    """The values of an alert whose shape is right."""
    version = NAMESPACES[element.namespace]
    sent_text = text_in(element, "sent")
    sent = time_of(sent_text, version)
    if sent is None:  # pragma: no cover - its shape was checked
        raise AssertionError(sent_text)
    remarks: list[str] = []
    infos = tuple(
        _info(child, version, remarks) for child in element.children if child.name == "info" and child.namespace == element.namespace
    )
    alert = CapAlert(
        version=version,
        identifier=text_in(element, "identifier"),
        sender=text_in(element, "sender"),
        sent=sent,
        sent_text=sent_text,
        status=text_in(element, "status"),
        msg_type=text_in(element, "msgType"),
        scope=text_in(element, "scope"),
        source=text_in(element, "source"),
        restriction=text_in(element, "restriction"),
        addresses=text_in(element, "addresses"),
        codes=texts_in(element, "code"),
        note=text_in(element, "note"),
        references=_references(text_in(element, "references")) if version != "1.0" else (),
        incidents=text_in(element, "incidents"),
        infos=infos,
        signed=any(child.namespace == SIGNATURE for child in element.children),
    )
    return replace(alert, remarks=(*remarks, *_unwise(alert)))


def _unwise(alert: CapAlert) -> Iterator[str]:
    """What senders get wrong without making a message unreadable."""
    if alert.msg_type in ("Update", "Cancel", "Ack", "Error") and not alert.references:
        yield f"{alert.msg_type} without references: it is not known to what"
    if alert.msg_type in ("Alert", "Update") and not alert.infos:
        yield f"{alert.msg_type} without info"
    for number, info in enumerate(alert.infos, 1):
        if info.expires is None:
            yield f"info {number} does not say when it expires"
        elif info.expires < (info.effective or alert.sent):
            yield f"info {number} expires before it is in effect"
        same = (info.categories, info.event_codes) == (alert.infos[0].categories, alert.infos[0].event_codes)
        if not same and info.language != alert.infos[0].language:
            yield f"info {number} has other categories or event codes than info 1"


def _info(element: Element, version: str, remarks: list[str]) -> CapInfo:
    certainty = text_in(element, "certainty")
    return CapInfo(
        language=text_in(element, "language") or "en-US",
        categories=texts_in(element, "category"),
        event=text_in(element, "event"),
        urgency=text_in(element, "urgency"),
        severity=text_in(element, "severity"),
        certainty="Likely" if certainty == "Very Likely" else certainty,
        response_types=texts_in(element, "responseType"),
        audience=text_in(element, "audience"),
        event_codes=pairs_in(element, "eventCode"),
        effective=_time(element, "effective", version),
        onset=_time(element, "onset", version),
        expires=_time(element, "expires", version),
        sender_name=text_in(element, "senderName"),
        headline=text_in(element, "headline"),
        description=text_in(element, "description"),
        instruction=text_in(element, "instruction"),
        web=text_in(element, "web"),
        contact=text_in(element, "contact"),
        parameters=pairs_in(element, "parameter"),
        resources=tuple(_resource(child) for child in element.children if child.name == "resource"),
        areas=tuple(area_of(child, remarks) for child in element.children if child.name == "area"),
    )


def _resource(element: Element) -> CapResource:
    size = text_in(element, "size")
    return CapResource(
        description=text_in(element, "resourceDesc"),
        mime_type=text_in(element, "mimeType"),
        size_bytes=int(size) if size else None,
        uri=text_in(element, "uri"),
        content=text_in(element, "derefUri"),
        digest=text_in(element, "digest"),
    )


def _time(element: Element, name: str, version: str) -> datetime | None:
    return time_of(text_in(element, name), version)


def _references(text: str) -> tuple[Reference, ...]:
    return tuple(Reference(*parts) for word in text.split() if len(parts := word.split(",")) == 3)  # noqa: PLR2004 - a triple
