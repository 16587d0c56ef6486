"""A proposal that nobody has decided in time calls officers by voice and text, for real; they answer by acting on it. Decisions only.

Each person called has a notice of his own, which asks for no reply: only a decision stops the calls.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.calls.calling import Target, deliver_text, targets_of_person
from dispatcher.house import House
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.model.proposal import Entry, Proposal
from dispatcher.model.task import Task, TaskKind
from dispatcher.policy.model import AnsweredBy, GradePlan
from dispatcher.registry.model import VOICE, Contact
from dispatcher.templates.render import marked
from rules.grade import Grade

HAZARD = "release-page"
PLAN = GradePlan(answer_within=timedelta(0), actions=(), deadlines={}, answered_by=AnsweredBy(), repeat=None, steps=())
_LEAST = timedelta(minutes=30)
_ZH = {Grade.NONE: "解除", Grade.BLUE: "蓝色", Grade.YELLOW: "黄色", Grade.ORANGE: "橙色", Grade.RED: "红色"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged:
    """Who is called, and the roles that reach nobody."""

    roles: tuple[str, ...]
    notices: tuple[Notice, ...]
    deliveries: tuple[Delivery, ...]
    tasks: tuple[Task, ...]


def topic_of(proposal: Proposal) -> str:
    """Under this name all calls about a proposal stand together."""
    return f"{HAZARD}.{proposal.id}"


def page(house: House, proposal: Proposal, now: datetime) -> Paged:
    """The calls of the time-out that ``proposal.paged`` counts. When the officers reach nobody, the leader is called at once."""
    entry = worst(proposal)
    paging, within = entry.rule.page, entry.rule.within
    roles = paging.roles(within, proposal.paged)
    found = {role: _people(house, proposal, role, now) for role in roles}
    targets = [t for role, people in found.items() for person in people for t in targets_of_person(house, person.id, role, (paging.by,))]
    if not targets and roles != (*paging.to, *paging.then_to):
        roles = (*paging.to, *paging.then_to)
        found |= {role: _people(house, proposal, role, now) for role in paging.then_to}
        targets = [t for role in paging.then_to for person in found[role] for t in targets_of_person(house, person.id, role, (paging.by,))]
    reached = {t.role for t in targets}
    ends = now + max(_LEAST, 2 * within)
    notices = {t.person: _notice(house, proposal, t, now, ends) for t in targets}
    return Paged(
        roles=roles,
        notices=tuple(notices.values()),
        deliveries=tuple({d.id: d for d in _deliveries(house, proposal, targets, notices, now)}.values()),
        tasks=tuple(_gap(house, proposal, role, now) for role in roles if role not in reached),
    )


def worst(proposal: Proposal) -> Entry:
    """The entry by whose rule officers are called: the one that weighs most."""
    return max(proposal.entries, key=lambda e: max(e.saying.grade, e.before))


def _people(house: House, proposal: Proposal, role: str, now: datetime) -> list[Contact]:
    """Who holds a role now, by roster where there is one, for any village of the proposal."""
    villages = dict.fromkeys(e.saying.village for e in proposal.entries)
    found = {c.id: c for v in villages if v in house.registry.villages for c in house.resolve(role, v, now)}
    return list(found.values())


def _notice(house: House, proposal: Proposal, target: Target, now: datetime, ends: datetime) -> Notice:
    return Notice(
        id=f"{topic_of(proposal)}/{target.person}/{proposal.paged}",
        alert=topic_of(proposal),
        warning=topic_of(proposal),
        county=proposal.county,
        status=proposal.status,
        hazard=HAZARD,
        village=house.registry.contacts[target.person].area,
        revision=proposal.paged,
        grade=proposal.grade or worst(proposal).before,
        before=Grade.NONE,
        purpose=Purpose.WARN,
        state=NoticeState.INFORMED,
        released_at=now,
        expires_at=ends,
        code="",
        plan=HAZARD,
        reason_zh=f"待签发 {proposal.id}",
        reason_en=f"waits for release: {proposal.id}",
    )


def _deliveries(house: House, proposal: Proposal, targets: list[Target], notices: dict[str, Notice], now: datetime) -> Iterator[Delivery]:
    for target in targets:
        notice = notices[target.person]
        yield deliver_text(notice, target, text_of(house, proposal, target.channel, target.language, now), now)


def text_of(house: House, proposal: Proposal, channel: str, language: str, now: datetime) -> str:
    """What an officer hears or reads: what waits, since when, and where to decide it."""
    words = house.templates.words.get(language) or house.templates.words[house.templates.default_language]
    zh = words.language == "zh"
    hazard = words.hazards.get(proposal.hazard, proposal.hazard)
    area = house.registry.name_of(proposal.area, words.language)
    grade = proposal.grade or worst(proposal).before
    waited = int((now - proposal.opened_at) / timedelta(minutes=1))
    villages = len({e.saying.village for e in proposal.entries})
    if zh:
        what = "" if proposal.grade else "解除"
        text = f"【待签发】{area}{hazard}{_ZH[grade]}预警{what}请示涉及{villages}个村，已等待{waited}分钟无人处理，请立即签发或不予签发。"
    else:
        what = f"the lifting of a {grade.word}" if not proposal.grade else f"a {grade.word}"
        text = f"[For release] {area}: {what} {hazard} warning for {villages} villages has waited {waited} minutes. Decide now. "
    if channel != VOICE:
        text += f"{house.public_url}/proposals/{proposal.id}"
    return marked(text, proposal.status, words)


def _gap(house: House, proposal: Proposal, role: str, now: datetime) -> Task:
    area_zh, area_en = (house.registry.name_of(proposal.area, lang) for lang in ("zh", "en"))
    return Task(
        key=f"page/{proposal.id}/{role}",
        county=proposal.county,
        status=proposal.status,
        kind=TaskKind.GAP,
        village="",
        text_zh=f"{area_zh}预警待签发：{role} 无人可叫",
        text_en=f"{area_en}: a warning waits for release, and nobody is reachable as {role}",
        opened_at=now,
    )
