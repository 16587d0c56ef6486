"""A person who answers for several villages gets one message that names them all. Decisions only.

Each village keeps a delivery of its own, with its own text: one of them carries the message of all, the others ride on it and
share its fate. When a village drops out before it is said, the bundle is undone and each goes by itself: nothing is lost by it.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from dispatcher.calls.early import ahead_of, is_early, occasion_for
from dispatcher.calls.helping import helper_text
from dispatcher.house import House
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice, Purpose
from dispatcher.policy.model import Action, GradePlan
from dispatcher.ports import DeliveryState
from dispatcher.registry.guidance import guidance_of
from dispatcher.registry.helping import HELPERS
from dispatcher.registry.model import SMS, VOICE
from dispatcher.templates.model import Words
from dispatcher.templates.render import action_of, marked, travel_words

LONGEST = 1500
"""Characters of one message; gateways take 1,600."""

_BUNDLED = frozenset({SMS, VOICE})
_HEAD = {
    "zh": "{hazard}{grade}预警，涉及{count}个村：{villages}。{reasons}。",
    "en": "{grade} {hazard} warning for {count} villages: {villages}. {reasons}. ",
}
_ALL = {
    SMS: {"zh": "各村均收到请回复“1”。", "en": "Reply 1 if received for all. "},
    VOICE: {
        "zh": "收到请按1，正在转移请按2，已经转移请按3，需要帮助请按9。",
        "en": "Press 1 for received, 2 for moving, 3 when all have moved, 9 if you need help.",
    },
}
_VILLAGE = {"zh": "{village}{action}，洪水{travel}可能到达{answer}", "en": "{village}: {action}, water may arrive {travel}{answer}"}
_VILLAGE_AHEAD = {"zh": "{village}{action}{answer}", "en": "{village}: {action}{answer}"}
_ANSWER = {
    "zh": {Action.RECEIVED: "回复“1 {code}”收到", Action.EVACUATING: "“2 {code}”正在转移", Action.EVACUATED: "“3 {code} 人数”已转移"},
    "en": {Action.RECEIVED: "reply 1 {code} received", Action.EVACUATING: "2 {code} moving", Action.EVACUATED: "3 {code} N moved"},
}
_BETWEEN = {"zh": ("；", "，", "（{}）"), "en": ("; ", ", ", " ({})")}


def bundle(house: House, notices: Mapping[str, Notice], plans: Mapping[str, GradePlan], deliveries: Sequence[Delivery]) -> list[Delivery]:
    """The deliveries, those to one person about several villages tied together. ``plans`` go by the notice's id."""
    groups: dict[tuple[object, ...], list[Delivery]] = {}
    for delivery in deliveries:
        notice = notices.get(delivery.notice)
        if notice is not None and _may(delivery, notice):
            helps = delivery.person if delivery.role == HELPERS else ""
            reader = (delivery.channel, delivery.address, delivery.language, helps)
            key = (*reader, notice.hazard, notice.grade, notice.stage, delivery.step, delivery.repeat)
            groups.setdefault(key, []).append(delivery)
    tied: dict[str, Delivery] = {}
    for group in groups.values():
        if len({d.notice for d in group}) == 1:
            continue  # most people answer for one village: no text of all is worth making
        for part in _parts(house, notices, plans, group):
            tied |= {d.id: d for d in part}
    return [tied.get(d.id, d) for d in deliveries]


def _may(delivery: Delivery, notice: Notice) -> bool:
    return delivery.channel in _BUNDLED and delivery.state is DeliveryState.PLANNED and notice.purpose is Purpose.WARN


def _parts(
    house: House, notices: Mapping[str, Notice], plans: Mapping[str, GradePlan], group: Sequence[Delivery]
) -> Iterable[list[Delivery]]:
    """The group cut where a message would become too long; each part is a carrier and those that ride on it."""
    part: list[Delivery] = []
    text = ""
    for delivery in group:
        about = [notices[d.notice] for d in (*part, delivery)]
        longer = (
            helper_text(house, about, delivery.person, delivery.channel, delivery.language)
            if delivery.role == HELPERS
            else bundle_text(house, about, plans, delivery.channel, delivery.language)
        )
        if part and len(longer) > LONGEST:
            yield _tie(part, text)
            part = []
            longer = ""
        part, text = [*part, delivery], longer
    yield _tie(part, text)


def _tie(part: Sequence[Delivery], text: str) -> list[Delivery]:
    if len({d.notice for d in part}) == 1:
        return list(part)
    carrier = replace(part[0], bundle=text)
    return [carrier, *(replace(d, carried_by=carrier.id) for d in part[1:])]


def bundle_text(house: House, about: Sequence[Notice], plans: Mapping[str, GradePlan], channel: str, language: str) -> str:
    """What one person is told about several villages: each with what to do there, when, and how to answer for it alone."""
    first = about[0]
    words = house.templates.words.get(language) or house.templates.words[house.templates.default_language]
    spoken = words.language if words.language in _HEAD else "en"
    between, _, _ = _BETWEEN[spoken]
    reasons = dict.fromkeys((n.reason_zh if words.language == "zh" else n.reason_en).rstrip("。. ") for n in about)
    text = _HEAD[spoken].format(
        hazard=words.hazards.get(first.hazard, first.hazard),
        grade=words.grades[first.grade],
        count=len(about),
        villages=between.join(_village(house, n, plans.get(n.id), channel, words, spoken) for n in about),
        reasons=between.join(reasons),
    )
    at = first.released_at.astimezone(house.registry.county.timezone).strftime(words.time_format)
    text += _ALL[channel][spoken] + f"{house.registry.issuer(words.language)} {at}".replace(" ", "" if spoken == "zh" else " ", 1)
    return marked(ahead_of(house, first, words.language) + text, first.status, words)


def _village(house: House, notice: Notice, plan: GradePlan | None, channel: str, words: Words, spoken: str) -> str:
    known = guidance_of(house.registry, notice.village, words.language, house.travel_time(notice.village))
    travel = travel_words(known.travel_time, words)
    template = house.templates.find(notice.hazard, occasion_for(house, notice), channel, words.language)
    action = action_of(template, known, words)
    answer = ""
    if channel == SMS and plan and plan.actions:
        _, comma, brackets = _BETWEEN[spoken]
        answer = brackets.format(comma.join(_ANSWER[spoken][a].format(code=notice.code) for a in plan.actions))
    said = _VILLAGE_AHEAD if is_early(house, notice) else _VILLAGE  # still far: no water comes in so many minutes
    return said[spoken].format(village=known.village, action=action, travel=travel, answer=answer)
