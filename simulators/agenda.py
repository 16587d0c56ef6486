"""Things to do at their time: one timer, a bounded queue, a pool of workers. Late is possible, forgotten is not."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from datetime import datetime

from simulators import recording_time, rush

Task = Callable[[], Awaitable[None]]


class Agenda:
    """Runs each task once its time of the recording has come; tasks due at the same time start in the order of entry."""

    def __init__(self, clock: recording_time.RecordingTime, *, workers: int, yields_to: rush.Rush | None = None) -> None:
        """At most ``workers`` tasks run at once; none is started during a rush."""
        self._yields_to = yields_to
        self._clock = clock
        self._workers = workers
        self._heap: list[tuple[datetime, int, Task]] = []
        self._count = 0
        self._sooner = asyncio.Event()
        self._queue: asyncio.Queue[Task] = asyncio.Queue(maxsize=4 * workers)

    def put(self, at: datetime, task: Task) -> None:
        """Have a task done at that time, or at once if it has passed."""
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, task))
        if self._heap[0][1] == self._count:
            self._sooner.set()

    def __len__(self) -> int:
        """How many tasks wait."""
        return len(self._heap) + self._queue.qsize()

    async def run(self) -> None:
        """Work until cancelled; what waits then is done by the next run, which plans it anew from the ledger."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_time())
            for _ in range(self._workers):
                group.create_task(self._work())

    async def _keep_time(self) -> None:
        while True:
            wait_s = self._clock.wall_seconds_until(self._heap[0][0]) if self._heap else None
            if wait_s == 0:
                await self._start_next()
                continue
            self._sooner.clear()
            try:
                await asyncio.wait_for(self._sooner.wait(), wait_s)
            except TimeoutError:
                continue

    async def _start_next(self) -> None:
        if self._yields_to is not None and self._yields_to.is_on():
            await asyncio.sleep(rush.PAUSE_S)
        else:
            await self._queue.put(heapq.heappop(self._heap)[2])

    async def _work(self) -> None:
        while True:
            task = await self._queue.get()
            await task()
