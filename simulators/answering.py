"""What a villager will do about a question, decided when the text reaches the phone."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from simulators import chance, habits, wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One thing a villager will do: send ``text``, or open ``link`` and press ``action``. ``act`` names it for life."""

    act: str
    at: datetime
    action: str
    text: str = ""
    link: str = ""
    people: int = 0


def answers(
    question: wording.Question, phone: str, habit: habits.Habit, settings: habits.Habits, seed: int, delivered_at: datetime
) -> tuple[Answer, ...]:
    """All that follows from one question, in order of time; nothing for the silent."""
    if habit not in habits.ANSWERING and habit is not habits.Habit.REFUSES:
        return ()
    names = (seed, phone, question.key)
    bounds = settings.delays.slow if habit is habits.Habit.SLOW else settings.delays.prompt
    first_at = delivered_at + chance.between(*bounds, *names, "reads")
    if habit is habits.Habit.REFUSES:
        return (
            Answer(act=_act(phone, question, wording.REFUSED), at=first_at, action=wording.REFUSED, text=wording.refusal(question, *names)),
        )
    people = settings.people_moved[0] + int(chance.draw(*names, "people") * (settings.people_moved[1] - settings.people_moved[0] + 1))
    return tuple(
        _answer(question, action, phone, habit, names, people, first_at + _later(action, settings.delays, names))
        for action in question.actions
    )


def _later(action: str, delays: habits.Delays, names: tuple[object, ...]) -> timedelta:
    if action == wording.RECEIVED:
        return timedelta(0)
    return chance.between(*(delays.evacuating if action == wording.EVACUATING else delays.evacuated), *names, action)


def _answer(
    question: wording.Question, action: str, phone: str, habit: habits.Habit, names: tuple[object, ...], people: int, at: datetime
) -> Answer:
    act = _act(phone, question, action)
    moved = people if action == wording.EVACUATED else 0
    by_link = question.link and (habit is habits.Habit.LINK or not question.code)
    if by_link:
        return Answer(act=act, at=at, action=action, link=question.link, people=moved)
    if habit is habits.Habit.WORDING:
        return Answer(act=act, at=at, action=action, text=wording.in_field_wording(question, action, moved, *names, action), people=moved)
    return Answer(act=act, at=at, action=action, text=wording.formal(question, action, moved), people=moved)


def _act(phone: str, question: wording.Question, action: str) -> str:
    return f"{phone}/{question.key}/{action}"
