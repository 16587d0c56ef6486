"""Telephone calls: who picks up, what is said to him, which key he presses."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from urllib.parse import parse_qs, urljoin, urlsplit

from simulators import agenda, chance, ground, habits, spoken, webhooks
from simulators.ledger import Entry, Kind

FAILS_AFTER = timedelta(seconds=1)


class PickedUp(StrEnum):
    """Who picked up, in Twilio's words; nobody is empty."""

    NOBODY = ""
    HUMAN = "human"
    MACHINE = "machine_start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that the network has taken. ``reference`` is its SID; ``delivery`` the engine's id, read from the address to ask."""

    reference: str
    to: str
    sender: str
    url: str
    callback: str
    delivery: str
    accepted_at: datetime
    ring: timedelta
    detects: bool


@dataclass(slots=True)
class Record:
    """A call and where it stands."""

    call: Call
    status: str = "queued"
    picked_up: PickedUp = PickedUp.NOBODY
    updated_at: datetime | None = None
    duration_s: int = 0


class Telephone:
    """All calls ever made, found again by SID and by number."""

    def __init__(self, *, on: ground.Ground, habit_of: Mapping[str, habits.Habit], calls: webhooks.Webhooks, plans: agenda.Agenda) -> None:
        """``habit_of`` goes by phone number."""
        self._on = on
        self._habit_of = habit_of
        self._calls = calls
        self._plans = plans
        self.records: dict[str, Record] = {}
        self.by_number: defaultdict[str, list[Record]] = defaultdict(list)

    def take(self, form: Mapping[str, str]) -> Record:
        """Accept a call for good: it is in the ledger when this returns."""
        url = form["Url"]
        call = Call(
            reference=chance.identity("CA", self._on.seed, len(self.records), form["To"], url),
            to=form["To"],
            sender=form["From"],
            url=url,
            callback=form.get("StatusCallback", ""),
            delivery=parse_qs(urlsplit(url).query).get("d", [""])[0],
            accepted_at=self._on.clock.now(),
            ring=timedelta(seconds=int(form.get("Timeout", "60"))),
            detects=form.get("MachineDetection", "") == "Enable",
        )
        more = {"from": call.sender, "url": url, "callback": call.callback, "ring_s": form.get("Timeout", "60")}
        self._note(Kind.CALL_ACCEPTED, call, more=more | ({"detects": "yes"} if call.detects else {}))
        record = self._file(call)
        self._plan(record)
        return record

    def remember(self, entry: Entry) -> None:
        """Take up what the ledger says of an earlier run."""
        if entry.kind is Kind.CALL_ACCEPTED:
            self._file(_from_entry(entry))
        elif entry.kind is Kind.CALL_ENDED and entry.reference in self.records:
            self.records[entry.reference].status = entry.code

    def resume(self) -> None:
        """A call that had not ended when the town stopped rings once more."""
        for record in self.records.values():
            if record.status == "queued":
                self._plan(record)

    def _file(self, call: Call) -> Record:
        record = self.records[call.reference] = Record(call)
        self.by_number[call.to].append(record)
        return record

    def _plan(self, record: Record) -> None:
        call = record.call
        habit = self._habit_of.get(call.to)
        names = (self._on.seed, call.reference)
        if habit in (None, habits.Habit.DEAD):
            self._plans.put(call.accepted_at + FAILS_AFTER, partial(self._end, record, "failed"))
        elif habit is habits.Habit.SILENT:
            self._plans.put(call.accepted_at + call.ring, partial(self._end, record, "no-answer"))
        else:
            at = call.accepted_at + chance.between(*self._on.settings.delays.picks_up, *names, "picks up")
            self._plans.put(at, partial(self._pick_up, record, habit))

    async def _pick_up(self, record: Record, habit: habits.Habit) -> None:
        """Somebody, or a machine, is on the line: ask what to say, listen, press a key."""
        call = record.call
        record.picked_up = PickedUp.MACHINE if habit is habits.Habit.OFF else PickedUp.HUMAN
        record.status, record.updated_at = "in-progress", self._on.clock.now()
        await self._report(record)
        outcome = await self._calls.call(call.url, self._form(record), chance.identity("", call.reference, "script"))
        script = spoken.read(outcome.page) if outcome.through else spoken.Script()
        self._note(Kind.CALL_ANSWERED, call, body=script.text, code="" if outcome.through else outcome.code, more={"by": record.picked_up})
        if script.asks and habit in habits.ANSWERING and record.picked_up is PickedUp.HUMAN:
            await self._press(record, script, "2" if habit is habits.Habit.WORDING else "1")
        record.duration_s = 20
        await self._end(record, "completed")

    async def _press(self, record: Record, script: spoken.Script, key: str) -> None:
        form = [*self._form(record), ("Digits", key)]
        act = f"{record.call.reference}/key"
        outcome = await self._calls.call(urljoin(record.call.url, script.action), form, chance.identity("", act))
        self._note(Kind.CALL_KEY, record.call, body=key, act=act, code="" if outcome.through else outcome.code)

    async def _end(self, record: Record, status: str) -> None:
        record.status, record.updated_at = status, self._on.clock.now()
        self._note(Kind.CALL_ENDED, record.call, code=status)
        await self._report(record)

    async def _report(self, record: Record) -> None:
        if not record.call.callback:
            return
        form = [*self._form(record), ("CallDuration", str(record.duration_s))]
        key = chance.identity("", record.call.reference, record.status)
        outcome = await self._calls.call(record.call.callback, form, key)
        kind = Kind.CALLBACK_SENT if outcome.through else Kind.CALLBACK_GAVE_UP
        self._note(kind, record.call, act=f"{record.call.reference}/{record.status}", code=outcome.code)

    def _form(self, record: Record) -> list[tuple[str, str]]:
        call = record.call
        form = [("CallSid", call.reference), ("CallStatus", record.status), ("To", call.to), ("From", call.sender)]
        form += [("AccountSid", self._on.account), ("Direction", "outbound-api"), ("ApiVersion", "2010-04-01")]
        return [*form, ("AnsweredBy", record.picked_up)] if call.detects and record.picked_up else form

    def _note(
        self, kind: Kind, call: Call, *, body: str = "", act: str = "", code: str = "", more: Mapping[str, str] | None = None
    ) -> None:
        self._on.book.write(
            Entry(
                at=self._on.clock.now(),
                kind=kind,
                delivery=call.delivery,
                to=call.to,
                reference=call.reference,
                body=body,
                act=act,
                code=code,
                more=more or {},
            )
        )


def _from_entry(entry: Entry) -> Call:
    return Call(
        reference=entry.reference,
        to=entry.to,
        sender=entry.more["from"],
        url=entry.more["url"],
        callback=entry.more["callback"],
        delivery=entry.delivery,
        accepted_at=entry.at,
        ring=timedelta(seconds=int(entry.more["ring_s"])),
        detects="detects" in entry.more,
    )
