"""A connection to a broker that can be cancelled at any moment."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiomqtt


@contextlib.asynccontextmanager
async def connected(client: aiomqtt.Client) -> AsyncIterator[aiomqtt.Client]:
    """Connect, and disconnect at the end of the block; MqttError when the broker cannot be reached.

    aiomqtt's own context leaves a socket behind when it is cancelled while it connects, and loses the cancellation when the
    broker does not answer to the goodbye. Here connecting is finished before it is undone, and a missing goodbye is no error.
    """
    opening = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.shield(opening)
    except asyncio.CancelledError:
        with contextlib.suppress(aiomqtt.MqttError):
            await opening
            await client.__aexit__(None, None, None)
        raise
    finally:
        del opening  # with the error it may hold, and the socket that hangs on it
    try:
        heed_cancellation()
        yield client
    finally:
        with contextlib.suppress(aiomqtt.MqttError):
            await client.__aexit__(None, None, None)


def heed_cancellation() -> None:
    """Raise the cancellation that the await before this may have lost.

    Python 3.11's ``asyncio.wait_for``, on which aiomqtt's calls rest, drops one that comes just as the call succeeds.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
