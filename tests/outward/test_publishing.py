"""What was committed reaches other programs: through a real Kafka, from a real store, whatever breaks in between."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pydantic
import pytest
from aiokafka import AIOKafkaConsumer

from adapters.outlets.kafka import KafkaOutletSettings, adapter
from dispatcher.clock import ManualClock
from dispatcher.errors import OutletFailed
from dispatcher.outward import publishing
from dispatcher.outward.publishing import Publisher
from dispatcher.ports import Outgoing, Outlet, Status, Stream, World
from tests.dispatch.making import COUNTY, START, V1, V2, minutes
from tests.dispatch.running import Running, batch, rain, running
from tests.services.kafka import Kafka
from tests.store.far_sides import SqliteFile

WORLD = World(clock=ManualClock(START), county=COUNTY, public_url="http://127.0.0.1")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(SqliteFile(tmp_path / "engine.db")) as made:
        yield made


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "_FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(publishing, "_LOOK_S", 0.1)


class Listener:
    """An outlet that keeps what it was told, and fails when the test says: before (``refuse``) or after it took it (``lose``)."""

    name = "listener"
    streams = (Stream.CHANGES, Stream.REJECTS)

    def __init__(self) -> None:
        self.heard: list[tuple[Stream, Outgoing]] = []
        self.refuse = self.lose = 0

    async def publish(self, stream: Stream, records: Sequence[Outgoing]) -> None:
        if self.refuse:
            self.refuse -= 1
            raise OutletFailed("nobody there")
        self.heard += [(stream, record) for record in records]
        if self.lose:
            self.lose -= 1
            raise OutletFailed("no answer")

    async def close(self) -> None:
        """Nothing is open."""

    def ids(self, stream: Stream) -> list[str]:
        return [dict(record.headers)["id"] for one, record in self.heard if one is stream]


@asynccontextmanager
async def publishing_to(engine: Running, outlet: Outlet) -> AsyncIterator[None]:
    task = asyncio.create_task(Publisher(engine.place, "test", outlet).run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await outlet.close()


async def until(engine: Running, stream: Stream, position: int) -> None:
    """The publisher has moved its position so far."""
    async with asyncio.timeout(60):
        while not any(  # noqa: ASYNC110 - the position is in the store
            row["name"] == stream.value and int(row["position"]) >= position
            for row in await engine.rows("journal.positions", source="outlet test")
        ):
            await asyncio.sleep(0.02)


async def storm(engine: Running) -> int:
    """Blue, then red, with something unreadable; gives the number of notices."""
    await engine.read(batch(rain(5, START), b"{broken", rain(1, START, "nowhere")))
    await engine.later(minutes(1), send=False)
    engine.clock.advance(minutes(4))
    await engine.read(batch(rain(7, START + minutes(5))))
    await engine.later(minutes(1), send=False)
    return len(await engine.notices())


async def test_every_notice_and_reject_is_published_once_in_order_and_a_new_start_goes_on(engine: Running) -> None:
    listener = Listener()
    async with publishing_to(engine, listener):
        count = await storm(engine)
        assert count > 2
        await until(engine, Stream.CHANGES, count)
        await until(engine, Stream.REJECTS, 2)
    assert listener.ids(Stream.CHANGES) == [notice.id for notice in await engine.notices()]
    assert len(listener.ids(Stream.REJECTS)) == 2
    again = Listener()
    async with publishing_to(engine, again):
        await engine.read(batch(b"{more"))
        await until(engine, Stream.REJECTS, 3)
    assert again.ids(Stream.CHANGES) == []
    assert again.ids(Stream.REJECTS) == [f"{COUNTY}/3"]


async def test_what_the_far_side_refused_or_never_answered_to_is_published_again_and_nothing_is_left_out(engine: Running) -> None:
    listener = Listener()
    listener.refuse, listener.lose = 2, 1
    async with publishing_to(engine, listener):
        count = await storm(engine)
        await until(engine, Stream.CHANGES, count)
        await until(engine, Stream.REJECTS, 2)
    ids = listener.ids(Stream.CHANGES)
    assert list(dict.fromkeys(ids)) == [notice.id for notice in await engine.notices()]
    assert engine.place.health.problems() == []
    assert [line for line, _ in engine.log.lines if line == "outlet_failed"]


async def test_a_store_that_fails_when_the_position_is_kept_means_again_and_not_lost(engine: Running) -> None:
    count = await storm(engine)
    engine.store.plan = [0]
    listener = Listener()
    async with publishing_to(engine, listener):
        await until(engine, Stream.CHANGES, count)
    assert list(dict.fromkeys(listener.ids(Stream.CHANGES))) == [notice.id for notice in await engine.notices()]


def topics(kafka: Kafka) -> dict[str, Any]:
    mark = uuid.uuid4().hex[:8]
    names = {"changes": f"warnings-{mark}", "rejects": f"rejected-{mark}"}
    for name in names.values():
        kafka.create_topic(name, 3)
    return {"bootstrap": (kafka.bootstrap,), **names}


async def consumed(kafka: Kafka, topic: str, count: int) -> list[Any]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest", isolation_level="read_committed")
    await consumer.start()
    try:
        return [await asyncio.wait_for(anext(consumer), 30) for _ in range(count)]
    finally:
        await consumer.stop()


async def test_through_kafka_changes_are_keyed_by_village_and_rejects_bear_their_reason(engine: Running, kafka: Kafka) -> None:
    settings = KafkaOutletSettings.model_validate(topics(kafka))
    async with publishing_to(engine, adapter.build(settings, WORLD)):
        count = await storm(engine)
        await until(engine, Stream.CHANGES, count)
        await engine.read(batch(b"[" + b"x" * 3_000))
        await until(engine, Stream.REJECTS, 3)
    changes = await consumed(kafka, settings.changes, count)
    for village in (V1, V2):
        of_village = [c for c in changes if c.key == village.encode()]
        assert len({c.partition for c in of_village}) == 1
        bodies = [json.loads(c.value) for c in of_village]
        assert [b["revision"] for b in bodies] == sorted(b["revision"] for b in bodies)
        assert (bodies[0]["from"], bodies[0]["to"], bodies[0]["status"]) == ("none", "blue", "Actual")
        assert bodies[-1]["to"] == "red"
        assert bodies[0]["reason"]["zh"]
    rejected = await consumed(kafka, settings.rejects, 3)
    found = {dict(r.headers)["id"].decode()[-1]: (r.value, dict(r.headers)) for r in rejected}
    assert found["1"][0] == b"{broken"
    assert found["1"][1]["code"] == b"truncated"
    assert b"nowhere" in found["2"][1]["reason"]
    assert found["3"][0] == b"[" + b"x" * 3_000, "the whole body, not its beginning"


async def test_a_cluster_that_is_gone_for_a_while_gets_everything_later_in_order(engine: Running, kafka: Kafka) -> None:
    settings = KafkaOutletSettings.model_validate({**topics(kafka), "timeout_s": 1})
    outlet = adapter.build(settings, WORLD)
    async with publishing_to(engine, outlet):
        await engine.read(batch(b"{first"))
        await until(engine, Stream.REJECTS, 1)
        await asyncio.to_thread(kafka.kill)
        count = await storm(engine)
        async with asyncio.timeout(30):
            while not engine.place.health.problems():  # noqa: ASYNC110 - it says so there
                await asyncio.sleep(0.05)
        await asyncio.to_thread(kafka.start)
        await until(engine, Stream.CHANGES, count)
        await until(engine, Stream.REJECTS, 3)
    changes = [json.loads(c.value) for c in await consumed(kafka, settings.changes, count)]
    for village in (V1, V2):
        revisions = [c["revision"] for c in changes if c["village"] == village]
        assert revisions == sorted(revisions)
    assert {c["id"] for c in changes} == {n.id for n in await engine.notices()}


async def test_an_exercise_never_goes_to_the_topic_of_real_changes(kafka: Kafka) -> None:
    drill = Outgoing(V1, b"drill", (("id", "d"),), Status.EXERCISE)
    real = Outgoing(V1, b"real", (("id", "r"),))
    settings = KafkaOutletSettings.model_validate(topics(kafka))
    outlet = adapter.build(settings, WORLD)
    await outlet.publish(Stream.CHANGES, [drill, real])
    await outlet.close()
    assert [r.value for r in await consumed(kafka, settings.changes, 1)] == [b"real"]
    exercises = f"exercises-{settings.changes}"
    kafka.create_topic(exercises)
    outlet = adapter.build(settings.model_copy(update={"exercises": exercises}), WORLD)
    await outlet.publish(Stream.CHANGES, [drill, real])
    await outlet.close()
    assert [r.value for r in await consumed(kafka, exercises, 1)] == [b"drill"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param({"changes": "", "rejects": ""}, "at least one", id="nothing to publish"),
        pytest.param({"exercises": "warnings"}, "another name", id="exercises among real ones"),
        pytest.param({"sasl": "PLAIN"}, "all three or none", id="half a login"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=words):
        KafkaOutletSettings.model_validate(settings)
