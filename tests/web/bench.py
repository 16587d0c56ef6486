"""A web application over a seeded store and the real desk, spoken to without sockets."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from adapters.printers.pdf import PdfPrinter
from dispatcher.accounts import Role, add_token, add_user
from dispatcher.answers.desk import Desk
from dispatcher.answers.links import Link, sign_link
from dispatcher.clock import ManualClock
from dispatcher.drills.roll_calls import RollCalls
from dispatcher.drills.running import Drills
from dispatcher.duty.book import DutyBook
from dispatcher.files.countyfiles import load_county_files
from dispatcher.house import House
from dispatcher.incidents.book import Book
from dispatcher.model.reject import Decoded
from dispatcher.ports import Channel, Kind, Status, Store
from dispatcher.registry.book import Basis, RegistryBook
from dispatcher.registry.households import HouseholdBook
from dispatcher.registry.load import load_registry, registry_texts
from dispatcher.registry.versions import Imported
from dispatcher.reports.reporter import Reporter
from dispatcher.upkeep.broadcast import Broadcast
from dispatcher.upkeep.health import Health
from dispatcher.upkeep.log import make_log
from dispatcher.upkeep.metrics import Metrics
from dispatcher.warnings.releasing import Releases
from dispatcher.web.application import create_app
from dispatcher.web.context import WebContext
from dispatcher.workplace import Workplace
from tests.web.seed import NOW, SAMPLE, policies, registry, rules, texts

PASSWORD = "correct horse battery"
SECRET = b"0123456789abcdef0123456789abcdef"


@dataclass
class FakeIntake:
    """Gives what the test wants."""

    result: Decoded = field(default_factory=lambda: Decoded([], []))
    error: Exception | None = None
    bodies: list[tuple[bytes, Kind, str]] = field(default_factory=list)

    def holding(self, _key: str) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    async def submit(self, body: bytes, kind: Kind, subject: str, _key: str = "") -> Decoded:
        self.bodies.append((body, kind, subject))
        if self.error:
            raise self.error
        return self.result


@dataclass
class Bench:
    """The application with everything a test may look at."""

    context: WebContext
    desk: Desk
    place: Workplace
    intake: FakeIntake
    clock: ManualClock
    tokens: dict[Role, str]
    client: httpx.AsyncClient

    @property
    def store(self) -> Store:
        return self.context.store

    def api(self, role: Role) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[role]}"}

    async def log_in(self, name: str = "chen") -> None:
        form = await self.client.get("/login")
        answer = await self.client.post("/login", data={"name": name, "password": PASSWORD, "csrf": csrf(form.text), "next": "/"})
        assert answer.status_code == 303, answer.text

    async def link(self, notice_code: str, person: str) -> str:
        return sign_link(SECRET, Link(notice_code, person), NOW.replace(hour=15))


async def _nowhere(_actor: str, _origin: str) -> None:
    """The bench has no engine that could take a registry over."""


def sample_basis() -> Basis:
    return Basis(files=registry_texts(SAMPLE, []), directory="sample")


def sample_check(files: Mapping[str, str]) -> None:
    load_county_files(SAMPLE, imported=Imported(seq=1, digest="", directory=load_registry(SAMPLE).digest, files=files))


def csrf(page: str) -> str:
    return page.split('name="csrf" value="')[1].split('"', maxsplit=1)[0]


def make_house(status: Status = Status.ACTUAL) -> House:
    return House(
        registry=registry(), policies=policies(), templates=texts(), status=status, public_url="http://duty.example", secret=SECRET
    )


async def make_bench(
    store: Store, *, status: Status = Status.ACTUAL, channels: dict[str, Channel] | None = None, public_url: str = "http://duty.example"
) -> Bench:
    clock, metrics, health = ManualClock(NOW), Metrics(), Health()
    place = Workplace(make_house(status), store, clock, Broadcast(), metrics, health, make_log(as_json=False))
    intake = FakeIntake()
    desk = Desk(place, {} if channels is None else channels, lambda: None)
    context = WebContext(
        store=store,
        desk=desk,
        intake=intake,
        incidents=Book(place),
        drills=Drills(place, lambda: None),
        roll_calls=RollCalls(place, lambda: None),
        releases=Releases(place, lambda: None),
        reporter=Reporter(place, rules, PdfPrinter()),
        duty=DutyBook(place),
        households=HouseholdBook(place),
        registry_book=RegistryBook(place, sample_basis, sample_check, _nowhere),
        broadcast=place.broadcast,
        health=health,
        registry=registry(),
        texts=texts(),
        clock=clock,
        wall=clock,
        status=status,
        public_url=public_url,
        secret="session-secret",
        metrics=metrics.registry,
        stopping=asyncio.Event(),
    )
    tokens = {role: await add_token(store, role.word, role, NOW) for role in Role}
    await add_user(store, "chen", Role.DUTY_OFFICER, PASSWORD, NOW)
    await add_user(store, "li", Role.RELEASING_OFFICER, PASSWORD, NOW)
    await add_user(store, "visitor", Role.VIEWER, PASSWORD, NOW)
    transport = httpx.ASGITransport(app=create_app(context), client=("198.51.100.7", 40000))
    client = httpx.AsyncClient(transport=transport, base_url="http://duty.example")
    return Bench(context, desk, place, intake, clock, tokens, client)
