"""Inside one transaction: what became of deliveries is written, and what a failure sets going is planned at once."""

import json
from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from dispatcher.calls.bundling import bundle
from dispatcher.calls.calling import fallback
from dispatcher.calls.escalating import plans_of
from dispatcher.calls.helping import with_helpers
from dispatcher.deliveries.settle import GAVE_UP, PATIENCE, RANK, needs_next_channel
from dispatcher.deliveries.writing import settle
from dispatcher.house import House
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice, NoticeState
from dispatcher.model.task import Task, TaskKind
from dispatcher.ports import DeliveryState, Receipt, Transaction
from dispatcher.rows import row_of, value_of
from dispatcher.timestamps import to_ms
from dispatcher.warnings.feed import failure_line
from dispatcher.warnings.telling import add_feed, add_tasks


async def settle_all(tx: Transaction, house: House, deliveries: Sequence[Delivery], now: datetime) -> int:
    """Write these deliveries. One that fails, or goes on failing, starts the person's next channel and a task; gives how many.

    The next channel has an id of its own that does not change: asking for it again plans nothing twice.
    """
    await settle(tx, deliveries)
    failing = [d for d in deliveries if needs_next_channel(d)]
    carriers = [d for d in deliveries if d.bundle]
    if carriers:
        await tx.run_many(
            "deliveries.share", [{**row_of(d), "reached": int(RANK[d.state] >= RANK[DeliveryState.ACCEPTED])} for d in carriers]
        )
        ids = json.dumps([d.id for d in failing if d.bundle])
        failing += [replace(value_of(Delivery, row), attempts=PATIENCE) for row in await tx.fetch("deliveries.riders", {"ids": ids})]
    if not failing:
        return 0
    rows = await tx.fetch("notices.by_ids", {"ids": json.dumps(sorted({d.notice for d in failing}))})
    notices = {row["id"]: value_of(Notice, row) for row in rows if row["state"] != NoticeState.SUPERSEDED}
    still = [d for d in failing if d.notice in notices]
    plans = await plans_of(tx, list(notices.values()))
    house = await with_helpers(tx, house, plans.values(), (n.village for n in notices.values()))
    next_ones = [made for d in still for made in fallback(house, d, notices[d.notice], now)]
    planned = bundle(house, notices, {n.id: plans[n.plan] for n in notices.values()}, next_ones)
    await tx.run_many("deliveries.add", [row_of(d) for d in planned])
    await add_feed(tx, [failure_line(house, d) for d in failing if d.state in GAVE_UP])
    await add_tasks(tx, house, [_dead_address(house, d, now) for d in still])
    return len(planned)


def _dead_address(house: House, delivery: Delivery, now: datetime) -> Task:
    zh, en = house.registry.name_of(delivery.village, "zh"), house.registry.name_of(delivery.village, "en")
    contact = house.registry.contacts.get(delivery.person)
    who_zh = contact.name if contact else delivery.address
    who_en = (contact.name_en or contact.name) if contact else delivery.address
    return Task(
        key=f"address/{delivery.channel}/{delivery.person or delivery.address}",
        county=delivery.county,
        status=delivery.status,
        kind=TaskKind.UNREACHABLE,
        village=delivery.village,
        text_zh=f"{zh} {who_zh}：{delivery.channel} 送不到（{delivery.code}），请核实",
        text_en=f"{en}, {who_en}: {delivery.channel} does not get through ({delivery.code}), please check",
        opened_at=now,
    )


def receipt_row(receipt: Receipt, delivery: Delivery, now: datetime) -> dict[str, object]:
    """A report of a far side as it came, in the order of arrival."""
    return {
        "delivery": delivery.id,
        "county": delivery.county,
        "state": receipt.state.value,
        "reference": receipt.reference,
        "code": receipt.code,
        "reason": receipt.reason,
        "at": to_ms(receipt.at or now),
    }
