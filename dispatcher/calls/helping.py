"""What the helpers of households are told, and who they are. Their texts hold numbers: no name and no address of a household.

Who the households are stands behind the signed link, read from the store at that moment, and each look is in the audit log.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from dispatcher.answers.links import Link, link_address
from dispatcher.calls.early import ahead_of, occasion_for
from dispatcher.house import House
from dispatcher.model.notice import Notice
from dispatcher.policy.model import GradePlan
from dispatcher.policy.release import LIFE_SAFETY
from dispatcher.ports import Reader
from dispatcher.registry.guidance import guidance_of
from dispatcher.registry.helping import HELPERS, Helpers, Helping
from dispatcher.registry.model import SMS, VOICE
from dispatcher.templates.model import Words
from dispatcher.templates.render import action_of, marked

_IN = {"zh": "{village}{households}户{people}人", "en": "{households} households ({people} people) of {village}"}
_PLEDGE = {
    "zh": "{hazard}{grade}预警！请帮助您负责的{charges}：{action}。",
    "en": "{grade} {hazard} warning! Help those in your care: {charges}. {action}. ",
}
_TAIL: Mapping[str, Mapping[str, tuple[str, str]]] = {
    SMS: {
        "zh": (
            "名单见{link} 收到回复“1 {code}”，需支援回复“9 {code}”。",
            "名单见{link} 收到回复“1 {code}”，已转移回复“3 {code} 人数”，需支援回复“9 {code}”。",
        ),
        "en": (
            "Who they are: {link} Reply 1 {code} received, 9 {code} need help. ",
            "Who they are: {link} Reply 1 {code} received, 3 {code} N moved, 9 {code} need help. ",
        ),
    },
    VOICE: {
        "zh": ("收到请按1，需要帮助请按9。", "收到请按1，正在转移请按2，已经转移请按3，需要帮助请按9。"),
        "en": (
            "Press 1 for received, 9 if you need help.",
            "Press 1 for received, 2 for moving, 3 when all have moved, 9 if you need help.",
        ),
    },
}
_BETWEEN = {"zh": "，", "en": "; "}


async def with_helpers(reader: Reader, house: House, plans: Iterable[GradePlan], villages: Iterable[str]) -> House:
    """The house with the helpers of these villages, where a plan calls them; else the house as it is, and nothing is read."""
    return await knowing_helpers(reader, house, villages) if any(calls_helpers(plan) for plan in plans) else house


async def knowing_helpers(reader: Reader, house: House, villages: Iterable[str]) -> House:
    """The house with the helpers of these villages, as the store has them now."""
    return house.with_helpers(await helpers_of(reader, house.county, villages))


async def helpers_of(reader: Reader, county: str, villages: Iterable[str]) -> Helpers:
    """The helpers of villages, in numbers."""
    found: dict[str, tuple[Helping, ...]] = {}
    for row in await reader.fetch("households.helpers", {"county": county, "villages": json.dumps(sorted(set(villages)))}):
        helping = Helping(village=row["village"], helper=row["helper"], households=row["households"], people=row["people"])
        found[helping.village] = (*found.get(helping.village, ()), helping)
    return found


def calls_helpers(plan: GradePlan) -> bool:
    """Whether a call plan names them."""
    return any(HELPERS in step.to for step in plan.steps)


def helper_text(house: House, about: Sequence[Notice], person: str, channel: str, language: str) -> str:
    """What a helper is told about his households in one village or in several. Each text says how to answer, by the first code."""
    first = about[0]
    words = house.templates.words.get(language) or house.templates.words[house.templates.default_language]
    spoken = words.language if words.language in _PLEDGE else "en"
    between = _BETWEEN[spoken]
    link = link_address(house.public_url, house.secret, Link(first.code, person), first.expires_at)
    text = _PLEDGE[spoken].format(
        hazard=words.hazards.get(first.hazard, first.hazard),
        grade=words.grades[first.grade],
        charges=between.join(_charge(house, n, person, words, spoken) for n in about),
        action=between.join(dict.fromkeys(_action(house, n, channel, words) for n in about)),
    )
    text += _TAIL.get(channel, _TAIL[SMS])[spoken][first.grade >= LIFE_SAFETY].format(link=link, code=first.code)
    if channel != VOICE:
        at = first.released_at.astimezone(house.registry.county.timezone).strftime(words.time_format)
        text += f"{house.registry.issuer(words.language)}{'' if spoken == 'zh' else ' '}{at}"
    return marked(ahead_of(house, first, words.language) + text, first.status, words)


def _charge(house: House, notice: Notice, person: str, words: Words, spoken: str) -> str:
    mine = [h for h in house.helpers.get(notice.village, ()) if h.helper == person]
    households, people = sum(h.households for h in mine), sum(h.people for h in mine)
    return _IN[spoken].format(village=house.registry.name_of(notice.village, words.language), households=households, people=people)


def _action(house: House, notice: Notice, channel: str, words: Words) -> str:
    template = house.templates.find(notice.hazard, occasion_for(house, notice), channel, words.language)
    known = guidance_of(house.registry, notice.village, words.language, house.travel_time(notice.village))
    return action_of(template, replace(known, transfer_people=()), words)
