"""Reads what a report is made of: a handful of queries over sets, whatever the number of villages."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.calls.escalating import plans_of
from dispatcher.model import warning as warnings
from dispatcher.model.answer import Answer
from dispatcher.model.delivery import Delivery
from dispatcher.model.notice import Notice
from dispatcher.policy.model import GradePlan
from dispatcher.ports import Reader, Row
from dispatcher.registry.model import Registry
from dispatcher.rows import value_of
from dispatcher.timestamps import from_ms, to_ms

Samples = Mapping[str, Sequence[tuple[datetime, Mapping[str, float]]]]
_BEFORE = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """All rows of one warning. ``samples`` are by place, ``changes`` oldest first, ``delivered`` by delivery."""

    warning: warnings.Warning
    alerts: Sequence[warnings.Alert]
    notices: Sequence[Notice]
    plans: Mapping[str, GradePlan]
    deliveries: Sequence[Delivery]
    answers: Sequence[Answer]
    delivered: Mapping[str, datetime]
    changes: Sequence[Row]
    tasks: Sequence[Row]
    consultation: Sequence[Row]
    samples: Samples
    until: datetime


async def gather(reader: Reader, registry: Registry, warning_id: str, now: datetime) -> Gathered | None:
    """Everything about a warning of this county; None when there is none."""
    rows = await reader.fetch("warnings.one", {"id": warning_id})
    if not rows or rows[0]["county"] != registry.county.code:
        return None
    warning, of = value_of(warnings.Warning, rows[0]), {"warning": warning_id}
    notices = [value_of(Notice, row) for row in await reader.fetch("reports.notices", of)]
    villages = sorted({row["village"] for row in await reader.fetch("warnings.villages", of)})
    places = sorted({*villages, *(link.station for link in registry.links if link.village in set(villages))})
    until = warning.closed_at or now
    period = {"since": to_ms(warning.opened_at - _BEFORE), "until": to_ms(until), "county": warning.county, "status": warning.status.value}
    inside = period | {"places": json.dumps(places)}
    changes = await reader.fetch("reports.changes", inside | {"hazard": warning.hazard})
    graded = sorted({row["place"] for row in changes})
    samples: dict[str, list[tuple[datetime, Mapping[str, float]]]] = defaultdict(list)
    for row in await reader.fetch("reports.samples", inside | {"places": json.dumps(graded)}):
        samples[row["place"]].append((from_ms(row["at"]), json.loads(row["inputs"])))
    return Gathered(
        warning=warning,
        alerts=[value_of(warnings.Alert, row) for row in await reader.fetch("warnings.alerts", of)],
        notices=notices,
        plans=await plans_of(reader, notices),
        deliveries=[value_of(Delivery, row) for row in await reader.fetch("reports.deliveries", of)],
        answers=[value_of(Answer, row) for row in await reader.fetch("reports.answers", of)],
        delivered={row["delivery"]: from_ms(row["at"]) for row in await reader.fetch("reports.delivered", of)},
        changes=changes,
        tasks=await reader.fetch("reports.tasks", period | {"villages": json.dumps(villages), "since": to_ms(warning.opened_at)}),
        consultation=await reader.fetch("reports.consultations", period | {"hazard": warning.hazard, "area": warning.area}),
        samples=samples,
        until=until,
    )
