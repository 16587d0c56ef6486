"""What every source promises, as functions that run against a real far side. No pytest needed.

A test hands over a ``FarSide`` of its own kind and awaits each promise; a broken one raises AssertionError in words::

    @pytest.mark.parametrize("promise", PROMISES, ids=lambda p: p.__name__)
    async def test_mqtt_keeps(promise, far_side): await promise(far_side)
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from dispatcher.errors import SourceLost
from dispatcher.ports import Batch, Source

PATIENCE_S = 30.0
"""How long a promise waits for what must come; never how long it takes."""

SILENCE_S = 0.5
"""How long nothing must come. A promise that waits for nothing can only be broken by something."""


class FarSide(Protocol):
    """The world a source reads from, as a test sees it."""

    def source(self) -> Source:
        """The source under test, made anew with the same settings, as after a restart of the engine."""
        ...

    async def introduce(self) -> None:
        """Make the far side know the source, where it keeps nothing for whom it never met; else do nothing."""
        ...

    async def publish(self, bodies: Sequence[bytes], key: str = "a") -> None:
        """Make these available in this order, under one key, and return when the far side has them."""
        ...


class Breakable(FarSide, Protocol):
    """A far side whose connection can break."""

    async def break_off(self) -> None:
        """Break the connection without warning."""
        ...

    async def mend(self) -> None:
        """Accept connections again, with what it had."""
        ...


class Engine:
    """The part of the engine a source sees: keeps what it was handed, and positions once they are durable."""

    def __init__(self, far_side: FarSide) -> None:
        """``far_side`` outlives restarts, and so do the positions."""
        self._far_side = far_side
        self.positions: dict[str, str] = {}

    @asynccontextmanager
    async def run(self) -> AsyncIterator["Reader"]:
        """Open the source from the durable positions and close it again, without acknowledging anything by itself."""
        source = self._far_side.source()
        stream = source.batches(dict(self.positions))
        try:
            yield Reader(self, source, stream)
        finally:
            await aclose(stream)


class Reader:
    """One opened source."""

    def __init__(self, engine: Engine, source: Source, stream: AsyncIterator[Batch]) -> None:
        """Made by ``Engine.run``."""
        self._engine = engine
        self.source = source
        self._stream = stream
        self.batches: list[Batch] = []

    async def next(self) -> Batch:
        """The next batch."""
        batch = await asyncio.wait_for(anext(self._stream), PATIENCE_S)
        _expect(min(len(batch.items), 1), 1, "a batch has items")
        _expect(batch.source, self.source.name, "a batch bears the name of its source")
        self.batches.append(batch)
        return batch

    async def read(self, count: int, *, ack: bool) -> list[bytes]:
        """Bodies until there are so many; acknowledges each batch at once when asked to."""
        bodies: list[bytes] = []
        while len(bodies) < count:
            batch = await self.next()
            bodies.extend(item.body for item in batch.items)
            if ack:
                await self.ack(batch)
        return bodies

    async def ack(self, batch: Batch) -> None:
        """The batch is durable, and its positions with it."""
        self._engine.positions.update(batch.positions)
        await self.source.ack(batch)

    async def silence(self) -> None:
        """Nothing more comes: the source waits or has ended."""
        try:
            batch = await asyncio.wait_for(anext(self._stream), SILENCE_S)
        except (TimeoutError, StopAsyncIteration):
            return
        raise AssertionError(f"came again though acknowledged: {[item.body for item in batch.items]}")


async def aclose(stream: AsyncIterator[Batch]) -> None:
    """Leave a source: async generators hang up when they are closed, other iterators when they are dropped."""
    close = getattr(stream, "aclose", None)
    if close is not None:
        await close()


def _expect(got: object, wanted: object, promise: str) -> None:
    """Not ``assert``: a promise is checked under ``python -O`` too."""
    if got != wanted:
        raise AssertionError(f"{promise}: expected {wanted!r}, got {got!r}"[:2000])


def _bodies(count: int, first: int = 0) -> list[bytes]:
    """Readings a minute apart, so that a source that sorts by time keeps their order."""
    made = []
    for n in range(first, first + count):
        time = f"2026-07-20T{n // 60:02d}:{n % 60:02d}:00+00:00"
        made.append(f'{{"station":"s1","variable":"rain","value":{n}.5,"unit":"mm","time":"{time}"}}'.encode())
    return made


async def what_is_not_acknowledged_comes_again(far_side: FarSide) -> None:
    """A crash before the commit loses nothing: the same bodies come again, in the same order."""
    await far_side.introduce()
    engine, sent = Engine(far_side), _bodies(5)
    async with engine.run() as reader:
        await far_side.publish(sent)
        _expect(await reader.read(5, ack=False), sent, "what was published arrives")
    async with engine.run() as reader:
        _expect(await reader.read(5, ack=True), sent, "what was not acknowledged comes again")


async def what_is_acknowledged_never_comes_again(far_side: FarSide) -> None:
    """After acknowledging and reopening only what is new comes."""
    await far_side.introduce()
    engine, sent = Engine(far_side), _bodies(8)
    async with engine.run() as reader:
        await far_side.publish(sent[:5])
        _expect(await reader.read(5, ack=True), sent[:5], "what was published arrives")
    async with engine.run() as reader:
        await far_side.publish(sent[5:])
        _expect(await reader.read(3, ack=True), sent[5:], "only what is new comes after reopening")
    async with engine.run() as reader:
        await reader.silence()


async def what_is_published_while_the_engine_is_down_waits(far_side: FarSide) -> None:
    """A source that was opened once misses nothing that is published until it is opened again."""
    await far_side.introduce()
    engine, sent = Engine(far_side), _bodies(6)
    async with engine.run() as reader:
        await far_side.publish(sent[:2])
        await reader.read(2, ack=True)
    await far_side.publish(sent[2:])
    async with engine.run() as reader:
        _expect(await reader.read(4, ack=True), sent[2:], "what was published meanwhile waits")


async def only_the_acknowledged_part_is_forgotten(far_side: FarSide) -> None:
    """Of what was handed over, exactly the batches that were acknowledged stay away."""
    await far_side.introduce()
    engine, sent = Engine(far_side), _bodies(10)
    async with engine.run() as reader:
        await far_side.publish(sent)
        first = await reader.next()
        await reader.ack(first)
        rest = len(sent) - len(first.items)
        await reader.read(rest, ack=False)
    if rest:
        async with engine.run() as reader:
            _expect(await reader.read(rest, ack=True), sent[len(first.items) :], "what was not acknowledged comes again, and nothing else")


async def order_within_a_key_is_kept(far_side: FarSide) -> None:
    """What one sender sends arrives in its order, over batches and acknowledgements."""
    await far_side.introduce()
    engine, sent = Engine(far_side), _bodies(300)
    async with engine.run() as reader:
        await far_side.publish(sent)
        _expect(await reader.read(300, ack=True), sent, "the order is kept")


async def bodies_arrive_untouched(far_side: FarSide) -> None:
    """Bytes are not judged here: rubbish is handed on for the decoder to refuse."""
    await far_side.introduce()
    engine = Engine(far_side)
    sent = [*_bodies(1), b'{"station":"\xff"', b"{", b'{"note":"' + b"x" * 300_000 + b'"}']
    async with engine.run() as reader:
        await far_side.publish(sent)
        _expect(await reader.read(len(sent), ack=True), sent, "bodies arrive as they were sent")


async def a_broken_connection_is_source_lost_and_loses_nothing(far_side: Breakable) -> None:
    """SourceLost ends ``batches``; acknowledging afterwards raises nothing; what was not acknowledged comes again."""
    await far_side.introduce()
    engine, sent = Engine(far_side), _bodies(4)
    async with engine.run() as reader:
        await far_side.publish(sent)
        await reader.read(4, ack=False)
        await far_side.break_off()
        await _lost(reader)
        await reader.source.ack(reader.batches[-1])  # the positions stay: the engine did not commit them
    async with engine.run() as reader:
        await _lost(reader)
    await far_side.mend()
    async with engine.run() as reader:
        _expect(await reader.read(4, ack=True), sent, "what was not acknowledged comes again")


async def _lost(reader: Reader) -> None:
    try:
        batch = await reader.next()
    except SourceLost:
        return
    raise AssertionError(f"no SourceLost but {len(batch.items)} items")


PROMISES: tuple[Callable[[FarSide], Awaitable[None]], ...] = (
    what_is_not_acknowledged_comes_again,
    what_is_acknowledged_never_comes_again,
    what_is_published_while_the_engine_is_down_waits,
    only_the_acknowledged_part_is_forgotten,
    order_within_a_key_is_kept,
    bodies_arrive_untouched,
)
"""What every source promises."""

BREAKABLE_PROMISES: tuple[Callable[[Breakable], Awaitable[None]], ...] = (a_broken_connection_is_source_lost_and_loses_nothing,)
"""What every source with a connection promises besides."""
