"""The circuit breaker of one gateway. Everything that affects its state lives in this file; seconds are real ones.

closed → open       when most of the last tries failed
open → half-open    when it has rested: one probe may go
half-open → closed  when the probe came through
half-open → open    when it failed, and then it rests twice as long
half-open           a probe of which nothing was heard for a while makes room for another
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class Circuit(StrEnum):
    """Whether a gateway is used."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


RECENT = 20
LEAST = 5
MOST_FAILED = 0.5
FIRST_REST_S = 5.0
LONGEST_REST_S = 60.0
PROBE_S = 30.0


@dataclass(frozen=True, slots=True)
class Breaker:
    """``recent`` are the last outcomes, true for through; ``since_s`` when it opened, or when the probe left."""

    circuit: Circuit = Circuit.CLOSED
    recent: tuple[bool, ...] = ()
    since_s: float = 0.0
    rest_s: float = FIRST_REST_S

    @property
    def failed(self) -> float:
        """The share of the last tries that failed."""
        return self.recent.count(False) / len(self.recent) if self.recent else 0.0


def try_one(breaker: Breaker, now_s: float) -> Breaker | None:
    """The breaker when one more is handed over now; None when it must not be."""
    if breaker.circuit is Circuit.CLOSED:
        return breaker
    waited_s = now_s - breaker.since_s
    if waited_s < (breaker.rest_s if breaker.circuit is Circuit.OPEN else PROBE_S):
        return None
    return replace(breaker, circuit=Circuit.HALF_OPEN, since_s=now_s)


def on_outcome(breaker: Breaker, now_s: float, *, through: bool) -> Breaker:
    """The breaker after a try. ``through`` means that the gateway answered; a number it refuses is no fault of the gateway."""
    recent = (*breaker.recent, through)[-RECENT:]
    if breaker.circuit is Circuit.OPEN:  # the end of a try from before it opened tells nothing new
        return breaker
    if breaker.circuit is Circuit.HALF_OPEN:
        if through:
            return Breaker()
        return Breaker(Circuit.OPEN, recent, now_s, min(2 * breaker.rest_s, LONGEST_REST_S))
    if through and recent == breaker.recent:
        return breaker  # all is well as before: nearly always
    after = replace(breaker, recent=recent)
    if len(recent) >= LEAST and after.failed >= MOST_FAILED and not through:
        return replace(after, circuit=Circuit.OPEN, since_s=now_s, rest_s=FIRST_REST_S)
    return after
