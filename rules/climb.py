"""The state machine of one place under one rule: up by patience, down only through ``lower``.

Nothing else moves a grade but silence and a person, and those are separate acts below.

    met ≥ grade for long enough  →  up to it, over any number of grades
    lower.when held long enough  →  down: to the highest row still met, or one step, never below what is met; or a person is asked
    silence                      →  hold | none | one up
    a person                     →  none, or down as proposed, or kept
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rules.grade import BY_NUMBER, Grade
from rules.model import Lower, Patience, Silence, Target
from rules.scaled import NEVER_S

_UNCOUNTED: list[int] = []
"""Most places never count: they share this, and it stays empty."""

_LEAST_KEPT_S = 3600
"""A person who has refused is left in peace this long."""


@dataclass(slots=True, kw_only=True)
class Climb:
    """Where a place stands. All times are event times in seconds since 1970-01-01 UTC.

    ``hold_s`` is the last raise or step down: time for lowering counts from there; ``raised_s`` is the last raise alone.
    ``eased_s`` is since when ``lower.when`` has held, None when it does not, ``runs`` in how many model runs, the newest of them
    issued at ``run_s``. ``floor_s``: what a late reading shows before it has been settled since. ``counts``, ``firsts`` and ``lasts``
    are, per grade, the readings in a row that met it and the times of the first and the last of them; empty until counted.
    ``asked`` is the grade that a person has been asked to lower to, ``asks`` how often one was.
    """

    grade: Grade = Grade.NONE
    hold_s: int = NEVER_S
    raised_s: int = NEVER_S
    eased_s: int | None = None
    runs: int = 0
    run_s: int = NEVER_S
    floor_s: int = NEVER_S
    last_s: int = NEVER_S
    counts: list[int] = field(default_factory=lambda: _UNCOUNTED)
    firsts: list[int] = field(default_factory=lambda: _UNCOUNTED)
    lasts: list[int] = field(default_factory=lambda: _UNCOUNTED)
    asked: Grade | None = None
    asks: int = 0


@dataclass(slots=True)
class Trail:
    """What one moment may change besides the grade, as it was before: so that a moment can be judged again."""

    eased_s: int | None
    runs: int
    run_s: int
    last_s: int
    counts: list[int]
    firsts: list[int]
    lasts: list[int]


def trail(state: Climb) -> Trail:
    """A copy, to go back to."""
    return Trail(state.eased_s, state.runs, state.run_s, state.last_s, state.counts[:], state.firsts[:], state.lasts[:])


def back(state: Climb, to: Trail) -> None:
    """Go back to before a moment; the grade stays."""
    state.eased_s, state.runs, state.run_s, state.last_s = to.eased_s, to.runs, to.run_s, to.last_s
    state.counts, state.firsts, state.lasts = to.counts[:], to.firsts[:], to.lasts[:]


def streaks(state: Climb, patience: tuple[Patience, ...], at_s: int, met: int, *, own: bool = True, round_s: int = 0) -> Grade:
    """Count this reading for each grade; gives the highest grade that has been met for long enough.

    Only a reading of the place's ``own`` counts, and only ``round_s`` after the one before: several stations of one place that report
    in turn are one reading in a row.
    """
    if not state.counts:
        state.counts, state.firsts, state.lasts = [0] * 5, [0] * 5, [0] * 5
    confirmed = 0
    for g, p in enumerate(patience, start=1):
        if met < g:
            state.counts[g] = 0
            continue
        if not state.counts[g]:
            state.counts[g] = 1
            state.firsts[g] = state.lasts[g] = at_s
        elif own and at_s - state.lasts[g] >= round_s:
            state.counts[g] += 1
            state.lasts[g] = at_s
        if state.counts[g] >= p.count and at_s - state.firsts[g] >= p.for_s:
            confirmed = g
    return BY_NUMBER[confirmed]


def ease(state: Climb, at_s: int, gap_s: int, *, eased: bool, run_s: int | None = None) -> None:
    """Follow ``lower.when``: a pause in the readings longer than ``gap_s`` proves nothing, so the time starts again.

    ``run_s`` is when the newest model run was issued, where runs are counted.
    """
    if not eased:
        state.eased_s = None
        state.runs = 0
    else:
        if state.eased_s is None or at_s - state.last_s > gap_s:
            state.eased_s = at_s
        if run_s is not None and run_s > state.run_s:
            state.runs += 1
            state.run_s = run_s
    state.last_s = at_s


def up(state: Climb, confirmed: Grade, at_s: int) -> bool:
    """Raise to a confirmed grade; false when the place is already there or higher."""
    if confirmed <= state.grade:
        return False
    state.grade = confirmed
    state.hold_s = state.raised_s = at_s
    state.runs = 0
    return True


def due(state: Climb, lower: Lower, proven_s: int, met: int, below: Sequence[Grade]) -> Grade | None:
    """Where to lower to, when ``lower.when`` has held for long enough since the last raise; None to stay.

    ``proven_s`` is up to when readings prove it: the clock of the place, or earlier when a station is behind. ``below`` is, for each
    grade, the next lower one that the rule has.
    """
    if state.eased_s is None or met >= state.grade or proven_s - max(state.eased_s, state.hold_s) < lower.for_s:
        return None
    if proven_s - state.raised_s < lower.min_in_force_s or state.runs < lower.runs:
        return None
    return max(below[state.grade], BY_NUMBER[met]) if lower.to is Target.ONE_STEP else BY_NUMBER[met]


def fall(state: Climb, lower: Lower, to: Grade, at_s: int) -> None:
    """Lower to a grade that is due."""
    state.floor_s = at_s
    state.grade = to
    state.asked = None
    state.runs = 0
    if lower.to is Target.ONE_STEP:
        state.hold_s = at_s


def keep(state: Climb, lower: Lower, at_s: int) -> None:
    """A person does not want it lowered: the time for lowering counts from now, and from later when that would be a short time."""
    state.asked = None
    state.runs = 0
    state.hold_s = at_s + max(0, _LEAST_KEPT_S - lower.for_s)


def silence(state: Climb, answer: Silence, clock_s: int, above: Sequence[Grade]) -> bool:
    """What the rule wants silence to do; ``clock_s`` is the station's clock, which stands still. False when the grade stays.

    ``above`` is, for each grade, the next higher one that the rule has.
    """
    if answer is Silence.RAISE and above[state.grade] > state.grade:
        state.grade = above[state.grade]
        state.hold_s = state.raised_s = max(state.hold_s, clock_s)
        return True
    return answer is Silence.EXPIRE and settle(state, clock_s)


def settle(state: Climb, clock_s: int) -> bool:
    """To none, by a person or by expiry: what older readings show does not count any more. False when it was none already."""
    state.floor_s = clock_s + 1
    state.eased_s = state.asked = None
    state.runs = 0
    before, state.grade = state.grade, Grade.NONE
    return before is not Grade.NONE
