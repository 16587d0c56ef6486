"""Changes as values: from a ladder that has just moved to the Change that leaves the engine, and what stands now."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rules.change import Change, Evidence, Scaling
from rules.evidence import confirmed, lowering, rows, scaling
from rules.grade import Grade
from rules.ladder import Ladder
from rules.onset import onset
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
    onset_s: int = NEVER_S


def by_reading(ladder: Ladder, before: Grade, at_s: int, now: datetime) -> Change:
    """The newest reading or forecast moved the place, or showed that what it is warned of is expected sooner."""
    found, incomplete = rows(ladder, at_s)
    after = ladder.state.grade
    because, also = ((lowering(ladder, at_s),), tuple(found)) if after < before else _split(found, after)
    why = _Why(because=because, also=also, incomplete=incomplete, scale=scaling(ladder, at_s), onset_s=_onset_s(ladder, before, at_s))
    return _change(ladder, before, moment(at_s), now, why)


def by_late(ladder: Ladder, before: Grade, raised_s: int, late_s: int, now: datetime) -> Change:
    """A reading that came ``late_s`` seconds late raised the place; the evidence is that of the moment it was reached."""
    clock_s = ladder.clock_s()
    edge_s = clock_s - ladder.horizon_s
    found, incomplete = rows(ladder, raised_s, edge_s)
    because, also = _split(found, ladder.state.grade)
    why = _Why(
        because=because, also=also, late_by=timedelta(seconds=late_s), incomplete=incomplete, scale=scaling(ladder, raised_s, edge_s),
        onset_s=_onset_s(ladder, before, clock_s),
    )  # fmt: skip
    return _change(ladder, before, moment(clock_s), now, why)


def by_word(ladder: Ladder, before: Grade, now: datetime) -> Change:
    """A person has confirmed that the place may be lowered; the evidence is what it was proposed on."""
    clock_s = ladder.clock_s()
    found, incomplete = rows(ladder, clock_s)
    because, onset_s = (lowering(ladder, clock_s), confirmed()), _onset_s(ladder, before, clock_s)
    why = _Why(because=because, also=tuple(found), incomplete=incomplete, onset_s=onset_s)
    return _change(ladder, before, now, now, why)


def by_act(ladder: Ladder, before: Grade, evidence: Evidence, now: datetime) -> Change:
    """Silence or a person moved the place; there is no reading, so it happens now."""
    return _change(ladder, before, now, now, _Why(because=(evidence,)))


def _split(found: list[Evidence], after: Grade) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
    return tuple(e for e in found if e.met >= after), tuple(e for e in found if e.met < after)


def _onset_s(ladder: Ladder, before: Grade, at_s: int) -> int:
    """When what the grade warns of is expected. Red rests on something observed as well, and is now.

    A grade that is only held on the way down is expected when the higher one was.
    """
    after = ladder.state.grade
    found = onset(ladder, at_s, after) if Grade.NONE < after < Grade.RED else NEVER_S
    if found is None:
        return ladder.onset_s if after < before else NEVER_S
    return found


def _change(ladder: Ladder, before: Grade, at: datetime, now: datetime, why: _Why) -> Change:
    rule = ladder.rule
    if before is Grade.NONE:
        ladder.episode += 1
        ladder.step = 0
    ladder.step += 1
    if before is not ladder.state.grade:
        ladder.since_us = micros(at)
    ladder.onset_s = why.onset_s if why.onset_s * 1_000_000 > micros(now) else NEVER_S
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
        onset=None if ladder.onset_s == NEVER_S else moment(ladder.onset_s),
    )
