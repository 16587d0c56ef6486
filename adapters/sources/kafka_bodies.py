"""The bodies of records without an object around each: a third of what aiokafka's own way costs, and nothing for the collector.

It reaches below the client's public face, so only in versions it was tried with. In others records come as the client gives them;
who takes them sees no difference but the speed.
"""

import contextlib
from collections import OrderedDict
from collections.abc import Sequence
from itertools import chain, islice
from typing import Any

with contextlib.suppress(ImportError):  # the extra is missing: said by adapters/kafka_connection.py
    import aiokafka
    from aiokafka import errors as kafka_errors
    from aiokafka.consumer import fetcher

TRIED = ("0.14.",)
"""Versions whose inner parts are as this file takes them to be; a test says when another is installed."""


class Bodies(list[bytes]):
    """Bodies of one partition, in their order. ``first`` and ``last`` are the records of two of them, unless there is none."""

    __slots__ = ("first", "last")
    first: Any
    last: Any


def bodies_of(found: Sequence[Any]) -> Bodies:
    """What ``getmany`` gave for one partition, whichever way it came; not for nothing at all."""
    if isinstance(found, Bodies):
        return found
    bodies = Bodies([record.value or b"" for record in found])
    bodies.first, bodies.last = found[0], found[-1]
    return bodies


def give_bodies(consumer: Any) -> bool:
    """From now on ``getmany`` of this consumer, which has been started, gives ``Bodies``; false where it cannot."""
    if not aiokafka.__version__.startswith(TRIED):
        return False
    inner = consumer._fetcher
    inner._records = _Answers(inner._records)
    return True


class _Answers(OrderedDict[Any, Any]):
    """What has been fetched and not been taken yet, by partition: each answer gives bodies."""

    def __setitem__(self, partition: Any, answer: Any) -> None:
        if type(answer) is fetcher.FetchResult:
            its: Any = answer
            records = _Records(its._partition_records)
            its.getall = lambda most=None: _take(its, partition, records, most)
        super().__setitem__(partition, answer)


def _take(answer: Any, partition: Any, records: "_Records", most: int | None) -> Bodies:
    """As aiokafka's ``FetchResult.getall``: the next bodies, and the position moves behind them."""
    if not answer.check_assignment(partition) or not answer.has_more():
        return Bodies()
    try:
        bodies = records.take(len(records) if most is None else most)
    except BaseException:
        answer._partition_records = None  # it is fetched again, from the position
        raise
    answer._update_position()
    if records.at_end():
        answer._partition_records = None  # the next may be fetched
    return bodies


class _Records:
    """What one answer holds of one partition. What an aborted transaction wrote is passed over, as the client does it."""

    def __init__(self, plain: Any) -> None:
        """``plain`` is aiokafka's ``PartitionRecords``, of which nothing has been read yet."""
        self._plain = plain
        self._batch: Any = None
        self._rest: Any = iter(())

    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self._batch is None and not self._plain._records.has_next()

    def __len__(self) -> int:
        """No answer holds so many."""
        return 1 << 31

    def take(self, most: int) -> Bodies:
        """The next bodies; empty when what is left is nobody's."""
        bodies, plain = Bodies(), self._plain
        while len(bodies) < most and not self.at_end():
            if self._batch is None:
                self._begin()
                continue
            wanted = most - len(bodies)
            found = list(islice(self._rest, wanted))
            fresh = found
            if found and found[0].offset < plain.next_fetch_offset:  # the broker answers in whole batches
                fresh = [record for record in found if record.offset >= plain.next_fetch_offset]
            if fresh:
                if not bodies:
                    bodies.first = fresh[0]
                bodies += [record.value or b"" for record in fresh]
                bodies.last = fresh[-1]
                plain.next_fetch_offset = bodies.last.offset + 1
            if len(found) < wanted:
                plain.next_fetch_offset, self._batch = self._batch.next_offset, None
        return bodies

    def _begin(self) -> None:
        """Go on to the next batch of records, or past it."""
        plain = self._plain
        batch = plain._records.next_batch()
        if plain._check_crcs and not batch.validate_crc():
            raise kafka_errors.CorruptRecordException(f"{plain._tp}: a checksum does not hold")
        if _nobodys(plain, batch):
            plain.next_fetch_offset = batch.next_offset
        else:
            self._batch, self._rest = batch, chain(batch)


def _nobodys(plain: Any, batch: Any) -> bool:
    """Whether a batch of records is the protocol's own, or of a transaction that was aborted (nobody is to see it)."""
    if plain._isolation_level != fetcher.READ_COMMITTED or batch.producer_id is None:
        return bool(batch.is_control_batch)
    plain._consume_aborted_up_to(batch.base_offset)
    if batch.is_control_batch:
        if plain._contains_abort_marker(batch):
            plain._aborted_producers.discard(batch.producer_id)
        return True
    return bool(batch.is_transactional and batch.producer_id in plain._aborted_producers)
