"""The rule state is kept as a whole now and then, and in between as what has changed."""

import pytest

from dispatcher.errors import StoreFailed
from dispatcher.intake import chain as chains
from dispatcher.testing.stores import FarSide
from tests.dispatch.making import START, minutes
from tests.dispatch.running import Running, batch, rain, running
from tests.dispatch.test_pipeline import state


async def _kept(engine: Running) -> list[tuple[int, int]]:
    """(journal row, row of the whole one it follows) of each snapshot that a restart would read."""
    base = (await engine.rows("journal.last_snapshot"))[0]["base_seq"]
    return [(row["journal_seq"], base) for row in await engine.rows("journal.last_chain")]


async def _rains(engine: Running, count: int, first: int = 0) -> None:
    for n in range(first, first + count):
        await engine.read(batch(rain(1, START + minutes(5 * n))))
        await engine.pipeline.snapshot()


async def test_after_a_whole_snapshot_only_changes_are_kept_and_a_restart_reads_them_all(place: FarSide) -> None:
    async with running(place) as engine:
        await _rains(engine, 3)
        assert await _kept(engine) == [(1, 1), (2, 1), (3, 1)]
        await engine.read(batch(rain(2, START + minutes(15))))
        before = state(engine)
    async with running(place, start=START + minutes(16)) as engine:
        assert state(engine) == before
        recovered = await engine.pipeline.start()
        assert (recovered.seq, recovered.replayed) == (4, 1)
        await _rains(engine, 1, first=4)
        assert await _kept(engine) == [(5, 5)]


async def test_a_chain_does_not_grow_for_ever(engine: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chains, "MOST", 2)
    await _rains(engine, 5)
    assert await _kept(engine) == [(4, 4), (5, 4)]


async def test_changes_that_could_not_be_kept_are_in_the_next_whole_one(engine: Running) -> None:
    await _rains(engine, 2)
    await engine.read(batch(rain(3, START + minutes(10))))
    engine.store.plan = [0]
    with pytest.raises(StoreFailed):
        await engine.pipeline.snapshot()
    await engine.pipeline.snapshot()
    assert await _kept(engine) == [(3, 3)]
    before = state(engine)
    await engine.pipeline.start()
    assert state(engine) == before
