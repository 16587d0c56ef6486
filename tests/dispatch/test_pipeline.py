from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatcher.errors import StoreFailed
from dispatcher.intake import effects as effects_module
from dispatcher.intake import pipeline as pipeline_module
from dispatcher.model.task import TaskKind
from dispatcher.ports import Batch, Transaction
from dispatcher.testing.stores import FarSide
from dispatcher.warnings.issuing import Issued, apply_changes
from rules.change import Change
from rules.grade import Grade
from tests.dispatch.conftest import Places
from tests.dispatch.making import GAUGES, START, V1, V3, house, minutes
from tests.dispatch.running import Running, Tap, batch, rain, running

TELL = ("warnings.changes", "notices.all", "deliveries.all")


def state(engine: Running) -> object:
    """All of the rule state that shows: grades with their clocks, values, and when the next one falls silent."""
    engine_now = engine.pipeline.engine
    return list(engine_now.standing()), {g: engine_now.values(g) for g in GAUGES}, engine_now.next_tick()


async def journal(engine: Running) -> list[tuple[int, str, int]]:
    return [(r["seq"], r["kind"], r["decided"]) for r in await engine.rows("journal.since", seq=0, limit=1000)]


async def test_a_batch_its_effects_and_its_position_are_one_commit(engine: Running) -> None:
    await engine.read(batch(rain(12, START), b"{broken", position="17"))
    assert await journal(engine) == [(1, "batch", 1)]
    assert (await engine.notice(V1)).grade is Grade.RED
    assert [r["position"] for r in await engine.rows("journal.positions", source="tap")] == ["17"]
    assert [(r["code"], bytes(r["excerpt"])) for r in await engine.rows("rejects.listed", before=99, limit=9)] == [
        ("truncated", b"{broken")
    ]


async def test_a_batch_is_acknowledged_once_and_only_after_it_is_durable(engine: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    async def ack(one: Batch) -> None:
        async with engine.store.read() as reader:
            seen.append(len(await reader.fetch("journal.since", {"seq": 0, "limit": 10})))
        engine.tap.acked.append(one)

    monkeypatch.setattr(engine.tap, "ack", ack)
    first, second = batch(rain(1, START)), batch(rain(2, START + minutes(5)))
    await engine.read(first)
    await engine.read(second)
    assert seen == [1, 2]
    assert engine.tap.acked == [first, second]


class DividedTap(Tap):
    """A source whose parts may be another's."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Batch] = []

    def look_up(self, read: Callable[[], Awaitable[Mapping[str, str]]]) -> None:
        raise NotImplementedError

    def overtaken(self, batch: Batch) -> None:
        self.told.append(batch)


async def test_a_batch_that_goes_on_from_other_positions_than_the_committed_is_not_used_and_its_source_begins_again(
    engine: Running,
) -> None:
    engine.tap = tap = DividedTap()

    def part(value: float, at: int, since: str, position: str) -> Batch:
        return replace(batch(rain(value, START + minutes(at)), position=position), since={"offset": since})

    first, again, next_one = part(1, 0, "", "1"), part(12, 5, "", "1"), part(2, 10, "1", "2")
    early, after_gap = part(12, 15, "0", "3"), part(12, 20, "7", "8")
    await engine.read(first, again, next_one, early)
    await engine.read(after_gap)
    assert tap.told == [again, early, after_gap]
    assert engine.tap.acked == [first, again, next_one, early, after_gap], "it need not be held any longer"
    assert [seq for seq, _, _ in await journal(engine)] == [1, 2]
    assert [r["position"] for r in await engine.rows("journal.positions", source="tap")] == ["2"]
    assert await engine.notices() == []
    assert [line for line, _ in engine.log.lines].count("overtaken") == 3


async def test_nothing_is_acknowledged_while_the_store_fails_and_all_of_it_after(engine: Running) -> None:
    engine.store.plan = [0, 1, 2]  # at the commit, at the first statement, at the second
    only = batch(rain(12, START), position="1")
    await engine.read(only)
    assert engine.tap.acked == [only]
    assert await journal(engine) == [(1, "batch", 1)]
    assert [n.grade for n in await engine.notices()] == [Grade.RED, Grade.RED]
    assert engine.place.health.problems() == []
    assert [line for line, _ in engine.log.lines].count("store_failed") == 3


async def test_after_a_store_failure_the_rule_state_is_that_of_the_last_commit(engine: Running) -> None:
    await engine.read(batch(rain(3, START)))
    committed = state(engine)
    engine.store.plan = [0]
    with pytest.raises(StoreFailed):
        await engine.pipeline._commit([pipeline_module._Arrived(engine.tap, batch(rain(9, START + minutes(5))))])
    assert state(engine) != committed
    await engine.pipeline._rebuild(None)
    assert state(engine) == committed


def cannot_decide(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Changes of one gauge cannot be decided upon."""

    async def failing(tx: Transaction, kept: Any, changes: Sequence[Change], now: datetime) -> Issued:  # noqa: ANN401
        if any(change.place == place for change in changes):
            raise ZeroDivisionError
        return await apply_changes(tx, kept, changes, now)

    monkeypatch.setattr(effects_module, "apply_changes", failing)


async def test_what_cannot_be_decided_is_kept_with_a_task_and_the_good_ones_beside_it_are_decided(
    engine: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    cannot_decide(monkeypatch, "G3")
    good, bad, more = batch(rain(12, START)), batch(rain(12, START, "G3"), position="5"), batch(rain(1, START, "G2"))
    await engine.read(good, bad, more)
    assert [(kind, decided) for _, kind, decided in await journal(engine)] == [("batch", 1), ("batch", 0), ("batch", 1)]
    assert engine.tap.acked == [good, bad, more]
    assert (await engine.notice(V1)).grade is Grade.RED
    assert [t.kind for t in await engine.tasks() if t.kind is TaskKind.UNDECIDED] == [TaskKind.UNDECIDED]
    assert [r["position"] for r in await engine.rows("journal.positions", source="tap")] == ["5"]
    committed = state(engine)
    await engine.pipeline.start()
    assert state(engine) == committed, "what was not decided is not decided again at a restart"


async def test_bytes_that_cannot_be_decided_are_kept_although_the_store_fails_meanwhile(
    engine: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    cannot_decide(monkeypatch, "G3")
    engine.store.plan = [None, 1, 0]
    await engine.read(batch(rain(12, START, "G3")), batch(rain(12, START)))
    assert sorted(decided for _, _, decided in await journal(engine)) == [0, 1]
    assert len(engine.tap.acked) == 2
    assert (await engine.notice(V1)).grade is Grade.RED


async def test_a_source_that_cannot_take_the_acknowledgement_stops_nothing(engine: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(one: Batch) -> None:
        raise OSError("gone")

    monkeypatch.setattr(engine.tap, "ack", broken)
    await engine.read(batch(rain(12, START)))
    await engine.read(batch(rain(1, START + minutes(5))))
    assert await journal(engine) == [(1, "batch", 1), (2, "batch", 1)]


async def test_a_snapshot_that_cannot_be_written_stops_nothing(engine: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_module, "SNAPSHOT_EVERY_S", -1.0)
    engine.store.plan = [None, 0]
    await engine.read(batch(rain(12, START)))
    await engine.read(batch(rain(1, START + minutes(5))))
    assert len(await journal(engine)) == 2
    assert len(await engine.rows("journal.last_snapshot")) == 1


async def test_ticks_do_not_pile_up_while_one_waits(engine: Running) -> None:
    for _ in range(200):
        await engine.pipeline.offer_tick()
    await engine.read()
    assert await journal(engine) == [(1, "tick", 1)]


async def test_a_silent_gauge_is_a_task_and_no_lowering(engine: Running) -> None:
    await engine.read(batch(rain(12, START, "G3")))
    await engine.later(minutes(21))
    await engine.read()
    assert {t.kind for t in await engine.tasks()} >= {TaskKind.NO_DATA}
    assert [n.grade for n in await engine.notices() if n.village == V3] == [Grade.RED]


async def test_deciding_again_sees_the_very_same_now_to_the_microsecond(engine: Running) -> None:
    engine.clock.advance(timedelta(microseconds=1_234_567))
    await engine.read(batch(rain(12, START)))
    awaited = engine.pipeline.engine.next_tick()
    await engine.pipeline.start()
    assert engine.pipeline.engine.next_tick() == awaited


async def damage(engine: Running, seq: int, **changes: object) -> None:
    """Rewrite a journal row as a bad disk would."""
    async with engine.store.write() as tx:
        rows = await tx.fetch("journal.since", {"seq": 0, "limit": 99})
        await tx.run("journal.forget", {"through": 99})
        for row in rows:
            await tx.run("journal.append", {**row, "county": "c"} | (changes if row["seq"] == seq else {}))


@pytest.mark.parametrize("changes", [{"checksum": 1}, {"payload": b"x"}, {"kind": "unheard"}], ids=["checksum", "bytes", "kind"])
async def test_recovery_goes_on_without_a_damaged_row_and_says_so(engine: Running, changes: dict[str, object]) -> None:
    await engine.read(batch(rain(3, START)))
    expected = state(engine)
    await engine.read(batch(rain(2, START + minutes(5))))
    await damage(engine, 2, **changes)
    recovered = await engine.pipeline.start()
    assert (recovered.seq, recovered.replayed, recovered.damaged) == (2, 1, (2,))
    assert state(engine) == expected, "all but the damaged row is there"
    assert [t.key for t in await engine.tasks() if t.kind is TaskKind.DAMAGED] == ["damaged/journal/2-2"]
    assert "1 journal rows are damaged (2)" in engine.place.health.problems()[0]
    assert engine.place.health.ready
    engine.clock.advance(minutes(10))
    await engine.read(batch(rain(8, START + minutes(10))))
    assert (await engine.notice(V1)).grade is Grade.RED
    assert [row["seq"] for row in await engine.rows("journal.oldest", limit=9)] == [1, 2, 3]


def _one_bit(data: bytes) -> bytes:
    """Still a snapshot, of another state."""
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize("spoiled", [lambda _: b"rubbish", _one_bit], ids=["rubbish", "one bit"])
async def test_a_damaged_snapshot_is_worked_out_anew_from_the_journal(engine: Running, spoiled: Callable[[bytes], bytes]) -> None:
    await engine.read(batch(rain(3, START)))
    await engine.read(batch(rain(2, START + minutes(5))))
    await engine.pipeline.snapshot()
    await engine.read(batch(rain(1, START + minutes(10))))
    expected = state(engine)
    async with engine.store.write() as tx:
        (row,) = await tx.fetch("journal.last_snapshot")
        await tx.run("journal.save_snapshot", {**row, "data": spoiled(row["data"])})
    recovered = await engine.pipeline.start()
    assert (recovered.seq, recovered.replayed) == (3, 3)
    assert state(engine) == expected
    assert [t.key for t in await engine.tasks() if t.kind is TaskKind.DAMAGED] == ["damaged/snapshot"]


# One reading: minutes since the last, its value, its gauge; and whether a crash or a snapshot follows it.
MOVE = st.tuples(
    st.integers(0, 9), st.integers(0, 12), st.sampled_from(["G1", "G2", "G3"]), st.sampled_from(["", "", "crash", "snap", "fail"])
)


AFTERWARDS = [(5, 3, gauge, "") for gauge in ("G1", "G2", "G3") * 3]


async def _run(place: FarSide, moves: Sequence[tuple[int, int, str, str]], *, interrupted: bool) -> tuple[object, list[object]]:
    async with running(place, house(coalesce=timedelta(0))) as engine:
        for delay, value, gauge, then in [*moves, *AFTERWARDS]:
            engine.clock.advance(minutes(delay) + timedelta(microseconds=1234))
            if interrupted and then == "fail":
                engine.store.plan = [value % 4]
            await engine.read(batch(rain(value, engine.clock.now().replace(microsecond=0), gauge)))
            tick = engine.pipeline.engine.next_tick()
            if tick is not None and tick <= engine.clock.now():
                await engine.pipeline.offer_tick()
                await engine.read()
            if interrupted and then == "snap":
                await engine.pipeline.snapshot()
            if interrupted and then in ("crash", "snap"):
                engine.pipeline = engine.new_pipeline()
                await engine.pipeline.start()
        told: list[object] = [[_told(row) for row in await engine.rows(q, before_seq=10**9, limit=10**6)] for q in TELL]
        return state(engine), told


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without its key: keys grow, but what was rolled back may leave a gap."""
    return {name: value for name, value in row.items() if name != "seq"}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(moves=st.lists(MOVE, min_size=1, max_size=12))
async def test_however_often_it_crashes_the_end_is_that_of_an_uninterrupted_run(
    moves: list[tuple[int, int, str, str]], places: Places
) -> None:
    plain = await _run(places(), moves, interrupted=False)
    crashed = await _run(places(), moves, interrupted=True)
    assert crashed[1] == plain[1]
    assert crashed[0] == plain[0]


async def test_a_new_process_on_the_same_store_goes_on_where_the_old_one_was(place: FarSide) -> None:
    async with running(place) as engine:
        await engine.read(batch(rain(3, START)))
        await engine.pipeline.snapshot()
        await engine.read(batch(rain(2, START + minutes(5))))
        before = state(engine)
    async with running(place, start=START + minutes(6)) as engine:
        assert state(engine) == before
        recovered = await engine.pipeline.start()
        assert (recovered.seq, recovered.replayed) == (2, 1)
        await engine.read(batch(rain(6, START + minutes(10))))
        assert (await engine.notice(V1)).grade is Grade.RED
