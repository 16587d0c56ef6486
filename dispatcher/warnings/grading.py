"""Changes to warnings: a village's grade is the highest of what its contributors say.

Decisions only: rows in, rows out. What is told, and when, is dispatcher/warnings/alerting.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dispatcher.model.warning import Contribution, VillageGrade, Warning, WarningState
from dispatcher.ports import Status
from dispatcher.registry.model import Registry
from rules.change import Change, Mode
from rules.grade import Grade
from rules.sentence import sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known before: contributions of the villages concerned, open warnings of the hazard, their villages."""

    contributions: Sequence[Contribution]
    warnings: Sequence[Warning]
    villages: Sequence[VillageGrade]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """What is true after: rows to write, and contributions to take away."""

    contributed: tuple[Contribution, ...]
    withdrawn: tuple[Contribution, ...]
    warnings: tuple[Warning, ...]
    villages: tuple[VillageGrade, ...]


def contributor_of(change: Change) -> str:
    """The name under which a rule at a place has its say."""
    return f"rule:{change.rule}/{change.place}"


def villages_concerned(changes: Iterable[Change], registry: Registry) -> set[str]:
    """The villages that these changes speak of."""
    return {link.village for change in changes for link in registry.villages_of_station(change.place)}


def live(changes: Iterable[Change]) -> list[Change]:
    """The changes that may leave the house."""
    return [change for change in changes if change.mode is Mode.LIVE]


def grade_villages(
    hazard: str, changes: Sequence[Change], standing: Standing, registry: Registry, *, status: Status, now: datetime, coalesce: timedelta
) -> Graded:
    """Apply the live changes of one hazard, in order.

    A warning that has villages which were not told their grade gets ``alert_due``: at once when one of them rose to red,
    else ``coalesce`` after the first.
    """
    said = {(c.village, c.contributor): c for c in standing.contributions}
    contributed, withdrawn = _contributions(hazard, changes, said, registry, status)
    areas = _areas(changes, standing, registry)
    warnings, villages = _grades(hazard, areas, said, standing, registry, status=status, now=now)
    villages = _reasons_of_lifts(villages, areas, changes, registry)
    due = [_with_due(w, [v for v in villages.values() if v.warning == w.id], now, coalesce) for w in warnings.values()]
    touched = [v for v in villages.values() if v.village in areas]
    return Graded(contributed=tuple(contributed), withdrawn=tuple(withdrawn), warnings=tuple(due), villages=tuple(touched))


def _areas(changes: Sequence[Change], standing: Standing, registry: Registry) -> dict[str, str]:
    """The area whose warning each village belongs to: the one it stands in, else the one its rules are issued by.

    A village stands in one open warning of a hazard only: in two of them, one would never hear of the other's lift.
    """
    area_of = {w.id: w.area for w in standing.warnings}
    stands = {v.village: area_of[v.warning] for v in standing.villages if v.warning in area_of and (v.grade or v.told)}
    areas: dict[str, str] = {}
    for change in changes:
        for link in registry.villages_of_station(change.place):
            own = registry.county.code if change.issued_by == "county" else registry.villages[link.village].township
            if link.village in stands:
                areas[link.village] = stands[link.village]
            elif areas.get(link.village) != registry.county.code:
                areas[link.village] = own
    return areas


def _reasons_of_lifts(
    villages: Mapping[tuple[str, str], VillageGrade], areas: Mapping[str, str], changes: Sequence[Change], registry: Registry
) -> dict[tuple[str, str], VillageGrade]:
    """A village that nothing warns any more is told what ended it, not what once began it."""
    last = {link.village: change for change in changes for link in registry.villages_of_station(change.place)}
    after = dict(villages)
    for key, village in villages.items():
        if village.village in areas and village.grade is Grade.NONE and village.told is not Grade.NONE:
            change = last[village.village]
            zh, en = registry.name_of(change.place, "zh"), registry.name_of(change.place, "en")
            after[key] = replace(village, reason_zh=sentence(change, "zh", zh), reason_en=sentence(change, "en", en))
    return after


def _contributions(
    hazard: str, changes: Sequence[Change], said: dict[tuple[str, str], Contribution], registry: Registry, status: Status
) -> tuple[list[Contribution], list[Contribution]]:
    """Bring ``said`` up to date; gives what is to be written and what is to be taken away."""
    written: dict[tuple[str, str], Contribution] = {}
    gone: dict[tuple[str, str], Contribution] = {}
    for change in changes:
        reason_zh = sentence(change, "zh", registry.name_of(change.place, "zh"))
        reason_en = sentence(change, "en", registry.name_of(change.place, "en"))
        for link in registry.villages_of_station(change.place):
            contribution = Contribution(
                county=registry.county.code,
                status=status,
                hazard=hazard,
                village=link.village,
                contributor=contributor_of(change),
                grade=change.after,
                since=change.at,
                reason_zh=reason_zh,
                reason_en=reason_en,
            )
            key = (link.village, contribution.contributor)
            before = said.pop(key, None)
            if change.after is Grade.NONE:
                written.pop(key, None)
                if before is not None:
                    gone[key] = before
            else:
                gone.pop(key, None)
                said[key] = written[key] = contribution
    return list(written.values()), list(gone.values())


def _grades(
    hazard: str,
    areas: Mapping[str, str],
    said: Mapping[tuple[str, str], Contribution],
    standing: Standing,
    registry: Registry,
    *,
    status: Status,
    now: datetime,
) -> tuple[dict[str, Warning], dict[tuple[str, str], VillageGrade]]:
    """The warnings of the areas touched, opened where need be, and all their villages with their grades now."""
    by_village: dict[str, list[Contribution]] = {}
    for contribution in said.values():
        by_village.setdefault(contribution.village, []).append(contribution)
    open_by_area = {w.area: w for w in standing.warnings}
    villages = {(v.warning, v.village): v for v in standing.villages}
    warnings: dict[str, Warning] = {}
    for village, area in areas.items():
        reasons = sorted(by_village.get(village, ()), key=lambda c: (-c.grade, c.since, c.contributor))
        grade = reasons[0].grade if reasons else Grade.NONE
        warning = open_by_area.get(area)
        if warning is None:
            if grade is Grade.NONE:
                continue
            warning = open_by_area[area] = _opened(hazard, area, registry.county.code, status, now)
        before = villages.get((warning.id, village))
        if before is None and grade is Grade.NONE:
            continue
        if before is None:
            before = VillageGrade(
                warning=warning.id,
                village=village,
                county=registry.county.code,
                status=status,
                grade=Grade.NONE,
                told=Grade.NONE,
                revision=0,
                reason_zh="",
                reason_en="",
            )
        top = reasons[0] if reasons else None
        villages[warning.id, village] = replace(
            before,
            grade=grade,
            reason_zh=top.reason_zh if top else before.reason_zh,
            reason_en=top.reason_en if top else before.reason_en,
        )
        warnings[warning.id] = warning
    return {i: _regraded(w, [v for v in villages.values() if v.warning == i], now) for i, w in warnings.items()}, villages


def _opened(hazard: str, area: str, county: str, status: Status, now: datetime) -> Warning:
    stamp = now.strftime("%Y%m%dT%H%M%S") + f"{now.microsecond // 1000:03d}"
    return Warning(
        id=f"{hazard}.{area}.{stamp}",
        county=county,
        status=status,
        hazard=hazard,
        area=area,
        state=WarningState.OPEN,
        grade=Grade.NONE,
        opened_at=now,
        updated_at=now,
    )


def _regraded(warning: Warning, villages: Sequence[VillageGrade], now: datetime) -> Warning:
    return replace(warning, grade=max((v.grade for v in villages), default=Grade.NONE), updated_at=now)


def _with_due(warning: Warning, villages: Sequence[VillageGrade], now: datetime, coalesce: timedelta) -> Warning:
    untold = [v for v in villages if v.grade != v.told]
    if not untold:  # nobody to tell; a warning without a village left is closed at once
        return replace(warning, alert_due=now if warning.grade is Grade.NONE else None)
    if any(v.grade is Grade.RED for v in untold):
        return replace(warning, alert_due=now)
    return replace(warning, alert_due=min(warning.alert_due or now + coalesce, now + coalesce))
