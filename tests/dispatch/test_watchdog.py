"""A part whose loop hangs is named with what it is at, and noticed once; one that waits for work does not hang."""

import asyncio

import pytest

from dispatcher.ports import Batch
from dispatcher.upkeep.health import HANGS_AFTER_S, Health
from dispatcher.upkeep.watchdog import look
from tests.dispatch.making import START
from tests.dispatch.running import PATIENCE_S, Quiet, Running, batch, rain


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_step_that_takes_too_long_is_named_and_the_innermost_of_several() -> None:
    seconds = Seconds()
    health = Health(seconds)
    with health.at_work("pipeline", "deciding"):
        seconds.now = HANGS_AFTER_S
        assert health.problems() == []
        with health.at_work("pipeline", "acknowledging to mqtt"):
            seconds.now = HANGS_AFTER_S * 2 + 1
            assert health.problems() == ["pipeline: hangs: acknowledging to mqtt for 31 s"]
        assert health.problems() == ["pipeline: hangs: deciding for 61 s"]
    assert health.problems() == []
    seconds.now = 1e9
    assert health.problems() == [], "who waits for work does not hang"


def test_a_hang_is_logged_once_and_so_is_its_end() -> None:
    seconds, log = Seconds(), Quiet()
    health = Health(seconds)
    known: set[str] = set()
    with health.at_work("desk", "recording"):
        for seconds.now in (0, 40, 50, 60):
            known = look(health, log, known)
    look(health, log, known)
    assert [(action, facts["part"]) for action, facts in log.lines] == [("part_hangs", "desk"), ("part_goes_on", "desk")]


async def test_a_pipeline_whose_source_does_not_return_from_its_acknowledgement_makes_the_engine_unready(
    engine: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds, hung = Seconds(), asyncio.Event()
    health = engine.place.health
    monkeypatch.setattr(health, "_seconds", seconds)

    async def never(one: Batch) -> None:
        hung.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(engine.tap, "ack", never)
    reading = asyncio.create_task(engine.read(batch(rain(1, START))))
    await asyncio.wait_for(hung.wait(), PATIENCE_S)
    assert health.problems() == []
    seconds.now = HANGS_AFTER_S + 1
    assert health.problems() == ["pipeline: hangs: acknowledging to tap for 31 s"]
    reading.cancel()
    await asyncio.wait([reading])
