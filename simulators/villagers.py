"""The villagers: they read, wait, and answer by text or through the link in it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial

from simulators import agenda, answering, chance, fates, ground, habits, link_form, listing, webhooks, wording
from simulators.ledger import Entry, Kind


class Villagers:
    """Everybody with a phone. A question is answered once, however often it is asked."""

    def __init__(
        self,
        *,
        on: ground.Ground,
        habit_of: Mapping[str, habits.Habit],
        calls: webhooks.Webhooks,
        plans: agenda.Agenda,
        inbound_url: str,
        uncalled: Collection[str] = (),
    ) -> None:
        """``habit_of`` goes by phone number; without ``inbound_url``, and to ``uncalled`` numbers, answers by text are only listed."""
        self._on = on
        self._habit_of = habit_of
        self._calls = calls
        self._plans = plans
        self._inbound_url = inbound_url
        self._uncalled = frozenset(uncalled)
        self._asked: set[tuple[str, str]] = set()
        self._done: set[str] = set()
        self.written: dict[str, listing.Inbound] = {}

    def remember(self, entry: Entry) -> None:
        """Take up what the ledger says was done in an earlier run."""
        if entry.kind is Kind.SMS_REPLY:
            self._file(entry)
            if not self._calls_for(entry.more.get("sender", "")):
                self._done.add(entry.act)
        final = {Kind.CALLBACK_SENT, Kind.CALLBACK_GAVE_UP, Kind.LINK_SUBMITTED, Kind.LINK_GAVE_UP}
        if entry.act and entry.kind in final and entry.code != "no-answer":
            self._done.add(entry.act)

    def read(self, sms: fates.Sms, delivered_at: datetime) -> None:
        """A text will reach a phone at that time: plan what its owner does about each question in it."""
        habit = self._habit_of.get(sms.to)
        if habit is None:
            return
        for question in wording.questions(sms.body):
            if (sms.to, question.key) in self._asked:
                continue
            self._asked.add((sms.to, question.key))
            for answer in answering.answers(question, sms.to, habit, self._on.settings, self._on.seed, delivered_at):
                if answer.act not in self._done:
                    self._plans.put(answer.at, partial(self._give, sms, question, answer))

    async def _give(self, sms: fates.Sms, question: wording.Question, answer: answering.Answer) -> None:
        if answer.act in self._done:
            return
        settled = await (self._press(sms, answer) if answer.link else self._reply(sms, answer))
        if settled:
            self._done.add(answer.act)
        else:  # nobody was there: when the same question comes again, he tries again
            self._asked.discard((sms.to, question.key))

    async def _reply(self, sms: fates.Sms, answer: answering.Answer) -> bool:
        reference = chance.identity("SM", self._on.seed, "reply", answer.act)
        self._file(self._note(Kind.SMS_REPLY, sms, answer, reference=reference, body=answer.text))
        if not self._calls_for(sms.sender):
            return True
        form = _inbound_form(sms, answer.text, reference, self._on.account)
        outcome = await self._calls.call(self._inbound_url, form, reference)
        self._note(Kind.CALLBACK_SENT if outcome.through else Kind.CALLBACK_GAVE_UP, sms, answer, reference=reference, code=outcome.code)
        return outcome.answered

    def _calls_for(self, sender: str) -> bool:
        return bool(self._inbound_url) and sender not in self._uncalled

    async def _press(self, sms: fates.Sms, answer: answering.Answer) -> bool:
        opened = await self._calls.insist("GET", answer.link)
        if not opened.through:
            self._note(Kind.LINK_GAVE_UP, sms, answer, code=opened.code)
            return opened.answered
        self._note(Kind.LINK_OPENED, sms, answer, code=opened.code)
        press = link_form.press(opened.page, answer.link, answer.action, answer.people)
        if press is None:
            self._note(Kind.LINK_GAVE_UP, sms, answer, code="no-button")
            return True
        outcome = await self._calls.insist(press.method, press.url, press.form)
        self._note(Kind.LINK_SUBMITTED if outcome.through else Kind.LINK_GAVE_UP, sms, answer, code=outcome.code)
        return outcome.answered

    def _note(self, kind: Kind, sms: fates.Sms, answer: answering.Answer, *, reference: str = "", body: str = "", code: str = "") -> Entry:
        entry = Entry(
            at=self._on.clock.now(),
            kind=kind,
            delivery=sms.delivery,
            to=sms.to,
            reference=reference,
            act=answer.act,
            body=body,
            code=code,
            more={"action": answer.action, "sender": sms.sender},
        )
        self._on.book.write(entry)
        return entry

    def _file(self, entry: Entry) -> None:
        """A text to us lies with the network, whether it calls us or not; one that is sent again after a restart is the same."""
        sender = entry.more.get("sender", "")
        text = listing.Inbound(reference=entry.reference, sender=entry.to, to=sender, body=entry.body, at=entry.at)
        self.written.setdefault(text.reference, text)


def _inbound_form(sms: fates.Sms, text: str, reference: str, account: str) -> list[tuple[str, str]]:
    return [
        ("MessageSid", reference),
        ("SmsSid", reference),
        ("SmsMessageSid", reference),
        ("AccountSid", account),
        ("From", sms.to),
        ("To", sms.sender),
        ("Body", text),
        ("NumMedia", "0"),
        ("NumSegments", "1"),
        ("SmsStatus", "received"),
        ("ApiVersion", "2010-04-01"),
    ]
