"""Takes deliveries from the outbox and hands them to their channels: the worst grade first, a bounded number at once.

Taken under a lease that is committed before the request leaves; what happened is committed in groups.
"""

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.deliveries.breaker import Circuit
from dispatcher.deliveries.delivered import settle_all
from dispatcher.deliveries.gateways import Gateway, Gateways, Held
from dispatcher.deliveries.settle import (
    CIRCUIT,
    LEASE,
    await_report,
    on_expiry,
    on_failure,
    on_lease,
    on_lost_lease,
    on_receipt,
    on_supersession,
)
from dispatcher.deliveries.telling import message_of
from dispatcher.deliveries.writing import lease, settle, settled_in
from dispatcher.errors import DeliveryError, PermanentFailure, StoreFailed, TransientFailure, UnknownOutcome
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import NoticeState
from dispatcher.ports import Channel, Confirming, DeliveryState, Message, Receipt, Reconciling, Transaction
from dispatcher.registry.model import CHANNELS, SMS
from dispatcher.rows import row_of, value_of
from dispatcher.templates.segments import segments
from dispatcher.timestamps import to_ms
from dispatcher.upkeep.commit_points import Point, passing
from dispatcher.workplace import Workplace
from rules.grade import Grade

AT_ONCE = 200
_CLAIM_LEAST = 80
_GATHER_S = 0.02
_MORE_FOR_RED = 4  # orange and red have a quarter more slots: lower grades that hang must not hold them up
_FEWER_FOR_LOWER = 2  # a lower grade takes half of the slots at a time: a red alert waits for the store no longer than that
_SEND_TIMEOUT_S = 20.0
_LONGEST_NAP_S = 1.0
_LIMITED_NAP_S = 0.1
_SETTLE_AT_ONCE = 500
_RETRY_S = 1.0
_LOOK_BACK = timedelta(minutes=1)  # for clocks that disagree; shorter than any repeat, whose text is the same


@dataclass(frozen=True, slots=True)
class _Outcome:
    before: Delivery
    after: Delivery


class Sender:
    """One sender. ``run`` until ``stop``; several may work on one store."""

    def __init__(self, place: Workplace, channels: Mapping[str, Channel], at_once: int = AT_ONCE, gateways: Iterable[Gateway] = ()) -> None:
        """``channels`` by the name of their gateway. Where ``gateways`` say nothing, one that is called like its channel serves it."""
        self._place = place
        self._channels = channels
        # Asking whether a channel has a power is too slow to be done for each message.
        self._confirming = {name: c.report_within for name, c in channels.items() if isinstance(c, Confirming)}
        listed = list(gateways)
        known = {g.name for g in listed}
        self._gateways = Gateways([*listed, *(Gateway(name=n, channel=n) for n in channels if n not in known)], self._told)
        self._lanes = sorted({*(g.channel for g in self._gateways.all), *CHANNELS})
        self._limited = False
        self._well_again: set[str] = set()
        self._at_once = at_once
        self._least = min(_CLAIM_LEAST, at_once // 2)
        self._lower_at_once = max(1, at_once // _FEWER_FOR_LOWER)
        self._in_hand: set[asyncio.Task[None]] = set()
        self._outcomes: asyncio.Queue[_Outcome | None] = asyncio.Queue()
        self._found: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self._chance = random.Random()  # noqa: S311 - spreads retries, guards nothing

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    def pressed(self) -> bool:
        """Whether more is waiting than can be sent at once."""
        return len(self._in_hand) > self._at_once - self._least

    async def recover(self) -> int:
        """What a sender that died had in hand: its outcome is unknown. Gives the number of such deliveries."""
        now = self._place.clock.now()
        async with self._place.store.write() as tx:
            lost = [value_of(Delivery, row) for row in await tx.fetch("deliveries.sending")]
            await settle(tx, [on_lost_lease(d, now) for d in lost])
            passing(Point.RECOVERY_WRITTEN)
        passing(Point.RECOVERY_KEPT)
        return len(lost)

    async def run(self) -> None:
        """Send until stopped; then finish what is in hand."""
        settling = asyncio.create_task(self._settle())
        try:
            while not self._stopping:
                self._wake.clear()
                try:
                    with self._place.health.at_work("sender", "taking what is to be sent"):
                        claimed = await self._claim()
                except StoreFailed as failure:
                    self._place.log.error("store_failed", error=str(failure))
                    await asyncio.sleep(_RETRY_S)
                    continue
                for delivery in claimed:
                    task = asyncio.create_task(self._send(delivery))
                    self._in_hand.add(task)
                    task.add_done_callback(self._done)
                if settling.done():  # a fault of ours, raised below
                    break
                if not claimed or len(self._in_hand) > self._at_once - self._least:
                    await self._nap()
            if self._in_hand:
                await asyncio.wait(self._in_hand)
        finally:
            await self._outcomes.put(None)
            await settling

    async def stop(self) -> None:
        """Take nothing new; ``run`` returns when what is in hand is settled."""
        self._stopping = True
        self._wake.set()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._in_hand.discard(task)
        self._place.metrics.sending.set(len(self._in_hand))
        if len(self._in_hand) <= self._at_once - self._least:
            self._wake.set()

    async def _nap(self) -> None:
        """Until something is planned, a slot is free, or the next retry is due; never longer than a second."""
        try:
            async with asyncio.timeout(_LIMITED_NAP_S if self._limited else _LONGEST_NAP_S):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _claim(self) -> list[Delivery]:
        """Lease the next deliveries, worst grade first; what is too old is dropped with a record."""
        free = self._at_once - len(self._in_hand)
        now = self._place.clock.now()
        async with self._place.store.read() as reader:  # an idle sender writes nothing
            rows = await reader.fetch("deliveries.lanes_due", {"now": to_ms(now)})
        due = {(Grade(row["grade"]), row["channel"]) for row in rows if row["grade"] >= 0}
        due |= {(grade, channel) for grade in Grade for channel in self._well_again}
        other = {row["channel"] for row in rows if row["grade"] < 0}
        if not (due or "leases" in other):
            return []
        taken: list[Delivery] = []
        async with self._place.store.write() as tx:
            if "leases" in other:
                stuck = await tx.fetch("deliveries.expired_leases", {"now": to_ms(now), "limit": self._at_once})
                await settle(tx, [on_lost_lease(value_of(Delivery, r), now) for r in stuck])
                due |= {(Grade(row["grade"]), row["channel"]) for row in stuck}
            if "bundles" in other:
                await tx.run("deliveries.untie")
                await tx.run("deliveries.free_riders")
            await tx.run_many("deliveries.not_wait", [{"channel": c, "code": CIRCUIT, "now": to_ms(now)} for c in sorted(self._well_again)])
            self._well_again.clear()
            self._limited = False
            for grade in sorted(Grade, reverse=True):
                if taken and grade < Grade.ORANGE:
                    break  # what is urgent leaves first: lower grades are looked for when it is under way
                room = free + self._at_once // _MORE_FOR_RED if grade >= Grade.ORANGE else min(free, self._lower_at_once)
                lanes = [channel for channel in self._lanes if (grade, channel) in due]
                for left, channel in zip(range(len(lanes), 0, -1), lanes, strict=True):  # no channel's queue holds up another's
                    share = -(-(room - len(taken)) // left)
                    if share > 0:
                        taken += await self._claim_lane(tx, grade, channel, now, share)
            passing(Point.LEASE_WRITTEN)
        passing(Point.LEASE_KEPT)
        return taken

    async def _claim_lane(self, tx: Transaction, grade: Grade, channel: str, now: datetime, limit: int) -> list[Delivery]:
        if not self._gateways.may_take(channel, grade, asyncio.get_running_loop().time()):
            self._limited = True
            return []
        asked = {"grade": int(grade), "channel": channel, "now": to_ms(now), "limit": limit}
        rows = await tx.fetch("deliveries.claimable", asked)
        # What was in hand when a newer notice came, and was given back, must not be said after it.
        gone = [value_of(Delivery, row) for row in rows if row["notice_state"] == NoticeState.SUPERSEDED]
        live = [value_of(Delivery, row) for row in rows if row["notice_state"] != NoticeState.SUPERSEDED]
        expired = [d for d in live if d.expires_at <= now]
        await settle(tx, [on_supersession(d, now) for d in gone])
        leased = self._leased([d for d in live if d.expires_at > now], now)
        await settle(tx, [on_expiry(d, now) for d in expired])
        await tx.run_many("deliveries.share", [{**row_of(on_expiry(d, now)), "reached": 0} for d in expired if d.bundle])
        await lease(tx, leased)
        await tx.run_many("deliveries.ride", [row_of(d) for d in leased if d.bundle])
        return leased

    def _leased(self, ready: Sequence[Delivery], now: datetime) -> list[Delivery]:
        """Those that a gateway takes now. What is over a limit stays; where no gateway works, that is the outcome of the try."""
        held = LEASE * self._place.clock.speed  # a request takes real seconds, however fast the recording runs
        now_s = asyncio.get_running_loop().time()
        leased: list[Delivery] = []
        limited = any(g.rate for g in self._gateways.of(SMS))
        full: set[frozenset[str]] = set()  # what comes later must not overtake, be it ever so short
        for d in ready:
            if full and self._gateways.fitting(d.channel, d.address) in full:
                continue
            cost = segments(d.bundle or d.text).count if limited and d.channel == SMS else 1
            before = d.gateway if d.possible_duplicate or d.state is DeliveryState.UNKNOWN else ""
            taken = self._gateways.take(d.channel, d.address, d.grade, cost, now_s, self._chance.random(), before)
            if taken is Held.LIMIT:
                self._limited = True
                full.add(self._gateways.fitting(d.channel, d.address))
            else:
                leased.append(on_lease(d, now, held, taken.name if isinstance(taken, Gateway) else ""))
        return leased

    def _told(self, gateway: Gateway, circuit: Circuit) -> None:
        """A circuit opened or closed."""
        self._place.metrics.gateway_up.labels(gateway.name).set(circuit is Circuit.CLOSED)
        if circuit is Circuit.CLOSED:
            self._well_again.add(gateway.channel)
            self._wake.set()
            self._place.health.clear(f"gateway {gateway.name}")
        elif circuit is Circuit.OPEN:
            self._place.health.set(f"gateway {gateway.name}", "most messages failed; it is tried again now and then")
        self._place.log.warning("gateway_circuit", gateway=gateway.name, state=circuit.value)

    async def _send(self, delivery: Delivery) -> None:
        """One try, and its outcome into the queue."""
        started = asyncio.get_running_loop().time()
        after, outcome = await self._try(delivery)
        passing(Point.HANDED_OVER)
        self._place.metrics.sent(delivery.channel, outcome, asyncio.get_running_loop().time() - started)
        self._outcomes.put_nowait(_Outcome(delivery, after))

    async def _try(self, delivery: Delivery) -> tuple[Delivery, str]:
        """The delivery after one try, and what the gateway is to be thought of."""
        after, outcome = await self._tried(delivery)
        if outcome != CIRCUIT:
            through = outcome not in (TransientFailure.__name__, UnknownOutcome.__name__)
            self._gateways.heard(delivery.gateway, asyncio.get_running_loop().time(), through=through)
        return after, outcome

    async def _tried(self, delivery: Delivery) -> tuple[Delivery, str]:
        if not delivery.gateway and self._gateways.of(delivery.channel):
            away = TransientFailure(CIRCUIT, "every gateway of the channel is away")
            return self._failed(delivery, away), CIRCUIT
        message = message_of(delivery)
        try:
            async with asyncio.timeout(_SEND_TIMEOUT_S):
                receipt = await self._hand_over(delivery, message)
        except DeliveryError as error:
            return self._failed(delivery, error), type(error).__name__
        except TimeoutError:
            return self._failed(delivery, UnknownOutcome("timeout", "no answer in time")), UnknownOutcome.__name__
        except Exception as error:  # noqa: BLE001 - supervision point: a fault in one adapter is not to lose the message
            self._place.log.error("channel_fault", channel=delivery.channel, error=type(error).__name__)
            return self._failed(delivery, UnknownOutcome("fault", "the channel broke")), UnknownOutcome.__name__
        now = self._place.clock.now()
        after = on_receipt(delivery, receipt, now) or delivery
        if delivery.gateway in self._confirming:
            after = await_report(after, now + self._confirming[delivery.gateway] * self._place.clock.speed)
        return after, receipt.state.value

    async def _hand_over(self, delivery: Delivery, message: Message) -> Receipt:
        channel = self._channels.get(delivery.gateway)
        if channel is None:
            raise PermanentFailure("no_channel", f"no channel {delivery.channel!r} is configured")
        if delivery.possible_duplicate and isinstance(channel, Reconciling):
            found = await channel.find(message, delivery.planned_at - _LOOK_BACK)
            if found is not None and await self._is_ours(delivery, found.reference):
                return found
        return await channel.send(message)

    async def _is_ours(self, delivery: Delivery, reference: str) -> bool:
        """A deliberate repeat reads like the one before it: what the gateway has may be the other one, and then this one is not told.

        While another delivery of the same text may have left without our knowing its reference, neither can claim what is found:
        both are sent again, marked. A call's record has no text at all, so there any other call to the same number counts.
        """
        if self._found.setdefault(reference, delivery.id) != delivery.id:
            return False
        asked = {"address": delivery.address, "channel": delivery.channel, "reference": reference, "text": delivery.text, "id": delivery.id}
        async with self._place.store.read() as reader:
            return not await reader.fetch("deliveries.rivals", asked)

    def _failed(self, delivery: Delivery, error: DeliveryError) -> Delivery:
        return on_failure(delivery, error, self._place.clock.now(), self._chance.random())

    async def _settle(self) -> None:
        """Write outcomes in groups until told to stop."""
        going = True
        while going:
            first = await self._outcomes.get()
            group = [first] if first else []
            going = first is not None
            if going and len(self._in_hand) > self._least and not self._stopping:
                await asyncio.sleep(_GATHER_S)  # a commit for each would cost more than it tells
            while going and not self._outcomes.empty() and len(group) < _SETTLE_AT_ONCE:
                more = self._outcomes.get_nowait()
                going = more is not None
                if more:
                    group.append(more)
            with self._place.health.at_work("settling", "recording what was sent"):
                await self._write(group)

    async def _write(self, group: Sequence[_Outcome]) -> None:
        if not group:
            return
        while True:
            try:
                async with self._place.store.write() as tx:
                    settled = await settled_in(tx, [o.after for o in group])
                    planned = await settle_all(tx, self._place.house, settled, self._place.clock.now())
                    passing(Point.OUTCOME_WRITTEN)
                passing(Point.OUTCOME_KEPT)
            except StoreFailed as failure:
                self._place.log.error("store_failed", error=str(failure))
                await asyncio.sleep(_RETRY_S)
                continue
            if planned:
                self.wake()
            if any(s.state is DeliveryState.FAILED for s in settled):
                self._place.broadcast.wake()
            return
