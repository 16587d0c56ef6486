"""Where answers, replies and receipts come in. Everything is durable when a call returns; calls under way share commits."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dispatcher.answers.links import expired, read_link
from dispatcher.answers.polling import Asked, only_new
from dispatcher.answers.recording import answer_to, check_asked, record_answers
from dispatcher.answers.taking import Taking
from dispatcher.deliveries.telling import message_of
from dispatcher.errors import NotAsked, SourceLost, StoreFailed
from dispatcher.model.answer import Path, Said
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice
from dispatcher.ports import Channel, Heard, Hooked, HookRequest, Listening, Reply, Scripted, Transaction
from dispatcher.rows import value_of
from dispatcher.timestamps import to_ms
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.upkeep.commit_points import Point, passing
from dispatcher.workplace import Workplace

_RETRY_S = 1.0
_GATHER_S = 0.25
_MOMENT_S = 0.02
_AT_ONCE = 500

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
        self._taking = Taking(place, planned)
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
        await self._taking.receipts(tx, [r for one in group for r in one.heard.receipts], now)
        replies: list[Reply] = []
        for one in group:
            replies += await only_new(tx, one.asked, one.heard.replies, now) if one.asked else one.heard.replies
        await self._taking.replies(tx, replies, now)

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
            self._taking.count([given])

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


def _finish(group: Sequence[_Waiting], error: Exception | None) -> None:
    for one in group:
        if not one.done.done():
            one.done.set_exception(error) if error else one.done.set_result(None)
