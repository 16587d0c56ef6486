"""What a broker could lose of what it has acknowledged: Kafka is asked, an MQTT broker that has forgotten us is noticed."""

import asyncio
from uuid import uuid4

import pytest

from adapters.sources.kafka import KafkaSettings, KafkaSource
from adapters.sources.kafka_keeping import weaknesses_of
from adapters.sources.mqtt import MqttSettings, MqttSource
from dispatcher.errors import SourceLost
from dispatcher.ports import Candid
from tests.services.kafka import Kafka
from tests.services.mosquitto import Mosquitto

SAFE = {
    "min.insync.replicas": "2",
    "unclean.leader.election.enable": "false",
    "cleanup.policy": "delete",
    "retention.ms": "604800000",
}


def test_a_topic_that_is_kept_safely_has_no_weakness() -> None:
    assert weaknesses_of("readings", 3, SAFE) == []
    assert weaknesses_of("readings", 3, SAFE | {"retention.ms": "-1"}) == []


@pytest.mark.parametrize(
    ("replicas", "changed", "said"),
    [
        (0, {}, "is not there"),
        (1, {}, "replication factor 3"),
        (3, {"min.insync.replicas": "1"}, "min.insync.replicas=2"),
        (3, {"unclean.leader.election.enable": "true"}, "unclean.leader.election.enable=false"),
        (3, {"cleanup.policy": "delete,compact"}, "cleanup.policy=delete"),
        (3, {"retention.ms": "3600000"}, "retention.ms=604800000"),
    ],
)
def test_each_setting_that_loses_is_named_with_what_is_allowed(replicas: int, changed: dict[str, str], said: str) -> None:
    found = weaknesses_of("readings", replicas, SAFE | changed)
    assert len(found) == 1
    assert found[0].startswith("topic readings")
    assert said in found[0]


async def test_a_real_cluster_is_asked_for_its_topics(kafka: Kafka) -> None:
    topic = f"keeping.{uuid4().hex}"
    kafka.create_topic(topic, 2)
    source = KafkaSource(KafkaSettings(bootstrap=(kafka.bootstrap,), readings=(topic,), group=topic), topic, None)
    assert isinstance(source, Candid)
    found = await source.weaknesses()
    assert len(found) == 1
    assert topic in found[0]
    assert "1 of 3 replicas" in found[0]


async def test_a_cluster_that_does_not_answer_is_a_lost_source() -> None:
    settings = KafkaSettings(bootstrap=("127.0.0.1:1",), readings=("readings",), timeout_s=1)
    with pytest.raises(SourceLost):
        await KafkaSource(settings, "group", None).weaknesses()


@pytest.mark.parametrize("keeps", [True, False], ids=["keeps", "forgets"])
async def test_a_broker_that_has_forgotten_our_session_is_noticed(mosquitto: Mosquitto, keeps: bool) -> None:  # noqa: FBT001
    settings = MqttSettings(port=mosquitto.port, session_expiry_s=60)
    source = MqttSource(settings, f"keeping-{uuid4().hex}", None)
    assert isinstance(source, Candid)
    await connected_once(source)
    if not keeps:
        source._client_id = f"keeping-{uuid4().hex}"  # to the broker, a session that it does not have
    await connected_once(source)
    assert bool(await source.weaknesses()) is not keeps


async def connected_once(source: MqttSource) -> None:
    """Open the source and close it again."""
    opened = asyncio.Event()
    source.when_open(opened.set)

    async def read() -> None:
        async for _ in source.batches({}):
            pass

    reading = asyncio.create_task(read())
    await asyncio.wait_for(opened.wait(), 20)
    reading.cancel()
    await asyncio.wait([reading])
