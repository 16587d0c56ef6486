"""The quick way to the bodies of Kafka's records gives what the client's own way gives, record for record and position for position."""

import asyncio

import aiokafka
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.sources import kafka_bodies
from adapters.sources.kafka_bodies import Bodies, bodies_of
from tests.services.kafka import Kafka
from tests.sources.test_kafka import KafkaSide, read

PARTITION = TopicPartition("readings", 0)


def test_the_version_that_is_installed_was_tried() -> None:
    assert aiokafka.__version__.startswith(kafka_bodies.TRIED)


class Fetched:
    """One answer of a broker, as the client holds it, and where the consumer stands."""

    def __init__(self, data: bytes, position: int) -> None:
        state = SubscriptionState()
        state.assign_from_user({PARTITION})
        state.seek(PARTITION, position)
        assert state.subscription is not None
        self.assignment = state.subscription.assignment
        records = PartitionRecords(PARTITION, MemoryRecords(data), [], position, None, None, True, READ_COMMITTED)  # noqa: FBT003
        self.answer = FetchResult(PARTITION, assignment=self.assignment, partition_records=records, backoff=0)

    def position(self) -> int:
        return int(self.assignment.state_value(PARTITION).position)


def quick(fetched: Fetched) -> Fetched:
    kafka_bodies._Answers()[PARTITION] = fetched.answer
    return fetched


def answer(sizes: list[int], compression: int) -> bytes:
    """So many records in each batch, numbered from 0; an empty one leaves a gap, as compaction does."""
    data, offset = b"", 0
    for size in sizes:
        builder = DefaultRecordBatchBuilder(2, compression, 0, -1, -1, -1, 1 << 20)
        for n in range(size):
            builder.append(n, 1000, None, None if (offset + n) % 7 == 0 else b"%d" % (offset + n), [])
        made = bytearray(builder.build())
        made[:8] = offset.to_bytes(8)  # outside what the checksum covers: the broker sets it
        data += bytes(made) if size else b""
        offset += max(size, 1)
    return data


def drained(fetched: Fetched, takes: list[int]) -> list[tuple[list[bytes], int]]:
    """What was taken each time, and where the consumer stood after it."""
    got = []
    for most in takes:
        if not fetched.answer.has_more():  # the client lets go of it then
            break
        found = fetched.answer.getall(most)
        got.append((list(bodies_of(found)) if found else [], fetched.position()))
        assert not found or bodies_of(found).last.offset < fetched.position()
    return got


@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(any),
    compression=st.sampled_from([0, 1]),
    position=st.integers(0, 8),
    takes=st.lists(st.integers(1, 9), min_size=1, max_size=12),
)
def test_each_take_gives_the_same_bodies_and_leaves_the_same_position(
    sizes: list[int], compression: int, position: int, takes: list[int]
) -> None:
    async def taken() -> tuple[list[tuple[list[bytes], int]], list[tuple[list[bytes], int]]]:
        data = answer(sizes, compression)
        return drained(Fetched(data, position), takes), drained(quick(Fetched(data, position)), takes)

    plain, bodies = asyncio.run(taken())
    # At the end one of both may learn a take later than the other that nothing is left.
    together = list(zip(bodies, plain, strict=False))
    assert together
    assert all(one == other for one, other in together)
    assert not any(found for found, _ in [*bodies[len(together) :], *plain[len(together) :]])


async def test_records_whose_checksum_does_not_hold_are_not_passed_over() -> None:
    whole = answer([3, 3], 0)
    broken = bytearray(whole)
    broken[-2] ^= 1
    fetched = quick(Fetched(bytes(broken), 0))
    assert len(fetched.answer.getall(3)) == 3
    with pytest.raises(CorruptRecordException):
        fetched.answer.getall(3)
    assert fetched.position() == 3
    assert not fetched.answer.has_more(), "it is fetched again"


async def test_what_was_fetched_for_another_position_is_not_given() -> None:
    fetched = quick(Fetched(answer([3], 0), 0))
    fetched.assignment.state_value(PARTITION).seek(2)
    assert fetched.answer.getall(3) == Bodies()


@pytest.mark.parametrize("tried", [kafka_bodies.TRIED, ()], ids=["quick", "plain"])
async def test_both_ways_pass_over_aborted_transactions_and_take_compressed_records(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch, tried: tuple[str, ...]
) -> None:
    monkeypatch.setattr(kafka_bodies, "TRIED", tried)
    side = KafkaSide(kafka, partitions=1, batch_items=4)
    kept = []
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=side.topic, compression_type="gzip")
    await producer.start()
    try:
        for n in range(9):
            await producer.begin_transaction()
            for body in [b"%d.%d" % (n, k) for k in range(n)]:
                await (await producer.send(side.topic, body))
                kept += [body] * (n % 3 != 1)
            await (producer.abort_transaction() if n % 3 == 1 else producer.commit_transaction())
    finally:
        await producer.stop()
    async with side.opened() as (source, stream):
        assert await read(source, stream, len(kept)) == kept
