"""What was opened, in order, and how each is closed: in reverse, by name, all within a bound."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from dispatcher.upkeep.log import Log

BOUND_S = 4.0
_LEAST_S = 0.3


class Lifetime:
    """The parts of a running engine. ``stop`` closes them; ``finished`` ends when one that must run has ended by itself."""

    def __init__(self, log: Log) -> None:
        """Nothing is open yet; made inside a running loop."""
        self._log = log
        self._closing: list[tuple[str, Callable[[], Awaitable[Any]]]] = []
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def later(self, name: str, close: Callable[[], Awaitable[Any]]) -> None:
        """Remember how to close what was just opened."""
        self._closing.append((name, close))

    def run(self, name: str, work: Coroutine[Any, Any, Any], stop: Callable[[], Awaitable[Any]]) -> None:
        """A part that must run; closing asks it to stop and waits for it."""
        task = self.watch(asyncio.create_task(work, name=name))

        async def close() -> None:
            await stop()
            try:
                await asyncio.wait([task])
            finally:
                task.cancel()  # nothing when it has ended; when our time is over, it is the end of it

        self.later(name, close)

    def until_stop(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        """A part that must run and holds nothing: it is cancelled."""
        task = self.watch(asyncio.create_task(work, name=name))
        self.later(name, lambda: cancelled(task))

    def watch(self, task: asyncio.Task[Any], *, may_end: bool = False) -> asyncio.Task[Any]:
        """The end of a part that must run is the end of the engine, unless it is being stopped."""

        def ended(task: asyncio.Task[Any]) -> None:
            if task.cancelled() or self._ended.done() or (may_end and task.exception() is None):
                return
            error = task.exception()
            if error is None:
                self._ended.set_result(None)
            else:
                self._log.error("part_failed", part=task.get_name(), error=repr(error))
                self._ended.set_exception(error)

        task.add_done_callback(ended)
        return task

    async def finished(self) -> None:
        """Wait until a part that must run has ended, and raise what it raised."""
        await asyncio.shield(self._ended)

    async def stop(self) -> None:
        """Close in reverse, all of it within the bound; one that is slow or fails does not keep the others open."""
        deadline = time.monotonic() + BOUND_S
        while self._closing:
            name, close = self._closing.pop()
            try:
                async with asyncio.timeout(max(_LEAST_S, deadline - time.monotonic())):
                    await close()
            except TimeoutError:
                self._log.warning("slow_to_stop", part=name)
            except Exception as error:  # noqa: BLE001 - supervision point: the rest must still be closed
                self._log.error("failed_to_stop", part=name, error=repr(error))


async def cancelled(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait for their ends. Said again while it is not heard: Python 3.11's ``wait_for`` may drop a cancellation."""
    while not all(task.done() for task in tasks):
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=_LEAST_S)


def calling(close: Callable[[], object]) -> Callable[[], Awaitable[None]]:
    """A plain function as something to await."""

    async def closing() -> None:
        close()

    return closing
