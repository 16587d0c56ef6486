from collections.abc import Mapping
from typing import Any

import pytest

from dispatcher.timestamps import to_ms
from dispatcher.upkeep.audit import Act, hash_of, verify_audit, write_audit
from tests.dispatch.making import COUNTY, START
from tests.dispatch.running import Running


class Altered:
    """A reader of a log that somebody has worked on."""

    def __init__(self, rows: list[Mapping[str, Any]]) -> None:
        self.rows = rows

    async def fetch(self, query: str, params: Mapping[str, Any] | None = None) -> list[Mapping[str, Any]]:
        assert query == "desk.audit"
        wanted = params or {}
        return [r for r in self.rows if r["seq"] > wanted["after"]][: wanted["limit"]]


async def log(engine: Running, count: int = 5) -> list[Mapping[str, Any]]:
    acts = [Act(actor="陈", origin="127.0.0.1", act="answer", subject=f"n{n}", detail={"people": n}) for n in range(count)]
    for some in (acts[:2], [], acts[2:]):
        async with engine.store.write() as tx:
            await write_audit(tx, COUNTY, START, some)
    return await engine.rows("desk.audit", after=0, limit=100)


async def test_a_log_that_nobody_touched_holds(engine: Running) -> None:
    rows = await log(engine)
    async with engine.store.read() as reader:
        assert await verify_audit(reader) is None
    assert [r["previous"] for r in rows] == ["", *[r["hash"] for r in rows[:-1]]]


async def test_an_empty_log_holds(engine: Running) -> None:
    async with engine.store.read() as reader:
        assert await verify_audit(reader) is None


@pytest.mark.parametrize("field", ["county", "at", "actor", "origin", "act", "subject", "detail"])
async def test_an_altered_field_is_found_at_its_entry(engine: Running, field: str) -> None:
    rows = await log(engine)
    other = to_ms(START) + 1 if field == "at" else "other"
    assert await verify_audit(Altered([*rows[:2], {**rows[2], field: other}, *rows[3:]])) == rows[2]["seq"]


async def test_an_altered_entry_with_a_new_hash_is_found_at_the_next(engine: Running) -> None:
    rows = await log(engine)
    forged = {**rows[2], "actor": "nobody"}
    assert await verify_audit(Altered([*rows[:2], {**forged, "hash": hash_of(forged)}, *rows[3:]])) == rows[3]["seq"]


async def test_a_removed_and_an_exchanged_entry_are_found(engine: Running) -> None:
    rows = await log(engine)
    assert await verify_audit(Altered([*rows[:2], *rows[3:]])) == rows[3]["seq"]
    swapped = [{**rows[2], "seq": rows[1]["seq"]}, {**rows[1], "seq": rows[2]["seq"]}]
    assert await verify_audit(Altered([rows[0], *swapped, *rows[3:]])) == rows[1]["seq"]
