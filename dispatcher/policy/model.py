"""Call plans per hazard and grade. Times are counted from release, or from an action's deadline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from dispatcher.policy.night import Night
from dispatcher.policy.release import DEFAULT, Release
from rules.grade import Grade


class Action(StrEnum):
    """What a village is asked to report, in this order; a later one implies the earlier ones."""

    RECEIVED = "received"
    EVACUATING = "evacuating"
    EVACUATED = "evacuated"


class Quorum(StrEnum):
    """How many of the people asked must answer before an action counts as answered."""

    ANY = "any"
    ALL = "all"
    SOME = "quorum"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredBy:
    """When an action is answered; ``count`` is the number of people for a quorum, else 1."""

    kind: Quorum = Quorum.ANY
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A step is sent again each ``every``, at most ``times`` more, while the village has not answered."""

    every: timedelta
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the call chain.

    ``after`` counts from release for ``received``, from that action's deadline for a later action.
    ``by``: an inner tuple starts together, later ones are fallbacks per person.
    ``task`` and ``task_en`` are work for the duty room, empty for none.
    """

    after: timedelta
    to: tuple[str, ...]
    by: tuple[tuple[str, ...], ...]
    action: Action = Action.RECEIVED
    task: str = ""
    task_en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradePlan:
    """What happens when a village is in one grade.

    No ``actions`` means that nothing is asked. ``deadlines`` has one entry per action, counted from release.
    ``valid_for`` is how long the notice holds when it is not renewed; ``release`` is who lets it leave, by its origin.
    ``night`` are the hours in which a person is called before he is sent a text, None for never.
    """

    answer_within: timedelta
    actions: tuple[Action, ...]
    deadlines: Mapping[Action, timedelta]
    answered_by: AnsweredBy
    repeat: Repeat | None
    steps: tuple[Step, ...]
    release: Release = field(default_factory=lambda: DEFAULT)
    valid_for: timedelta = timedelta(hours=6)
    night: Night | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The call plans of some hazards, one for each grade from blue to red."""

    id: str
    version: int
    hazards: tuple[str, ...]
    grades: Mapping[Grade, GradePlan]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """All policies of an installation. ``digest`` names the exact content."""

    policies: Mapping[str, Policy]
    digest: str

    def for_hazard(self, hazard: str) -> Policy:
        """The policy of a hazard; KeyError names the hazards there are."""
        for policy in self.policies.values():
            if hazard in policy.hazards:
                return policy
        known = ", ".join(sorted(h for p in self.policies.values() for h in p.hazards))
        raise KeyError(f"no policy for hazard {hazard!r}; there are policies for: {known}")
