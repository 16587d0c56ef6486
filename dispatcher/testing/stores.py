"""What every store promises, as functions that run against a real one. No pytest needed.

A test hands over a ``FarSide`` of its own kind and awaits each promise; a broken one raises AssertionError in words::

    @pytest.mark.parametrize("promise", PROMISES, ids=lambda p: p.__name__)
    async def test_sqlite_keeps(promise, far_side): await promise(far_side)
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from dispatcher.errors import StoreFailed, Unreachable
from dispatcher.ports import Claims, Reader, Shared, Store, Transaction
from dispatcher.queries import load_queries

PATIENCE_S = 30.0
"""How long a promise waits for what must come; never how long it takes."""

_COUNTER = "journal.set_counter"
_READ = "journal.counter"
_MANY = 20
_FILLING = 400
_LARGE = "x" * 20_000


class FarSide(Protocol):
    """The place where a store keeps what it is given; it outlives the store."""

    async def open(self) -> Store:
        """The store, made ready: an empty place gets its schema, a used one keeps what it has."""
        ...

    async def prepare(self, query: str) -> None:
        """Let the far side compile a named query without running it; raises whatever it raises."""
        ...


class Bounded(FarSide, Protocol):
    """A far side whose room can be taken away and given back."""

    async def fill_up(self, store: Store) -> None:
        """Leave room for a few more rows only."""
        ...

    async def make_room(self, store: Store) -> None:
        """Take the bound away."""
        ...


@asynccontextmanager
async def _opened(far_side: FarSide) -> AsyncIterator[Store]:
    store = await far_side.open()
    try:
        yield store
    finally:
        await store.close()


async def _set(tx: Transaction, name: str, value: int) -> None:
    await tx.run(_COUNTER, {"name": name, "value": value})


async def _value(store: Store, name: str) -> int | None:
    async with store.read() as reader:
        return await _read(reader, name)


async def _read(reader: Reader, name: str) -> int | None:
    rows = await reader.fetch(_READ, {"name": name})
    return rows[0]["value"] if rows else None


async def an_empty_place_becomes_a_store(far_side: FarSide) -> None:
    """The schema is made on the first opening, and opening again changes nothing."""
    for _ in range(2):
        async with _opened(far_side) as store:
            _expect(await _value(store, "nothing"), None, "a new store is empty")


async def every_named_query_is_understood(far_side: FarSide) -> None:
    """Each query of dispatcher/sql fits the schema."""
    async with _opened(far_side):
        for query in load_queries(lambda name: f"(:{name})"):
            try:
                await far_side.prepare(query)
            except Exception as error:
                raise AssertionError(f"query {query} is not understood: {error}") from error


async def what_was_committed_is_there_after_reopening(far_side: FarSide) -> None:
    """Durable on return: leaving ``write`` is the promise."""
    async with _opened(far_side) as store:
        async with store.write() as tx:
            await _set(tx, "kept", 7)
            _expect(await _read(tx, "kept"), 7, "a transaction sees its own writes")
        _expect(await _value(store, "kept"), 7, "a reader sees what was committed")
    async with _opened(far_side) as store:
        _expect(await _value(store, "kept"), 7, "it is there after reopening")


async def what_was_not_committed_leaves_nothing(far_side: FarSide) -> None:
    """An exception rolls all of it back, and the next transaction works."""
    async with _opened(far_side) as store:
        await _broken(store)
        _expect(await _value(store, "half"), None, "nothing of it is left")
        async with store.write() as tx:
            await _set(tx, "next", 1)
        _expect((await _value(store, "half"), await _value(store, "next")), (None, 1), "the next one works alone")


async def _broken(store: Store) -> None:
    with suppress(_OursError):
        async with store.write() as tx:
            await _set(tx, "half", 1)
            raise _OursError


class _OursError(Exception):
    """Raised inside a transaction."""


async def one_writer_at_a_time(far_side: FarSide) -> None:
    """Transactions do not interleave: none of many that read and write back is lost."""
    async with _opened(far_side) as store:

        async def count() -> None:
            async with store.write() as tx:
                before = await _read(tx, "count") or 0
                await asyncio.sleep(0)
                await _set(tx, "count", before + 1)

        await _all([count() for _ in range(_MANY)])
        _expect(await _value(store, "count"), _MANY, "every transaction counted once")


async def readers_do_not_wait_for_the_writer(far_side: FarSide) -> None:
    """While a transaction is open, a reader sees the state before it, at once."""
    async with _opened(far_side) as store:
        async with store.write() as tx:
            await _set(tx, "seen", 1)
        async with store.write() as tx:
            await _set(tx, "seen", 2)
            before = await asyncio.wait_for(_value(store, "seen"), PATIENCE_S)
        _expect((before, await _value(store, "seen")), (1, 2), "before the commit the old, after it the new")


async def a_reader_sees_one_state(far_side: FarSide) -> None:
    """What is committed while a reader is open does not appear in it."""
    async with _opened(far_side) as store:
        async with store.read() as reader:
            _expect(await _read(reader, "state"), None, "nothing yet")
            async with store.write() as tx:
                await _set(tx, "state", 1)
            _expect(await _read(reader, "state"), None, "still nothing")
        _expect(await _value(store, "state"), 1, "the next reader sees it")


async def a_cancelled_caller_blocks_nobody(far_side: FarSide) -> None:
    """Wherever a caller is cancelled, its transaction is there whole or not at all, and the next one works."""
    async with _opened(far_side) as store:
        for steps in range(_MANY):
            task = asyncio.create_task(_two(store, steps + 1))
            for _ in range(steps):
                await asyncio.sleep(0.0005)
            task.cancel()
            await asyncio.wait([task])
            async with store.read() as reader:
                pair = await _read(reader, "left"), await _read(reader, "right")
            _expect(pair[0], pair[1], "both or neither")
            async with store.write() as tx:
                await _set(tx, "after", steps)
        _expect(await _value(store, "after"), _MANY - 1, "the last transaction was kept")


async def _two(store: Store, value: int) -> None:
    async with store.write() as tx:
        await _set(tx, "left", value)
        await _set(tx, "right", value)
    async with store.read() as reader:
        await _read(reader, "left")


async def members_of_a_list_can_be_asked_for(far_side: FarSide) -> None:
    """``EACH`` takes a JSON array, the empty one included."""
    async with _opened(far_side) as store, store.read() as reader:
        for members in ("[]", '["a"]', '["a","b\'c","中"]'):
            _expect(await reader.fetch("deliveries.by_ids", {"ids": members}), [], "nothing is found, and nothing raised")


async def a_store_that_is_full_says_so_and_recovers(far_side: Bounded) -> None:
    """StoreFailed, nothing of the transaction kept, readers undisturbed; with room again all works."""
    async with _opened(far_side) as store:
        async with store.write() as tx:
            await _set(tx, "before", 1)
        await far_side.fill_up(store)
        await _must_fail(store)
        _expect((await _value(store, "before"), await _value(store, "large-0")), (1, None), "what was there is there, and no more")
        await far_side.make_room(store)
        async with store.write() as tx:
            await _set(tx, "after", 2)
        _expect(await _value(store, "after"), 2, "with room again it takes what comes")


async def _must_fail(store: Store) -> None:
    try:
        async with store.write() as tx:
            for n in range(_FILLING):
                await _set(tx, f"large-{n}", n)
                await _set(tx, _LARGE + str(n), n)
    except StoreFailed:
        return
    raise AssertionError("a full store raises StoreFailed")


async def a_second_owner_is_refused(far_side: FarSide) -> None:
    """Where one process owns the place, another is told who holds it; when that one has closed, it may."""
    async with _opened(far_side):
        try:
            second = await far_side.open()
        except Unreachable as refused:
            _expect([word for word in ("in use",) if word in str(refused)], ["in use"], f"the message says why: {refused}")
        else:
            await second.close()
            raise AssertionError("a second owner was let in")
    async with _opened(far_side) as store:
        _expect(await _value(store, "nothing"), None, "after closing the next may")


async def a_name_is_held_by_one_process(far_side: FarSide) -> None:
    """Another is told no, and may have it as soon as the first is gone; asking again for one's own changes nothing."""
    async with _opened(far_side) as other:
        async with _opened(far_side) as store:
            _expect([await _claims(store).hold("a") for _ in range(3)], [True] * 3, "held, and still held")
            _expect((await _claims(other).hold("a"), await _claims(other).hold("b")), (False, True), "one holder for each name")
        await _until(lambda: _claims(other).hold("a"))
    async with _opened(far_side) as store:
        _expect([await _claims(store).hold("b")], [True], "what was asked for three times is free after one end")


async def who_arrives_knows_whether_it_is_alone(far_side: FarSide) -> None:
    """The first is alone, the second is not, and none joins while another does."""
    async with _opened(far_side) as first, _opened(far_side) as second:
        async with _claims(first).arriving() as alone:
            _expect([alone], [True], "nobody else")
            arriving = asyncio.create_task(_arrive(second))
            done, _ = await asyncio.wait([arriving], timeout=0.2)
            _expect(done, set(), "the second waits until the first has joined")
        _expect([await asyncio.wait_for(arriving, PATIENCE_S)], [False], "the first is there")


def _claims(store: Store) -> Claims:
    if not isinstance(store, Shared):
        raise TypeError("not a store that several may open at once")
    return store.claims


async def _arrive(store: Store) -> bool:
    async with _claims(store).arriving() as alone:
        return alone


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():  # noqa: ASYNC110 - another process decides it
            await asyncio.sleep(0.05)


async def _all(work: list[Awaitable[None]]) -> None:
    await asyncio.wait_for(asyncio.gather(*work), PATIENCE_S)


def _expect(got: object, wanted: object, promise: str) -> None:
    """Not ``assert``: a promise is checked under ``python -O`` too."""
    if got != wanted:
        raise AssertionError(f"{promise}: expected {wanted!r}, got {got!r}"[:2000])


PROMISES: tuple[Callable[[FarSide], Awaitable[None]], ...] = (
    an_empty_place_becomes_a_store,
    every_named_query_is_understood,
    what_was_committed_is_there_after_reopening,
    what_was_not_committed_leaves_nothing,
    one_writer_at_a_time,
    readers_do_not_wait_for_the_writer,
    a_reader_sees_one_state,
    a_cancelled_caller_blocks_nobody,
    members_of_a_list_can_be_asked_for,
)
"""What every store promises."""

BOUNDED_PROMISES: tuple[Callable[[Bounded], Awaitable[None]], ...] = (a_store_that_is_full_says_so_and_recovers,)
"""What a store promises whose room can end."""

OWNED_PROMISES: tuple[Callable[[FarSide], Awaitable[None]], ...] = (a_second_owner_is_refused,)
"""What a store promises that one process owns."""

SHARED_PROMISES: tuple[Callable[[FarSide], Awaitable[None]], ...] = (
    a_name_is_held_by_one_process,
    who_arrives_knows_whether_it_is_alone,
)
"""What a store promises that several processes have open at once."""
