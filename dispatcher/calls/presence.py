"""What somebody on duty is asked in a roll call (值班点名); the same words whichever of his channels carries them."""

from datetime import timedelta

from dispatcher.answers.links import Link, link_address
from dispatcher.house import House
from dispatcher.model.notice import Notice
from dispatcher.registry.model import VOICE
from dispatcher.templates.render import marked

HAZARD = "roll-call"
"""Stands where a notice has the hazard: a roll call is no warning."""


def plan_name(within: timedelta) -> str:
    """The plan of all roll calls that leave people so long."""
    return f"{HAZARD}/{int(within.total_seconds())}"


def within_of(plan: str) -> timedelta:
    """How long a plan leaves people; the reverse of ``plan_name``."""
    return timedelta(seconds=int(plan.rpartition("/")[2]))


def presence_text(house: House, notice: Notice, person: str, channel: str, language: str) -> str:
    """By when to answer, and how on this channel."""
    words = house.templates.words.get(language) or house.templates.words[house.templates.default_language]
    until = (notice.released_at + within_of(notice.plan)).astimezone(house.registry.county.timezone)
    link = link_address(house.public_url, house.secret, Link(notice.code, person), notice.expires_at)
    if words.language == "zh":
        how = "按1" if channel == VOICE else f"回复“1 {notice.code}”，或点开 {link}"
        text = f"【值班点名】{house.registry.issuer('zh')}：请于{until:%H:%M}前{how}"
    else:
        how = "press 1" if channel == VOICE else f'reply "1 {notice.code}", or open {link}'
        text = f"[Roll call] {house.registry.issuer('en')}: by {until:%H:%M} {how}"
    return marked(text, notice.status, words)
