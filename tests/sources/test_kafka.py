"""The Kafka source against a real Kafka."""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pydantic
import pytest
from aiokafka import AIOKafkaProducer

from adapters import kafka_connection
from adapters.sources.kafka import KafkaSettings, KafkaSource, adapter
from adapters.sources.kafka_group import sign_off
from dispatcher.clock import ManualClock
from dispatcher.errors import ConfigurationError, SourceLost
from dispatcher.ports import Batch, Kind, Lagging, Source, World
from dispatcher.testing.sources import BREAKABLE_PROMISES, PROMISES, Breakable, aclose
from tests.services.kafka import Kafka

WORLD = World(clock=ManualClock(datetime(2026, 7, 20, tzinfo=UTC)), county="990121", public_url="http://127.0.0.1")


class KafkaSide:
    """A topic and a group of their own."""

    def __init__(self, broker: Kafka, partitions: int = 2, **settings: object) -> None:
        self.broker = broker
        mark = uuid.uuid4().hex[:8]
        self.topic = f"readings-{mark}"
        broker.create_topic(self.topic, partitions)
        base = {"bootstrap": (broker.bootstrap,), "group": f"engine-{mark}", "readings": (self.topic,), "probe_s": 0.3, "timeout_s": 10}
        self.settings = KafkaSettings.model_validate({**base, **settings})

    def source(self) -> Source:
        """Under a name of its own, unless the settings have one: readers of one name take each other for dead."""
        named = "client_id" in self.settings.model_fields_set
        name = self.settings.client_id if named else f"engine-{uuid.uuid4().hex[:8]}"
        return adapter.build(self.settings.model_copy(update={"client_id": name}), WORLD)

    @asynccontextmanager
    async def opened(self, positions: dict[str, str] | None = None) -> AsyncIterator[tuple[Source, AsyncIterator[Batch]]]:
        source = self.source()
        stream = source.batches(positions or {})
        try:
            yield source, stream
        finally:
            await aclose(stream)

    async def introduce(self) -> None:
        """Kafka keeps everything for whoever comes."""

    async def publish(self, bodies: Sequence[bytes], key: str = "a") -> None:
        await publish(self.broker, self.topic, bodies, key.encode())

    async def break_off(self) -> None:
        await asyncio.to_thread(self.broker.kill)

    async def mend(self) -> None:
        await asyncio.to_thread(self.broker.start)


async def publish(broker: Kafka, topic: str, bodies: Sequence[bytes | None], key: bytes = b"a") -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all", max_request_size=2_000_000)
    await producer.start()
    try:
        for sent in [await producer.send(topic, body, key=key) for body in bodies]:
            await sent
    finally:
        await producer.stop()


async def read(source: Source, stream: AsyncIterator[Batch], count: int) -> list[bytes]:
    got: list[bytes] = []
    while len(got) < count:
        batch = await asyncio.wait_for(anext(stream), 30)
        got.extend(item.body for item in batch.items)
        await source.ack(batch)
    return got


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
async def test_kafka_keeps_the_promises_of_a_source(kafka: Kafka, promise: Callable[..., Awaitable[None]]) -> None:
    await promise(KafkaSide(kafka))


@pytest.mark.parametrize("promise", BREAKABLE_PROMISES, ids=lambda promise: promise.__name__)
async def test_kafka_keeps_the_promises_of_a_source_with_a_connection(
    kafka: Kafka, promise: Callable[[Breakable], Awaitable[None]]
) -> None:
    await promise(KafkaSide(kafka))


async def test_the_engines_positions_are_the_truth_and_not_what_kafka_was_told(kafka: Kafka) -> None:
    side = KafkaSide(kafka, partitions=1)
    sent = [str(n).encode() for n in range(10)]
    await side.publish(sent)
    async with side.opened() as (source, stream):
        assert await read(source, stream, 10) == sent
    async with side.opened({f"{side.topic}/0": "3"}) as (source, stream):
        assert await read(source, stream, 7) == sent[3:]


async def test_a_partition_nobody_has_a_position_for_goes_on_where_the_group_was(kafka: Kafka) -> None:
    side = KafkaSide(kafka, partitions=1)
    await side.publish([b"0", b"1"])
    async with side.opened() as (source, stream):
        assert await read(source, stream, 2) == [b"0", b"1"]
    await side.publish([b"2"])
    async with side.opened() as (source, stream):
        assert await read(source, stream, 1) == [b"2"]


async def test_positions_name_topic_partition_and_the_next_offset(kafka: Kafka) -> None:
    side = KafkaSide(kafka, partitions=1)
    await side.publish([b"0", b"1"])
    async with side.opened() as (_, stream):
        batch = await asyncio.wait_for(anext(stream), 30)
    assert batch.positions == {f"{side.topic}/0": str(len(batch.items))}
    assert batch.since == {f"{side.topic}/0": ""}
    assert {item.subject for item in batch.items} == {side.topic}


async def test_a_batch_is_never_larger_than_settled_and_a_few_wait_for_acknowledgement(kafka: Kafka) -> None:
    side = KafkaSide(kafka, partitions=1, batch_items=3, unacknowledged_items=6)
    await side.publish([str(n).encode() for n in range(10)])
    async with side.opened() as (source, stream):
        held: list[Batch] = []
        while sum(len(batch.items) for batch in held) < 6:
            held.append(await asyncio.wait_for(anext(stream), 30))
        assert all(len(batch.items) <= 3 for batch in held)
        waiting = asyncio.ensure_future(anext(stream))
        done, _ = await asyncio.wait([waiting], timeout=0.5)
        assert not done
        for batch in held:
            await source.ack(batch)
        assert (await asyncio.wait_for(waiting, 30)).items


async def test_what_a_transaction_took_back_is_never_read(kafka: Kafka) -> None:
    side = KafkaSide(kafka, partitions=1)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=side.topic)
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(side.topic, b"taken back")
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(side.topic, b"kept")
    finally:
        await producer.stop()
    async with side.opened() as (source, stream):
        assert await read(source, stream, 1) == [b"kept"]


async def test_a_record_without_a_value_is_handed_on_as_an_empty_body(kafka: Kafka) -> None:
    side = KafkaSide(kafka)
    await publish(kafka, side.topic, [None, b"1"])
    async with side.opened() as (source, stream):
        assert await read(source, stream, 2) == [b"", b"1"]


async def test_two_workers_of_a_group_divide_the_partitions(kafka: Kafka) -> None:
    side = KafkaSide(kafka, partitions=2)
    async with side.opened() as (_, one), side.opened() as (_, two):
        first, second = asyncio.ensure_future(anext(one)), asyncio.ensure_future(anext(two))
        for n in range(200):
            await publish(kafka, side.topic, [b"x"], str(n).encode())
            if first.done() and second.done():
                break
        batches = await asyncio.wait_for(asyncio.gather(first, second), 60)
    assert all(batch.items for batch in batches)


DEAD = """
import asyncio, sys, aiokafka
async def main():
    server, topic, group, name = sys.argv[1:]
    one = aiokafka.AIOKafkaConsumer(topic, bootstrap_servers=server, group_id=group, client_id=name, session_timeout_ms=300_000)
    await one.start()
    while not one.assignment():
        await asyncio.sleep(0.05)
    print("in", flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


async def killed_member(side: KafkaSide, name: str) -> None:
    """A reader of the group that was killed: the cluster waits five minutes for it."""
    arguments = [side.broker.bootstrap, side.topic, side.settings.group, name]
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", DEAD, *arguments, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 60) == b"in\n"
    process.kill()
    await process.wait()


async def test_partitions_of_a_predecessor_that_was_killed_are_taken_up_at_once(kafka: Kafka) -> None:
    side = KafkaSide(kafka, client_id="engine")
    await side.publish([b"0"])
    await killed_member(side, "engine")
    async with side.opened() as (source, stream):
        assert await read(source, stream, 1) == [b"0"]


async def test_a_reader_of_another_name_is_no_predecessor(kafka: Kafka) -> None:
    side = KafkaSide(kafka, client_id="engine")
    await killed_member(side, "somebody")
    assert await sign_off({"bootstrap_servers": kafka.bootstrap, "client_id": "engine"}, side.settings.group, 30) == 0
    assert await sign_off({"bootstrap_servers": kafka.bootstrap, "client_id": "somebody"}, side.settings.group, 30) == 1


async def test_readers_of_one_name_that_take_each_other_for_dead_both_go_on(kafka: Kafka) -> None:
    side = KafkaSide(kafka, partitions=2, client_id="engine")
    async with side.opened() as (_, one), side.opened() as (_, two):
        first, second = asyncio.ensure_future(anext(one)), asyncio.ensure_future(anext(two))
        for n in range(200):
            await publish(kafka, side.topic, [b"x"], str(n).encode())
            if first.done() and second.done():
                break
        assert all(batch.items for batch in await asyncio.wait_for(asyncio.gather(first, second), 60))


async def test_how_far_it_is_behind_is_known_also_while_it_waits_for_acknowledgement(kafka: Kafka) -> None:
    side = KafkaSide(kafka, partitions=1, batch_items=2, unacknowledged_items=2)
    await side.publish([str(n).encode() for n in range(10)])
    async with side.opened({f"{side.topic}/0": "1"}) as (source, stream):
        assert isinstance(source, Lagging)
        batch = await asyncio.wait_for(anext(stream), 30)
        await source.ack(batch)
        behind = 9 - len(batch.items)
        waiting = asyncio.ensure_future(anext(stream))
        async with asyncio.timeout(30):
            while source.lag() != {f"{side.topic}/0": behind}:  # noqa: ASYNC110 - it looks now and then
                await asyncio.sleep(0.05)
        await side.publish([b"x"] * 5)
        async with asyncio.timeout(30):
            while source.lag() != {f"{side.topic}/0": behind + 5}:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await waiting


async def test_topics_say_what_is_a_forecast(kafka: Kafka) -> None:
    side = KafkaSide(kafka)
    forecasts = f"forecasts-{side.topic}"
    kafka.create_topic(forecasts, 1)
    side.settings = side.settings.model_copy(update={"forecasts": (forecasts,)})
    await publish(kafka, forecasts, [b"f"])
    async with side.opened() as (_, stream):
        batch = await asyncio.wait_for(anext(stream), 30)
    assert [(item.kind, item.body) for item in batch.items] == [(Kind.FORECASTS, b"f")]


async def test_a_cluster_that_stops_answering_is_source_lost_although_the_client_waits_for_ever(kafka: Kafka) -> None:
    side = KafkaSide(kafka, timeout_s=3)
    await side.publish([b"0"])
    async with side.opened() as (source, stream):
        await read(source, stream, 1)
        kafka.pause()
        with pytest.raises(SourceLost, match=kafka.bootstrap):
            await asyncio.wait_for(anext(stream), 60)


async def test_a_cluster_that_is_not_there_is_source_lost() -> None:
    source = adapter.build(KafkaSettings(bootstrap=("127.0.0.1:1",), timeout_s=3), WORLD)
    with pytest.raises(SourceLost, match=r"127\.0\.0\.1:1"):
        await anext(source.batches({}))


def test_without_the_extra_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_connection, "INSTALLED", False)
    with pytest.raises(ConfigurationError, match=r"pip install 'dispatcher\[kafka\]'"):
        adapter.build(KafkaSettings(), WORLD)


def test_a_password_comes_from_the_environment_and_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = KafkaSettings(sasl="SCRAM-SHA-512", username="engine", password_env="KAFKA_TEST_PASSWORD")
    monkeypatch.delenv("KAFKA_TEST_PASSWORD", raising=False)
    with pytest.raises(ConfigurationError, match="KAFKA_TEST_PASSWORD, which is not set"):
        adapter.build(settings, WORLD)
    monkeypatch.setenv("KAFKA_TEST_PASSWORD", "geheim-99")
    assert isinstance(adapter.build(settings, WORLD), KafkaSource)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param({"broker": "x"}, "Extra inputs", id="unknown key"),
        pytest.param({"readings": ()}, "at least one", id="no topics"),
        pytest.param({"sasl": "PLAIN"}, "all three or none", id="half a login"),
        pytest.param({"ca_file": __file__}, "tls: true", id="certificate without TLS"),
        pytest.param({"bootstrap": ()}, "bootstrap", id="nowhere to go"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=words):
        KafkaSettings.model_validate(settings)
