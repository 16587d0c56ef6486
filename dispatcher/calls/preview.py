"""What a release would set going: recipients, segments, cost, and the time it takes at the limits of the gateways. Decisions only.

Made by the same decisions that release: the same roles, channels and texts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dispatcher.calls.agenda import agenda
from dispatcher.calls.bundling import bundle
from dispatcher.calls.calling import DUTY_ROOM, call, call_on
from dispatcher.deliveries.gateways import Gateway, order
from dispatcher.house import House
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.model.task import TaskKind
from dispatcher.policy.model import GradePlan
from dispatcher.policy.stages import staged
from dispatcher.registry.model import SMS
from dispatcher.templates.segments import segments
from rules.grade import Grade

_CODE = "8888"  # codes are given out at release; each is as long as this one or two digits longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What one village would be told: from which grade to which, why, for when (None: now), and in which stage it was told before."""

    village: str
    before: Grade
    after: Grade
    reason_zh: str = ""
    reason_en: str = ""
    onset: datetime | None = None
    told_in: str = ""

    @property
    def warns(self) -> bool:
        """Whether it rises, or is told again because it comes nearer."""
        return bool(self.after) and self.after >= self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLoad:
    """What one channel would have to carry.

    ``units`` are segments of texts, else messages. ``seconds`` is the least time at the configured limits, None without one.
    """

    channel: str
    recipients: int
    messages: int
    units: int
    cost: float
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """``at_once`` is what goes at release, ``at_most`` all steps and repeats if nobody answered. ``gaps`` are roles nobody holds.

    ``called_first`` are people who would get a text first by day and are called first, because it is ``night`` (``22:00-06:00``).
    ``stages`` counts the villages that are warned by their stage; of an early one, only people of its levels are counted.
    """

    villages: int
    at_once: tuple[ChannelLoad, ...]
    at_most: tuple[ChannelLoad, ...]
    gaps: tuple[tuple[str, str], ...]
    unreached: tuple[str, ...]
    longest_text: int
    called_first: int = 0
    night: str = ""
    stages: Mapping[str, int] = field(default_factory=dict)


def preview(house: House, hazard: str, said: Iterable[Announcement], gateways: Sequence[Gateway], now: datetime) -> Preview:
    """Look ahead at a release.

    A lowering goes to those who were told before, whom the store knows: here everybody of the plan is counted.
    """
    policy = house.policies.for_hazard(hazard)
    first: list[Delivery] = []
    every: list[Delivery] = []
    gaps: dict[tuple[str, str], None] = {}
    villages, unreached = 0, list[str]()
    stages: list[str] = []
    notices, plans = dict[str, Notice](), dict[str, GradePlan]()
    for one in said:
        villages += 1
        if one.after is one.before and not house.stages.nearer(one.onset, now, one.told_in):
            continue  # it knows
        stage = house.stages.told_in(one.onset, now, one.told_in if one.before else None) if one.warns else ""
        stages.append(stage)
        whole = policy.grades[one.after or one.before]
        plan = staged(whole, house.stages.named(stage))
        notice = _notice(house, hazard, one, plan, now, stage)
        notices[notice.id], plans[notice.id] = notice, plan
        at_once, later, missing = _calls(house, notice, plan)
        first += at_once
        every += later
        gaps |= dict.fromkeys((one.village, role) for role in missing)
        if not any(d.person for d in at_once) and (plan is whole or plan.actions):
            unreached.append(one.village)
    first, every = (bundle(house, notices, plans, planned) for planned in (first, every))
    return Preview(
        villages=villages,
        at_once=_loads(first, gateways),
        at_most=_loads(every, gateways),
        gaps=tuple(gaps),
        unreached=tuple(unreached),
        longest_text=max((segments(d.bundle or d.text).count for d in every if d.channel == SMS), default=0),
        called_first=len({d.address for d in first if d.because}),
        night=next((plan.night.text for plan in policy.grades.values() if plan.night), "") if any(d.because for d in first) else "",
        stages={s.id: stages.count(s.id) for s in house.stages.table if s.id in stages},
    )


def _calls(house: House, notice: Notice, plan: GradePlan) -> tuple[tuple[Delivery, ...], tuple[Delivery, ...], list[str]]:
    """What goes at release, what may go in all, and the roles of the first steps that nobody holds."""
    entries, now = agenda(plan), notice.released_at
    due = [e for e in entries if not e.after]
    asks = notice.purpose is Purpose.WARN
    called = call_on(house, notice, plan, due, [e for e in entries if e.after], now) if asks else call(house, notice, plan, due, now)
    missing = [t.key.rpartition("/")[2] for t in called.tasks if t.kind is TaskKind.GAP]
    return called.deliveries, call(house, notice, plan, entries, now).deliveries if asks else called.deliveries, missing


def _notice(house: House, hazard: str, said: Announcement, plan: GradePlan, now: datetime, stage: str) -> Notice:
    warns = said.warns
    return Notice(
        id=f"preview/{said.village}",
        alert="preview",
        warning="preview",
        county=house.county,
        status=house.status,
        hazard=hazard,
        village=said.village,
        revision=1,
        grade=said.after,
        before=Grade.NONE if said.after is said.before else said.before,
        purpose=Purpose.WARN if warns else Purpose.LOWER if said.after else Purpose.LIFT,
        state=NoticeState.CALLING,
        released_at=now,
        expires_at=now + plan.valid_for,
        code=_CODE if warns else "",
        plan="",
        reason_zh=said.reason_zh,
        reason_en=said.reason_en,
        onset=said.onset,
        stage=stage,
    )


def _loads(deliveries: Sequence[Delivery], gateways: Sequence[Gateway]) -> tuple[ChannelLoad, ...]:
    """One load for each channel; the duty room's page costs nothing, and what rides on another message is in that."""
    by_channel: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        if delivery.channel != DUTY_ROOM and not delivery.carried_by:
            by_channel.setdefault(delivery.channel, []).append(delivery)
    return tuple(_load(channel, found, [g for g in gateways if g.channel == channel]) for channel, found in sorted(by_channel.items()))


def _load(channel: str, deliveries: Sequence[Delivery], gateways: Sequence[Gateway]) -> ChannelLoad:
    units: dict[frozenset[str], int] = {}
    cost = 0.0
    for delivery in deliveries:
        fitting = order(gateways, {}, delivery.address, 0.0)
        size = segments(delivery.bundle or delivery.text).count if channel == SMS else 1
        key = frozenset(g.name for g in fitting)
        units[key] = units.get(key, 0) + size
        cost += size * (fitting[0].price if fitting else 0.0)
    return ChannelLoad(
        channel=channel,
        recipients=len({d.address for d in deliveries}),
        messages=len(deliveries),
        units=sum(units.values()),
        cost=round(cost, 2),
        seconds=_seconds(units, {g.name: g.rate for g in gateways}),
    )


def _seconds(units: Mapping[frozenset[str], int], rates: Mapping[str, float]) -> float | None:
    """No gateway carries more than its rate: the longest time that any group of messages needs on all the gateways open to it."""
    times = []
    for group in units:
        inside = sum(n for other, n in units.items() if other <= group)
        if group and all(rates[name] for name in group):
            times.append(inside / sum(rates[name] for name in group))
    return round(max(times), 1) if times else None


def until(load: ChannelLoad, now: datetime) -> datetime | None:
    """When a load is handed over at the earliest; None where no limit is configured."""
    return None if load.seconds is None else now + timedelta(seconds=load.seconds)
