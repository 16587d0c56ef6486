"""The phone network: takes texts, carries them to phones, and reports back on the way."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import parse_qs, urlsplit

from simulators import agenda, chance, fates, faults, ground, habits, listing, villagers, webhooks
from simulators.ledger import Entry, Kind

KIND_OF = {"sent": Kind.SMS_SENT, "delivered": Kind.SMS_DELIVERED, "undelivered": Kind.SMS_UNDELIVERED, "failed": Kind.SMS_FAILED}
STATUS_OF = {kind: status for status, kind in KIND_OF.items()}
REORDERED_BY = timedelta(seconds=20)


@dataclass(slots=True)
class Record:
    """A text and where it stands, in Twilio's words."""

    sms: fates.Sms
    status: str = "queued"
    code: str = ""
    updated_at: datetime | None = None
    sent_at: datetime | None = None
    reported: set[str] = field(default_factory=set)


class PhoneNetwork:
    """All texts ever taken, found again by SID and by number."""

    def __init__(
        self,
        *,
        on: ground.Ground,
        habit_of: Mapping[str, habits.Habit],
        calls: webhooks.Webhooks,
        plans: agenda.Agenda,
        people: villagers.Villagers,
        wrong: faults.Faults,
    ) -> None:
        """``habit_of`` goes by phone number."""
        self._on = on
        self._habit_of = habit_of
        self._calls = calls
        self._plans = plans
        self._people = people
        self._wrong = wrong
        self.records: dict[str, Record] = {}
        self.by_number: defaultdict[str, list[Record]] = defaultdict(list)

    @property
    def written(self) -> Mapping[str, listing.Inbound]:
        """What people wrote to us, by SID."""
        return self._people.written

    def make(self, form: Mapping[str, str], valid: timedelta) -> fates.Sms:
        """A text as the form describes it, with a SID of its own; nothing is recorded yet."""
        callback = form.get("StatusCallback", "")
        reference = chance.identity("SM", self._on.seed, len(self.records), form["To"], form["Body"], callback)
        sender = form.get("From") or form.get("MessagingServiceSid", "")
        return fates.Sms(
            reference=reference,
            to=form["To"],
            sender=sender,
            body=form["Body"],
            callback=callback,
            delivery=parse_qs(urlsplit(callback).query).get("d", [""])[0],
            accepted_at=self._on.clock.now(),
            valid=valid,
        )

    def take(self, sms: fates.Sms) -> Record:
        """Accept a text for good: it is in the ledger when this returns."""
        more = {"from": sms.sender, "callback": sms.callback, "valid_s": str(int(sms.valid.total_seconds()))}
        self._on.book.write(
            Entry(
                at=sms.accepted_at,
                kind=Kind.SMS_ACCEPTED,
                delivery=sms.delivery,
                to=sms.to,
                body=sms.body,
                reference=sms.reference,
                more=more,
            )
        )
        record = self._file(sms)
        self._plan(record)
        return record

    def remember(self, entry: Entry) -> None:
        """Take up what the ledger says of an earlier run; ``resume`` afterwards goes on from there."""
        if entry.kind is Kind.SMS_ACCEPTED:
            self._file(_from_entry(entry))
        elif record := self.records.get(entry.reference):
            if status := STATUS_OF.get(entry.kind):
                self._move(record, fates.Step(at=entry.at, status=status, code=entry.code))
            elif entry.kind in {Kind.CALLBACK_SENT, Kind.CALLBACK_GAVE_UP}:
                record.reported.add(entry.act.rpartition("/")[2])

    def resume(self) -> None:
        """Plan what is still to happen to every text; what is overdue happens at once."""
        for record in self.records.values():
            self._plan(record)

    def _file(self, sms: fates.Sms) -> Record:
        record = Record(sms)
        self.records[sms.reference] = record
        self.by_number[sms.to].append(record)
        return record

    def _plan(self, record: Record) -> None:
        sms = record.sms
        for step in fates.steps(sms, self._habit_of.get(sms.to), self._on.settings.delays, self._on.seed):
            told = step.status in record.reported if sms.callback else _rank(step.status) <= _rank(record.status)
            if not told:
                self._plans.put(step.at, partial(self._advance, record, step))
            elif step.status == "delivered":
                self._people.read(sms, step.at)

    async def _advance(self, record: Record, step: fates.Step) -> None:
        sms = record.sms
        if step.status == "delivered":
            self._people.read(sms, step.at)
        if self._move(record, step):
            at = self._on.clock.now()
            self._on.book.write(
                Entry(at=at, kind=KIND_OF[step.status], delivery=sms.delivery, to=sms.to, reference=sms.reference, code=step.code)
            )
        if not sms.callback:
            return
        act = f"{sms.reference}/{step.status}"
        if self._strikes(faults.Fault.REORDER, sms, act):
            self._plans.put(self._on.clock.now() + REORDERED_BY, partial(self._report, sms, step, act))
        else:
            await self._report(sms, step, act)
        if self._strikes(faults.Fault.REPEAT, sms, act):
            await self._report(sms, step, act)

    def _strikes(self, fault: faults.Fault, sms: fates.Sms, act: str) -> bool:
        """Whether a fault strikes this report; the ledger says so when it does."""
        struck = self._wrong.strikes(fault, act)
        if struck:
            self._on.book.write(Entry(at=self._on.clock.now(), kind=Kind.FAULT, to=sms.to, act=act, code=fault))
        return struck

    async def _report(self, sms: fates.Sms, step: fates.Step, act: str) -> None:
        outcome = await self._calls.call(sms.callback, _status_form(sms, step, self._on.account), chance.identity("", act))
        kind = Kind.CALLBACK_SENT if outcome.through else Kind.CALLBACK_GAVE_UP
        self._on.book.write(
            Entry(
                at=self._on.clock.now(),
                kind=kind,
                delivery=sms.delivery,
                to=sms.to,
                reference=sms.reference,
                act=act,
                code=outcome.code,
                more={"tries": str(outcome.tries)},
            )
        )

    def _move(self, record: Record, step: fates.Step) -> bool:
        """Set the status; False when it was reached before."""
        if _rank(step.status) <= _rank(record.status):
            return False
        record.status, record.code, record.updated_at = step.status, step.code, step.at
        if step.status != "failed":
            record.sent_at = record.sent_at or step.at
        return True


def _rank(status: str) -> int:
    return ("queued", "sent", "delivered", "undelivered", "failed").index(status)


def _from_entry(entry: Entry) -> fates.Sms:
    return fates.Sms(
        reference=entry.reference,
        to=entry.to,
        sender=entry.more["from"],
        body=entry.body,
        callback=entry.more["callback"],
        delivery=entry.delivery,
        accepted_at=entry.at,
        valid=timedelta(seconds=int(entry.more["valid_s"])),
    )


def _status_form(sms: fates.Sms, step: fates.Step, account: str) -> list[tuple[str, str]]:
    form = [
        ("MessageSid", sms.reference),
        ("SmsSid", sms.reference),
        ("MessageStatus", step.status),
        ("SmsStatus", step.status),
        ("To", sms.to),
        ("From", sms.sender),
        ("AccountSid", account),
        ("ApiVersion", "2010-04-01"),
    ]
    return [*form, ("ErrorCode", step.code)] if step.code else form
