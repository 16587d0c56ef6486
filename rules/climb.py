"""The state machine of one place under one rule: up by patience, down only through ``lower``.

Nothing else moves a grade but silence and a person, and those are separate acts below.

    met ≥ grade for long enough  →  up to it, over any number of grades
    lower.when held long enough  →  down: to the highest row still met, or one step, never below what is met
    silence                      →  hold | none | one up
    a person                     →  none
"""

from dataclasses import dataclass, field

from rules.grade import Grade
from rules.model import Lower, Patience, Silence, Target
from rules.series import NEVER_S


@dataclass(slots=True, kw_only=True)
class Climb:
    """Where a place stands. All times are event times in seconds since 1970-01-01 UTC.

    ``hold_s`` is the last raise or step down: time for lowering counts from there. ``eased_s`` is since when ``lower.when`` has held,
    None when it does not. ``floor_s``: what a late reading shows before it has been settled since.
    ``counts`` and ``firsts`` are, per grade, the readings in a row that met it and the time of the first of them.
    """

    grade: Grade = Grade.NONE
    hold_s: int = NEVER_S
    eased_s: int | None = None
    floor_s: int = NEVER_S
    last_s: int = NEVER_S
    counts: list[int] = field(default_factory=lambda: [0] * 5)
    firsts: list[int] = field(default_factory=lambda: [0] * 5)


def streaks(state: Climb, patience: tuple[Patience, ...], at_s: int, met: int) -> Grade:
    """Count this reading for each grade; gives the highest grade that has been met for long enough."""
    confirmed = 0
    for g, p in enumerate(patience, start=1):
        if met < g:
            state.counts[g] = 0
            continue
        if not state.counts[g]:
            state.firsts[g] = at_s
        state.counts[g] += 1
        if state.counts[g] >= p.count and at_s - state.firsts[g] >= p.for_s:
            confirmed = g
    return Grade(confirmed)


def ease(state: Climb, at_s: int, gap_s: int, *, eased: bool) -> None:
    """Follow ``lower.when``: a pause in the readings longer than ``gap_s`` proves nothing, so the time starts again."""
    if not eased:
        state.eased_s = None
    elif state.eased_s is None or at_s - state.last_s > gap_s:
        state.eased_s = at_s
    state.last_s = at_s


def up(state: Climb, confirmed: Grade, at_s: int) -> bool:
    """Raise to a confirmed grade; false when the place is already there or higher."""
    if confirmed <= state.grade:
        return False
    state.grade = confirmed
    state.hold_s = at_s
    return True


def down(state: Climb, lower: Lower, at_s: int, met: int) -> bool:
    """Lower when ``lower.when`` has held for long enough since the last raise."""
    if state.eased_s is None or met >= state.grade or at_s - max(state.eased_s, state.hold_s) < lower.for_s:
        return False
    state.floor_s = at_s
    if lower.to is Target.ONE_STEP:
        state.grade = Grade(state.grade - 1)
        state.hold_s = at_s
    else:
        state.grade = Grade(met)
    return True


def silence(state: Climb, answer: Silence, clock_s: int) -> bool:
    """What the rule wants silence to do; ``clock_s`` is the station's clock, which stands still. False when the grade stays."""
    if answer is Silence.RAISE and state.grade < Grade.RED:
        state.grade = Grade(state.grade + 1)
        state.hold_s = max(state.hold_s, clock_s)
        return True
    return answer is Silence.EXPIRE and settle(state, clock_s)


def settle(state: Climb, clock_s: int) -> bool:
    """To none, by a person or by expiry: what older readings show does not count any more. False when it was none already."""
    state.floor_s = clock_s + 1
    state.eased_s = None
    before, state.grade = state.grade, Grade.NONE
    return before is not Grade.NONE
