"""What each kind of receipt and reply does, inside one transaction: settles a delivery, answers a notice, or is a task for a person."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from dispatcher.answers.confirming import MOST_AN_HOUR, ROLE, confirmation
from dispatcher.answers.recording import answer_to, record_answers
from dispatcher.answers.reply_tasks import opted_out_task, reply_task
from dispatcher.answers.terminals import for_status, speaker_of, told_by, who_pressed
from dispatcher.answers.understanding import Understood, opts_out, understand
from dispatcher.deliveries.delivered import receipt_row, settle_all
from dispatcher.deliveries.settle import on_receipt
from dispatcher.incidents.messages import reported_text, sms_message, take_message
from dispatcher.model.answer import Answer, Path
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.model.task import Task
from dispatcher.ports import Receipt, Reply, Status, Transaction
from dispatcher.rows import row_of, value_of
from dispatcher.timestamps import to_ms
from dispatcher.warnings.issuing import code_digits
from dispatcher.warnings.telling import add_tasks
from dispatcher.workplace import Workplace

_SPEAKER = "loudspeaker"
_WORTH_TAKING_TOGETHER = 8
DRILL_DOUBT = timedelta(minutes=30)
DRILL_ECHO = timedelta(hours=2)
"""How long after a warning in earnest a bare word does not count from somebody whom a drill asked within the time before."""

_PATHS = {path.value: path for path in Path} | {"loudspeaker": Path.TERMINAL}


class Taking:
    """Takes receipts and replies; ``planned`` is called when something new is to be sent."""

    def __init__(self, place: Workplace, planned: Callable[[], None]) -> None:
        """Nothing is read yet."""
        self._place = place
        self._planned = planned

    async def replies(self, tx: Transaction, replies: Sequence[Reply], now: datetime) -> None:
        """What people said, in order; many plain answers at once."""
        for reply in await self._take_plain(tx, replies, now):
            await self._take_reply(tx, reply, now)

    def count(self, answers: Sequence[Answer]) -> None:
        """Count what was recorded."""
        for answer in answers:
            self._place.metrics.answers.labels(answer.action.value, answer.path.value).inc()

    # ---------------------------------------------------------------------------------------- receipts

    async def receipts(self, tx: Transaction, receipts: Sequence[Receipt], now: datetime) -> None:
        """What far sides say became of deliveries."""
        if not receipts:
            return
        ids = json.dumps([r.delivery for r in receipts])
        known = {row["id"]: value_of(Delivery, row) for row in await tx.fetch("deliveries.by_ids", {"ids": ids})}
        after: dict[str, Delivery] = {}
        rows = []
        for receipt in receipts:
            delivery = after.get(receipt.delivery) or known.get(receipt.delivery)
            if delivery is None:
                continue  # a speaker or gateway speaks of something that was never ours
            rows.append(receipt_row(receipt, delivery, now))
            self._place.metrics.receipts.labels(delivery.channel, receipt.state.value).inc()
            moved = on_receipt(delivery, receipt, now)
            if moved is not None:
                after[delivery.id] = moved
        await tx.run_many("deliveries.add_receipt", rows)
        if await settle_all(tx, self._place.house, list(after.values()), now):
            self._planned()

    # ----------------------------------------------------------------------------------------- replies

    async def _take_plain(self, tx: Transaction, replies: Sequence[Reply], now: datetime) -> list[Reply]:
        """Take the replies of people who answer for one village with its code, all at once; gives the others, in their order.

        A storm brings thousands in a second. Whoever wrote twice in one group is left to be taken one by one.
        """
        if len(replies) < _WORTH_TAKING_TOGETHER:
            return list(replies)
        house = self._place.house
        wrote = Counter(reply.address for reply in replies)
        plain = {
            r.address: r for r in replies if wrote[r.address] == 1 and not r.delivery and not opts_out(r.text) and not reported_text(r.text)
        }
        understood = {address: understand(r.text, code_digits(house)) for address, r in plain.items()}
        rows = await tx.fetch("notices.asked_of_many", {"addresses": json.dumps(list(plain)), "before": to_ms(now)})
        asked: dict[str, list[Notice]] = {}
        for row in rows:
            asked.setdefault(row["address"], []).append(value_of(Notice, row))
        given: list[tuple[Notice, Answer]] = []
        taken: set[str] = set()
        for address, notices in asked.items():
            said, reply, contacts = understood[address], plain[address], house.registry.contacts_with_phone(address)
            if said is None or not contacts or len(notices) > 1 or said.code != notices[0].code:
                continue
            note = reply.text[:200]
            answer = answer_to(notices[0], said.said, path_of(reply), person=contacts[0].id, people=said.people, note=note, at=now)
            given.append((notices[0], answer))
            taken.add(address)
        if given:
            await self._understood(tx, given, now, len(given))
        return [reply for reply in replies if reply.address not in taken]

    async def _take_reply(self, tx: Transaction, reply: Reply, now: datetime) -> None:
        """A text from a phone: an answer, or a task for a person; an unknown number changes nothing."""
        house = self._place.house
        if reply.channel == _SPEAKER:
            await self._take_pressed(tx, reply, now)
            return
        if reply.delivery:
            await self._take_key(tx, reply, now)
            return
        contacts = house.registry.contacts_with_phone(reply.address)
        if not contacts:
            self._place.metrics.replies.labels("unknown_number").inc()
            return
        if opts_out(reply.text) and reply.channel == Path.SMS:  # a word that only carriers heed
            await add_tasks(tx, house, [opted_out_task(house, reply, now)])
            self._place.metrics.replies.labels("opted_out").inc()
            return
        reported = reported_text(reply.text)
        if reported:
            await take_message(tx, house, sms_message(house, reply, reported, now), b"", now)
            self._place.metrics.replies.labels("reported").inc()
            return
        understood = understand(reply.text, code_digits(house))
        notices = await self._notices_meant(tx, reply.address, understood.code if understood else "", min(reply.at or now, now))
        if understood is None or not notices:
            await add_tasks(tx, house, [await self._task_of(tx, reply, understood, now)])
            self._place.metrics.replies.labels("unclear").inc()
            return
        said, people, who, note = understood.said, understood.people, contacts[0].id, reply.text[:200]
        given = [(n, answer_to(n, said, path_of(reply), person=who, people=people, note=note, at=now)) for n in notices]
        await self._understood(tx, given, now)
        await self._confirm(tx, reply, understood, notices, now)

    async def _understood(self, tx: Transaction, given: Sequence[tuple[Notice, Answer]], now: datetime, replies: int = 1) -> None:
        """Write down what so many replies said."""
        await record_answers(tx, self._place.house, given, now)
        self.count([answer for _, answer in given])
        self._place.metrics.replies.labels("understood").inc(replies)

    async def _confirm(self, tx: Transaction, reply: Reply, understood: Understood, about: Sequence[Notice], now: datetime) -> None:
        """Who answers for several villages is told what was recorded and what is open, but no machine is kept talking."""
        asked = await self._notices_meant(tx, reply.address, "", now)
        text = confirmation(self._place.house, reply, understood.said, about, asked, now)
        counted = {"address": reply.address, "role": ROLE, "since": to_ms(now - timedelta(hours=1))}
        if text is not None and (await tx.fetch("deliveries.confirmed", counted))[0]["n"] < MOST_AN_HOUR:
            await tx.run_many("deliveries.add", [row_of(text)])
            self._planned()

    async def _take_key(self, tx: Transaction, reply: Reply, now: datetime) -> None:
        """A key pressed in a call: it answers what was said in it, unless that asks for nothing or something newer was said since."""
        rows = await tx.fetch("notices.of_delivery", {"delivery": reply.delivery})
        understood = understand(reply.text, code_digits(self._place.house))
        asked = [(value_of(Notice, row), str(row["person"])) for row in rows if row["purpose"] == Purpose.WARN]
        if not asked or understood is None:
            self._place.metrics.replies.labels("unclear").inc()
            return
        current = [(n, person) for n, person in asked if n.state is not NoticeState.SUPERSEDED]
        if not current:
            await add_tasks(tx, self._place.house, [reply_task(self._place.house, reply, understood, asked[0][0], now)])
            self._place.metrics.replies.labels("unclear").inc()
            return
        given = [(n, answer_to(n, understood.said, path_of(reply), person=person, note=reply.text, at=now)) for n, person in current]
        await self._understood(tx, given, now)

    async def _take_pressed(self, tx: Transaction, reply: Reply, now: datetime) -> None:
        """A key at a speaker: it answers what that speaker told its village, or what the command it names told."""
        house, understood = self._place.house, understand(reply.text)
        speaker = speaker_of(house.registry, reply)
        if speaker is None:
            self._place.metrics.replies.labels("unknown_number").inc()
            return
        came = min(reply.at or now, now)
        named = reply.delivery
        told = await told_by(tx, speaker, named) if named else await self._notices_meant(tx, speaker.id, "", came)
        notices = for_status(told, reply)
        if understood is None or not notices:
            await add_tasks(tx, house, [reply_task(house, reply, understood, None, now)])
            self._place.metrics.replies.labels("unclear").inc()
            return
        said, who = understood.said, who_pressed(speaker)
        given = [(n, answer_to(n, said, Path.TERMINAL, person=who, note=speaker.name or speaker.id, at=now)) for n in notices]
        await self._understood(tx, given, now)

    async def _notices_meant(self, tx: Transaction, address: str, code: str, now: datetime) -> list[Notice]:
        """The notices told to that number before now that still ask; with a code, the one it names."""
        rows = await tx.fetch("notices.asked_of", {"address": address, "before": to_ms(now)})
        asked = [n for n in (value_of(Notice, row) for row in rows) if not code or n.code == code]
        fresh = any(n.status is Status.ACTUAL and now - n.released_at < DRILL_DOUBT for n in asked)
        if not code and fresh and (await tx.fetch("drills.told_since", {"address": address, "since": to_ms(now - DRILL_ECHO)}))[0]["n"]:
            return []  # who was in a drill a moment ago says by the code which of the two he means
        return asked

    async def _task_of(self, tx: Transaction, reply: Reply, understood: Understood | None, now: datetime) -> Task:
        """What a person has to do about a reply that answers nothing: it says whether it was unclear, urgent or too late."""
        rows = await tx.fetch("notices.by_code", {"code": understood.code}) if understood and understood.code else []
        old = value_of(Notice, rows[0]) if rows else None
        return reply_task(self._place.house, reply, understood, old, now)


def path_of(reply: Reply) -> Path:
    """A reply came by the path of its channel."""
    return _PATHS.get(reply.channel, Path.SMS)
