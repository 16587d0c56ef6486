"""Requests that are sent again under the key of their sender, on the real pipeline and a real store."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from dispatcher.accounts import Role, add_token
from dispatcher.intake.http_intake import HttpIntake
from dispatcher.intake.sourcing import keep_open
from dispatcher.web.application import create_app
from tests.dispatch.making import START, minutes
from tests.dispatch.running import Running, rain, running
from tests.store.far_sides import SqliteFile
from tests.web.bench import Bench

BODY = rain(1, START) + b"\n" + rain(1, START, "nowhere")
URL = "/api/v1/readings"


@dataclass
class Served:
    """A client with a token, the engine behind it, and its intake."""

    client: httpx.AsyncClient
    engine: Running
    intake: HttpIntake

    async def post(self, body: bytes = BODY, key: str = "k-1", **headers: str) -> httpx.Response:
        return await self.client.post(URL, content=body, headers={"Idempotency-Key": key, **headers})

    async def rows(self) -> int:
        return len(await self.engine.rows("journal.since", seq=0, limit=99))


@asynccontextmanager
async def serving(engine: Running, bench: Bench, name: str = "gauges") -> AsyncIterator[Served]:
    """The web over the pipeline and store of an engine."""
    intake = HttpIntake()
    token = await add_token(engine.store, name, Role.FORECASTER, START)
    context = replace(bench.context, intake=intake, store=engine.store)
    run = asyncio.create_task(engine.pipeline.run())
    reading = asyncio.create_task(keep_open(engine.place, engine.pipeline, intake))
    transport = httpx.ASGITransport(create_app(context))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://duty.example") as client:
            client.headers["Authorization"] = f"Bearer {token}"
            yield Served(client, engine, intake)
    finally:
        reading.cancel()
        await engine.pipeline.stop()
        await asyncio.wait([run, reading])


@pytest.fixture
def place(tmp_path: Path) -> SqliteFile:
    return SqliteFile(tmp_path / "engine.db")


async def test_a_repeat_gets_the_same_answer_and_is_not_taken_in_again_also_after_a_restart(place: SqliteFile, bench: Bench) -> None:
    async with running(place) as engine, serving(engine, bench) as served:
        first = await served.post()
        again = await served.post()
        packed = await served.post(gzip.compress(BODY), **{"Content-Encoding": "gzip"})
        assert await served.rows() == 1
    async with running(place) as engine, serving(engine, bench) as served:
        later = await served.post()
        assert await served.rows() == 1
    assert first.status_code == 202
    assert (first.json()["accepted"], first.json()["rejected"]) == (1, 1)
    for repeat in (again, packed, later):
        assert (repeat.status_code, repeat.json(), repeat.headers["idempotency-replayed"]) == (202, first.json(), "true")
    assert "idempotency-replayed" not in first.headers


async def test_a_refusal_of_everything_is_repeated_too(place: SqliteFile, bench: Bench) -> None:
    async with running(place) as engine, serving(engine, bench) as served:
        first, again = await served.post(b"{"), await served.post(b"{")
        assert len(await engine.rows("rejects.listed", before=99, limit=9)) == 1
    assert first.status_code == again.status_code == 422
    assert first.json() == again.json()


async def test_a_key_belongs_to_one_body_and_one_sender_for_a_day(place: SqliteFile, bench: Bench) -> None:
    async with running(place) as engine:
        async with serving(engine, bench) as served:
            await served.post()
            other = await served.post(rain(2, START))
            assert (other.status_code, other.json()["title"]) == (422, "Unprocessable Entity")
            assert "another body" in other.json()["detail"]
            assert await served.rows() == 1
        async with serving(engine, bench, "another sender") as served:
            assert "idempotency-replayed" not in (await served.post()).headers
            assert await served.rows() == 2
            engine.clock.advance(minutes(25 * 60))
            assert (await served.post(key="k-2")).status_code == 202
            assert "idempotency-replayed" not in (await served.post()).headers, "forgotten with the first new key after a day"


async def test_the_same_key_at_the_same_moment_is_asked_to_come_back(place: SqliteFile, bench: Bench) -> None:
    async with running(place) as engine, serving(engine, bench) as served:
        answers = await asyncio.gather(*(served.post() for _ in range(5)))
        assert await served.rows() == 1
    done = [a for a in answers if a.status_code == 202]
    assert done
    for answer in answers:
        if answer not in done:
            assert (answer.status_code, answer.headers["retry-after"]) == (409, "2")


async def test_without_a_key_each_request_is_taken_in(place: SqliteFile, bench: Bench) -> None:
    async with running(place) as engine, serving(engine, bench) as served:
        await served.post(key="")
        await served.post(key="")
        assert await served.rows() == 2
