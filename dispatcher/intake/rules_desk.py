"""What people may do with the rules at work: see where places stand, say yes or no to what is proposed, lift, take new files."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from dispatcher.errors import Problem, StandsBy
from dispatcher.intake.acts import RuleAct
from dispatcher.intake.pipeline import Pipeline
from dispatcher.intake.reloading import Outcome, Reloading
from dispatcher.intake.word import give_word
from dispatcher.workplace import Workplace
from rules.change import Decisions
from rules.plan import Plan
from rules.record import Standing


class RulesDesk:
    """The rules of one engine. StandsBy for whatever changes something while another worker decides."""

    def __init__(self, place: Workplace, pipeline: Pipeline, reloading: Reloading, stands_by: Callable[[], str]) -> None:
        """``stands_by`` says why we do not decide; empty when we do."""
        self._place = place
        self._pipeline = pipeline
        self._reloading = reloading
        self._stands_by = stands_by

    @property
    def plan(self) -> Plan:
        """What decides."""
        return self._pipeline.ruling.compiled.plan

    @property
    def problems(self) -> Sequence[Problem]:
        """The mistakes for which the newest files were refused; empty when the files decide."""
        return self._reloading.problems

    @property
    def refused_at(self) -> datetime | None:
        """When they were."""
        return self._reloading.refused_at

    def standing(self) -> Iterable[Standing]:
        """Where every place stands under every rule."""
        return self._pipeline.engine.standing()

    async def say(self, act: RuleAct, origin: str, *, task: int | None = None) -> Decisions:
        """A person's word; durable on return. NotProposed when there is nothing to say it to."""
        self._need_turn()
        return await give_word(self._place, self._pipeline, act, origin, task=task)

    async def reload(self, actor: str, origin: str) -> Outcome:
        """Look at the files now. ConfigurationError when they have mistakes: then nothing has changed."""
        self._need_turn()
        return await self._reloading.reload(actor, origin)

    def _need_turn(self) -> None:
        if why := self._stands_by():
            raise StandsBy(why)
