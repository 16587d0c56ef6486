"""A real browser before a real server on a free port of the loopback."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect

from adapters.stores.sqlite import open_store
from dispatcher.serving import bind, make_server
from dispatcher.web.application import create_app
from tests.browser.site import Site
from tests.web.bench import make_bench
from tests.web.seed import seed

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"]

#: On a busy machine a page takes its time; what never comes is a failure all the same.
expect.set_options(timeout=30_000)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    store = await open_store(tmp_path / "browser.db")
    await seed(store)
    listening = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    bench = await make_bench(store, public_url=url)
    server = make_server(create_app(bench.context))
    tasks = [asyncio.create_task(server.serve(sockets=[listening])), asyncio.create_task(bench.desk.run())]
    yield Site(bench, url)
    bench.context.stopping.set()
    server.should_exit = True
    await bench.desk.stop()
    await asyncio.gather(*tasks)
    await bench.client.aclose()
    await store.close()


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        await opened.close()
