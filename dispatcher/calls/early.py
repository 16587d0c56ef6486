"""What is said while it is still far: the texts of an early stage, which ask people to prepare and tell nobody to go."""

from dispatcher.house import House
from dispatcher.model.notice import Notice, Purpose
from dispatcher.templates.model import EARLY
from dispatcher.templates.render import occasion_of


def is_early(house: House, notice: Notice) -> bool:
    """Whether a notice is told ahead: it will be told again when it is near."""
    return notice.purpose is Purpose.WARN and notice.onset is not None and house.stages.early(notice.stage)


def ahead_of(house: House, notice: Notice, language: str) -> str:
    """What a text of an early stage begins with: which stage, and when it is expected; empty for what is imminent."""
    stage = house.stages.named(notice.stage)
    if stage is None or notice.onset is None or not is_early(house, notice):
        return ""
    return stage.said(notice.onset, house.registry.county.timezone, language)


def occasion_for(house: House, notice: Notice) -> str:
    """By which text of the templates a notice is told."""
    return EARLY if is_early(house, notice) else occasion_of(notice.before, notice.grade)
