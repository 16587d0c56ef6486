"""What would go out if a proposal were released now: which villages by grade, who is told by what, in which words. Nothing is stored."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatcher.calls.calling import DUTY_ROOM
from dispatcher.calls.preview import Announcement
from dispatcher.house import House
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.model.proposal import Proposal
from dispatcher.model.saying import Saying
from dispatcher.model.warning import Contribution, VillageGrade
from dispatcher.policy.stages import staged
from dispatcher.templates.segments import segments
from dispatcher.warnings.alerting import plan_for
from dispatcher.warnings.grading import first_of
from dispatcher.warnings.issuing import first_call
from rules.grade import Grade

_SAMPLES = 8


@dataclass(frozen=True, slots=True)
class Sample:
    """One text as one of its readers would get it."""

    village: str
    grade: Grade
    channel: str
    language: str
    text: str
    segments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """``moves`` counts villages by (told now, told then), ``nearer`` those that come into a more imminent stage.

    ``informed`` villages are lowered or lifted: who was told is told. ``people`` are called at once, counted by address; ``segments``
    are those of all their text messages. ``said`` is what each village would be told, for a look at costs, times and later steps
    (dispatcher/calls/preview.py).
    """

    moves: Mapping[tuple[Grade, Grade], int]
    nearer: int
    unchanged: int
    informed: int
    people: int
    by_channel: Mapping[str, int]
    segments: int
    samples: tuple[Sample, ...]
    said: tuple[Announcement, ...]


def preview(house: House, proposal: Proposal, held: Iterable[Contribution], told: Mapping[str, VillageGrade], now: datetime) -> Preview:
    """``held`` are the contributions of the villages concerned, ``told`` how these stand in the warning that is open."""
    after = _after(proposal, held)
    reasons = {e.saying.village: e for e in sorted(proposal.entries, key=lambda e: e.saying.grade)}
    said = [_announcement(v, grade, onset, told.get(v), reasons[v].saying) for v, (grade, onset) in after.items()]
    moves = Counter((one.before, one.after) for one in said if one.after is not one.before)
    nearer = [one for one in said if one.after and one.after is one.before and house.stages.nearer(one.onset, now, one.told_in)]
    known = [one for one in said if (one.after is not one.before or one in nearer) and one.village in house.registry.villages]
    deliveries = [d for one in known if one.warns for d in _deliveries(house, proposal, one, now)]
    spoken = [d for d in deliveries if d.channel != DUTY_ROOM]
    return Preview(
        moves=moves,
        nearer=len(nearer),
        unchanged=len(after) - sum(moves.values()) - len(nearer),
        informed=sum(n for (before, grade), n in moves.items() if grade < before),
        people=len({d.address for d in spoken if d.person}),
        by_channel=Counter(d.channel for d in spoken),
        segments=sum(segments(d.text).count for d in spoken if d.channel == "sms"),
        samples=_samples(spoken),
        said=tuple(known),
    )


def _announcement(village: str, grade: Grade, onset: datetime | None, told: VillageGrade | None, why: Saying) -> Announcement:
    return Announcement(
        village=village,
        before=told.told if told else Grade.NONE,
        after=grade,
        reason_zh=why.reason_zh,
        reason_en=why.reason_en,
        onset=onset,
        told_in=told.stage if told else "",
    )


def _after(proposal: Proposal, held: Iterable[Contribution]) -> dict[str, tuple[Grade, datetime | None]]:
    """The grade of each village with this proposal released, and all else as it is; and when the first of it is expected."""
    says = {e.key: (e.saying.grade, e.saying.onset) for e in proposal.entries}
    villages = {e.saying.village: list[tuple[Grade, datetime | None]]() for e in proposal.entries}
    for (village, _), one in ({(c.village, c.contributor): (c.grade, c.onset) for c in held if c.village in villages} | says).items():
        if one[0]:
            villages[village].append(one)
    return {v: (max((g for g, _ in found), default=Grade.NONE), first_of(at for _, at in found)) for v, found in villages.items()}


def _deliveries(house: House, proposal: Proposal, said: Announcement, now: datetime) -> Sequence[Delivery]:
    """As release does: in the stage by lead time, and of what comes nearer as of something new."""
    stage = house.stages.told_in(said.onset, now, said.told_in if said.before else None)
    before = Grade.NONE if said.after is said.before else said.before
    plan = staged(plan_for(house.policies.for_hazard(proposal.hazard), said.after, before), house.stages.named(stage))
    notice = Notice(
        id=f"preview/{said.village}",
        alert="",
        warning="",
        county=proposal.county,
        status=proposal.status,
        hazard=proposal.hazard,
        village=said.village,
        revision=0,
        grade=said.after,
        before=before,
        purpose=Purpose.WARN,
        state=NoticeState.CALLING if plan.actions else NoticeState.INFORMED,
        released_at=now,
        expires_at=now + plan.valid_for,
        code="0000",
        plan="",
        reason_zh=said.reason_zh,
        reason_en=said.reason_en,
        onset=said.onset,
        stage=stage,
    )
    return first_call(house, notice, plan, now)[1]


def _samples(deliveries: Iterable[Delivery]) -> tuple[Sample, ...]:
    """The first text of each grade, channel and language, worst grade first. The link in it is nobody's."""
    first: dict[tuple[int, str, str], Delivery] = {}
    for delivery in deliveries:
        first.setdefault((-delivery.grade, delivery.channel, delivery.language), delivery)
    chosen = [d for _, d in sorted(first.items())][:_SAMPLES]
    return tuple(Sample(d.village, d.grade, d.channel, d.language, d.text, segments(d.text).count) for d in chosen)
