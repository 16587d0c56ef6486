import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from dispatcher.errors import Overloaded
from dispatcher.intake import http_intake
from dispatcher.intake.http_intake import HttpIntake
from dispatcher.intake.sourcing import keep_open
from dispatcher.ports import Kind
from rules.grade import Grade
from tests.dispatch.making import START, V1
from tests.dispatch.running import Running, rain


@asynccontextmanager
async def taking(engine: Running, intake: HttpIntake) -> AsyncIterator[None]:
    """The pipeline runs and reads what requests hand in."""
    run = asyncio.create_task(engine.pipeline.run())
    reading = asyncio.create_task(keep_open(engine.place, engine.pipeline, intake))
    try:
        yield
    finally:
        reading.cancel()
        await engine.pipeline.stop()
        await asyncio.wait([run, reading])


async def test_a_request_is_answered_when_its_body_is_durable_with_what_became_of_each_item(engine: Running) -> None:
    intake = HttpIntake()
    async with taking(engine, intake):
        body = rain(12, START) + b"\n" + rain(1, START, "nowhere")
        held = await intake.submit(body, Kind.READINGS, "/api/v1/readings")
        assert [r.value for r in held.readings] == [12]
        assert [r.code for r in held.rejects] == ["unknown_station"]
        assert len(await engine.rows("journal.since", seq=0, limit=9)) == 1
    assert (await engine.notice(V1)).grade is Grade.RED


async def test_many_requests_at_once_each_get_their_own_answer(engine: Running) -> None:
    intake = HttpIntake()
    async with taking(engine, intake):
        held = await asyncio.gather(*(intake.submit(rain(n, START), Kind.READINGS, "/") for n in range(20)))
    assert [h.readings[0].value for h in held] == list(range(20))


async def test_a_request_too_many_is_refused_and_nothing_of_it_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_intake, "MOST_WAITING", 2)
    intake = HttpIntake()
    waiting = [asyncio.create_task(intake.submit(b"{}", Kind.READINGS, "/")) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await intake.submit(b"{}", Kind.READINGS, "/")
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    with pytest.raises(Overloaded):
        await intake.submit(b"{}", Kind.READINGS, "/")  # those who hung up still stand in the queue
