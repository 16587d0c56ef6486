"""What a person wants to warn of, checked and put into sayings: a warning of his own, or taking back what others say.

Decisions only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.errors import NotAllowed
from dispatcher.house import House
from dispatcher.model.saying import Saying
from dispatcher.model.warning import Contribution
from dispatcher.policy.release import Origin
from dispatcher.registry.areas import villages_within
from dispatcher.warnings.sayings import taken_back
from rules.grade import Grade

LONGEST = timedelta(hours=72)
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One warning of a person. ``areas`` are codes of villages or of what they lie in; ``replaces`` names his or a colleague's earlier one.

    A reason in one language stands for both. ``onset`` is when it is expected to begin; None: now.
    """

    hazard: str
    grade: Grade
    areas: tuple[str, ...]
    expires_at: datetime
    reason_zh: str = ""
    reason_en: str = ""
    replaces: str = ""
    onset: datetime | None = None


def draft_sayings(house: House, draft: Draft, person: str, earlier: Mapping[str, str], now: datetime) -> list[Saying]:
    """What the draft says of each village; of those it speaks of no more, that it is over. NotAllowed says what is wrong with it.

    ``earlier`` are the villages of the warning that it replaces, in force or waiting, each with its issuing area.
    """
    _check(house, draft, now)
    villages = villages_named(house, draft.areas)
    if draft.replaces and not earlier:
        raise NotAllowed(f"there is no warning {draft.replaces!r} in force or waiting", f"没有生效或待签发的预警 {draft.replaces}")
    contributor = draft.replaces or f"person:{person}/{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}"
    area = next(iter(earlier.values()), "") or issuing_area(house, villages)
    zh, en = draft.reason_zh or draft.reason_en, draft.reason_en or draft.reason_zh
    grades = dict.fromkeys((v for v in earlier if v not in villages), Grade.NONE) | dict.fromkeys(villages, draft.grade)
    return [
        Saying(
            hazard=draft.hazard,
            village=village,
            contributor=contributor,
            area=area,
            grade=grade,
            since=now,
            reason_zh=zh,
            reason_en=en,
            origin=Origin.FORECASTER,
            person=person,
            expires_at=draft.expires_at if grade else None,
            onset=draft.onset if grade and draft.onset and draft.onset > now else None,
        )
        for village, grade in grades.items()
    ]


def lift_sayings(
    contributions: Iterable[Contribution], villages: Iterable[str], person: str, reason: tuple[str, str], now: datetime
) -> list[Saying]:
    """Take back what anybody says of these villages (none: of all)."""
    wanted = set(villages)
    zh, en = reason[0] or reason[1], reason[1] or reason[0]
    found = [
        taken_back(c, now, zh, en, origin=Origin.FORECASTER, person=person) for c in contributions if not wanted or c.village in wanted
    ]
    if not found:
        raise NotAllowed("nothing holds these villages in a grade", "这些村当前没有生效中的预警")
    return found


def _check(house: House, draft: Draft, now: datetime) -> None:
    known = sorted(h for p in house.policies.policies.values() for h in p.hazards)
    if draft.hazard not in known:
        raise NotAllowed(
            f"no policy for hazard {draft.hazard!r}; there are policies for: {', '.join(known)}", f"灾种 {draft.hazard} 没有预案"
        )
    if draft.grade is Grade.NONE:
        raise NotAllowed("a warning has a grade from blue to red; to end one, lift it", "级别须为蓝、黄、橙、红；解除请用解除")
    if draft.onset is not None and draft.onset >= draft.expires_at:
        raise NotAllowed("what is expected must begin before the warning ends", "预计影响时间须早于有效期")
    if not now < draft.expires_at <= now + LONGEST:
        raise NotAllowed("a warning ends after now and within 72 hours", "有效期须晚于现在且不超过72小时")
    if not (draft.reason_zh.strip() or draft.reason_en.strip()):
        raise NotAllowed("a warning needs a reason that villages are told", "须写明理由")


def villages_named(house: House, areas: Sequence[str]) -> list[str]:
    """Every village in these areas, once; NotAllowed for an area without any, and when none is named."""
    found: dict[str, None] = {}
    for code in areas:
        inside = villages_within(house.registry, code)
        if not inside:
            raise NotAllowed(f"no village lies in {code!r}; give codes of villages, townships or the county", f"{code} 内没有登记的村")
        found |= dict.fromkeys(v.code for v in inside)
    if not found:
        raise NotAllowed("name at least one village or area", "须指明至少一个村或区域")
    return list(found)


def issuing_area(house: House, villages: Sequence[str]) -> str:
    """The township when all villages lie in one, else the county."""
    townships = {house.registry.villages[v].township for v in villages}
    return townships.pop() if len(townships) == 1 else house.county
