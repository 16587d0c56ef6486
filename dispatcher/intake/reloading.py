"""New rules, tables and registry files while the engine runs: checked, rehearsed over the last day, then in force; or refused.

A file with a mistake changes nothing: what decided before goes on deciding, and the page, ``/readyz`` and the metrics say so.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from dispatcher.errors import ConfigurationError, Problem, StoreFailed
from dispatcher.house import House
from dispatcher.intake.activation import Differences, compared, write_activation, write_digests
from dispatcher.intake.basis import Compiled
from dispatcher.intake.pipeline import Pipeline
from dispatcher.intake.rehearsal import Rehearsal
from dispatcher.ports import Transaction
from dispatcher.warnings.in_use import refuse_missing
from dispatcher.workplace import Workplace
from rules.change import Decisions

PART = "rules"
FILES = "files"
SIGNAL = "signal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Everything that an operator's files say, compiled. ``digests`` are those of registry, policies, templates and rules."""

    compiled: Compiled
    house: House
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a look at the files. ``digest`` is of the rules that decide now; ``differences`` None when nothing is new."""

    digest: str
    differences: Differences | None


Read = Callable[[], Version]
"""Reads and compiles the files; ConfigurationError with every mistake."""
Mark = Callable[[], str]
"""Some text that changes whenever a file does."""


async def activate(place: Workplace, pipeline: Pipeline, version: Version, *, actor: str, origin: str = "") -> Differences | None:
    """Let a version decide from now on; durable on return. None when it is what decides already.

    The rules are rehearsed first, while the old ones go on deciding; they take over between two batches.
    """
    if version.compiled.digest == pipeline.ruling.compiled.digest:
        await pipeline.between(lambda: _adopt(place, version, actor, origin))
        return None
    now = place.clock.now()
    before, after = pipeline.ruling, pipeline.ruling_by(version.compiled)
    old = Rehearsal(place.store, place.house.county, before.compiled.plan, before.decoding, now)
    new = Rehearsal(place.store, place.house.county, after.compiled.plan, after.decoding, now)
    for past in (old, new):
        await past.up_to(pipeline.seq)
    differences = compared(old.changes, new)

    async def take_over() -> None:
        await new.up_to(pipeline.seq)  # what came in meanwhile
        await asyncio.to_thread(after.engine.succeed, pipeline.engine, new.engine)

        async def write(tx: Transaction, seq: int, at: datetime) -> Decisions:
            await write_activation(tx, version.house, seq, at, after, actor=actor, differences=differences)
            await write_digests(tx, version.house.county, at, version.digests, actor, origin)
            await pipeline.keep_state(tx, seq, after)
            return Decisions()

        await pipeline.commit_alone(write)
        pipeline.taken_over(after)
        place.house = replace(version.house, drill=place.house.drill)

    await pipeline.between(take_over)
    return differences


async def _adopt(place: Workplace, version: Version, actor: str, origin: str) -> None:
    async with place.store.write() as tx:
        await write_digests(tx, version.house.county, place.clock.now(), version.digests, actor, origin)
    place.house = replace(version.house, drill=place.house.drill)


@dataclass
class Reloading:
    """Looks at the files when told to, and every few seconds. ``problems`` are the mistakes for which the newest were refused.

    ``adopted`` is told of every version that is in force. ``seen`` is the mark of the files as they were last read, taken before.
    """

    place: Workplace
    pipeline: Pipeline
    read: Read
    mark: Mark
    adopted: Callable[[Version], None]
    seen: str = ""
    problems: Sequence[Problem] = ()
    refused_at: datetime | None = None
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def watch(self, every_s: float) -> None:
        """Look every few seconds whether a file has changed, and take it when nothing has changed since the look before."""
        self.seen = last = self.seen or await asyncio.to_thread(self.mark)
        while True:
            await asyncio.sleep(every_s)
            mark = await asyncio.to_thread(self.mark)
            if mark == last != self.seen:
                await self.try_reload(FILES)
            last = mark

    async def try_reload(self, actor: str) -> None:
        """As ``reload``; a refusal is said where it can be seen, and that is all."""
        try:
            await self.reload(actor)
        except ConfigurationError:
            return
        except StoreFailed as failure:  # the files are looked at again at the next change
            self.place.log.error("store_failed", error=str(failure))

    async def look(self) -> Version | None:
        """What the files say now; None, said where it can be seen, when they have mistakes."""
        self.seen = await asyncio.to_thread(self.mark)
        try:
            return await self._read_fitting()
        except ConfigurationError as error:
            self._refuse(error)
            return None

    async def reload(self, actor: str, origin: str = "") -> Outcome:
        """Read the files now and let them decide. ConfigurationError when they have mistakes: then nothing has changed."""
        async with self._one:
            self.seen = await asyncio.to_thread(self.mark)
            try:
                version = await self._read_fitting()
            except ConfigurationError as error:
                self._refuse(error)
                raise
            differences = await activate(self.place, self.pipeline, version, actor=actor, origin=origin)
            self._accept(version, differences)
            return Outcome(digest=version.compiled.plan.digest, differences=differences)

    async def _read_fitting(self) -> Version:
        version = await asyncio.to_thread(self.read)
        await refuse_missing(self.place.store, version.house)
        return version

    def _refuse(self, error: ConfigurationError) -> None:
        place, count = self.place, len(error.problems)
        self.problems, self.refused_at = tuple(error.problems), place.clock.now()
        more = f" (and {count - 1} more)" if count > 1 else ""
        place.health.set(PART, f"新文件有误，仍用原规则 new files refused, the old rules decide: {error.problems[0]}{more}", bearable=True)
        place.metrics.reloads.labels("refused").inc()
        place.metrics.refused.set(1)
        place.log.error("rules_refused", problems=count, first=str(error.problems[0]))
        place.broadcast.wake()

    def _accept(self, version: Version, differences: Differences | None) -> None:
        place = self.place
        self.problems, self.refused_at = (), None
        place.health.clear(PART)
        place.metrics.refused.set(0)
        place.metrics.reloads.labels("unchanged" if differences is None else "activated").inc()
        if differences is not None:
            place.log.info("rules_activated", digest=version.compiled.digest, differences=len(differences.found))
        self.adopted(version)
        place.broadcast.wake()
