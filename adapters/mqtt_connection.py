"""A connection to a broker that can be cancelled at any moment."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiomqtt


@contextlib.asynccontextmanager
async def connected(client: aiomqtt.Client) -> AsyncIterator[aiomqtt.Client]:
    """Connect, and disconnect at the end of the block; MqttError when the broker cannot be reached.

    aiomqtt's own context leaves a socket behind when it is cancelled while it connects, and loses the cancellation when the
    broker does not answer to the goodbye. Here connecting is finished before it is undone, a missing goodbye is no error, and
    the socket is closed whatever happens.
    """
    with contextlib.ExitStack() as at_the_end:
        at_the_end.callback(_hang_up, client)
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


def _hang_up(client: aiomqtt.Client) -> None:
    """Close the socket: aiomqtt leaves it to itself when the broker is slow to let us in or to say goodbye.

    A broker that then goes on would send what it keeps for us into it, and paho would take it and acknowledge it for nobody.
    """
    paho: Any = client._client  # noqa: SLF001 - aiomqtt has no way to do it
    paho._sock_close()  # noqa: SLF001


def heed_cancellation() -> None:
    """Raise the cancellation that the await before this may have lost.

    Python 3.11's ``asyncio.wait_for``, on which aiomqtt's calls rest, drops one that comes just as the call succeeds.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
