"""Readings that come by HTTP: a source like any other, whose far side waits for the answer."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager

from dispatcher.errors import InHand, Overloaded, StandsBy
from dispatcher.intake.codecs.choose import CAP
from dispatcher.model.reject import Decoded
from dispatcher.ports import Batch, Item, Kind

MOST_WAITING = 256
_FORMATS = {Kind.ALERTS: CAP}


class HttpIntake:
    """``submit`` from request handlers; the pipeline takes the batches. At most ``MOST_WAITING`` requests wait at once."""

    name = "http"

    def __init__(self) -> None:
        """Nobody waits yet."""
        self._queue: asyncio.Queue[Batch] = asyncio.Queue(maxsize=MOST_WAITING)
        self._waiting: dict[int, asyncio.Future[Decoded]] = {}
        self._reports: dict[int, Decoded] = {}
        self._keys: set[str] = set()
        self._count = 0
        self.stands_by = ""

    @contextmanager
    def holding(self, key: str) -> Iterator[None]:
        """While a request with this key is looked up and answered, another one with it is InHand. An empty key holds nothing."""
        if key in self._keys:
            raise InHand("a request with this Idempotency-Key is being worked on")
        if key:
            self._keys.add(key)
        try:
            yield
        finally:
            self._keys.discard(key)

    async def submit(self, body: bytes, kind: Kind, subject: str, key: str = "") -> Decoded:
        """Hand in one body; returns what it held once that is durable. Overloaded when too many wait already.

        Under a ``key`` what is answered is remembered with it. StandsBy where another worker decides; ``stands_by`` says so then.
        """
        if self.stands_by:
            raise StandsBy(self.stands_by)
        if len(self._waiting) >= MOST_WAITING:
            raise Overloaded(f"{MOST_WAITING} requests are waiting to be stored already")
        self._count += 1
        token = self._count
        done: asyncio.Future[Decoded] = asyncio.get_running_loop().create_future()
        self._waiting[token] = done
        try:
            self._queue.put_nowait(Batch(self.name, (Item(body, subject, kind, _FORMATS.get(kind, "")),), token=token, key=key))
            return await done
        except asyncio.QueueFull:  # those who hung up still stand in the queue
            raise Overloaded(f"{MOST_WAITING} requests are waiting to be stored already") from None
        finally:
            self._waiting.pop(token, None)
            self._reports.pop(token, None)

    async def batches(self, positions: Mapping[str, str]) -> AsyncIterator[Batch]:  # noqa: ARG002 - requests have no positions
        """The bodies handed in, as they come."""
        while True:
            yield await self._queue.get()

    def report(self, batch: Batch, decoded: Sequence[Decoded]) -> None:
        """Keep what the body held for the request that waits."""
        if decoded and isinstance(batch.token, int):
            self._reports[batch.token] = decoded[0]

    async def ack(self, batch: Batch) -> None:
        """The body is durable: answer its request, if it still waits."""
        if isinstance(batch.token, int):
            done = self._waiting.get(batch.token)
            if done is not None and not done.done():
                done.set_result(self._reports.get(batch.token, Decoded([], [])))
