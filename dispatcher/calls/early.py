"""What is said while it is still far: the texts of an early stage, which ask people to prepare and tell nobody to go."""

from dispatcher.house import House
from dispatcher.model.notice import Notice, Purpose
from dispatcher.templates.model import EARLY
from dispatcher.templates.render import occasion_of


def ahead_of(house: House, notice: Notice, language: str) -> str:
    """What a text of an early stage begins with: which stage, and when it is expected; empty for what is imminent."""
    stage = house.stages.named(notice.stage)
    if stage is None or notice.onset is None or not house.stages.early(stage.id) or notice.purpose is not Purpose.WARN:
        return ""
    return stage.said(notice.onset, house.registry.county.timezone, language)


def occasion_for(house: House, notice: Notice) -> str:
    """By which text of the templates a notice is told."""
    return EARLY if ahead_of(house, notice, "") else occasion_of(notice.before, notice.grade)
