"""Changes as values: from a ladder that has just moved to the Change that leaves the engine, and what stands now."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rules.change import Change, Evidence, Scaling
from rules.evidence import confirmed, lowering, rows, scaling
from rules.grade import Grade
from rules.ladder import Ladder
from rules.scaled import NEVER_S

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one place stands under one rule. ``last_reading`` is event time; both times are None while there is none.

    ``proposed`` is the grade that waits for a person's word, None when nothing does; ``suspect`` is how many values of the place's
    series within its horizon were not used.
    """

    rule: str
    place: str
    grade: Grade
    since: datetime | None
    no_data: bool
    last_reading: datetime | None
    proposed: Grade | None = None
    suspect: int = 0


def micros(at: datetime) -> int:
    """Whole microseconds since 1970; ValueError without a time zone."""
    if at.tzinfo is None:
        raise ValueError("now needs a time zone")
    return (at - EPOCH) // _US


def moment(at_s: int) -> datetime:
    """A time in seconds since 1970 as an aware datetime."""
    return EPOCH + timedelta(seconds=at_s)


def standing(ladder: Ladder) -> Standing:
    """Where a place stands."""
    clock_s, since = ladder.clock_s(), ladder.since_us
    return Standing(
        rule=ladder.rule.name, place=ladder.place, grade=ladder.state.grade, no_data=ladder.silent,
        since=None if since is None else EPOCH + since * _US, last_reading=None if clock_s == NEVER_S else moment(clock_s),
        proposed=ladder.state.asked, suspect=sum(len(s.doubted(clock_s - ladder.horizon_s, clock_s)) for s in ladder.series if s.suspects),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Why:
    """What a change rests on."""

    because: tuple[Evidence, ...]
    also: tuple[Evidence, ...] = ()
    late_by: timedelta = timedelta(0)
    incomplete: bool = False
    scale: Scaling | None = None


def by_reading(ladder: Ladder, before: Grade, at_s: int, now: datetime) -> Change:
    """The newest reading moved the place."""
    found, incomplete = rows(ladder, at_s)
    after = ladder.state.grade
    because, also = ((lowering(ladder, at_s),), tuple(found)) if after < before else _split(found, after)
    why = _Why(because=because, also=also, incomplete=incomplete, scale=scaling(ladder, at_s))
    return _change(ladder, before, moment(at_s), now, why)


def by_late(ladder: Ladder, before: Grade, raised_s: int, late_s: int, now: datetime) -> Change:
    """A reading that came ``late_s`` seconds late raised the place; the evidence is that of the moment it was reached."""
    clock_s = ladder.clock_s()
    edge_s = clock_s - ladder.horizon_s
    found, incomplete = rows(ladder, raised_s, edge_s)
    because, also = _split(found, ladder.state.grade)
    why = _Why(
        because=because, also=also, late_by=timedelta(seconds=late_s), incomplete=incomplete, scale=scaling(ladder, raised_s, edge_s)
    )  # fmt: skip
    return _change(ladder, before, moment(clock_s), now, why)


def by_word(ladder: Ladder, before: Grade, now: datetime) -> Change:
    """A person has confirmed that the place may be lowered; the evidence is what it was proposed on."""
    clock_s = ladder.clock_s()
    found, incomplete = rows(ladder, clock_s)
    why = _Why(because=(lowering(ladder, clock_s), confirmed()), also=tuple(found), incomplete=incomplete)
    return _change(ladder, before, now, now, why)


def by_act(ladder: Ladder, before: Grade, evidence: Evidence, now: datetime) -> Change:
    """Silence or a person moved the place; there is no reading, so it happens now."""
    return _change(ladder, before, now, now, _Why(because=(evidence,)))


def _split(found: list[Evidence], after: Grade) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
    return tuple(e for e in found if e.met >= after), tuple(e for e in found if e.met < after)


def _change(ladder: Ladder, before: Grade, at: datetime, now: datetime, why: _Why) -> Change:
    rule = ladder.rule
    if before is Grade.NONE:
        ladder.episode += 1
        ladder.step = 0
    ladder.step += 1
    ladder.since_us = micros(at)
    return Change(
        id=f"{rule.name}/{ladder.place}/{ladder.episode}/{ladder.step}",
        rule=rule.name,
        version=rule.version,
        table=rule.digest,
        hazard=rule.hazard,
        place=ladder.place,
        before=before,
        after=ladder.state.grade,
        at=at,
        decided_at=now,
        because=why.because,
        also=why.also,
        issued_by=rule.issued_by,
        mode=rule.mode,
        late_by=why.late_by,
        incomplete=why.incomplete,
        scale=why.scale,
    )
