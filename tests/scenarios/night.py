"""A night in the sample county, from the first text to the last answer: the real engine, the simulated town, Mosquitto, one clock.

The clock runs ``SPEED`` times faster than the wall; a scenario names its moments as the county's clock shows them, ``02:15``.
Who does what is a habit of the town; what happened is read from the town's ledger and from the store.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import yaml

from adapters.stores.sqlite import open_store
from dispatcher.accounts import Role, add_token
from dispatcher.registry.load import load_registry
from dispatcher.timestamps import from_ms
from simulators import ledger
from simulators.ledger import Entry, Kind
from tests.integration.installation import COUNTY, SECRETS, SENDER
from tests.integration.programs import Programs, Running, rows
from tests.services.mosquitto import Mosquitto
from tests.services.server import free_port

SPEED = 40.0
ZONE = ZoneInfo("Asia/Shanghai")
BEGINS = datetime(2026, 7, 21, 2, 8, tzinfo=ZONE)
OPENS_IN_S = 12.0
GAUGE = "990121R11"
HABITS: dict[str, Any] = {"every_village_answers": False, "people_moved": [35, 35]}
ANSWERS = (
    """SELECT a.*, n.village AS of FROM answers a JOIN notices n ON n.id = a.notice WHERE n.village = ? AND n.grade = 4 ORDER BY a.seq"""
)
CALLS = """SELECT d.*, n.released_at FROM deliveries d JOIN notices n ON n.id = d.notice
    WHERE n.village = ? AND n.grade = 4 AND n.purpose = 'warn' ORDER BY d.seq"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One message to one person or speaker of a village; ``after`` is how long after the release it was planned."""

    role: str
    channel: str
    after: timedelta
    state: str
    step: int
    repeat: int


@dataclass
class Night:
    """``begin``, then ``until`` and acts, ``end``; then look."""

    programs: Programs
    mosquitto: Mosquitto
    habits: Mapping[str, Any]
    engine: Running = field(init=False)

    def __post_init__(self) -> None:
        """Write the files and make the tokens; nothing runs yet."""
        self.folder = self.programs.folder
        self.database, self.ledger = self.folder / "dispatcher.db", self.folder / "town.jsonl"
        self.web, self.gateway = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.web}"
        self.contacts = load_registry(COUNTY).contacts
        self.tokens = asyncio.run(self._tokens())
        sms = {"adapter": "sms", "sender": SENDER, "base_url": f"http://127.0.0.1:{self.gateway}"}
        deployment = {
            "county": str(COUNTY),
            "state_dir": str(self.folder / "var"),
            "web": {"port": self.web, "public_url": self.url},
            "store": {"adapter": "sqlite", "path": str(self.database)},
            "channels": {"sms": sms, "loudspeaker": {"adapter": "loudspeaker", "port": self.mosquitto.port}},
        }
        (self.folder / "deployment.yaml").write_text(yaml.safe_dump(deployment), "utf-8")
        (self.folder / "habits.yaml").write_text(yaml.safe_dump(HABITS | dict(self.habits)), "utf-8")
        (self.folder / "wrong-by").write_text("0", "ascii")

    async def _tokens(self) -> dict[Role, str]:
        store = await open_store(self.database)
        try:
            return {role: await add_token(store, role.word, role, BEGINS) for role in (Role.FORECASTER, Role.DUTY_OFFICER)}
        finally:
            await store.close()

    # ---------------------------------------------------------------------------------------------- running

    def begin(self) -> None:
        """Engine and town are there, and the clock begins to run."""
        self.epoch = time.time() + OPENS_IN_S
        town = ["--registry", str(COUNTY), "--ledger", str(self.ledger), "--port", str(self.gateway), *self._clock("--clock-")]
        town += ["--inbound-url", f"{self.url}/hooks/sms/inbound", "--mqtt", f"127.0.0.1:{self.mosquitto.port}"]
        running = self.programs.start(*town, "--habits", str(self.folder / "habits.yaml"), module="simulators.town", environment=SECRETS)
        running.until(lambda: '"ready"' in running.out, "a town that is ready")
        command = [str(self.folder / "deployment.yaml"), *self._clock("--"), "--wrong-by", str(self.folder / "wrong-by")]
        self.engine = self.programs.start(*command, module="tests.faults.engine", environment=SECRETS)
        self.engine.until(self._is_ready, "an engine that is ready")

    def _clock(self, prefix: str) -> list[str]:
        return [f"{prefix}start", BEGINS.isoformat(), f"{prefix}epoch", repr(self.epoch), f"{prefix}speed", str(SPEED)]

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def until(self, moment: str) -> None:
        """Wait until the county's clock shows it."""
        time.sleep(max(0.0, self.epoch + (at(moment) - BEGINS).total_seconds() / SPEED - time.time()))

    def rain(self, **amounts_mm: float) -> None:
        """What a gauge measured, by minute of two o'clock: ``m10=29.0``; all of it comes in together."""
        stamps = {BEGINS.replace(minute=int(name[1:])): value for name, value in amounts_mm.items()}
        said = [{"station": GAUGE, "variable": "rain", "value": v, "unit": "mm", "time": t.isoformat()} for t, v in stamps.items()]
        self._post("readings", said, Role.FORECASTER)

    def write_down(self, village: str, **answer: object) -> None:
        """The duty officer writes an answer down for a village."""
        (notice,) = rows(self.database, "SELECT id FROM notices WHERE village = ? AND grade = 4 AND state <> 'superseded'", village)
        self._post(f"notices/{notice['id']}/answers", answer, Role.DUTY_OFFICER)

    def _post(self, path: str, said: object, role: Role) -> None:
        headers = {"Authorization": f"Bearer {self.tokens[role]}"}
        answer = httpx.post(f"{self.url}/api/v1/{path}", json=said, headers=headers, timeout=30)
        assert answer.is_success, answer.text

    def end(self) -> None:
        """Everything ends; the ledger and the store stay."""
        self.programs.end()

    # ---------------------------------------------------------------------------------------------- looking

    def calls(self, village: str) -> list[Call]:
        """Whom the red notice of a village called, in order."""
        roles = {c.phone: " ".join(c.roles) for c in self.contacts.values() if c.phone}
        return [
            Call(
                role=roles.get(row["address"], row["channel"]), channel=row["channel"], state=row["state"], step=row["step"],
                after=from_ms(row["planned_at"]) - from_ms(row["released_at"]), repeat=row["repeat"],
            )
            for row in rows(self.database, CALLS, village)
        ]  # fmt: skip

    def called(self, village: str, role: str) -> list[Call]:
        """The calls to one role."""
        return [call for call in self.calls(village) if role in call.role]

    def answers(self, village: str) -> list[tuple[str, str, str, int | None]]:
        """What came back: action, path, role of who said it, people."""
        roles = {c.id: " ".join(c.roles) for c in self.contacts.values()}
        return [(r["action"], r["path"], roles.get(r["person"], ""), r["people"]) for r in rows(self.database, ANSWERS, village)]

    def when(self, village: str, action: str) -> datetime:
        """When the first such answer was on disk."""
        return min(from_ms(row["at"]) for row in rows(self.database, ANSWERS, village) if row["action"] == action)

    def released(self, village: str) -> datetime:
        """When the red notice of a village left."""
        query = "SELECT released_at FROM notices WHERE village = ? AND grade = 4 AND purpose = 'warn'"
        return from_ms(rows(self.database, query, village)[0]["released_at"])

    def state(self, village: str) -> str:
        """Where the red notice of a village stands."""
        return str(rows(self.database, "SELECT state FROM notices WHERE village = ? ORDER BY seq DESC LIMIT 1", village)[0]["state"])

    def tasks(self, village: str) -> Counter[str]:
        """Work that the duty room was given for a village, by kind; closed or not."""
        return Counter(row["kind"] for row in rows(self.database, "SELECT kind FROM tasks WHERE village = ?", village))

    def heard(self, phone: str) -> list[str]:
        """The texts that a phone got, by the town's own ledger."""
        return [e.body for e in self.entries() if e.kind is Kind.SMS_DELIVERED and e.to == phone]

    def entries(self) -> list[Entry]:
        """The town's ledger."""
        return list(ledger.read(self.ledger))


def at(moment: str) -> datetime:
    """A moment of the night."""
    return datetime.combine(BEGINS.date(), datetime.strptime(moment, "%H:%M").time(), tzinfo=ZONE).astimezone(UTC)  # noqa: DTZ007 - the zone is added
