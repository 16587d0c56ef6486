"""An engine without its edges: a real store, fake channels with a ledger, and a clock that the test moves."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dispatcher.answers.desk import Desk
from dispatcher.calls.timekeeper import Timekeeper
from dispatcher.clock import ManualClock
from dispatcher.deliveries.duty_room import DutyRoom
from dispatcher.deliveries.sender import AT_ONCE, Sender
from dispatcher.errors import DeliveryError, StoreFailed
from dispatcher.house import House
from dispatcher.intake.basis import Compiled, basis_of, compiled_with
from dispatcher.intake.decode import DEFAULT_LIMITS
from dispatcher.intake.pipeline import Pipeline
from dispatcher.model.answer import Answer
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice
from dispatcher.model.task import Task
from dispatcher.ports import Batch, Channel, DeliveryState, Heard, Item, Message, Receipt, Reply, Store, Transaction
from dispatcher.registry.places import places_of
from dispatcher.rows import value_of
from dispatcher.testing.stores import FarSide
from dispatcher.upkeep.broadcast import Broadcast
from dispatcher.upkeep.health import Health
from dispatcher.upkeep.metrics import Metrics
from dispatcher.warnings.issuing import apply_changes
from dispatcher.warnings.releasing import Releases
from dispatcher.workplace import Workplace
from rules.change import Change
from rules.parse import parse_rules
from rules.plan import compile_rules
from tests.dispatch.making import COUNTY, HAZARD, START, house

PATIENCE_S = 10.0
RULES = f"""
rules:
- rule: rain
  version: 1
  hazard: {HAZARD}
  for_each: rain_gauge
  issued_by: township
  inputs: {{r1h: "sum(rain, 1h)"}}
  ladder:
    r1h: [4, 6, 8, 10]
  raise: at_once
  lower: {{when: r1h < 3, for: 10m, to: computed}}
  no_data: {{after: 20m, grade: hold}}
  quality: {{range: [0, 30]}}
"""


class Quiet:
    """A log that keeps what it was told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, Mapping[str, Any]]] = []

    def info(self, event: str, **facts: Any) -> None:  # noqa: ANN401
        self.lines.append((event, facts))

    warning = error = info


@dataclass
class Ledger:
    """A channel: what reached whom. ``troubles`` are raised one after the other for an address; ``late`` after it arrived."""

    name: str = "sms"
    arrived: list[Message] = field(default_factory=list)
    troubles: dict[str, list[Exception]] = field(default_factory=dict)
    late: dict[str, list[DeliveryError]] = field(default_factory=dict)

    async def send(self, message: Message) -> Receipt:
        for raised in self.troubles.get(message.address, [])[:1]:
            self.troubles[message.address].pop(0)
            raise raised
        self.arrived.append(message)
        for raised in self.late.get(message.address, [])[:1]:
            self.late[message.address].pop(0)
            raise raised
        return Receipt(delivery=message.delivery, state=DeliveryState.ACCEPTED, reference=f"ref-{len(self.arrived)}")

    async def close(self) -> None:
        """Nothing is open."""

    def told(self, address: str) -> list[str]:
        """What was said to an address."""
        return [m.text for m in self.arrived if m.address == address]

    def addresses(self) -> set[str]:
        return {m.address for m in self.arrived}


@dataclass
class Askable(Ledger):
    """A channel that can be asked what became of a delivery."""

    asked: list[str] = field(default_factory=list)

    async def find(self, message: Message, since: datetime) -> Receipt | None:  # noqa: ARG002 - everything is kept
        self.asked.append(message.delivery)
        found = [m for m in self.arrived if m.delivery == message.delivery]
        return Receipt(delivery=message.delivery, state=DeliveryState.SENT, reference="found") if found else None


class Failing:
    """A store that fails where the test says: the n-th transaction from now at its n-th statement (0 at its end)."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.plan: list[int | None] = []

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        at = self.plan.pop(0) if self.plan else None
        async with self.store.write() as tx:
            yield tx if at is None else _Counting(tx, at)
            if at == 0:
                raise StoreFailed("the disk is full")

    def read(self) -> Any:  # noqa: ANN401
        return self.store.read()

    async def close(self) -> None:
        await self.store.close()


class _Counting:
    def __init__(self, tx: Transaction, at: int) -> None:
        self._tx = tx
        self._left = at

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        self._left -= 1
        if self._left == 0:
            raise StoreFailed("the disk is full")
        return getattr(self._tx, name)


class Tap:
    """A source that remembers what was acknowledged."""

    name = "tap"

    def __init__(self) -> None:
        self.acked: list[Batch] = []

    def batches(self, positions: Mapping[str, str]) -> AsyncIterator[Batch]:
        raise NotImplementedError

    async def ack(self, batch: Batch) -> None:
        self.acked.append(batch)


def compiled(rules: str, kept: House) -> Compiled:
    """A rule file on the small county."""
    plan = compile_rules(parse_rules({"rules.yaml": rules}), places_of(kept.registry), kept.registry.county.timezone)
    return compiled_with(basis_of({"rules.yaml": rules}, kept.registry), plan)


class Running:
    """One engine. Made by ``running``."""

    def __init__(self, store: Store, kept: House, clock: ManualClock, channels: Mapping[str, Channel]) -> None:
        self.store, self.started = Failing(store), clock.now()
        self.clock, self.house = clock, kept
        self.log, self.metrics = Quiet(), Metrics()
        self.place = Workplace(kept, self.store, clock, Broadcast(), self.metrics, Health(), self.log)
        self.sms, self.speaker = Ledger(), Ledger("loudspeaker")
        self.channels: dict[str, Channel] = {"sms": self.sms, "loudspeaker": self.speaker, "duty_room": DutyRoom(), **channels}
        self.compiled = compiled(RULES, kept)
        self.tap = Tap()
        self.pipeline = self.new_pipeline()
        self.desk = Desk(self.place, self.channels, lambda: None)
        self.releases = Releases(self.place, lambda: None)

    def new_pipeline(self) -> Pipeline:
        return Pipeline(self.place, self.compiled, DEFAULT_LIMITS)

    # ------------------------------------------------------------------------------------------- doing

    async def change(self, *changes: Change) -> None:
        """Apply changes as a committed batch would."""
        async with self.store.write() as tx:
            await apply_changes(tx, self.house, changes, self.clock.now())

    async def read(self, *batches: Batch) -> None:
        """Hand batches to the pipeline and wait until all of them are taken."""
        run = asyncio.create_task(self.pipeline.run())
        for batch in batches:
            await self.pipeline.offer(self.tap, batch)
        await self.pipeline.stop()
        await asyncio.wait_for(run, PATIENCE_S)

    async def later(self, delay: timedelta, *, send: bool = True) -> None:
        """Move the clock, fire what is due, and send."""
        self.clock.advance(delay)
        await Timekeeper(self.place, self.pipeline, lambda: None).fire()
        if send:
            await self.send()

    async def send(self, at_once: int = AT_ONCE) -> None:
        """Let a sender work until nothing more is due now."""
        sender = Sender(self.place, self.channels, at_once)
        run = asyncio.create_task(sender.run())
        async with asyncio.timeout(PATIENCE_S):
            while not run.done() and await self._busy():  # noqa: ASYNC110 - the state is in the store
                await asyncio.sleep(0.002)
        await sender.stop()
        await asyncio.wait_for(run, PATIENCE_S)

    async def _busy(self) -> bool:
        async with self.store.read() as reader:
            due = await reader.fetch("deliveries.any_due", {"now": int(self.clock.now().timestamp() * 1000)})
            sending = await reader.fetch("deliveries.sending")
        return bool(due[0]["n"] or sending)

    async def reply(self, address: str, text: str) -> None:
        await self.desk.take(Heard(replies=(Reply(channel="sms", address=address, text=text),)))

    # ----------------------------------------------------------------------------------------- looking

    async def rows(self, query: str, **params: object) -> list[Mapping[str, Any]]:
        async with self.store.read() as reader:
            return list(await reader.fetch(query, {"county": COUNTY, **params}))

    async def notices(self) -> list[Notice]:
        return [value_of(Notice, row) for row in await self.rows("notices.all")]

    async def notice(self, village: str) -> Notice:
        """The newest notice of a village."""
        return [n for n in await self.notices() if n.village == village][-1]

    async def deliveries(self, address: str = "") -> list[Delivery]:
        found = [value_of(Delivery, row) for row in await self.rows("deliveries.all")]
        return [d for d in found if not address or d.address == address]

    async def answers(self) -> list[Answer]:
        ids = json.dumps([n.id for n in await self.notices()])
        return [value_of(Answer, row) for row in await self.rows("desk.answers_of", notices=ids)]

    async def tasks(self) -> list[Task]:
        return [value_of(Task, row) for row in await self.rows("desk.open_tasks", limit=1000)]


@asynccontextmanager
async def running(place: FarSide, kept: House | None = None, start: datetime = START, **channels: Channel) -> AsyncIterator[Running]:
    """An engine on a store of its own: empty the first time, where it was the next."""
    store = await place.open()
    engine = Running(store, kept or house(), ManualClock(start), channels)
    await engine.pipeline.start()
    desk = asyncio.create_task(engine.desk.run())
    try:
        yield engine
    finally:
        await engine.desk.stop()
        await asyncio.wait_for(desk, PATIENCE_S)
        await store.close()


def rain(value: float, at: datetime, gauge: str = "G1") -> bytes:
    return json.dumps({"station": gauge, "variable": "rain", "value": value, "unit": "mm", "time": at.isoformat()}).encode()


def batch(*bodies: bytes, position: str = "") -> Batch:
    return Batch("tap", tuple(Item(body, "readings/test") for body in bodies), {"offset": position} if position else {})
