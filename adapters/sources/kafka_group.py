"""A predecessor that was killed is still a member of its group, and until its session has run out (10 s) nobody gets its partitions.

Whoever opens the source is the only one of this engine who may read: a member of its group under its own name can only be a
predecessor that is dead or will find out that it is no longer wanted. So it is signed off for it. Should it live after all, it joins
again, and the group is divided once more; what counts is decided by the positions in the store (docs/adr/0007).
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

with contextlib.suppress(ImportError):  # the extra is missing: said by adapters/kafka_connection.py
    from aiokafka import admin as kafka_admin
    from aiokafka import errors as kafka_errors
    from aiokafka.protocol import group as kafka_requests

_MEMBERS, _MEMBER, _NAME = 5, 0, 1
"""Where aiokafka's raw answer has the members of a group, and where they have their id and the name of their client."""


async def sign_off(client: Mapping[str, Any], group: str, within_s: float) -> int:
    """Sign off the members of a group that bear our name; gives how many. ``client`` is what every client of aiokafka takes.

    Without an answer in time, or without the right to ask, nothing is lost but time: then their sessions run out.
    """
    kit: Any = kafka_admin  # it has no types
    admin = kit.AIOKafkaAdminClient(**client)
    gone = 0
    try:
        async with asyncio.timeout(within_s):
            await admin.start()
            coordinator = await admin.find_coordinator(group)
            for answer in await admin.describe_consumer_groups([group], coordinator):
                for member in (one for found in answer.groups for one in found[_MEMBERS] if one[_NAME] == client["client_id"]):
                    request = kafka_requests.LeaveGroupRequest(group, member[_MEMBER])
                    await admin._send_request(request, coordinator)  # noqa: SLF001 - the client for administrators knows no such request
                    gone += 1
    except (kafka_errors.KafkaError, OSError, TimeoutError):
        pass
    finally:
        with contextlib.suppress(kafka_errors.KafkaError, OSError):
            await admin.close()
    return gone
