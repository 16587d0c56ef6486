"""People moved, held against the lists: a village that reports fewer than they name becomes a task. Decisions only."""

from collections.abc import Sequence
from datetime import datetime

from dispatcher.house import House
from dispatcher.model.answer import Answer, Said
from dispatcher.model.notice import Notice
from dispatcher.model.task import Task, TaskKind


def task_key(notice: Notice) -> str:
    """The matter of one warning and village, over all its revisions."""
    return f"count/{notice.warning}/{notice.village}"


def moved(answers: Sequence[Answer]) -> int | None:
    """How many people the village says it has moved: its last word. What helpers say of their households is a part of it."""
    return next((a.people for a in reversed(answers) if a.people is not None and not a.helper), None)


def short_of(notice: Notice, answers: Sequence[Answer]) -> int:
    """How many of the list are open though the village says that all have moved; 0 while it says no number or is still moving."""
    said = moved([a for a in answers if a.action is Said.EVACUATED])
    return 0 if said is None else max(0, notice.listed - said)


def count_task(house: House, notice: Notice, answers: Sequence[Answer], now: datetime) -> Task | None:
    """What the duty room must ask; None when the number is that of the list, or more."""
    short, said = short_of(notice, answers), moved(answers)
    if not short:
        return None
    zh, en = house.registry.name_of(notice.village, "zh"), house.registry.name_of(notice.village, "en")
    return Task(
        key=task_key(notice),
        county=notice.county,
        status=notice.status,
        kind=TaskKind.COUNT,
        village=notice.village,
        text_zh=f"{zh}报告已转移{said}人，名单{notice.listed}人，尚差{short}人，请核实",
        text_en=f"{en} reports {said} people moved, the lists name {notice.listed}: {short} are open, please check",
        opened_at=now,
    )
