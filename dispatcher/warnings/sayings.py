"""What rules say, as sayings about villages."""

from collections.abc import Iterable
from datetime import datetime

from dispatcher.model.saying import Saying
from dispatcher.model.warning import Contribution
from dispatcher.policy.release import Origin
from dispatcher.registry.model import Registry
from rules.change import Change, Evidence
from rules.grade import Grade
from rules.sentence import sentence

_FORECAST_CALL = "fc_"
_FORECAST_FILLS = "plus=forecast"


def contributor_of(change: Change) -> str:
    """The name under which a rule at a place has its say."""
    return f"rule:{change.rule}/{change.place}"


def sayings_of(changes: Iterable[Change], registry: Registry) -> list[Saying]:
    """What rules say of the villages that their places concern, in the order of the changes."""
    found = []
    for change in changes:
        reason_zh = sentence(change, "zh", registry.name_of(change.place, "zh"))
        reason_en = sentence(change, "en", registry.name_of(change.place, "en"))
        origin, contributor = origin_of(change), contributor_of(change)
        for link in registry.villages_of_station(change.place):
            county = change.issued_by == "county"
            found.append(
                Saying(
                    hazard=change.hazard,
                    village=link.village,
                    contributor=contributor,
                    area=registry.county.code if county else registry.villages[link.village].township,
                    grade=change.after,
                    since=change.at,
                    reason_zh=reason_zh,
                    reason_en=reason_en,
                    origin=origin,
                    onset=change.onset,
                )
            )
    return found


def origin_of(change: Change) -> Origin:
    """A change leans on a forecast when nothing that moved it rests on readings alone."""
    leaning = [_leans(evidence) for evidence in change.because]
    return Origin.FORECAST if leaning and all(leaning) else Origin.OBSERVED


def _leans(evidence: Evidence) -> bool:
    return any(text.startswith(_FORECAST_CALL) or _FORECAST_FILLS in text for _, text in evidence.inputs)


def taken_back(contribution: Contribution, now: datetime, reason_zh: str, reason_en: str, *, origin: Origin, person: str = "") -> Saying:
    """The end of what a contributor says of a village."""
    return Saying(
        hazard=contribution.hazard,
        village=contribution.village,
        contributor=contribution.contributor,
        area=contribution.area,
        grade=Grade.NONE,
        since=now,
        reason_zh=reason_zh,
        reason_en=reason_en,
        origin=origin,
        person=person,
    )
