"""Where the call to one village stands, read off its notice, its call plan and its deliveries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.policy.model import Action, GradePlan
from dispatcher.ports import DeliveryState

Tally = Mapping[tuple[str, str], int]

# Channels that are nobody's address: what they report is never a way to reach a person.
NOT_PEOPLE = frozenset({"loudspeaker", "duty_room"})
ORDER = tuple(Action)
_REPORTED = {NoticeState.CALLING: 0, NoticeState.ANSWERED: 1, NoticeState.ACTING: 2, NoticeState.DONE: 3}
_ALIVE = frozenset(
    {
        DeliveryState.PLANNED,
        DeliveryState.SENDING,
        DeliveryState.ACCEPTED,
        DeliveryState.SENT,
        DeliveryState.DELIVERED,
        DeliveryState.UNKNOWN,
    }
)


class CallState(StrEnum):
    """What the duty room must know of one village at a glance, most urgent first."""

    OVERDUE = "overdue"
    UNREACHABLE = "unreachable"
    WAITING = "waiting"
    CALLING = "calling"
    ANSWERED = "answered"
    ACTING = "acting"
    DONE = "done"
    INFORMED = "informed"
    SUPERSEDED = "superseded"

    @property
    def is_open(self) -> bool:
        """Whether something is still asked of the village, or not yet told to it."""
        return self not in (CallState.DONE, CallState.INFORMED, CallState.SUPERSEDED)


URGENCY = {state: rank for rank, state in enumerate(CallState)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The state, the action it is about, when that action is or was due, the step taken last and when the next one is."""

    state: CallState
    action: Action | None = None
    deadline: datetime | None = None
    step: int = 0
    next_due: datetime | None = None


def standing(notice: Notice, plan: GradePlan | None, tally: Tally, now: datetime) -> Standing:
    """Where the call stands at ``now``; without a plan nothing is known to be asked."""
    if notice.state is NoticeState.SUPERSEDED:
        return Standing(state=CallState.SUPERSEDED)
    if notice.purpose is not Purpose.WARN or plan is None or not plan.actions or notice.state is NoticeState.INFORMED:
        return Standing(state=CallState.INFORMED)
    action = next_action(notice.state, plan)
    if action is None:
        return Standing(state=CallState.DONE)
    deadline = notice.released_at + plan.deadlines[action] if action in plan.deadlines else None
    state = _state(notice, tally, deadline, now)
    return Standing(state=state, action=action, deadline=deadline, step=notice.steps_done, next_due=notice.next_due)


def next_action(state: NoticeState, plan: GradePlan) -> Action | None:
    """The first asked action that the village has not reported; a later one reported implies the earlier ones."""
    reported = _REPORTED.get(state, len(ORDER))
    return next((a for a in plan.actions if ORDER.index(a) >= reported), None)


def _state(notice: Notice, tally: Tally, deadline: datetime | None, now: datetime) -> CallState:
    if notice.state is NoticeState.CALLING and notice.next_due is None and not _reachable(tally):
        return CallState.UNREACHABLE
    if deadline is not None and deadline <= now:
        return CallState.OVERDUE
    return CallState(notice.state.value)


def _reachable(tally: Tally) -> bool:
    return any(n and channel not in NOT_PEOPLE and state in _ALIVE for (channel, state), n in tally.items())
