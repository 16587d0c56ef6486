"""Who is told what, now: from a notice and the entries of its plan that are due to deliveries.

Decisions only. A role that nobody holds, or a person without a usable channel, is a gap with an owner: a task.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from dispatcher.answers.links import Link, link_address
from dispatcher.calls.agenda import Entry
from dispatcher.calls.early import ahead_of
from dispatcher.calls.helping import helper_text
from dispatcher.calls.order import order_of
from dispatcher.calls.presence import HAZARD as ROLL_CALL
from dispatcher.calls.presence import presence_text
from dispatcher.house import House
from dispatcher.model.delivery import Delivery, delivery_id
from dispatcher.model.notice import Notice, Purpose
from dispatcher.model.task import Task, TaskKind
from dispatcher.policy.model import GradePlan, Step
from dispatcher.policy.night import Night
from dispatcher.ports import DeliveryState
from dispatcher.registry.guidance import guidance_of
from dispatcher.registry.helping import HELPERS
from dispatcher.registry.model import SPEAKERS, VOICE
from dispatcher.templates.model import Facts
from dispatcher.templates.render import render

DUTY_ROOM = "duty_room"
LOUDSPEAKER = "loudspeaker"
_DUTY_ROOM_ROLE = "county.duty_room"
_DUTY_ROOM_ADDRESS = "duty-room"
_LINK = "\ue000"  # stands for the link, which differs from person to person, in a text that is otherwise the same for all


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One address of one person (or speaker, or the duty room), and the channels to try when this one fails.

    ``because`` says why the order is another than the plan's.
    """

    person: str
    role: str
    channel: str
    address: str
    language: str
    fallbacks: tuple[tuple[str, ...], ...] = ()
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What an entry of the plan comes to."""

    deliveries: tuple[Delivery, ...]
    tasks: tuple[Task, ...]


def call(house: House, notice: Notice, plan: GradePlan, entries: Sequence[Entry], now: datetime) -> Call:
    """The deliveries of the entries that are due. The duty room and speakers are not repeated at people's pace twice over."""
    deliveries: dict[str, Delivery] = {}
    tasks: list[Task] = []
    turns: Counter[str] = Counter()
    said = Saying(house, notice)
    for entry in entries:
        step = plan.steps[entry.step]
        targets, gaps = targets_of(house, notice, step, now, plan.night)
        for target in targets:
            if entry.repeat and target.channel == DUTY_ROOM:
                continue  # the page still shows it
            turns[target.channel] += 1
            made = deliver(said, target, entry.step, entry.repeat, now, turns[target.channel] - 1)
            deliveries.setdefault(made.id, made)
        if not entry.repeat:
            tasks += (_gap(house, notice, gap, now) for gap in gaps)
            if step.task:
                tasks.append(_step_task(house, notice, entry, step, now))
    return Call(deliveries=tuple(deliveries.values()), tasks=tuple(tasks))


def call_on(house: House, notice: Notice, plan: GradePlan, due: Sequence[Entry], later: Sequence[Entry], now: datetime) -> Call:
    """``call``; when the people it wants do not exist, the next steps of ``later`` start at once until one reaches somebody.

    Their own times come all the same: ids are derived, so what was said early is not said twice.
    """
    called = call(house, notice, plan, due, now)
    for entry in later:
        reached = any(d.person for d in called.deliveries)
        if reached or not any(t.kind is TaskKind.GAP for t in called.tasks):
            break
        if not entry.repeat:
            due = [*due, entry]
            called = call(house, notice, plan, due, now)
    return called


def targets_of(house: House, notice: Notice, step: Step, now: datetime, night: Night | None = None) -> tuple[list[Target], list[str]]:
    """Whom a step reaches for this village now, by duty roster where there is one, and the roles that reach nobody.

    In the hours of ``night`` who would get a text before a call is called first.
    """
    hours = night.text if night is not None and night.holds(now, house.registry.county.timezone) else ""
    targets: list[Target] = []
    gaps: list[str] = []
    for role in step.to:
        found = _targets_of_role(house, notice.village, role, step.by, hours, now)
        if not found if role != HELPERS else len({t.person for t in found}) < len(house.helpers.get(notice.village, ())):
            gaps.append(role)  # of the helpers each one counts; a village without such households lacks nobody
        targets += found
    return targets, gaps


def _targets_of_role(house: House, village: str, role: str, by: tuple[tuple[str, ...], ...], hours: str, now: datetime) -> list[Target]:
    language = house.registry.county.languages[0]
    if role == _DUTY_ROOM_ROLE:
        return [Target(person="", role=role, channel=DUTY_ROOM, address=_DUTY_ROOM_ADDRESS, language=language)]
    if role == SPEAKERS:
        speakers = house.registry.speakers_of(village)
        return [Target(person="", role=role, channel=LOUDSPEAKER, address=s.id, language=language) for s in speakers]
    found = house.resolve(role, village, now)
    return [target for contact in found for target in targets_of_person(house, contact.id, role, by, hours)]


def targets_of_person(house: House, person: str, role: str, by: tuple[tuple[str, ...], ...], hours: str = "") -> list[Target]:
    """The first channels of ``by`` that the person has, with the rest as fallbacks; ``hours`` are those of the night, when it is night."""
    contact = house.registry.contacts[person]
    tried, because = order_of(by, contact.channels, hours) if contact.phone else ((), "")
    if not tried:
        return []
    phone, language, rest = contact.phone, contact.language, tried[1:]
    return [
        Target(person=person, role=role, channel=c, address=phone, language=language, fallbacks=rest, because=because) for c in tried[0]
    ]


@dataclass(slots=True)
class Saying:
    """What is said of one notice. Each text is made once for a channel and language, however many people read it."""

    house: House
    notice: Notice
    _made: dict[tuple[str, str], str] = field(default_factory=dict)

    def to(self, target: Target) -> str:
        """What this person reads: facts of the notice in his language, with code and link only where an answer is asked."""
        if target.role == HELPERS and self.notice.purpose is Purpose.WARN:
            return helper_text(self.house, [self.notice], target.person, target.channel, target.language)
        if self.notice.hazard == ROLL_CALL:
            return presence_text(self.house, self.notice, target.person, target.channel, target.language)
        key = target.channel, target.language
        text = self._made.get(key)
        if text is None:
            text = self._made[key] = self._text(target.channel, target.language)
        return text.replace(_LINK, self._link(target.person)) if _LINK in text else text

    def _link(self, person: str) -> str:
        return link_address(self.house.public_url, self.house.secret, Link(self.notice.code, person), self.notice.expires_at)

    def _text(self, channel: str, language: str) -> str:
        house, notice, registry = self.house, self.notice, self.house.registry
        asks = notice.purpose is Purpose.WARN and channel not in (LOUDSPEAKER, DUTY_ROOM, VOICE)
        known = guidance_of(registry, notice.village, language, house.travel_time(notice.village))
        facts = Facts(
            village=known.village,
            hazard=notice.hazard,
            grade=notice.grade,
            before=notice.before,
            reason=notice.reason_zh if language == "zh" else notice.reason_en,
            shelter=known.shelter,
            route=known.route,
            transfer_people=known.transfer_people,
            issuer=registry.issuer(language),
            at=notice.released_at,
            zone=registry.county.timezone,
            travel_time=known.travel_time,
            status=notice.status,
            code=notice.code if asks else "",
            link=_LINK if asks else "",
            ahead=ahead_of(house, notice, language),
        )
        return render(house.templates, facts, channel, language)


def deliver(said: Saying, target: Target, step: int, repeat: int, now: datetime, turn: int = 0) -> Delivery:
    """One delivery of a call plan, with its text."""
    return deliver_text(said.notice, target, said.to(target), now, step=step, repeat=repeat, turn=turn)


def deliver_text(notice: Notice, target: Target, text: str, now: datetime, *, step: int = 0, repeat: int = 0, turn: int = 0) -> Delivery:
    """Any text about a notice, due at once. What is committed stands on the duty room's page, so there it is delivered."""
    shown = target.channel == DUTY_ROOM
    return Delivery(
        id=delivery_id((notice.id,), target.channel, target.address, step, repeat),
        notice=notice.id,
        county=notice.county,
        status=notice.status,
        village=notice.village,
        channel=target.channel,
        person=target.person,
        role=target.role,
        address=target.address,
        language=target.language,
        grade=notice.grade,
        text=text,
        state=DeliveryState.DELIVERED if shown else DeliveryState.PLANNED,
        step=step,
        repeat=repeat,
        fallbacks=target.fallbacks,
        planned_at=now,
        due=now,
        expires_at=notice.expires_at,
        updated_at=now,
        accepted_at=now if shown else None,
        turn=turn,
        because=target.because,
    )


def fallback(house: House, delivery: Delivery, notice: Notice, now: datetime) -> tuple[Delivery, ...]:
    """The next channels of a person whose channel failed for good; none left gives nothing."""
    if not delivery.fallbacks:
        return ()
    channels, rest = delivery.fallbacks[0], delivery.fallbacks[1:]
    target = Target(
        person=delivery.person, role=delivery.role, channel="", address=delivery.address, language=delivery.language, fallbacks=rest
    )
    said = Saying(house, notice)
    return tuple(deliver(said, replace(target, channel=c), delivery.step, delivery.repeat, now) for c in channels)


def _gap(house: House, notice: Notice, role: str, now: datetime) -> Task:
    zh, en = house.registry.name_of(notice.village, "zh"), house.registry.name_of(notice.village, "en")
    return _task(
        notice,
        TaskKind.GAP,
        f"gap/{notice.village}/{role}",
        f"{zh}：{role} 无人可叫，请补登联系人",
        f"{en}: nobody reachable as {role}",
        now,
    )


def _step_task(house: House, notice: Notice, entry: Entry, step: Step, now: datetime) -> Task:
    zh, en = house.registry.name_of(notice.village, "zh"), house.registry.name_of(notice.village, "en")
    key = f"step/{notice.id}/{entry.step}"
    return _task(notice, TaskKind.OVERDUE, key, f"{zh}未应答：{step.task}", f"{en} has not answered: {step.task_en or step.task}", now)


def _task(notice: Notice, kind: TaskKind, key: str, zh: str, en: str, now: datetime) -> Task:
    return Task(
        key=key, county=notice.county, status=notice.status, kind=kind, village=notice.village, text_zh=zh, text_en=en, opened_at=now
    )


def tell_again(house: House, notice: Notice, told: Iterable[Target], now: datetime) -> tuple[Delivery, ...]:
    """A lowering or lift goes to exactly those who were told before, by the way they were told."""
    said = Saying(house, notice)
    return tuple(deliver(said, target, 0, 0, now) for target in told)
