"""A warning that has something untold becomes an alert, and the alert one notice per village concerned.

Decisions only. Auto release: what is composed here leaves the house in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.model.warning import Alert, MessageType, VillageGrade, Warning, WarningState
from dispatcher.policy.model import GradePlan, Policy
from rules.grade import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """One alert and all that follows from it. ``alert`` is None when everyone already knows where he stands."""

    warning: Warning
    alert: Alert | None
    notices: tuple[Notice, ...]
    villages: tuple[VillageGrade, ...]


def purpose_of(before: Grade, after: Grade) -> Purpose:
    """A rise warns and asks; a fall lowers or lifts and asks for nothing."""
    if after > before:
        return Purpose.WARN
    return Purpose.LIFT if after is Grade.NONE else Purpose.LOWER


def release(
    warning: Warning,
    villages: Sequence[VillageGrade],
    alerts: Sequence[Alert],
    policy: Policy,
    plans: Mapping[Grade, str],
    *,
    now: datetime,
    released_by: str,
) -> Released:
    """Tell every village whose grade is not the one it was told last.

    ``villages`` are all of the warning, ``alerts`` those sent so far, ``plans`` the digests of the policy's plans. Codes and
    first due times are filled in by the caller, who owns the counter and the agenda.
    """
    untold = [v for v in villages if v.grade != v.told]
    closed = all(v.grade is Grade.NONE for v in villages)
    after = replace(
        warning,
        alert_due=None,
        alerts=warning.alerts + bool(untold),
        state=WarningState.LIFTED if closed else WarningState.OPEN,
        closed_at=now if closed else None,
        updated_at=now,
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
        places=tuple((v.village, int(v.told), int(v.grade)) for v in untold),
        released_by=released_by,
    )
    notices = tuple(_notice(v, warning, alert, policy, plans, now) for v in untold)
    told = tuple(replace(v, told=v.grade, revision=v.revision + 1) for v in untold)
    return Released(warning=after, alert=alert, notices=notices, villages=told)


def _message_type(*, closed: bool, first: bool) -> MessageType:
    if first:
        return MessageType.ALERT
    return MessageType.CANCEL if closed else MessageType.UPDATE


def _longest(policy: Policy) -> timedelta:
    return max(plan.valid_for for plan in policy.grades.values())


def _notice(village: VillageGrade, warning: Warning, alert: Alert, policy: Policy, plans: Mapping[Grade, str], now: datetime) -> Notice:
    purpose = purpose_of(village.told, village.grade)
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
        before=village.told,
        purpose=purpose,
        state=NoticeState.CALLING if asks else NoticeState.INFORMED,
        released_at=now,
        expires_at=now + plan.valid_for,
        code="",
        plan=plans[village.grade or village.told],
        reason_zh=village.reason_zh,
        reason_en=village.reason_en,
    )


def plan_for(policy: Policy, grade: Grade, before: Grade) -> GradePlan:
    """The call plan of a grade; for a lift, the one that was in force."""
    return policy.grades[grade or before]
