"""Stages by lead time: who is told depends on how long it is until something is expected to reach a village. Decisions only.

After common practice of warning step by step (递进式): "1262" of Guangxi tells the county 12 hours ahead, the township 6, village and
point 2; Shenzhen has "31631". It differs from place to place, so it is a table of the county; without one there are no stages.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from dispatcher.errors import Problem
from dispatcher.files.document import Spot, read_document
from dispatcher.policy.model import Action, GradePlan, Step
from dispatcher.registry.model import DUTY_ROOM

FILE = "stages.yaml"
VILLAGE = "village"
LEVELS = ("county", "township", VILLAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """``within`` is the longest lead time of this stage; ``to`` are the levels whose people are told in it."""

    id: str
    name: str
    name_en: str
    within: timedelta
    to: tuple[str, ...]

    def said(self, onset: datetime, zone: tzinfo, language: str) -> str:
        """What a text of this stage begins with while it is an early one."""
        at = onset.astimezone(zone)
        return f"【{self.name}】预计{at:%d日%H:%M}前后。" if language == "zh" else f"[{self.name_en}] expected about {at:%d %b %H:%M}. "


@dataclass(frozen=True, slots=True)
class Stages:
    """``table`` is in order, the most imminent first; empty: everybody is always told."""

    table: tuple[Stage, ...] = ()

    def at(self, onset: datetime | None, now: datetime) -> Stage | None:
        """The stage of something expected at a time; unknown is now. None where there are no stages."""
        if not self.table:
            return None
        lead = timedelta(0) if onset is None else onset - now
        return next((s for s in self.table if lead <= s.within), self.table[-1])

    def named(self, name: str) -> Stage | None:
        """A stage by its id; None for the most imminent of a table that is gone."""
        return next((s for s in self.table if s.id == name), None)

    def rank(self, name: str) -> int:
        """0 is the most imminent, and what was told before there were stages."""
        return next((n for n, s in enumerate(self.table) if s.id == name), 0)

    def early(self, name: str) -> bool:
        """Whether it is still far in this stage: people prepare, and are told again when it comes nearer."""
        return self.rank(name) > 0

    def told_in(self, onset: datetime | None, now: datetime, before: str | None) -> str:
        """The stage in which something is told now; never less imminent than the one it was told in ``before``, None: untold."""
        stage = self.at(onset, now)
        if stage is None:
            return ""
        if before is not None and self.rank(before) <= self.rank(stage.id):
            return before or self.table[0].id
        return stage.id

    def nearer(self, onset: datetime | None, now: datetime, before: str) -> bool:
        """Whether what was told in a stage is in a more imminent one now: more people hear of it."""
        return self.rank(self.told_in(onset, now, before)) < self.rank(before)

    def later(self, onset: datetime | None, now: datetime) -> datetime | None:
        """When it comes into the next, more imminent stage; None when it is in the last one."""
        times = [onset - s.within for s in self.table] if onset is not None else []
        return min((t for t in times if t > now), default=None)


def staged(plan: GradePlan, stage: Stage | None) -> GradePlan:
    """The plan for those whom a stage tells. While the village is not told, nothing is asked but that somebody has received it.

    Steps of higher levels wait no more for a village's silence: the first people who are left are told at once.
    """
    if stage is None or VILLAGE in stage.to:
        return plan
    steps = [replace(s, to=tuple(r for r in s.to if r.partition(".")[0] in stage.to), task="", task_en="") for s in plan.steps]
    kept = [s for s in steps if s.to and s.action is Action.RECEIVED]
    people = [s for s in kept if s.to != (DUTY_ROOM,)]
    first = min((s.after for s in people), default=timedelta(0))
    within = plan.deadlines.get(Action.RECEIVED, plan.answer_within)
    return replace(
        plan,
        actions=(Action.RECEIVED,) if people else (),
        deadlines={Action.RECEIVED: within} if people else {},
        steps=tuple(sorted((_sooner(s, first) for s in kept), key=lambda s: s.after)),
    )


def _sooner(step: Step, by: timedelta) -> Step:
    return replace(step, after=max(timedelta(0), step.after - by))


def read_stages(directory: Path, problems: list[Problem]) -> Stages:
    """The table of a county; none when it has no such file. Mistakes are noted with file, line and column."""
    path = directory / FILE
    if not path.is_file():
        return Stages()
    try:
        document = read_document(path.read_text(encoding="utf-8"), FILE, problems)
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(FILE, f"cannot be read: {error}"))
        return Stages()
    found = document.entries(("stages",), ("source",)) if document else {}
    table = [_stage(spot) for spot in found["stages"].items()] if "stages" in found else []
    if table:
        _check(found["stages"], table)
    return Stages(tuple(table))


def _stage(spot: Spot) -> Stage:
    found = spot.entries(("id", "name", "within", "to"), ("name_en",))
    name = found["name"].text() if "name" in found else ""
    return Stage(
        id=found["id"].text() if "id" in found else "",
        name=name,
        name_en=found["name_en"].text() if "name_en" in found else name,
        within=found["within"].duration() if "within" in found else timedelta(0),
        to=tuple(one.word(LEVELS, "level") for one in found["to"].items()) if "to" in found else (),
    )


def _check(spot: Spot, table: Sequence[Stage]) -> None:
    if [s.within for s in table] != sorted({s.within for s in table}):
        spot.wrong("the stages must be in order, the most imminent (shortest 'within') first, each longer than the one before")
    if VILLAGE not in table[0].to:
        spot.wrong("the most imminent stage must tell the village itself: name 'village' in its 'to'")
    if len({s.id for s in table}) != len(table):
        spot.wrong("two stages have the same id")
