"""What a person may say to the rules, and how it stands in the journal: deciding again must hear the very same."""

from datetime import datetime
from enum import StrEnum

import msgspec

from dispatcher.errors import NotProposed
from dispatcher.ports import Item
from rules.change import Decisions
from rules.engine import Engine
from rules.grade import Grade


class Verb(StrEnum):
    """Lower as proposed, keep in spite of what is proposed, or lift a place until its next good reading."""

    CONFIRM = "confirm"
    REFUSE = "refuse"
    LIFT = "lift"


class RuleAct(msgspec.Struct, frozen=True, kw_only=True):
    """One word of one person. ``standing`` is the grade that is in force outside: what silence has withdrawn is lifted with it."""

    verb: Verb
    rule: str
    place: str
    by: str
    standing: Grade = Grade.NONE


def item_of(act: RuleAct) -> Item:
    """The act as the one item of its journal row."""
    return Item(msgspec.json.encode(act), act.verb.value)


def act_of(item: Item) -> RuleAct:
    """The act that ``item_of`` wrote."""
    return msgspec.json.decode(item.body, type=RuleAct)


def perform(engine: Engine, act: RuleAct, now: datetime) -> Decisions:
    """Let the rules hear it; NotProposed when they do not ask for it (any more) or do not know the place."""
    try:
        match act.verb:
            case Verb.CONFIRM:
                return engine.confirm(act.rule, act.place, now)
            case Verb.REFUSE:
                return engine.refuse(act.rule, act.place, now)
            case Verb.LIFT:
                return engine.lift(act.rule, act.place, now, standing=act.standing)
    except LookupError as error:
        raise NotProposed(str(error.args[0])) from None
