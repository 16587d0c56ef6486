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
from dispatcher.model.warning import Contribution
from dispatcher.policy.stages import staged
from dispatcher.templates.segments import segments
from dispatcher.warnings.alerting import plan_for, purpose_of
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
    """``moves`` counts villages by (told now, told then). ``informed`` villages are lowered or lifted: who was told is told.

    ``people`` are called at once, counted by address; ``segments`` are those of all their text messages. ``said`` is what each village
    would be told, for a look at costs, times and later steps (dispatcher/calls/preview.py).
    """

    moves: Mapping[tuple[Grade, Grade], int]
    unchanged: int
    informed: int
    people: int
    by_channel: Mapping[str, int]
    segments: int
    samples: tuple[Sample, ...]
    said: tuple[Announcement, ...]


def preview(house: House, proposal: Proposal, held: Iterable[Contribution], told: Mapping[str, Grade], now: datetime) -> Preview:
    """``held`` are the contributions of the villages concerned, ``told`` what they were told last."""
    after = _grades(proposal, held)
    moves = Counter((told.get(v, Grade.NONE), grade) for v, grade in after.items() if grade is not told.get(v, Grade.NONE))
    reasons = {e.saying.village: e for e in sorted(proposal.entries, key=lambda e: e.saying.grade)}
    deliveries: list[Delivery] = []
    for village, grade in after.items():
        before = told.get(village, Grade.NONE)
        if grade > before and village in house.registry.villages:
            said = reasons[village].saying
            deliveries += _deliveries(house, proposal, village, (before, grade), said, now)
    spoken = [d for d in deliveries if d.channel != DUTY_ROOM]
    return Preview(
        moves=moves,
        unchanged=len(after) - sum(moves.values()),
        informed=sum(n for (before, grade), n in moves.items() if grade < before),
        people=len({d.address for d in spoken if d.person}),
        by_channel=Counter(d.channel for d in spoken),
        segments=sum(segments(d.text).count for d in spoken if d.channel == "sms"),
        samples=_samples(spoken),
        said=tuple(
            Announcement(
                village=v,
                before=told.get(v, Grade.NONE),
                after=grade,
                reason_zh=reasons[v].saying.reason_zh,
                reason_en=reasons[v].saying.reason_en,
            )
            for v, grade in after.items()
            if grade is not told.get(v, Grade.NONE) and v in house.registry.villages
        ),
    )


def _grades(proposal: Proposal, held: Iterable[Contribution]) -> dict[str, Grade]:
    """The grade of each village with this proposal released, and all else as it is."""
    says = {e.key: e.saying.grade for e in proposal.entries}
    after = {e.saying.village: Grade.NONE for e in proposal.entries}
    for (village, _), grade in ({(c.village, c.contributor): c.grade for c in held if c.village in after} | says).items():
        after[village] = max(after[village], grade)
    return after


def _deliveries(
    house: House, proposal: Proposal, village: str, grades: tuple[Grade, Grade], said: Saying, now: datetime
) -> Sequence[Delivery]:
    before, grade = grades
    stage = house.stages.at(said.onset, now)
    plan = staged(plan_for(house.policies.for_hazard(proposal.hazard), grade, before), stage)
    purpose = purpose_of(before, grade)
    notice = Notice(
        id=f"preview/{village}",
        alert="",
        warning="",
        county=proposal.county,
        status=proposal.status,
        hazard=proposal.hazard,
        village=village,
        revision=0,
        grade=grade,
        before=before,
        purpose=purpose,
        state=NoticeState.CALLING if purpose is Purpose.WARN and plan.actions else NoticeState.INFORMED,
        released_at=now,
        expires_at=now + plan.valid_for,
        code="0000",
        plan="",
        reason_zh=said.reason_zh,
        reason_en=said.reason_en,
        onset=said.onset,
        stage=stage.id if stage else "",
    )
    return first_call(house, notice, plan, now)[1]


def _samples(deliveries: Iterable[Delivery]) -> tuple[Sample, ...]:
    """The first text of each grade, channel and language, worst grade first. The link in it is nobody's."""
    first: dict[tuple[int, str, str], Delivery] = {}
    for delivery in deliveries:
        first.setdefault((-delivery.grade, delivery.channel, delivery.language), delivery)
    chosen = [d for _, d in sorted(first.items())][:_SAMPLES]
    return tuple(Sample(d.village, d.grade, d.channel, d.language, d.text, segments(d.text).count) for d in chosen)
