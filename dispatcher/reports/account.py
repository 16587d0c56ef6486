"""A warning accounted for: per village the way from reading to release to delivered to answered to evacuated. Decisions only."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from dispatcher.calls.agenda import SAID_BY
from dispatcher.model.answer import Answer
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice, Purpose
from dispatcher.policy.model import Action, GradePlan
from dispatcher.ports import DeliveryState, Row
from dispatcher.timestamps import from_ms
from rules.grade import Grade

_FAILED = frozenset({DeliveryState.FAILED, DeliveryState.UNDELIVERED, DeliveryState.EXPIRED})
_SPEAKERS, _DUTY_ROOM = "loudspeaker", "duty_room"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeAccount:
    """One notice of one village. Times are None for what did not happen; ``within`` says whether the answer came in time.

    ``people`` were moved as the village says, of ``listed`` when it was released; ``helped_moved`` of the ``helped``, as helpers say.
    """

    village: str
    revision: int
    grade: Grade
    purpose: Purpose
    reading_at: datetime | None
    decided_at: datetime | None
    released_at: datetime
    accepted_at: datetime | None
    delivered_at: datetime | None
    actions: Mapping[Action, datetime]
    answered_by: str
    path: str
    people: int | None
    listed: int
    helped: int
    helped_moved: int
    asked: bool
    answer_due: datetime | None
    deliveries: int
    failed: int

    @property
    def answered_at(self) -> datetime | None:
        """When the village first answered."""
        return self.actions.get(Action.RECEIVED)

    @property
    def within(self) -> bool:
        """Whether the answer came before it was due."""
        return self.answered_at is not None and (self.answer_due is None or self.answered_at <= self.answer_due)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelAccount:
    """What became of the deliveries of one channel."""

    channel: str
    planned: int
    delivered: int
    failed: int
    possible_duplicates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The whole warning in numbers; times are from release to the first answer, in seconds, over the notices that were answered."""

    villages: int
    asked: int
    answered: int
    in_time: int
    evacuated: int
    people: int
    listed: int
    not_moved: int
    median_s: float | None
    slowest_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All notices in the order of villages and revisions; ``dead`` are people (channel, person) whom nothing reached."""

    notices: tuple[NoticeAccount, ...]
    channels: tuple[ChannelAccount, ...]
    dead: tuple[tuple[str, str], ...]
    speakers_failed: tuple[str, ...]
    totals: Totals


def account(
    notices: Sequence[Notice],
    plans: Mapping[str, GradePlan],
    deliveries: Sequence[Delivery],
    answers: Sequence[Answer],
    receipts: Mapping[str, datetime],
    changes: Mapping[str, Sequence[Row]],
) -> Account:
    """Account for the notices of one warning.

    ``receipts`` has the time of each delivery's first proof of arrival, ``changes`` the changes that concern each village, oldest first.
    """
    by_notice: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        by_notice[delivery.notice].append(delivery)
    said: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        said[answer.notice].append(answer)
    rows = tuple(
        _notice(n, plans.get(n.plan), by_notice[n.id], said[n.id], receipts, changes.get(n.village, ()))
        for n in sorted(notices, key=lambda n: (n.village, n.revision))
    )
    return Account(
        notices=rows,
        channels=tuple(_channels(deliveries)),
        dead=tuple(_dead(deliveries)),
        speakers_failed=tuple(sorted({d.address for d in deliveries if d.channel == _SPEAKERS and d.state in _FAILED})),
        totals=_totals(rows),
    )


def _notice(
    notice: Notice,
    plan: GradePlan | None,
    deliveries: Sequence[Delivery],
    answers: Sequence[Answer],
    receipts: Mapping[str, datetime],
    changes: Sequence[Row],
) -> NoticeAccount:
    cause = next((c for c in reversed(changes) if from_ms(c["decided_at"]) <= notice.released_at), None)
    spoken = [a for a in answers if not a.helper]
    people = [d for d in deliveries if d.channel != _DUTY_ROOM]
    actions: dict[Action, datetime] = {}
    for answer in spoken:
        for action in SAID_BY[answer.action]:
            actions.setdefault(action, answer.at)
    first = next((a for a in spoken if SAID_BY[a.action]), None)
    asked = notice.purpose is Purpose.WARN and plan is not None and bool(plan.actions)
    within = plan.deadlines.get(Action.RECEIVED, plan.answer_within) if plan is not None else None
    return NoticeAccount(
        village=notice.village,
        revision=notice.revision,
        grade=notice.grade,
        purpose=notice.purpose,
        reading_at=from_ms(cause["at"]) if cause else None,
        decided_at=from_ms(cause["decided_at"]) if cause else None,
        released_at=notice.released_at,
        accepted_at=min((d.accepted_at for d in people if d.accepted_at), default=None),
        delivered_at=min((receipts[d.id] for d in people if d.id in receipts), default=None),
        actions=actions,
        answered_by=(first.person or first.on_behalf_by) if first else "",
        path=first.path.value if first else "",
        people=max((a.people for a in spoken if a.people is not None), default=None),
        listed=notice.listed if plan is not None and Action.EVACUATED in plan.actions else 0,
        helped=notice.helped if plan is not None and Action.EVACUATED in plan.actions else 0,
        helped_moved=sum({a.person: a.people for a in answers if a.helper and a.people is not None}.values()),
        asked=asked,
        answer_due=notice.released_at + within if asked and within is not None else None,
        deliveries=len(people),
        failed=sum(d.state in _FAILED for d in people),
    )


def _channels(deliveries: Iterable[Delivery]) -> list[ChannelAccount]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for d in deliveries:
        count = counts[d.channel]
        count["planned"] += 1
        count["delivered"] += d.state is DeliveryState.DELIVERED
        count["failed"] += d.state in _FAILED
        count["twice"] += d.possible_duplicate
    return [
        ChannelAccount(channel=c, planned=n["planned"], delivered=n["delivered"], failed=n["failed"], possible_duplicates=n["twice"])
        for c, n in sorted(counts.items())
    ]


def _dead(deliveries: Iterable[Delivery]) -> list[tuple[str, str]]:
    """People of whom every delivery over a channel failed: a number to be checked."""
    tried: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for d in deliveries:
        if d.person and d.state is not DeliveryState.SUPERSEDED:
            tried[d.channel, d.person].append(d.state in _FAILED)
    return sorted(who for who, failed in tried.items() if failed and all(failed))


def _totals(rows: Sequence[NoticeAccount]) -> Totals:
    asked = [r for r in rows if r.asked]
    waits = [(r.answered_at - r.released_at) / timedelta(seconds=1) for r in asked if r.answered_at is not None]
    moved: dict[str, int] = {}
    listed: dict[str, int] = {}
    for row in rows:
        listed[row.village] = max(row.listed, listed.get(row.village, 0))
        if row.people is not None:
            moved[row.village] = max(row.people, moved.get(row.village, 0))
    return Totals(
        villages=len({r.village for r in rows}),
        asked=len(asked),
        answered=len(waits),
        in_time=sum(r.within for r in asked),
        evacuated=len({r.village for r in rows if Action.EVACUATED in r.actions}),
        people=sum(moved.values()),
        listed=sum(listed.values()),
        not_moved=sum(max(0, n - moved.get(v, 0)) for v, n in listed.items()),
        median_s=median(waits) if waits else None,
        slowest_s=max(waits, default=None),
    )
