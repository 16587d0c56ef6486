"""A warning that has something untold becomes an alert, and the alert one notice per village concerned.

Decisions only. Auto release: what is composed here leaves the house in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.model.warning import Alert, MessageType, VillageGrade, Warning, WarningState
from dispatcher.policy.model import GradePlan, Policy
from dispatcher.policy.stages import Stages
from rules.grade import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """One alert and all that follows from it. ``alert`` is None when everyone already knows where he stands."""

    warning: Warning
    alert: Alert | None
    notices: tuple[Notice, ...]
    villages: tuple[VillageGrade, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """A message that says nothing new, and until when each village's notice holds now."""

    warning: Warning
    alert: Alert
    held: tuple[VillageGrade, ...]
    terms: Mapping[str, datetime]


_LONGEST_LEAD = timedelta(minutes=30)
NO_STAGES = Stages()


def purpose_of(before: Grade, after: Grade) -> Purpose:
    """A rise warns and asks; a fall lowers or lifts and asks for nothing."""
    if after > before:
        return Purpose.WARN
    return Purpose.LIFT if after is Grade.NONE else Purpose.LOWER


def release(  # noqa: PLR0913 - what is known, and the rules of telling
    warning: Warning,
    villages: Sequence[VillageGrade],
    alerts: Sequence[Alert],
    policy: Policy,
    plans: Mapping[Grade, str],
    *,
    now: datetime,
    released_by: str,
    stages: Stages = NO_STAGES,
) -> Released:
    """Tell every village whose grade is not the one it was told last, or that has come into a more imminent stage.

    ``villages`` are all of the warning, ``alerts`` those sent so far, ``plans`` the digests of the policy's plans. Codes and
    first due times are filled in by the caller, who owns the counter and the agenda.
    """
    untold = [v for v in villages if v.grade != v.told or _advanced(v, stages, now)]
    closed = all(v.grade is Grade.NONE for v in villages)
    after = replace(
        warning,
        alert_due=None,
        alerts=warning.alerts + bool(untold),
        state=WarningState.LIFTED if closed else WarningState.OPEN,
        closed_at=now if closed else None,
        updated_at=now,
        renew_at=None if closed else _renewal(warning, villages, policy, now),
        stage_due=min((t for v in villages if v.grade and (t := stages.later(v.onset, now)) is not None), default=None),
    )
    if not untold:
        return Released(warning=after, alert=None, notices=(), villages=())
    alert = Alert(
        id=f"{warning.id}.{after.alerts}",
        warning=warning.id,
        county=warning.county,
        status=warning.status,
        message_type=_message_type(closed=closed, first=not alerts),
        sent_at=now,
        expires_at=now + max((policy.grades[v.grade].valid_for for v in untold if v.grade), default=_longest(policy)),
        refs=tuple(a.id for a in alerts if a.expires_at > now),
        places=tuple((v.village, int(_before(v)), int(v.grade)) for v in untold),
        released_by=released_by,
    )
    notices = tuple(_notice(v, warning, alert, policy, plans, now, stage_of(v, stages, now)) for v in untold)
    told = tuple(replace(v, told=v.grade, revision=v.revision + 1, stage=stage_of(v, stages, now)) for v in untold)
    return Released(warning=after, alert=alert, notices=notices, villages=told)


def stage_of(village: VillageGrade, stages: Stages, now: datetime) -> str:
    """The stage in which a village is told now: never one that is less imminent than what it was told."""
    return stages.told_in(village.onset, now, village.stage if village.told else None)


def _advanced(village: VillageGrade, stages: Stages, now: datetime) -> bool:
    """What a village was told in an earlier stage is imminent now: more people hear of it."""
    return bool(village.grade and village.told and stages.nearer(village.onset, now, village.stage))


def _before(village: VillageGrade) -> Grade:
    """What a village knew; of what comes nearer it is told as of something new."""
    return village.told if village.told != village.grade else Grade.NONE


def _renewal(warning: Warning, villages: Sequence[VillageGrade], policy: Policy, now: datetime) -> datetime | None:
    """What is told now must be renewed before it runs out; what was told before keeps its earlier time."""
    told = [policy.grades[v.grade] for v in villages if v.grade]
    times = [now + plan.valid_for - lead_of(plan) for plan in told] + ([warning.renew_at] if warning.renew_at else [])
    return min(times, default=None)


def lead_of(plan: GradePlan) -> timedelta:
    """How long before its end a warning is renewed."""
    return min(_LONGEST_LEAD, plan.valid_for / 4)


def renew(
    warning: Warning, villages: Sequence[VillageGrade], alerts: Sequence[Alert], policy: Policy, *, now: datetime, released_by: str
) -> Renewed | None:
    """Say of everything in force that it holds on: a message to the world, new terms for the notices, nothing asked anew."""
    held = [v for v in villages if v.told]
    if not held:
        return None
    terms = {v.village: now + policy.grades[v.told].valid_for for v in held}
    after = replace(
        warning,
        alerts=warning.alerts + 1,
        updated_at=now,
        renew_at=min(now + policy.grades[v.told].valid_for - lead_of(policy.grades[v.told]) for v in held),
    )
    alert = Alert(
        id=f"{warning.id}.{after.alerts}",
        warning=warning.id,
        county=warning.county,
        status=warning.status,
        message_type=MessageType.UPDATE if alerts else MessageType.ALERT,
        sent_at=now,
        expires_at=max(terms.values()),
        refs=tuple(a.id for a in alerts if a.expires_at > now),
        places=tuple((v.village, int(v.told), int(v.told)) for v in held),
        released_by=released_by,
    )
    return Renewed(warning=after, alert=alert, held=tuple(held), terms=terms)


def _message_type(*, closed: bool, first: bool) -> MessageType:
    if first:
        return MessageType.ALERT
    return MessageType.CANCEL if closed else MessageType.UPDATE


def _longest(policy: Policy) -> timedelta:
    return max(plan.valid_for for plan in policy.grades.values())


def _notice(
    village: VillageGrade, warning: Warning, alert: Alert, policy: Policy, plans: Mapping[Grade, str], now: datetime, stage: str
) -> Notice:
    purpose = purpose_of(_before(village), village.grade)
    plan = plan_for(policy, village.grade, village.told)
    asks = purpose is Purpose.WARN and bool(plan.actions)
    return Notice(
        id=f"{warning.id}/{village.village}/{village.revision + 1}",
        alert=alert.id,
        warning=warning.id,
        county=warning.county,
        status=warning.status,
        hazard=warning.hazard,
        village=village.village,
        revision=village.revision + 1,
        grade=village.grade,
        before=_before(village),
        purpose=purpose,
        state=NoticeState.CALLING if asks else NoticeState.INFORMED,
        released_at=now,
        expires_at=now + plan.valid_for,
        code="",
        plan=plans[village.grade or village.told],
        reason_zh=village.reason_zh,
        reason_en=village.reason_en,
        onset=village.onset,
        stage=stage if purpose is Purpose.WARN else "",
    )


def plan_for(policy: Policy, grade: Grade, before: Grade) -> GradePlan:
    """The call plan of a grade; for a lift, the one that was in force."""
    return policy.grades[grade or before]
