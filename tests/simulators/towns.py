"""Towns for tests: the real program on free ports, and an engine's webhooks that write down every call."""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import yaml
from aiohttp import web

from simulators import ledger
from simulators.ledger import Entry, Kind
from tests.services.mosquitto import Mosquitto

ACCOUNT, TOKEN = "AC" + "0" * 32, "token-of-the-test"
BASIC = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
SENDER = "+447700900999"
PATIENCE_S = 20.0
ASKS = "河口村立即转移到河口小学！山洪红色预警。回复“1 4821”已收到；“2 4821”正在转移；“3 4821 人数”已转移。"

#: contact id → habit; the number of the n-th is +44770090000n.
PEOPLE = {
    "prompt": "prompt",
    "link": "link",
    "wording": "wording",
    "silent": "silent",
    "off": "off",
    "dead": "dead",
    "refuses": "refuses",
    "deputy": "slow",
}
PHONE = {name: f"+44770090000{n}" for n, name in enumerate(PEOPLE, 1)}
SPEAKERS = {"spk-works": "works", "spk-offline": "offline", "spk-fails": "fails"}
QUICK = {key: [0.02, 0.05] for key in ("prompt", "slow", "sent", "undelivered", "speaker_start", "speaker_play", "picks_up")}
QUICK |= {"evacuating": [0.1, 0.15], "evacuated": [0.2, 0.25], "delivered": [0.05, 0.1]}


def write_registry(folder: Path, delays: Mapping[str, list[float]] | None = None) -> Path:
    """A registry of one village, and habits.yaml beside it that fixes what everybody does."""
    folder.mkdir(parents=True, exist_ok=True)
    people = [f"{name},某人,Someone,village.head,990299999001,{PHONE[name]},zh,sms" for name in PEOPLE]
    (folder / "contacts.csv").write_text("\n".join(["id,name,name_en,role,area,phone,language,channels", *people]) + "\n", "utf-8")
    (folder / "speakers.csv").write_text("\n".join(["id,village,name", *(f"{s},990299999001,村部" for s in SPEAKERS)]) + "\n", "utf-8")
    habits = {"contacts": PEOPLE, "speakers": SPEAKERS, "delays": QUICK | dict(delays or {})}
    (folder / "habits.yaml").write_text(yaml.safe_dump(habits), "utf-8")
    return folder


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds; fails after a generous time."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "what was waited for did not come"
        await asyncio.sleep(0.02)


@dataclass
class RunningTown:
    """One process."""

    process: subprocess.Popen[str]
    ready: Mapping[str, object]
    path: Path

    @property
    def url(self) -> str:
        return str(self.ready["gateway"])

    def entries(self, *kinds: Kind) -> list[Entry]:
        return [entry for entry in ledger.read(self.path) if not kinds or entry.kind in kinds]

    async def wait_for(self, kind: Kind, count: int = 1) -> list[Entry]:
        await until(lambda: len(self.entries(kind)) >= count)
        return self.entries(kind)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        code = self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    async def post(self, to: str, body: str = ASKS, **more: str) -> tuple[int, dict[str, object]]:
        """Hand over one text as any HTTP client would; gives the HTTP status and the answer."""
        form = {"To": to, "From": SENDER, "Body": body} | more
        async with (
            aiohttp.ClientSession(headers={"Authorization": BASIC}) as session,
            session.post(f"{self.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", data=form) as response,
        ):
            return response.status, await response.json()


def launch(command: list[str], environment: Mapping[str, str]) -> tuple[subprocess.Popen[str], str]:
    """A program and the first line that it says."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline()


StartTown = Callable[..., Awaitable[RunningTown]]


@pytest.fixture
def start_town(tmp_path: Path) -> Iterator[StartTown]:
    """Towns on the registry of the test, started with options such as ``"--swallow", "2"``; every one is stopped afterwards."""
    write_registry(tmp_path / "registry")
    started: list[RunningTown] = []

    async def start(*options: str) -> RunningTown:
        registry, path = tmp_path / "registry", tmp_path / "town.jsonl"
        command = [sys.executable, "-m", "simulators.town", "--registry", str(registry), "--ledger", str(path)]
        command += ["--habits", str(registry / "habits.yaml"), *options]
        secrets = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN}
        process, line = await asyncio.to_thread(launch, command, os.environ | secrets)
        town = RunningTown(process, json.loads(line), path)
        started.append(town)
        return town

    yield start
    for town in started:
        if town.process.poll() is None:
            town.stop(signal.SIGKILL)


@dataclass(frozen=True)
class Call:
    """One request that reached the engine's webhooks."""

    path: str
    form: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]

    @property
    def fields(self) -> dict[str, str]:
        return dict(self.form)


@dataclass
class Hooks:
    """The engine's web address: answers what the test says, and can go away and come back on the same port."""

    port: int = 0
    calls: list[Call] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    answer: int = 204
    says: Callable[[Call], str] = lambda _call: ""
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def at(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path.startswith(path)]

    def bodies(self) -> list[str]:
        return [call.fields["Body"] for call in self.at("/in")]

    async def open(self) -> None:
        application = web.Application()
        application.router.add_route("*", "/{tail:.*}", self._take)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = int(self._runner.addresses[0][1])

    async def shut(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _take(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            page = self.pages.get(request.path)
            return web.Response(text=page or "gone", content_type="text/html", status=200 if page else 410)
        form = tuple((name, str(value)) for name, value in (await request.post()).items())
        self.calls.append(Call(request.path_qs, form, dict(request.headers)))
        said = self.says(self.calls[-1])
        if said:
            return web.Response(text=said, content_type="text/xml")
        return web.Response(status=self.answer)


@pytest.fixture
async def hooks() -> AsyncIterator[Hooks]:
    """Webhooks that are open."""
    served = Hooks()
    await served.open()
    yield served
    await served.shut()


@pytest.fixture
def broker(mosquitto_with: Callable[..., Mosquitto]) -> Mosquitto:
    """A Mosquitto of the test's own, since every town uses the same name there."""
    return mosquitto_with()
