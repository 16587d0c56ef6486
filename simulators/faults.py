"""What can go wrong in the phone network, by probability and seed."""

from collections.abc import Iterable
from enum import StrEnum

from simulators import chance


class Fault(StrEnum):
    """A way in which one message or callback goes wrong.

    ``refuse``: 503, not taken. ``hang``: no answer, not taken. ``answer-late``: taken, answered after some seconds.
    ``lose-answer``: taken, the connection closes without an answer. ``repeat``: a callback comes twice.
    ``reorder``: a callback comes after the one that should follow it.
    """

    REFUSE = "refuse"
    HANG = "hang"
    ANSWER_LATE = "answer-late"
    LOSE_ANSWER = "lose-answer"
    REPEAT = "repeat"
    REORDER = "reorder"


ON_CREATE = (Fault.REFUSE, Fault.HANG, Fault.ANSWER_LATE, Fault.LOSE_ANSWER)
ANSWER_LATE_S = 3.0


class Faults:
    """Which fault strikes which message, the same for the same seed."""

    def __init__(self, probabilities: Iterable[tuple[Fault, float]], seed: int, swallow: int = 0) -> None:
        """``swallow``: the number of the message (from 1) that is answered 201 and forgotten; 0 is none."""
        self._probabilities = dict(probabilities)
        self._seed = seed
        self._swallow = swallow

    def on_create(self, number: int) -> Fault | None:
        """What happens to the message with this number; at most one fault."""
        return next((fault for fault in ON_CREATE if self.strikes(fault, number)), None)

    def swallows(self, number: int) -> bool:
        """Whether this message is answered 201 and forgotten."""
        return number == self._swallow

    def strikes(self, fault: Fault, name: object) -> bool:
        """Whether a fault strikes the thing of this name."""
        probability = self._probabilities.get(fault, 0.0)
        return probability > 0 and chance.draw(self._seed, fault, name) < probability


def parse(text: str) -> tuple[Fault, float]:
    """``NAME=PROBABILITY`` from a command line; ValueError says what is allowed."""
    name, _, probability = text.partition("=")
    allowed = ", ".join(Fault)
    try:
        found = Fault(name), float(probability)
    except ValueError:
        raise ValueError(f"{text!r} is not NAME=PROBABILITY with NAME one of {allowed}") from None
    if not 0 <= found[1] <= 1:
        raise ValueError(f"the probability of {name} must lie between 0 and 1, not {probability}")
    return found
