"""Where answers, replies and receipts come in. Everything is durable when a call returns; calls under way share commits."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dispatcher.answers.confirming import MOST_AN_HOUR, ROLE, confirmation
from dispatcher.answers.links import expired, read_link
from dispatcher.answers.polling import Asked, only_new
from dispatcher.answers.recording import answer_to, check_asked, record_answers
from dispatcher.answers.reply_tasks import opted_out_task, reply_task
from dispatcher.answers.terminals import for_status, speaker_of, told_by, who_pressed
from dispatcher.answers.understanding import Understood, opts_out, understand
from dispatcher.deliveries.delivered import receipt_row, settle_all
from dispatcher.deliveries.settle import on_receipt
from dispatcher.deliveries.telling import message_of
from dispatcher.errors import NotAsked, SourceLost, StoreFailed
from dispatcher.incidents.messages import reported_text, sms_message, take_message
from dispatcher.model.answer import Answer, Path, Said
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.model.task import Task
from dispatcher.ports import Channel, Heard, Hooked, HookRequest, Listening, Receipt, Reply, Scripted, Status, Transaction
from dispatcher.rows import row_of, value_of
from dispatcher.timestamps import to_ms
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.upkeep.commit_points import Point, passing
from dispatcher.warnings.issuing import code_digits
from dispatcher.warnings.telling import add_tasks
from dispatcher.workplace import Workplace

_SPEAKER = "loudspeaker"
_RETRY_S = 1.0
_GATHER_S = 0.25
_MOMENT_S = 0.02
_AT_ONCE = 500
_WORTH_TAKING_TOGETHER = 8
DRILL_DOUBT = timedelta(minutes=30)
DRILL_ECHO = timedelta(hours=2)
"""How long after a warning in earnest a bare word does not count from somebody whom a drill asked within the time before."""

_PATHS = {path.value: path for path in Path} | {"loudspeaker": Path.TERMINAL}

_Work = Callable[[Transaction, datetime], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Waiting:
    heard: Heard
    done: asyncio.Future[None]
    asked: Asked | None = None

    @property
    def size(self) -> int:
        """How many things were said."""
        return len(self.heard.receipts) + len(self.heard.replies)


class Desk:
    """Takes in what people and far sides say. ``run`` must be running for ``hear`` to return."""

    def __init__(
        self, place: Workplace, channels: Mapping[str, Channel], planned: Callable[[], None], pressed: Callable[[], bool] = lambda: False
    ) -> None:
        """``planned`` is called when something new is to be sent; while ``pressed``, many wait to be sent and receipts can wait."""
        self._place = place
        self._planned = planned
        self._pressed = pressed
        self._hooked: Mapping[str, Hooked] = {name: c for name, c in channels.items() if isinstance(c, Hooked)}
        self._scripted: Mapping[str, Scripted] = {name: c for name, c in channels.items() if isinstance(c, Scripted)}
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue()

    async def hear(self, gateway: str, request: HookRequest) -> str:
        """One call of a gateway, and what it is answered; HookRefused when it is not genuine, KeyError for an unknown gateway."""
        heard = self._hooked[gateway].hear(request)
        if heard.receipts or heard.replies:
            await self.take(heard, Asked(gateway=gateway, complete=True) if heard.once else None)
        return await self._script(gateway, heard.script) if heard.script else heard.body

    async def _script(self, gateway: str, delivery: str) -> str:
        """What is said to somebody who picked up; nothing when the delivery is not ours or no longer holds."""
        channel = self._scripted.get(gateway)
        async with self._place.store.read() as reader:
            rows = await reader.fetch("deliveries.by_ids", {"ids": json.dumps([delivery])})
        found = value_of(Delivery, rows[0]) if rows else None
        if channel is None or found is None or found.expires_at <= self._place.clock.now():
            return ""
        return channel.script(message_of(found))

    async def take(self, heard: Heard, asked: Asked | None = None) -> None:
        """Receipts and replies; durable on return. With ``asked``, each reply counts once, however often it comes."""
        await self._put(heard, asked)

    def _put(self, heard: Heard, asked: Asked | None = None) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Waiting(heard, done, asked))
        return done

    async def listen(self, channel: Listening) -> None:
        """Take what a channel hears over its own connection; opened again when it breaks.

        One report does not wait until the one before is durable: a thousand speakers report at once, and what is lost of that is said
        again. What a person said is durable before the channel is asked for more, and so before it tells its far side.
        """
        room = asyncio.Semaphore(_AT_ONCE)

        def taken(done: asyncio.Future[None]) -> None:
            room.release()
            if not done.cancelled():
                done.exception()  # it is in the log already; the far side asks for no answer

        while True:
            try:
                async for heard in channel.heard():
                    if heard.replies:
                        await self._keep(heard)
                        continue
                    await room.acquire()
                    self._put(heard).add_done_callback(taken)
            except SourceLost as lost:
                self._place.log.warning("channel_lost", error=str(lost))
            await asyncio.sleep(_RETRY_S)

    async def _keep(self, heard: Heard) -> None:
        """Durable on return, except for a reply that cannot be taken at all, which is in the log; it takes no other with it."""
        asked = Asked(gateway=heard.replies[0].channel, complete=True) if heard.once else None
        try:
            await self.take(heard, asked)
        except Exception:  # noqa: BLE001 - supervision point: logged where it happened
            for reply in heard.replies if len(heard.replies) > 1 else ():
                await self._keep(replace(heard, receipts=(), replies=(reply,)))

    async def run(self) -> None:
        """Write what came in, in groups, until ``stop``."""
        while (first := await self._queue.get()) is not None:
            group = [first]
            if not first.heard.replies:  # a receipt that is late by a moment harms nobody, a warning does
                await asyncio.sleep(_GATHER_S if self._pressed() else _MOMENT_S)
            held = first.size
            while not self._queue.empty() and held < _AT_ONCE:
                more = self._queue.get_nowait()
                if more is None:
                    self._queue.put_nowait(None)
                    break
                group.append(more)
                held += more.size
            with self._place.health.at_work("desk", "recording what was said"):
                await self._take_all(group)

    async def _take_all(self, group: Sequence[_Waiting]) -> None:
        """Make it durable and tell those who wait; one that cannot be taken does not take the others with it."""
        try:
            await self._write(lambda tx, now: self._take_group(tx, group, now))
        except Exception as error:  # noqa: BLE001 - supervision point: whoever said it is told to say it again
            if len(group) > 1:
                for one in group:
                    await self._take_all([one])
                return
            self._place.log.error("not_taken", error=repr(error))
            _finish(group, error)
            return
        _finish(group, None)

    async def stop(self) -> None:
        """Finish what came in so far; ``run`` returns."""
        await self._queue.put(None)

    async def _write(self, work: _Work) -> None:
        """Do it in one transaction, again and again until the store takes it."""
        while True:
            try:
                async with self._place.store.write() as tx:
                    await work(tx, self._place.clock.now())
                    passing(Point.HEARD_WRITTEN)
                passing(Point.HEARD_KEPT)
            except StoreFailed as failure:
                self._place.log.error("store_failed", error=str(failure))
                await asyncio.sleep(_RETRY_S)
                continue
            self._place.broadcast.wake()
            return

    async def _take_group(self, tx: Transaction, group: Sequence[_Waiting], now: datetime) -> None:
        await self._take_receipts(tx, [r for one in group for r in one.heard.receipts], now)
        replies: list[Reply] = []
        for one in group:
            replies += await only_new(tx, one.asked, one.heard.replies, now) if one.asked else one.heard.replies
        for reply in await self._take_plain(tx, replies, now):
            await self._take_reply(tx, reply, now)

    # ---------------------------------------------------------------------------------------- receipts

    async def _take_receipts(self, tx: Transaction, receipts: Sequence[Receipt], now: datetime) -> None:
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
        self._count([answer for _, answer in given])
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

    # ----------------------------------------------------------------------------- answers by other paths

    async def answer(  # noqa: PLR0913 - who, what, how, from where: the parts of an answer
        self,
        notice_id: str,
        *,
        action: Said,
        path: Path,
        person: str,
        on_behalf_by: str = "",
        people: int | None = None,
        note: str = "",
        origin: str = "",
    ) -> None:
        """An answer by link or on behalf; NotAsked when the notice wants none any more."""

        async def work(tx: Transaction, now: datetime) -> None:
            rows = await tx.fetch("notices.one", {"id": notice_id})
            if not rows:
                raise NotAsked("there is no such notice")
            notice = value_of(Notice, rows[0])
            check_asked(notice)
            given = answer_to(notice, action, path, person=person, on_behalf_by=on_behalf_by, people=people, note=note[:500], at=now)
            await record_answers(tx, self._place.house, [(notice, given)], now, origin)
            self._count([given])

        await self._write(work)

    async def open_link(self, token: str) -> tuple[Notice, str]:
        """The notice an answer link speaks for and the contact it was sent to; LinkRefused when altered or expired.

        A link holds as long as its notice: when that is renewed, the link in people's phones is too. A code is given out again only
        when every link with it has expired.
        """
        link, until = read_link(self._place.house.secret, token)
        now = self._place.clock.now()
        async with self._place.store.read() as reader:
            rows = await reader.fetch("notices.by_code", {"code": link.code})
        if not rows:
            raise NotAsked("there is no such notice") if until >= now else expired()
        notice = value_of(Notice, rows[0])
        if until < now and not notice.released_at < until < notice.expires_at > now:
            raise expired()
        return notice, link.person

    async def close_task(self, seq: int, by: str, origin: str) -> bool:
        """Close a task; false when it was closed already."""
        closed = False

        async def work(tx: Transaction, now: datetime) -> None:
            nonlocal closed
            county = self._place.house.county
            closed = bool(await tx.run("desk.close_task", {"seq": seq, "county": county, "closed_at": to_ms(now), "closed_by": by}))
            if closed:
                await write_audit(tx, county, now, [Act(actor=by, origin=origin, act="close_task", subject=str(seq))])

        await self._write(work)
        return closed

    def _count(self, answers: Sequence[Answer]) -> None:
        for answer in answers:
            self._place.metrics.answers.labels(answer.action.value, answer.path.value).inc()


def path_of(reply: Reply) -> Path:
    """A reply came by the path of its channel."""
    return _PATHS.get(reply.channel, Path.SMS)


def _finish(group: Sequence[_Waiting], error: Exception | None) -> None:
    for one in group:
        if not one.done.done():
            one.done.set_exception(error) if error else one.done.set_result(None)
