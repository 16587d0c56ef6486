"""The journal stays as long as recovery or a rule needs it; rejects keep their bytes, come in again when asked, and end in an archive."""

import asyncio
import base64
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.intake.catalogue import catalogue
from dispatcher.intake.refeeding import Refeeding, ask
from dispatcher.intake.rehearsal import REHEARSED
from dispatcher.intake.retention import ROWS_AT_ONCE, Retention, deletable, kept_for
from dispatcher.ports import Item
from dispatcher.timestamps import to_ms
from dispatcher.upkeep.audit import Act
from tests.dispatch.making import COUNTY, START, minutes
from tests.dispatch.running import PATIENCE_S, Running, batch, rain

AGES = st.lists(st.integers(0, 20), max_size=12)


@given(AGES, st.integers(0, 20), st.integers(0, 15))
def test_only_rows_that_are_old_and_behind_the_snapshot_go_and_none_before_one_that_stays(ages: list[int], age: int, snapshot: int) -> None:
    rows = [{"seq": n, "now": to_ms(START + minutes(at))} for n, at in enumerate(ages, 1)]
    through = deletable(rows, START + minutes(age), snapshot)
    assert through <= snapshot
    for row, at in zip(rows, ages, strict=True):
        assert row["seq"] > through or at < age
    following = [at for row, at in zip(rows, ages, strict=True) if row["seq"] == through + 1 and through + 1 <= snapshot]
    assert all(at >= age for at in following), "nothing stays that may go"


def test_rows_stay_at_least_as_long_as_the_longest_window_with_its_hold(engine: Running) -> None:
    floor = max(s.horizon_s for s in engine.pipeline.engine.plan.series)
    assert floor >= 3600
    assert kept_for(timedelta(0), engine.pipeline.engine.plan) == max(timedelta(seconds=floor), REHEARSED + timedelta(days=1))
    assert kept_for(timedelta(days=9), engine.pipeline.engine.plan) == timedelta(days=9)


async def seqs(engine: Running) -> list[int]:
    return [row["seq"] for row in await engine.rows("journal.oldest", limit=1000)]


async def test_what_recovery_needs_stays_however_old_it_is(engine: Running, tmp_path: Path) -> None:
    retention = Retention(engine.place, timedelta(0), tmp_path)
    for n in range(3):
        await engine.read(batch(rain(1, START + minutes(5 * n))))
    await engine.pipeline.snapshot()
    await engine.read(batch(rain(2, START + minutes(15))))
    await retention.once(engine.pipeline.engine.plan)
    assert await seqs(engine) == [1, 2, 3, 4], "younger than what a rehearsal looks back"
    engine.clock.advance(timedelta(days=5))
    before = engine.pipeline.engine.values("G1")
    assert not await retention.once(engine.pipeline.engine.plan)
    assert await seqs(engine) == [4], "the row behind the snapshot stays"
    recovered = await engine.pipeline.start()
    assert (recovered.seq, recovered.replayed) == (4, 1)
    assert engine.pipeline.engine.values("G1") == before


async def test_deleting_is_done_in_bounded_steps(engine: Running, tmp_path: Path) -> None:
    retention = Retention(engine.place, timedelta(0), tmp_path)
    await engine.read(*(batch(rain(0, START)) for _ in range(ROWS_AT_ONCE + 5)))
    await engine.pipeline.snapshot()
    engine.clock.advance(timedelta(days=5))
    assert await retention.once(engine.pipeline.engine.plan)
    assert len(await seqs(engine)) == 5
    assert not await retention.once(engine.pipeline.engine.plan)
    assert await seqs(engine) == []


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]


BAD = b'{"station":"G9","variable":"rain","value":3,"unit":"mm","time":"' + START.isoformat().encode() + b'"}' + b" " * 400


async def test_a_reject_goes_with_its_row_and_its_bytes_into_the_archive_before(engine: Running, tmp_path: Path) -> None:
    await engine.read(batch(rain(1, START), BAD))
    await engine.pipeline.snapshot()
    engine.clock.advance(timedelta(days=40))
    await Retention(engine.place, timedelta(0), tmp_path / "rejects").once(engine.pipeline.engine.plan)
    assert await engine.rows("rejects.listed", before=99, limit=9) == []
    assert await seqs(engine) == []
    (line,) = lines(tmp_path / "rejects")
    assert (line["code"], line["source"], base64.b64decode(line["body"])) == ("unknown_station", "tap", BAD)


async def test_too_many_rejects_are_archived_oldest_first(engine: Running, tmp_path: Path) -> None:
    for n in range(5):
        await engine.read(batch(b"{broken %d" % n))
    await Retention(engine.place, timedelta(days=9), tmp_path, most_rejects=2).once(engine.pipeline.engine.plan)
    assert [base64.b64decode(line["body"]) for line in lines(tmp_path)] == [b"{broken 0", b"{broken 1", b"{broken 2"]
    assert [bytes(r["excerpt"]) for r in await engine.rows("rejects.listed", before=99, limit=9)] == [b"{broken 4", b"{broken 3"]
    assert len(await seqs(engine)) == 5


async def test_nothing_is_deleted_that_could_not_be_archived(engine: Running, tmp_path: Path) -> None:
    await engine.read(batch(b"{broken"))
    await engine.pipeline.snapshot()
    engine.clock.advance(timedelta(days=40))
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        await Retention(engine.place, timedelta(0), tmp_path / "file" / "rejects").once(engine.pipeline.engine.plan)
    assert len(await engine.rows("rejects.listed", before=99, limit=9)) == 1
    assert len(await seqs(engine)) == 1


async def refed(engine: Running, wanted: list[int]) -> int:
    """Ask for rejects, and let the engine read what it then has to."""
    act = Act(actor="duty", act="refeed", subject="rejects")
    async with engine.store.write() as tx:
        asked = await ask(tx, COUNTY, wanted, act, engine.clock.now())
    source = Refeeding(engine.place)
    async with asyncio.timeout(PATIENCE_S):
        run = asyncio.create_task(engine.pipeline.run())
        for one in await source._asked():
            await engine.pipeline.offer(source, one)
        await engine.pipeline.stop()
        await run
    return asked


async def test_a_reject_comes_in_again_with_its_whole_bytes_and_format_once_what_was_wrong_is_mended(engine: Running) -> None:
    ruling = engine.pipeline.ruling
    known = ruling.decoding
    engine.pipeline.ruling = replace(ruling, decoding=replace(known, catalogue=catalogue((), set())))
    await engine.read(batch(rain(12, START)))
    assert await engine.notices() == []
    (reject,) = await engine.rows("rejects.listed", before=99, limit=9)
    engine.pipeline.ruling = ruling
    assert await refed(engine, [reject["seq"]]) == 1
    assert len(await engine.notices()) == 2
    assert [(r["seq"], r["state"]) for r in await engine.rows("rejects.listed", before=99, limit=9)] == [(reject["seq"], "refed")]
    audit = [row for row in await engine.rows("desk.audit", after=0, limit=99) if row["act"] == "refeed"]
    assert [(row["actor"], json.loads(row["detail"])) for row in audit] == [("duty", {"rejects": 1})]
    assert await refed(engine, [reject["seq"]]) == 1, "feeding it twice changes nothing"
    assert len(await engine.rows("warnings.changes", before_seq=99, limit=9)) == 1


async def test_what_is_still_wrong_is_a_new_reject_and_one_whose_bytes_are_gone_is_not_fed(engine: Running) -> None:
    await engine.read(batch(b"{broken"))
    (reject,) = await engine.rows("rejects.listed", before=99, limit=9)
    assert await refed(engine, [reject["seq"], 77]) == 1
    again, old = await engine.rows("rejects.listed", before=99, limit=9)
    assert (again["source"], again["state"], old["state"]) == ("refeed", "kept", "refed")
    async with engine.store.write() as tx:
        await tx.run("journal.forget", {"through": 99})
    assert await refed(engine, [again["seq"]]) == 1
    assert [r["state"] for r in await engine.rows("rejects.listed", before=99, limit=9)] == ["gone", "refed"]


async def test_the_engine_finds_by_itself_what_was_asked_for(engine: Running) -> None:
    await engine.read(batch(b"{broken", BAD))
    async with engine.store.write() as tx:
        assert await ask(tx, COUNTY, [1, 2], Act(actor="duty", act="refeed", subject="rejects"), START) == 2
    source = Refeeding(engine.place)
    found = source.batches({})
    got = [await asyncio.wait_for(anext(found), PATIENCE_S) for _ in range(2)]
    assert [one.items for one in got] == [(Item(b"{broken", "readings/test"),), (Item(BAD, "readings/test"),)]
    for one in got:
        await source.ack(one)
    assert await engine.rows("rejects.asked", limit=9) == []
    await found.aclose()  # type: ignore[attr-defined]
