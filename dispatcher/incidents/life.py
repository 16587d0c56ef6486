"""What is due of an incident and when people are reminded of it, and the way of a report out of the house. Decisions only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from dispatcher.accounts import Role
from dispatcher.incidents.model import Incident, IncidentState, Part, Report, Reporting, ReportKind, ReportState

DUE = 100
"""The share of a limit at which it is over, in percent."""
NEEDED = (Part.TIME, Part.PLACE, Part.SOURCE, Part.COURSE)
"""What a report must say before it goes to review; a zero report says that there is nothing to say."""


class Owed(StrEnum):
    """What the house owes its upper level."""

    TELEPHONE = "telephone"
    FIRST = "first"
    FOLLOW_UP = "follow_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """``owed`` is due at ``due``; its limit began at ``since``."""

    owed: Owed
    since: datetime
    due: datetime

    def at_share(self, percent: int) -> datetime:
        """When this share of the limit is over."""
        return self.since + (self.due - self.since) * percent / DUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A share of a limit is over: 50, 80 or, when it is due, 100."""

    deadline: Deadline
    percent: int
    at: datetime


def deadlines(incident: Incident, reports: Sequence[Report], reporting: Reporting, zone: tzinfo) -> tuple[Deadline, ...]:
    """What is owed now. The level's limits count from when the house knew; follow-ups come at the table's times until the final one."""
    if incident.state is IncidentState.CLOSED or incident.level not in reporting.levels:
        return ()
    limits, known = reporting.levels[incident.level], incident.known_at
    owed: list[Deadline] = []
    if limits.telephone is not None and incident.phoned_at is None:
        owed.append(Deadline(owed=Owed.TELEPHONE, since=known, due=known + limits.telephone))
    sent = [(r.sent_at, r.kind) for r in reports if r.state is ReportState.SENT and r.sent_at is not None]
    if not sent:
        owed.append(Deadline(owed=Owed.FIRST, since=known, due=known + limits.written))
    elif reporting.follow_ups and all(kind is not ReportKind.FINAL for _, kind in sent):
        last = max(at for at, _ in sent)
        owed.append(Deadline(owed=Owed.FOLLOW_UP, since=last, due=next_of_day(last, reporting, zone)))
    return tuple(owed)


def next_of_day(after: datetime, reporting: Reporting, zone: tzinfo) -> datetime:
    """The first follow-up time of the county's day that lies after a moment."""
    local = after.astimezone(zone)
    days = (local.date(), local.date() + timedelta(days=1))
    found = [datetime.combine(day, at, tzinfo=zone) for day in days for at in reporting.follow_ups]
    return min(at for at in found if at > after).astimezone(after.tzinfo)


def reminders(owed: Sequence[Deadline], reporting: Reporting) -> tuple[Reminder, ...]:
    """Every moment at which somebody is reminded, in order of time."""
    shares = (*reporting.remind_at, DUE)
    return tuple(
        sorted((Reminder(deadline=d, percent=s, at=d.at_share(s)) for d in owed for s in shares), key=lambda r: (r.at, r.deadline.owed))
    )


def next_reminder(owed: Sequence[Deadline], reporting: Reporting, after: datetime) -> datetime | None:
    """When the next reminder after a moment is due; None when nothing more is owed."""
    return next((r.at for r in reminders(owed, reporting) if r.at > after), None)


class Move(StrEnum):
    """What a person does with a report."""

    SUBMIT = "submit"
    APPROVE = "approve"
    RETURN = "return"
    SEND = "send"
    DISCARD = "discard"


MOVES: dict[tuple[ReportState, Move], tuple[ReportState, Role]] = {
    (ReportState.DRAFT, Move.SUBMIT): (ReportState.IN_REVIEW, Role.DUTY_OFFICER),
    (ReportState.DRAFT, Move.DISCARD): (ReportState.DISCARDED, Role.DUTY_OFFICER),
    (ReportState.IN_REVIEW, Move.APPROVE): (ReportState.APPROVED, Role.RELEASING_OFFICER),
    (ReportState.IN_REVIEW, Move.RETURN): (ReportState.DRAFT, Role.RELEASING_OFFICER),
    (ReportState.APPROVED, Move.SEND): (ReportState.SENT, Role.DUTY_OFFICER),
    (ReportState.APPROVED, Move.RETURN): (ReportState.DRAFT, Role.RELEASING_OFFICER),
}
"""The whole life of a report: nothing leaves the house unreviewed, and what is sent stays as it was sent."""


def why_not(report: Report, move: Move, who: str, role: Role) -> str:
    """Why this person may not do this now, as a sentence; empty when he may."""
    found = MOVES.get((report.state, move))
    if found is None:
        possible = ", ".join(sorted(m.value for s, m in MOVES if s is report.state)) or "nothing"
        return f"a report that is {report.state.value} cannot be changed by {move.value!r}; possible: {possible}"
    if role < found[1]:
        return f"{move.value} needs the role {found[1].word} or higher; {who} is {role.word}"
    if move is Move.APPROVE and who == report.drafted_by:
        return "whoever drafted a report does not review it; another releasing officer must"
    missing = [part.value for part in NEEDED if not report.parts.get(part.value, "").strip()]
    if move is Move.SUBMIT and report.kind is not ReportKind.ZERO and missing:
        return f"the report does not say: {', '.join(missing)}"
    return ""


def after_move(report: Report, move: Move) -> ReportState:
    """The state a report is in after a move that is possible; KeyError for one that is not."""
    return MOVES[report.state, move][0]
