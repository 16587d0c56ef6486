"""What the duty room sees: ``dispatch.matrix_ms`` and ``dispatch.sse_p99_ms``.

A red alert for a county of 600 villages is out. The page is asked for over HTTP, whole, by a session that is logged in. Then 200 viewers
hold the live stream open while lines are committed at 1,000 a second; the delay of a line is from its commit to a viewer's socket.
"""

import asyncio
import http.cookiejar
import json
import re
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

from bench.county import Size, write_county
from bench.dispatch_acks import COUNTY, released
from bench.figure import figure, percentile
from dispatcher.accounts import Role, add_token, add_user
from dispatcher.application import Application
from dispatcher.cli.running import run_async
from dispatcher.model.task import FeedKind, FeedLine
from dispatcher.ports import Status
from dispatcher.warnings.telling import add_feed
from rules.grade import Grade

VILLAGES, PAGES, VIEWERS = 600, 15, 200
PER_S, SECONDS, AT_ONCE = 1_000, 5, 20
_PASSWORD = "bench password"  # noqa: S105 - guards a simulated duty room on the loopback
_SENT = re.compile(rb"bench (\d+\.\d+)")


def pages(url: str) -> list[float]:
    """Milliseconds of each whole page, after the first, over one session."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    form = opener.open(f"{url}/login").read().decode()
    token = form.split('name="csrf" value="')[1].split('"')[0]
    said = urllib.parse.urlencode({"name": "bench", "password": _PASSWORD, "csrf": token, "next": "/"}).encode()
    assert opener.open(f"{url}/login", said).read().count(b"<tr id=") >= VILLAGES
    took = []
    for _ in range(PAGES):
        began = time.perf_counter()
        assert opener.open(f"{url}/").read().count(b"<tr id=") >= VILLAGES
        took.append((time.perf_counter() - began) * 1_000)
    return took


def watch(url: str, token: str) -> None:
    """All viewers, in a process of their own: says ``ready``, then how old lines were when they came (p99, ms) and how many came."""
    delays: list[float] = []

    async def view(ready: asyncio.Semaphore) -> None:
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        ready.release()
        while chunk := await reader.read(1 << 16):
            now = time.monotonic()
            delays.extend(now - float(sent) for sent in _SENT.findall(chunk))

    async def all_of_them() -> None:
        ready = asyncio.Semaphore(0)
        viewers = [asyncio.create_task(view(ready)) for _ in range(VIEWERS)]
        for _ in viewers:
            await ready.acquire()
        print("ready", flush=True)
        await asyncio.gather(*viewers, return_exceptions=True)  # until the engine stops

    run_async(all_of_them())
    print(json.dumps([percentile(delays, 0.99) * 1_000, len(delays)]), flush=True)


async def speak(app: Application) -> None:
    """Lines at the rate, a few to a commit, each with the time it was committed at."""
    began = time.monotonic()
    for n in range(PER_S * SECONDS // AT_ONCE):
        await asyncio.sleep(max(0.0, began + n * AT_ONCE / PER_S - time.monotonic()))
        async with app.store.write() as tx:
            text = f"bench {time.monotonic():.6f}"
            line = FeedLine(
                county=COUNTY, status=Status.ACTUAL, at=datetime.now(UTC), kind=FeedKind.TASK, grade=Grade.NONE, subject="", text_zh=text,
                text_en="",
            )  # fmt: skip
            await add_feed(tx, [line] * AT_ONCE)
        app.place.broadcast.wake()


async def child(call: str) -> asyncio.subprocess.Process:
    """A function of this file in a process of its own."""
    code = f"from bench.dispatch_matrix import *; {call}"
    return await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)


async def once(folder: Path) -> tuple[list[float], float]:
    """Page times and the 99th percentile of the stream's delays, in milliseconds."""
    app = await released(folder)
    try:
        now = app.clock.now()
        await add_user(app.store, "bench", Role.DUTY_OFFICER, _PASSWORD, now)
        token = await add_token(app.store, "bench", Role.VIEWER, now)
        asked = await child(f"print(json.dumps(pages({app.url!r})))")
        took = json.loads((await asked.communicate())[0])
        viewers = await child(f"watch({app.url!r}, {token!r})")
        assert viewers.stdout is not None
        assert await viewers.stdout.readline() == b"ready\n"
        await speak(app)
        await asyncio.sleep(2)
    finally:
        await app.stop()
    delay, count = json.loads((await viewers.communicate())[0])
    assert count >= VIEWERS * PER_S * SECONDS * 0.99, count
    return took, delay


def main(runs: int = 3) -> None:
    """Measure and print both figures."""
    matrix, stream = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as made:
            folder = write_county(Path(made) / "county", Size(villages=VILLAGES, stations=2, linked=VILLAGES))
            took, delay = run_async(once(folder))
        matrix.append(percentile(took, 0.5))
        stream.append(delay)
    figure("dispatch.matrix_ms", matrix, "ms", VILLAGES, f"the whole page over HTTP, median of {PAGES}, client in a process of its own")
    note = f"{PER_S} lines a second, {AT_ONCE} to a commit, from commit to each of {VIEWERS} viewers, who are in a process of their own"
    figure("dispatch.sse_p99_ms", stream, "ms", VIEWERS * PER_S * SECONDS, note)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
