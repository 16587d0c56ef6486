"""A released alert as a CAP 1.2 message: one info per grade and language, whole townships as one area. Made once, then frozen.

An Update or Cancel replaces what it references, so it says everything that is in force, not only what changed. No name of an
officer stands in it: the feed is public.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from dispatcher.house import House
from dispatcher.model.warning import Alert, Contribution, VillageGrade, Warning
from dispatcher.policy.release import Origin
from dispatcher.ports import Status
from dispatcher.registry.model import Registry
from dispatcher.templates import model as texts
from dispatcher.templates.model import Guidance
from dispatcher.templates.render import action_of
from dispatcher.warnings.cap_terms import EARLY, EVENT_CODE, GEOCODE, GRADES, HAZARDS, LANGUAGES, LEVEL, OTHER
from rules.grade import Grade

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
_MOST_REASONS = 40
_HEADLINE = 160
_RADIUS_KM = "1.0"
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_FROZEN = re.compile(r"<identifier>([^<]*)</identifier><sender>([^<]*)</sender><sent>([^<]*)</sent>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a message is made of: every village of the warning as told with it, and who holds them in which grade."""

    warning: Warning
    alert: Alert
    villages: Sequence[VillageGrade]
    contributions: Sequence[Contribution]
    earlier: Sequence[Alert]


def cap_message(house: House, said: Said) -> str:
    """The whole message. The same facts always give the same text."""
    alert = said.alert
    root = Element("alert", {"xmlns": NAMESPACE})
    _add(root, "identifier", alert.identifier)
    _add(root, "sender", house.cap_sender)
    _add(root, "sent", _time(house, alert.sent_at))
    _add(root, "status", alert.status.value)
    _add(root, "msgType", alert.message_type.value)
    _add(root, "scope", "Public")
    _add(root, "note", _note(alert))
    _add(root, "references", " ".join(_reference(a) for a in said.earlier if a.id in alert.refs and a.cap))
    _add(root, "incidents", said.warning.id)
    for villages in _alike(house, said):
        for language in house.registry.county.languages:
            if language in LANGUAGES and language in house.templates.words:
                _info(root, house, said, villages, language)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode")


def _note(alert: Alert) -> str:
    mark = "EXERCISE 演练" if alert.status is not Status.ACTUAL else ""
    return " ".join(part for part in (mark, alert.note) if part)


def _reference(alert: Alert) -> str:
    """An earlier message as it names itself: its time is repeated character by character."""
    found = _FROZEN.search(alert.cap)
    return f"{found[2]},{found[1]},{found[3]}" if found else ""


def _alike(house: House, said: Said) -> Iterator[list[VillageGrade]]:
    """The villages told alike: what is in force, worst and nearest first, then those for whom it is over with this very message."""
    lifted = {village for village, before, now in said.alert.places if before and not now}
    groups: dict[tuple[Grade, bool], list[VillageGrade]] = {}
    for village in said.villages:
        if village.told or village.village in lifted:
            groups.setdefault((village.told, not _early(house, village)), []).append(village)
    yield from (groups[key] for key in sorted(groups, reverse=True))


def _early(house: House, village: VillageGrade) -> bool:
    return bool(village.told) and house.stages.early(village.stage)


def _info(root: Element, house: House, said: Said, villages: Sequence[VillageGrade], language: str) -> None:
    grade, early = villages[0].told, _early(house, villages[0])
    hazard, words, terms = said.warning.hazard, house.templates.words[language], GRADES[grade]
    urgency, responses = EARLY if early else (terms.urgency, terms.responses)
    category, code = HAZARDS.get(hazard, OTHER)
    name = words.hazards.get(hazard, hazard)
    issuer = house.registry.issuer(language)
    event = f"{name}{words.grades[grade]}预警" if language == "zh" else f"{name} warning, {words.grades[grade]}"
    if grade is Grade.NONE:
        event = f"{name}预警解除" if language == "zh" else f"{name} warning lifted"
    headline = f"{issuer}发布{event}" if language == "zh" else f"{issuer}: {event}"
    info = SubElement(root, "info")
    _add(info, "language", LANGUAGES[language])
    _add(info, "category", category)
    _add(info, "event", event)
    for response in responses:
        _add(info, "responseType", response)
    _add(info, "urgency", urgency)
    _add(info, "severity", terms.severity)
    _add(info, "certainty", _certainty(said, villages))
    _pair(info, "eventCode", EVENT_CODE, code)
    _add(info, "effective", _time(house, said.alert.sent_at))
    expected = _onset(said, grade, villages)
    _add(info, "onset", _time(house, expected) if expected else "")
    _add(info, "expires", _time(house, _expiry(house, said, grade)))
    _add(info, "senderName", issuer)
    _add(info, "headline", headline[:_HEADLINE])
    _add(info, "description", _reasons(said, villages, language))
    _add(info, "instruction", _instruction(house, hazard, texts.EARLY if early else grade.word, language))
    _add(info, "web", f"{house.public_url}/cap/{said.alert.identifier}.xml")
    _pair(info, "parameter", LEVEL, terms.level)
    for area in _areas(house.registry, villages, language):
        info.append(area)


def _onset(said: Said, grade: Grade, villages: Sequence[VillageGrade]) -> datetime | None:
    """When it is expected to begin in the first of these villages; None where it is now in one of them, or over."""
    ahead = [v.onset for v in villages if v.onset and v.onset > said.alert.sent_at]
    return min(ahead) if grade and len(ahead) == len(villages) else None


def _expiry(house: House, said: Said, grade: Grade) -> datetime:
    if grade is Grade.NONE:
        return said.alert.expires_at
    return said.alert.sent_at + house.policies.for_hazard(said.warning.hazard).grades[grade].valid_for


def _holding(said: Said, villages: Iterable[VillageGrade]) -> list[Contribution]:
    """Who holds these villages, each contributor once, the highest first."""
    names = {v.village for v in villages}
    found = {c.contributor: c for c in sorted(said.contributions, key=lambda c: c.grade) if c.village in names}
    return sorted(found.values(), key=lambda c: (-c.grade, c.since, c.contributor))


def _certainty(said: Said, villages: Sequence[VillageGrade]) -> str:
    """Observed when something measured holds one of them; what was lifted is observed to be over."""
    holding = _holding(said, villages)
    return "Observed" if not holding or any(c.origin is Origin.OBSERVED for c in holding) else "Likely"


def _reasons(said: Said, villages: Sequence[VillageGrade], language: str) -> str:
    """Every contributor in his own words; for what is over, what ended it."""
    texts = [c.reason_zh if language == "zh" else c.reason_en for c in _holding(said, villages)]
    texts = texts or [v.reason_zh if language == "zh" else v.reason_en for v in villages]
    unique = list(dict.fromkeys(text for text in texts if text))
    return "\n".join(unique[:_MOST_REASONS])


def _instruction(house: House, hazard: str, occasion: str, language: str) -> str:
    """What the text message tells villages to do, in general words."""
    found = house.templates.texts.get((hazard, occasion, "sms", language))
    if found is None or not found.action:
        return ""
    words = house.templates.words[language]
    return action_of(found, Guidance(village=""), words)


def _areas(registry: Registry, villages: Sequence[VillageGrade], language: str) -> Iterator[Element]:
    """One area per township: by its own code when all of its villages are in it, else by its villages with a circle for each."""
    by_township: dict[str, list[str]] = {}
    for village in villages:
        known = registry.villages.get(village.village)
        by_township.setdefault(known.township if known else "", []).append(village.village)
    for township, codes in sorted(by_township.items()):
        whole = township and len(codes) == len(registry.villages_of_township(township))
        area = Element("area")
        listed = ("、" if language == "zh" else ", ").join(registry.name_of(code, language) for code in codes)
        name = registry.name_of(township, language) if township else ""
        _add(area, "areaDesc", name if whole else f"{name}：{listed}" if language == "zh" else f"{name}: {listed}")
        if not whole:
            for code in codes:
                if code in registry.villages:
                    _add(area, "circle", f"{registry.villages[code].lat:.5f},{registry.villages[code].lon:.5f} {_RADIUS_KM}")
        for code in [township] if whole else codes:
            _pair(area, "geocode", GEOCODE, code)
        yield area


def _pair(parent: Element, name: str, key: str, value: str) -> None:
    if value:
        pair = SubElement(parent, name)
        _add(pair, "valueName", key)
        _add(pair, "value", value)


def _add(parent: Element, name: str, text: str) -> None:
    """An element; an empty one is left out."""
    if text:
        SubElement(parent, name).text = _NOT_XML.sub("", text)


def _time(house: House, at: datetime) -> str:
    """Local time with its offset; CAP allows neither Z nor fractions."""
    text = at.astimezone(house.registry.county.timezone).isoformat(timespec="seconds")
    return text.replace("+00:00", "-00:00")


def identifier_of(alert: Alert) -> str:
    """A name that no other message has, without the characters that CAP forbids."""
    return re.sub(r"[\s,<&]", "-", alert.id)
