"""CAP messages of other authorities as sayings about our villages: which chain, which villages, which grade, until when.

Decisions only. Whatever is not Actual never counts where people are warned in earnest. What cannot be understood is said to a
person, never guessed: an unknown event or severity is a task, not a warning.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from dispatcher.house import House
from dispatcher.model.cap import CapAlert, CapArea, CapInfo
from dispatcher.model.saying import Saying
from dispatcher.policy.release import Origin
from dispatcher.registry.areas import villages_within
from dispatcher.registry.geometry import villages_in_circle, villages_in_ring
from dispatcher.warnings.cap_terms import EVENT_CODE, GRADE_OF, HAZARD_OF, LEVEL
from dispatcher.warnings.drafting import issuing_area
from rules.grade import Grade

HOLDS = timedelta(hours=12)
"""How long a message holds that does not say it."""
_DIVISION = re.compile(r"\d{2,12}", re.ASCII)
_ROMAN = {"red": Grade.RED, "orange": Grade.ORANGE, "yellow": Grade.YELLOW, "blue": Grade.BLUE}
_OVER = frozenset({"AllClear"})


class Outcome(StrEnum):
    """What became of a message of another authority."""

    HEARD = "heard"
    CANCELLED = "cancelled"
    NOT_ACTUAL = "not_actual"
    NOT_PUBLIC = "not_public"
    OWN = "own"
    NOTHING_SAID = "nothing_said"
    OLDER = "older"
    EXPIRED = "expired"
    ELSEWHERE = "elsewhere"
    UNKNOWN_HAZARD = "unknown_hazard"
    UNKNOWN_GRADE = "unknown_grade"


FOR_A_PERSON = frozenset({Outcome.UNKNOWN_HAZARD, Outcome.UNKNOWN_GRADE, Outcome.NOT_PUBLIC})
"""Outcomes that a person must look at: it may concern us, and we do not know how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What is known of the messages that belong together: their ``root``, when the newest was sent, and what they hold or propose.

    ``held`` is (hazard, village) → the issuing area.
    """

    root: str
    newest: datetime | None
    held: Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What a message means for us."""

    outcome: Outcome
    sayings: tuple[Saying, ...] = ()


def understand_alert(alert: CapAlert, chain: Chain, house: House, now: datetime) -> Understood:
    """What a message says of our villages. Villages of its chain that it names no more are let go."""
    barred = _barred(alert, chain, house)
    if barred is not None:
        return Understood(outcome=barred)
    if alert.msg_type == "Cancel":
        return Understood(outcome=Outcome.CANCELLED, sayings=tuple(_let_go(alert, chain, chain.held, now)))
    said: dict[tuple[str, str], Saying] = {}
    outcomes: list[Outcome] = []
    for info in alert.infos:
        for one in _info_sayings(alert, info, chain, house, now):
            if isinstance(one, Outcome):
                outcomes.append(one)
            else:
                key = (one.hazard, one.village)
                said[key] = _joined(said[key], one, info) if key in said else one
    # What is not understood takes nothing back: a village keeps its grade until a person has looked.
    left = [key for key in chain.held if key not in said] if not FOR_A_PERSON & set(outcomes) else []
    sayings = (*said.values(), *_let_go(alert, chain, left, now))
    doubt = min(outcomes, key=_weight, default=Outcome.NOTHING_SAID)
    heard = bool(sayings) and doubt not in FOR_A_PERSON
    return Understood(outcome=Outcome.HEARD if heard else doubt, sayings=sayings)


def _weight(outcome: Outcome) -> int:
    """What a person must look at first."""
    return 0 if outcome in FOR_A_PERSON else 1


def _barred(alert: CapAlert, chain: Chain, house: House) -> Outcome | None:
    if alert.status != house.status.value:
        return Outcome.NOT_ACTUAL
    if alert.sender == house.cap_sender:
        return Outcome.OWN
    if alert.msg_type not in ("Alert", "Update", "Cancel"):
        return Outcome.NOTHING_SAID
    if chain.newest is not None and alert.sent < chain.newest:
        return Outcome.OLDER
    return Outcome.NOT_PUBLIC if alert.scope != "Public" else None


def _info_sayings(alert: CapAlert, info: CapInfo, chain: Chain, house: House, now: datetime) -> Iterator[Saying | Outcome]:
    villages = villages_of(house, info.areas)
    if not villages:
        yield Outcome.ELSEWHERE
        return
    hazard, grade = hazard_of(house, info), grade_of(info)
    until = info.expires or alert.sent + HOLDS
    if hazard is None:
        yield Outcome.UNKNOWN_HAZARD
    elif grade is None:
        yield Outcome.UNKNOWN_GRADE
    elif until <= now and grade:
        yield Outcome.EXPIRED
    else:
        area = next((a for (h, _), a in chain.held.items() if h == hazard), "") or issuing_area(house, villages)
        reason = _reason(alert, info)
        for village in villages:
            yield Saying(
                hazard=hazard,
                village=village,
                contributor=contributor_of_chain(alert.sender, chain.root),
                area=area,
                grade=grade,
                since=info.onset or info.effective or alert.sent,
                reason_zh=reason,
                reason_en=reason,
                origin=Origin.UPSTREAM,
                expires_at=until if grade else None,
                onset=info.onset if info.onset and info.onset > now else None,
            )


def _joined(before: Saying, one: Saying, info: CapInfo) -> Saying:
    """A second info about the same village: another language gives its words, another grade counts when it is worse."""
    english = info.language.lower().startswith("en")
    if one.grade == before.grade:
        zh, en = (before.reason_zh, one.reason_en) if english else (one.reason_zh, before.reason_en)
        return replace(before, reason_zh=zh, reason_en=en)
    return max(before, one, key=lambda s: s.grade)


def villages_of(house: House, areas: Iterable[CapArea]) -> list[str]:
    """Our villages inside the union of these areas: by division codes, polygons and circles."""
    found: dict[str, None] = {}
    for area in areas:
        for _, value in area.geocodes:
            if _DIVISION.fullmatch(value):
                found |= dict.fromkeys(v.code for v in villages_within(house.registry, value))
        for ring in area.polygons:
            found |= dict.fromkeys(v.code for v in villages_in_ring(house.registry, ring))
        for centre, radius_km in area.circles:
            found |= dict.fromkeys(v.code for v in villages_in_circle(house.registry, centre, radius_km))
    return sorted(found)


def hazard_of(house: House, info: CapInfo) -> str | None:
    """Our hazard for an event: by its national code, else by its name in any of our languages; only one that we have a policy for."""
    known = {h for policy in house.policies.policies.values() for h in policy.hazards}
    codes = [HAZARD_OF.get(value.strip()) for name, value in info.event_codes if name == EVENT_CODE or value.strip() in HAZARD_OF]
    by_code = next((code for code in codes if code in known), None)
    if by_code is not None:
        return by_code
    names = [(word, h) for words in house.templates.words.values() for h, word in words.hazards.items() if h in known]
    event = info.event.casefold()
    longest = max((n for n in names if n[0].casefold() in event), key=lambda n: len(n[0]), default=None)
    return longest[1] if longest else next((h for h in sorted(known) if h in event), None)


def grade_of(info: CapInfo) -> Grade | None:
    """Our grade: the colour where it is given, else by severity; none when it is over; None when it is not known."""
    if _OVER & set(info.response_types) or info.urgency == "Past":
        return Grade.NONE
    levels = [value.partition("/")[0].strip().casefold() for name, value in info.parameters if name == LEVEL]
    return next((_ROMAN[level] for level in levels if level in _ROMAN), GRADE_OF.get(info.severity))


def _reason(alert: CapAlert, info: CapInfo) -> str:
    """Whose word it is, in his words."""
    who = info.sender_name or alert.sender
    return (
        f"{who}：{info.headline or info.event}" if not info.language.lower().startswith("en") else f"{who}: {info.headline or info.event}"
    )


def _let_go(alert: CapAlert, chain: Chain, keys: Iterable[tuple[str, str]], now: datetime) -> Iterator[Saying]:
    info = alert.infos[0] if alert.infos else None
    who = info.sender_name if info and info.sender_name else alert.sender
    why = (info.headline if info else "") or alert.note
    for hazard, village in keys:
        yield Saying(
            hazard=hazard,
            village=village,
            contributor=contributor_of_chain(alert.sender, chain.root),
            area=chain.held[hazard, village],
            grade=Grade.NONE,
            since=now,
            reason_zh=f"{who}解除预警" + (f"：{why}" if why else ""),
            reason_en=f"{who} has lifted its warning" + (f": {why}" if why else ""),
            origin=Origin.UPSTREAM,
        )


def contributor_of_chain(sender: str, root: str) -> str:
    """The name under which an authority has its say in one chain of messages."""
    return f"cap:{sender},{root}"


def root_of(alert: CapAlert, known: Mapping[tuple[str, str], str]) -> str:
    """The first message of a chain: what is known of a message it references, else the oldest reference, else itself.

    ``known`` is (sender, identifier) → root.
    """
    references: Sequence[tuple[str, str, str]] = alert.references
    for sender, identifier, _ in references:
        if (sender, identifier) in known:
            return known[sender, identifier]
    oldest = min(references, key=lambda r: r[2], default=None)
    return oldest[1] if oldest else alert.identifier
