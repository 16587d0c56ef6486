"""Every exception of the engine. The type tells the caller what to do next.

DispatcherError
├── ConfigurationError     a file an operator wrote is wrong: show it, exit 1
├── Unreachable            the far side did not answer at start: exit 3
├── StoreFailed            the store could not do it now (disk full, locked): nothing was committed, try again
├── ShardLost              another worker decides for our county: end, and stand by
├── SourceLost             a source lost its connection: the supervisor opens it again
├── LinkRefused            an answer link is altered or too old
├── NotAsked               an answer to a notice that asks for none any more
├── OutletFailed           other programs could not be told: the same is published again later
├── BeatFailed             a heartbeat did not get out: the next one is tried
├── NotAllowed             what a person wants to do cannot be done as things stand, or not by him; says why
├── NotProposed            a word on something that the rules do not propose (any more)
├── InHand                 the same is being done for another caller: ask again
├── Overloaded             more than can be taken in now: try again later
│   └── StandsBy           another worker takes this in
└── DeliveryError          one send did not succeed
    ├── TransientFailure   nothing was accepted: try again later
    ├── PermanentFailure   this address will never work: next channel now
    │   └── TooLate        the message no longer holds: dropped
    └── UnknownOutcome     the request left and no answer came: reconcile, then retry, marked
"""

from dataclasses import dataclass


class DispatcherError(Exception):
    """Base of everything the engine raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file: where it is, what is wrong, what is allowed. Line and column count from 1; 0 is unknown."""

    file: str
    message: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """``file:line:column: message`` as editors understand it."""
        place = ":".join(str(n) for n in (self.line, self.column) if n)
        return f"{self.file}:{place}: {self.message}" if place else f"{self.file}: {self.message}"


class ConfigurationError(DispatcherError):
    """Files an operator wrote are wrong; carries every problem found, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        """At least one problem."""
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class Unreachable(DispatcherError):
    """Something the engine needs at start cannot be reached; the message names it and its setting."""


class StoreFailed(DispatcherError):
    """The store could not do it now; nothing of the transaction was committed."""


class ShardLost(DispatcherError):
    """Another worker decides for our county now: what we have in memory is old, and nothing of the transaction was committed."""


class OutletFailed(DispatcherError):
    """An outlet did not take what was to be published, or nobody knows whether it did; it is published again later."""


class SourceLost(DispatcherError):
    """The connection of a source broke; nothing unacknowledged is lost, the supervisor opens it again."""


class LinkRefused(DispatcherError):
    """An answer link is altered (``expired`` false) or too old."""

    def __init__(self, message: str, *, expired: bool) -> None:
        """``message`` is one sentence for the person who followed the link."""
        super().__init__(message)
        self.expired = expired


class NotAsked(DispatcherError):
    """An answer came for a notice that is superseded, lifted or asks for nothing; the message says which."""


class NotAllowed(DispatcherError):
    """What a person wants to do cannot be done as things stand, or is not his to do; the message says why, for that person."""

    def __init__(self, message: str, message_zh: str) -> None:
        """One sentence for the person, in each language."""
        super().__init__(message)
        self.message_zh = message_zh


class NotProposed(DispatcherError):
    """A person spoke on something that the rules do not propose (any more), or on a place that no rule grades; the message says which."""


class InHand(DispatcherError):
    """A batch with this key is being made durable for another request; ask again for its answer."""


class Overloaded(DispatcherError):
    """More is waiting than may be held in memory; nothing of this request was taken in."""


class BeatFailed(DispatcherError):
    """A heartbeat did not reach whoever listens for it; the message names neither address nor secret."""


class StandsBy(Overloaded):
    """Another worker decides: what is to be decided must go there, or wait until we take over."""


class DeliveryError(DispatcherError):
    """One send did not succeed. ``code`` is the gateway's own code or a short word; never a number or a body of a message."""

    def __init__(self, code: str, reason: str) -> None:
        """``reason`` is one sentence without addresses or message text."""
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


class TransientFailure(DeliveryError):
    """Nothing was accepted; the same send may succeed later."""


class PermanentFailure(DeliveryError):
    """The address or the text will never be accepted by this channel."""


class TooLate(PermanentFailure):
    """The message no longer held when it was to be handed over: dropped as expired, and no other channel is any earlier."""

    def __init__(self) -> None:
        """Nothing was sent."""
        super().__init__("expired", "the message had expired before it could be handed over")


class UnknownOutcome(DeliveryError):
    """The request left and no answer came: it may or may not have been accepted."""
