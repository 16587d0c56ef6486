"""Five engines that break one promise each, by which the harness proves that it would notice.

The process that is to be one breaks its modules in memory and then runs ``tests.faults.engine``: the product has no switch for them.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from msgspec import structs

from adapters.sources.kafka import KafkaSource
from dispatcher.deliveries import settle, telling
from dispatcher.house import House
from dispatcher.intake import keeping
from dispatcher.intake.pipeline import Pipeline
from dispatcher.model.delivery import Delivery
from dispatcher.ports import DeliveryState, Message, Transaction
from dispatcher.upkeep.commit_points import Point, passing
from dispatcher.warnings import issuing
from dispatcher.warnings.issuing import Issued
from rules.change import Change
from tests.faults import engine

#: An acknowledgement is with the broker or the sender by then: a death behind it shows what it was worth.
LEAVES_WITHIN_S = 0.05


def acknowledge_early() -> None:
    """Readings are acknowledged when they come in, not once they are durable."""
    take, acknowledge = Pipeline._take, Pipeline._acknowledge

    async def at_once(self: Pipeline, arrived: Sequence[Any]) -> None:
        for one in arrived:
            await acknowledge(self, one, ())
        await asyncio.sleep(LEAVES_WITHIN_S)
        await take(self, arrived)

    async def never(_self: Pipeline, _one: Any, _parts: Any) -> None:  # noqa: ANN401 - as the method it stands for
        """It has been done."""

    _put(Pipeline, "_take", at_once)
    _put(Pipeline, "_acknowledge", never)


def effects_outside() -> None:
    """A batch is journalled in one transaction, and what it causes is stored in another one behind it."""
    commit, apply_changes = Pipeline._commit, issuing.apply_changes
    later: list[tuple[House, Sequence[Change], datetime]] = []

    async def put_off(_tx: Transaction, house: House, changes: Sequence[Change], now: datetime) -> Issued:
        later.append((house, changes, now))
        return Issued()

    async def in_two(self: Pipeline, arrived: Sequence[Any]) -> Any:  # noqa: ANN401 - as the method it stands for
        decoded = await commit(self, arrived)
        if any(changes for _, changes, _ in later):
            passing(Point.ACT_WRITTEN)  # no storm has acts, so a death here is one between the two, and not with nothing in hand
        async with self._place.store.write() as tx:
            for house, changes, now in later:
                await apply_changes(tx, house, changes, now)
        later.clear()
        return decoded

    _everywhere(apply_changes, put_off)
    _put(Pipeline, "_commit", in_two)


def lost_lease_fails() -> None:
    """A delivery whose sender died counts as failed."""

    def given_up(delivery: Delivery, now: datetime) -> Delivery:
        return structs.replace(delivery, state=DeliveryState.FAILED, lease=None, code="lease", reason="the sender stopped", updated_at=now)

    _everywhere(settle.on_lost_lease, given_up)


def new_id_on_retry() -> None:
    """Each try of a delivery goes out under an id of its own."""
    message_of = telling.message_of

    def renamed(delivery: Delivery) -> Message:
        message = message_of(delivery)
        return replace(message, delivery=f"{delivery.id}-{delivery.attempts}") if delivery.attempts > 1 else message

    _everywhere(message_of, renamed)


def no_seek() -> None:
    """After a restart Kafka is read from where the group's own offsets stand, not from where the store stands."""
    batches = KafkaSource.batches

    def from_group(self: KafkaSource, _positions: Mapping[str, str]) -> Any:  # noqa: ANN401 - as the method it stands for
        return batches(self, {})

    def never(_self: KafkaSource, _read: Any) -> None:  # noqa: ANN401 - as the method it stands for
        """It does not look up."""

    async def not_noticed(_tx: Transaction, _batches: Sequence[Any]) -> frozenset[int]:
        return frozenset()

    async def silent(_self: KafkaSource, _consumer: Any) -> None:  # noqa: ANN401 - as the method it stands for
        """The group knows of nothing, so that each death shows what was not looked up."""

    _put(KafkaSource, "_commit", silent)
    _put(KafkaSource, "batches", from_group)
    _put(KafkaSource, "look_up", never)
    _everywhere(keeping.overtaken, not_noticed)


def _put(owner: type, name: str, method: Callable[..., Any]) -> None:
    """Give a class another method."""
    assert hasattr(owner, name)
    setattr(owner, name, method)


def _everywhere(old: object, new: object) -> None:
    """Put one function in the place of another in every module that has it by name."""
    for module in [m for name, m in sys.modules.items() if name.startswith(("dispatcher.", "adapters."))]:
        for name, value in list(vars(module).items()):
            if value is old:
                setattr(module, name, new)


MUTANTS: Mapping[str, Callable[[], None]] = {
    "acknowledge-early": acknowledge_early,
    "effects-outside": effects_outside,
    "lost-lease-fails": lost_lease_fails,
    "new-id-on-retry": new_id_on_retry,
    "no-seek": no_seek,
}

#: The strikes that show the broken promise, and the finding that it leads to.
SHOWN_BY: Mapping[str, tuple[Mapping[str, int], str]] = {
    "acknowledge-early": ({f"kill@{Point.BATCH_WRITTEN}": 6}, "is not in the journal"),
    "effects-outside": ({f"kill@{Point.ACT_WRITTEN}": 4}, "lost: change"),
    "lost-lease-fails": ({f"kill@{Point.LEASE_KEPT}": 4}, "failed) never reached the world"),
    "new-id-on-retry": ({"gateway": 2}, "which no delivery has"),  # whose answers fail the whole time: many are tried again
    "no-seek": ({"kill@kafka": 4}, "times and was taken"),
}


def noticed(mutant: str, findings: str) -> bool:
    """Whether the findings of a storm are those that this mutant leads to."""
    return SHOWN_BY[mutant][1] in findings


def main(arguments: Sequence[str]) -> int:
    """Break this process, then be an engine."""
    name, *others = arguments
    MUTANTS[name]()
    return engine.main(others)
