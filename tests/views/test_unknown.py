"""No data at all is unknown, and shown as such."""

from pathlib import Path

from dispatcher.views.unknown import Remembered, Unknown, unknown_villages
from tests.dispatch.making import HAZARD, START, V1, V2, V3, minutes
from tests.dispatch.running import Running, batch, rain, running
from tests.store.far_sides import SqliteFile


def looked(engine: Running) -> Unknown:
    now = engine.pipeline.engine
    return unknown_villages(now.plan, now.standing(), engine.house.registry)


async def test_a_village_is_known_while_one_of_its_gauges_speaks_and_unknown_before_and_after(tmp_path: Path) -> None:
    async with running(SqliteFile(tmp_path / "unknown.db")) as engine:
        assert looked(engine) == {HAZARD: (V1, V2, V3)}
        await engine.read(batch(rain(1, START, "G1")))
        assert looked(engine) == {HAZARD: (V3,)}
        engine.clock.advance(minutes(21))
        await engine.read(batch(rain(0, START + minutes(20), "G3")))
        assert looked(engine) == {HAZARD: (V1, V2)}


def test_many_pages_at_once_look_once() -> None:
    looks: list[int] = []

    def look() -> Unknown:
        looks.append(1)
        return {HAZARD: (V1,)}

    remembered = Remembered(look)
    assert [remembered(), remembered()] == [{HAZARD: (V1,)}] * 2
    assert looks == [1]
