"""Who lets an alert leave the house, per origin of what it says: by itself, after one officer's look, or after two."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from dispatcher.accounts import Role
from dispatcher.files.document import Spot
from dispatcher.policy.paging import CALLING, Paging, read_paging
from rules.grade import Grade


class Origin(StrEnum):
    """Where a grade comes from: a rule that looks at readings, one that leans on a forecast, a person, an upper level's CAP message."""

    OBSERVED = "observed"
    FORECAST = "forecast"
    FORECASTER = "forecaster"
    UPSTREAM = "upstream"


class Way(StrEnum):
    """How many people must agree before it leaves: none, one, two."""

    AUTO = "auto"
    REVIEW = "review"
    TWO_PERSON = "two_person"


class Then(StrEnum):
    """What happens when nobody has decided in time. ``page`` calls officers (``Paging``) and goes on waiting."""

    RELEASE = "release"
    DROP = "drop"
    PAGE = "page"


WITHIN = timedelta(minutes=5)
LIFE_SAFETY = Grade.ORANGE
"""From this grade on, silence of officers never drops anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRule:
    """``by`` is the least role that may release; ``within`` is the time until ``then``; ``page`` is whom a page calls."""

    way: Way = Way.AUTO
    by: Role = Role.RELEASING_OFFICER
    within: timedelta = WITHIN
    then: Then = Then.PAGE
    page: Paging = CALLING

    @property
    def people(self) -> int:
        """How many people must agree."""
        return {Way.AUTO: 0, Way.REVIEW: 1, Way.TWO_PERSON: 2}[self.way]


AUTO = ReleaseRule()
REVIEWED = ReleaseRule(way=Way.REVIEW)
Release = Mapping[Origin, ReleaseRule]
DEFAULT: Release = {Origin.OBSERVED: AUTO, Origin.FORECAST: AUTO, Origin.FORECASTER: REVIEWED, Origin.UPSTREAM: REVIEWED}
"""What holds where a policy says nothing: rules speak for themselves, what people and others say is looked at first."""

_OFFICERS = tuple(role.word for role in Role if role >= Role.DUTY_OFFICER)
_WAYS = "auto, two_person, or review: {by: releasing_officer, within: 5m, then: release | drop | page}"


def read_release(spot: Spot | None, grade: Grade) -> Release:
    """One rule for all origins, or one for each; what is not named keeps its default. Mistakes are noted where they stand."""
    if spot is None:
        return DEFAULT
    words = {origin.value for origin in Origin}
    if spot.is_mapping() and any(key.node.value in words for key, _ in spot.pairs()):
        given = spot.entries((), tuple(Origin))
        return dict(DEFAULT) | {Origin(word): _read_rule(one, grade) for word, one in given.items()}
    rule = _read_rule(spot, grade)
    return dict.fromkeys(Origin, rule)


def _read_rule(spot: Spot, grade: Grade) -> ReleaseRule:
    if not spot.is_mapping():
        word = spot.text()
        if word and word not in {Way.AUTO, Way.TWO_PERSON}:
            spot.wrong(f"unknown release {word!r}; allowed: {_WAYS}")
            return AUTO
        return ReleaseRule(way=Way(word or Way.AUTO))
    found = spot.entries((), (Way.REVIEW, Way.TWO_PERSON))
    if len(found) != 1:
        spot.wrong(f"a release is one of: {_WAYS}")
        return AUTO
    ((word, body),) = found.items()
    options = body.entries((), ("by", "within", "then", "page") if word == Way.REVIEW else ("by", "within", "page"))
    within = options["within"].duration() if "within" in options else WITHIN
    if not within:
        options["within"].wrong("must be longer than 0")
    return ReleaseRule(
        way=Way(word),
        by=Role.from_word(options["by"].word(_OFFICERS, "role") or Role.RELEASING_OFFICER.word)
        if "by" in options
        else Role.RELEASING_OFFICER,
        within=within or WITHIN,
        then=_read_then(options.get("then"), grade),
        page=read_paging(options.get("page")),
    )


def _read_then(spot: Spot | None, grade: Grade) -> Then:
    if spot is None:
        return Then.PAGE
    then = Then(spot.word(tuple(Then), "outcome of a time-out") or Then.PAGE)
    if then is Then.DROP and grade >= LIFE_SAFETY:
        spot.wrong(f"{grade.word} is never dropped because nobody looked; allowed: release, page")
        return Then.PAGE
    return then
