"""Facts and a template → the text a person reads or hears. Pure: the same facts always give the same text."""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dispatcher.ports import Status
from dispatcher.templates.model import EARLY, LIFT, LOWER, Facts, Guidance, Template, Templates, Words
from rules.grade import Grade

_MINUTE = timedelta(minutes=1)


def render(templates: Templates, facts: Facts, channel: str, language: str) -> str:
    """The text for one channel in one language; KeyError when there is none (``dispatcher check`` finds that before).

    Whatever is not Actual begins with the language's mark of an exercise, whoever wrote the template.
    """
    occasion = EARLY if facts.ahead else occasion_of(facts.before, facts.grade)
    template = templates.find(facts.hazard, occasion, channel, language)
    return fill(template, facts, templates.words[template.language])


def occasion_of(before: Grade, after: Grade) -> str:
    """Which text a move between grades needs: the new grade's own, ``lower`` or ``lift``."""
    if after is Grade.NONE:
        return LIFT
    return LOWER if after < before else after.word


def fill(template: Template, facts: Facts, words: Words) -> str:
    """A template with its fields filled in."""
    shown = {
        **_guidance(facts, words),
        "hazard": words.hazards.get(facts.hazard, facts.hazard),
        "grade": words.grades[facts.grade],
        "reason": facts.reason.rstrip("。. "),  # a sentence of its own elsewhere; here the text goes on after it
        "code": facts.code,
        "link": facts.link,
        "issuer": facts.issuer,
        "time": _clock_time(facts.at, facts.zone, words.time_format),
    }
    action = action_of(template, facts, words)
    return marked(facts.ahead + template.text.format(action=action, **shown).strip(), facts.status, words)


def marked(text: str, status: Status, words: Words) -> str:
    """Whatever is not Actual begins with the language's mark of an exercise."""
    if status is Status.ACTUAL:
        return text
    return f"{words.exercise} {text}" if words.exercise.isascii() else f"{words.exercise}{text}"


def action_of(template: Template, facts: Guidance, words: Words) -> str:
    """What a village is told to do."""
    return template.action.format(**_guidance(facts, words)).strip()


def _guidance(facts: Guidance, words: Words) -> dict[str, str]:
    """The fields of an action, each with its word when nothing is known."""
    between = f"{words.listing} " if words.listing.isascii() else words.listing
    return {
        "village": facts.village,
        "shelter": facts.shelter or words.no_shelter,
        "route": facts.route or words.no_route,
        "transfer_person": between.join(facts.transfer_people) or words.no_transfer_person,
        "travel_time": travel_words(facts.travel_time, words),
    }


@lru_cache(64)
def _clock_time(at: datetime, zone: ZoneInfo, time_format: str) -> str:
    """One release is one moment, told in thousands of texts."""
    return at.astimezone(zone).strftime(time_format)


def travel_words(travel_time: timedelta | None, words: Words) -> str:
    """How a person says when the water may come; unknown and zero are both ``at once``."""
    if not travel_time or travel_time < _MINUTE:
        return words.at_once
    return words.minutes.format(minutes=travel_time // _MINUTE)
