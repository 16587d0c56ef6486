"""What every channel promises, as functions that run against a real far side. No pytest needed.

A test hands over a ``FarSide`` of its own kind and awaits each promise; a broken one raises AssertionError in words::

    @pytest.mark.parametrize("promise", PROMISES, ids=lambda p: p.__name__)
    async def test_sms_keeps(promise, far_side): await promise(far_side)
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from dispatcher.errors import DeliveryError, PermanentFailure, TransientFailure
from dispatcher.ports import Channel, DeliveryState, Message, Receipt, Reconciling, Status

PATIENCE_S = 30.0
"""How long a promise waits for what must come; never how long it takes."""

PAUSE_S = 0.02
AT_ONCE = frozenset({DeliveryState.ACCEPTED, DeliveryState.SENT, DeliveryState.DELIVERED})
MANY = 50


class FarSide(Protocol):
    """The world a channel speaks to, as a test sees it."""

    def channel(self) -> Channel:
        """The channel under test, connected where it keeps a connection; the same one at every call."""
        ...

    def message(self, delivery: str) -> Message:
        """A message that the far side will take and carry to its end; it expires in some minutes."""
        ...

    def hopeless(self, delivery: str) -> Message:
        """A message to an address that the far side, or the channel, will never take."""
        ...

    def arrived(self, delivery: str) -> int:
        """How often the far side has received this delivery until now."""
        ...

    def arrived_as_exercise(self, delivery: str) -> bool:
        """Whether what arrived says of itself that it is an exercise."""
        ...

    def reported(self, delivery: str) -> Sequence[Receipt]:
        """The receipts for this delivery that came through the channel until now, in the order of arrival."""
        ...

    async def break_off(self) -> None:
        """Let nobody reach the far side any more."""
        ...

    async def mend(self) -> None:
        """Let it be reached again; returns when the channel can send."""
        ...

    @property
    def secrets(self) -> Sequence[str]:
        """What must never be read in an error: tokens, passwords, accounts."""
        ...


async def a_message_arrives_once(far_side: FarSide) -> None:
    """What was sent once is received once, and the receipt says that it was taken."""
    receipt = await far_side.channel().send(far_side.message("once"))
    _must(receipt.delivery == "once", f"the receipt names the delivery {receipt.delivery!r}")
    _must(receipt.state in AT_ONCE, f"a send that returns was taken, not {receipt.state}")
    await _until(lambda: far_side.arrived("once") >= 1, "what was sent arrives")
    _must(far_side.arrived("once") == 1, "one send is one arrival")


async def many_sends_run_at_once(far_side: FarSide) -> None:
    """Sends do not wait for one another, and none is lost among the others."""
    deliveries = [f"many-{n}" for n in range(MANY)]
    async with asyncio.TaskGroup() as group:
        for delivery in deliveries:
            group.create_task(far_side.channel().send(far_side.message(delivery)))
    await _until(lambda: all(far_side.arrived(delivery) == 1 for delivery in deliveries), "every one of many arrives once")


async def the_way_of_a_message_is_reported(far_side: FarSide) -> None:
    """Receipts come back under our own id until the message has arrived."""
    await far_side.channel().send(far_side.message("reported"))
    await _until(lambda: any(r.state is DeliveryState.DELIVERED for r in far_side.reported("reported")), "it is reported as delivered")
    _must(all(r.delivery == "reported" for r in far_side.reported("reported")), "every receipt names the delivery")


async def an_exercise_says_that_it_is_one(far_side: FarSide) -> None:
    """Status Exercise reaches the last byte."""
    await far_side.channel().send(replace(far_side.message("drill"), status=Status.EXERCISE))
    await _until(lambda: far_side.arrived("drill") >= 1, "what was sent arrives")
    _must(far_side.arrived_as_exercise("drill"), "an exercise must be marked where it arrives")


async def what_has_expired_is_not_sent(far_side: FarSide) -> None:
    """An expired message is refused by the channel itself."""
    message = far_side.message("stale")
    await _fails(far_side, replace(message, expires_at=message.expires_at - timedelta(days=30)), PermanentFailure)
    _must(far_side.arrived("stale") == 0, "nothing expired may arrive")


async def a_hopeless_address_is_a_permanent_failure(far_side: FarSide) -> None:
    """The engine is told to take the next channel at once."""
    await _fails(far_side, far_side.hopeless("hopeless"), PermanentFailure)


async def a_far_side_that_is_away_is_a_transient_failure(far_side: FarSide) -> None:
    """Nothing was accepted, and the same send succeeds later."""
    await far_side.break_off()
    await _fails(far_side, far_side.message("later"), TransientFailure)
    await far_side.mend()
    await far_side.channel().send(far_side.message("later"))
    await _until(lambda: far_side.arrived("later") >= 1, "what was sent arrives")


async def what_became_of_a_message_can_be_asked(far_side: FarSide) -> None:
    """Where the far side can be asked, it tells what it has and does not invent what it has not."""
    channel = far_side.channel()
    if not isinstance(channel, Reconciling):
        return
    asked = far_side.message("asked")
    since = asked.expires_at - timedelta(hours=1)
    _must(await channel.find(asked, since) is None, "what was never sent is not found")
    await channel.send(asked)
    found = await channel.find(asked, since)
    _must(found is not None and found.delivery == "asked", "what was sent is found")


async def _fails(far_side: FarSide, message: Message, kind: type[DeliveryError]) -> None:
    """The send fails in this way, and nothing printed about it gives away a secret, an address or a text."""
    try:
        await far_side.channel().send(message)
    except DeliveryError as error:
        _must(isinstance(error, kind), f"expected {kind.__name__}, not {error!r}")
        told = "".join(traceback.format_exception(error)) + repr(error)
        hidden = [word for word in (*far_side.secrets, message.address, message.text) if word]
        _must(not any(word in told for word in hidden), "an error must not carry a secret, an address or a text")
        return
    raise AssertionError(f"expected {kind.__name__}; the send succeeded")


async def _until(holds: Callable[[], bool], promise: str) -> None:
    """What must come, comes; polled, since the far side is another program."""
    for _ in range(int(PATIENCE_S / PAUSE_S)):
        if holds():
            return
        await asyncio.sleep(PAUSE_S)
    raise AssertionError(promise)


def _must(holds: bool, promise: str) -> None:  # noqa: FBT001  # an assertion that python -O does not remove
    if not holds:
        raise AssertionError(promise)


PROMISES: Sequence[Callable[[FarSide], Awaitable[None]]] = (
    a_message_arrives_once,
    many_sends_run_at_once,
    the_way_of_a_message_is_reported,
    an_exercise_says_that_it_is_one,
    what_has_expired_is_not_sent,
    a_hopeless_address_is_a_permanent_failure,
    a_far_side_that_is_away_is_a_transient_failure,
    what_became_of_a_message_can_be_asked,
)
