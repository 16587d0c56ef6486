"""How safely a Kafka cluster keeps what it has acknowledged, by its own settings: asked, since no client can make up for them."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

with contextlib.suppress(ImportError):  # the extra is missing: said by adapters/kafka_connection.py
    from aiokafka import admin as kafka_admin
    from aiokafka.admin import config_resource

DAY_MS = 86_400_000
KEPT_MS = 7 * DAY_MS
"""An engine that was away for a week must still find everything."""
_REPLICAS = 3
_IN_SYNC = 2
_ASKED = ("min.insync.replicas", "unclean.leader.election.enable", "cleanup.policy", "retention.ms")


async def weaknesses(client: Mapping[str, Any], topics: Sequence[str]) -> list[str]:
    """What could make the cluster lose records of these topics, a sentence each. ``client`` is what every client of aiokafka takes."""
    kit: Any = kafka_admin  # it has no types
    kinds: Any = config_resource
    admin = kit.AIOKafkaAdminClient(**client)
    try:
        await admin.start()
        known = {topic["topic"]: topic for topic in await admin.describe_topics(list(topics))}
        wanted = [kinds.ConfigResource(kinds.ConfigResourceType.TOPIC, name, dict.fromkeys(_ASKED)) for name in topics]
        answers = await admin.describe_configs(wanted)
    finally:
        await admin.close()
    configs = {resource[3]: {entry[0]: entry[1] for entry in resource[4]} for answer in answers for resource in answer.resources}
    found: list[str] = []
    for name in topics:
        replicas = min((len(p["replicas"]) for p in known.get(name, {}).get("partitions", ())), default=0)
        found += weaknesses_of(name, replicas, configs.get(name, {}))
    return found


def weaknesses_of(topic: str, replicas: int, config: Mapping[str, str | None]) -> list[str]:
    """The sentences for one topic. ``replicas`` are those of its least partition, 0 when there is no such topic."""
    if not replicas:
        return [f"topic {topic} is not there: make it, with three replicas"]
    said = {
        f"{replicas} of {_REPLICAS} replicas: a disk that breaks takes its records along; allowed: replication factor 3": replicas
        < _IN_SYNC,
        "an acknowledgement may stand for one replica only; allowed: min.insync.replicas=2, and acks=all at whoever publishes": (
            replicas >= _IN_SYNC and int(config.get("min.insync.replicas") or 1) < _IN_SYNC
        ),
        "a replica that is behind may become the leader and drop what was acknowledged; allowed: unclean.leader.election.enable=false": (
            config.get("unclean.leader.election.enable") == "true"
        ),
        "older records of a key are thrown away; allowed: cleanup.policy=delete": "compact" in (config.get("cleanup.policy") or ""),
        "records are kept for less than 7 days: an engine that is away longer misses them; allowed: retention.ms=604800000 or more": (
            0 <= int(config.get("retention.ms") or -1) < KEPT_MS
        ),
    }
    return [f"topic {topic}: {sentence}" for sentence, holds in said.items() if holds]
