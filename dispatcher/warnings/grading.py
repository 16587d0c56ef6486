"""Changes to warnings: a village's grade is the highest of what its contributors say.

Decisions only: rows in, rows out. What is told, and when, is dispatcher/warnings/alerting.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dispatcher.model.saying import Saying
from dispatcher.model.warning import Contribution, VillageGrade, Warning, WarningState
from dispatcher.ports import Status
from dispatcher.registry.model import Registry
from rules.change import Change, Mode
from rules.grade import Grade


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


def live(changes: Iterable[Change]) -> list[Change]:
    """The changes that may leave the house."""
    return [change for change in changes if change.mode is Mode.LIVE]


def expired(change: Change) -> bool:
    """Whether silence alone has withdrawn the grade: that is proposed to a person, and never sent by itself."""
    return change.after is Grade.NONE and change.because[0].row == "no_data"


def grade_villages(
    hazard: str, sayings: Sequence[Saying], standing: Standing, registry: Registry, *, status: Status, now: datetime, coalesce: timedelta
) -> Graded:
    """Apply what was said of one hazard and may leave the house, in order.

    A warning that has villages which were not told their grade gets ``alert_due``: at once when one of them rose to red,
    else ``coalesce`` after the first.
    """
    said = {(c.village, c.contributor): c for c in standing.contributions}
    contributed, withdrawn = _contributions(hazard, sayings, said, registry, status)
    areas = _areas(sayings, standing, registry)
    warnings, villages = _grades(hazard, areas, said, standing, registry, status=status, now=now)
    villages = _reasons_of_lifts(villages, areas, sayings)
    due = [_with_due(w, [v for v in villages.values() if v.warning == w.id], now, coalesce) for w in warnings.values()]
    touched = [v for v in villages.values() if v.village in areas]
    return Graded(contributed=tuple(contributed), withdrawn=tuple(withdrawn), warnings=tuple(due), villages=tuple(touched))


def _areas(sayings: Sequence[Saying], standing: Standing, registry: Registry) -> dict[str, str]:
    """The area whose warning each village belongs to: the one it stands in, else the one that was named.

    A village stands in one open warning of a hazard only: in two of them, one would never hear of the other's lift.
    """
    area_of = {w.id: w.area for w in standing.warnings}
    stands = {v.village: area_of[v.warning] for v in standing.villages if v.warning in area_of and (v.grade or v.told)}
    areas: dict[str, str] = {}
    for saying in sayings:
        if saying.village in stands:
            areas[saying.village] = stands[saying.village]
        elif areas.get(saying.village) != registry.county.code:
            areas[saying.village] = saying.area
    return areas


def _reasons_of_lifts(
    villages: Mapping[tuple[str, str], VillageGrade], areas: Mapping[str, str], sayings: Sequence[Saying]
) -> dict[tuple[str, str], VillageGrade]:
    """A village that nothing warns any more is told what ended it, not what once began it."""
    last = {saying.village: saying for saying in sayings}
    after = dict(villages)
    for key, village in villages.items():
        if village.village in areas and village.grade is Grade.NONE and village.told is not Grade.NONE:
            saying = last[village.village]
            after[key] = replace(village, reason_zh=saying.reason_zh, reason_en=saying.reason_en)
    return after


def _contributions(
    hazard: str, sayings: Sequence[Saying], said: dict[tuple[str, str], Contribution], registry: Registry, status: Status
) -> tuple[list[Contribution], list[Contribution]]:
    """Bring ``said`` up to date; gives what is to be written and what is to be taken away."""
    written: dict[tuple[str, str], Contribution] = {}
    gone: dict[tuple[str, str], Contribution] = {}
    for saying in sayings:
        key = (saying.village, saying.contributor)
        before = said.pop(key, None)
        if saying.grade is Grade.NONE:
            written.pop(key, None)
            if before is not None:
                gone[key] = before
        else:
            gone.pop(key, None)
            said[key] = written[key] = _contribution(hazard, saying, registry.county.code, status)
    return list(written.values()), list(gone.values())


def _contribution(hazard: str, saying: Saying, county: str, status: Status) -> Contribution:
    return Contribution(
        county=county,
        status=status,
        hazard=hazard,
        village=saying.village,
        contributor=saying.contributor,
        grade=saying.grade,
        since=saying.since,
        reason_zh=saying.reason_zh,
        reason_en=saying.reason_en,
        origin=saying.origin,
        person=saying.person,
        area=saying.area,
        expires_at=saying.expires_at,
        onset=saying.onset,
    )


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
        onset = first_of(c.onset for c in reasons)
        if grade and before.told and onset != before.onset:  # what is untold is told in its own time
            warning = replace(warning, stage_due=now)
        villages[warning.id, village] = replace(
            before,
            grade=grade,
            onset=onset,
            reason_zh=top.reason_zh if top else before.reason_zh,
            reason_en=top.reason_en if top else before.reason_en,
        )
        warnings[warning.id] = open_by_area[area] = warning
    return {i: _regraded(w, [v for v in villages.values() if v.warning == i], now) for i, w in warnings.items()}, villages


def first_of(onsets: Iterable[datetime | None]) -> datetime | None:
    """When the first of several things is expected; None (now) when one of them is there already."""
    found = list(onsets)
    return None if None in found else min((at for at in found if at), default=None)


def _opened(hazard: str, area: str, county: str, status: Status, now: datetime) -> Warning:
    stamp = now.strftime("%Y%m%dT%H%M%S") + f"{now.microsecond // 1000:03d}"
    mark = "drill." if status is Status.EXERCISE else ""  # a drill and a warning in earnest may begin in the same moment
    return Warning(
        id=f"{mark}{hazard}.{area}.{stamp}",
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
