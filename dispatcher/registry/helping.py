"""Who brings the households that need help to safety, in numbers: no name of a household and no address is in it. Decisions only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dispatcher.registry.refuge import Refuge

HELPERS = "village.household_helpers"
"""The role of a call plan that means the helpers named in the list of households, of the village that is warned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Helping:
    """What one person has to see to in one village. ``helper`` is a contact's id, empty for households nobody was found for."""

    village: str
    helper: str
    households: int
    people: int


Helpers = Mapping[str, tuple[Helping, ...]]
"""By village."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """How many people of a village the lists name: all who have to move, and among them those who need help.

    ``people`` is what transfers.csv says, or those who need help where they are more or it says nothing; 0 when no list names anybody.
    """

    people: int = 0
    helped: int = 0
    households: int = 0


def listed_of(refuge: Refuge, helpers: Helpers, village: str) -> Listed:
    """What the lists say of a village."""
    helping: Sequence[Helping] = helpers.get(village, ())
    helped = sum(h.people for h in helping)
    moving = sum(t.people for t in refuge.transfers_of(village))
    return Listed(people=max(moving, helped), helped=helped, households=sum(h.households for h in helping))
