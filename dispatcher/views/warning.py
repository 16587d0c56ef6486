"""The time line of one warning, and what went to each of its villages."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dispatcher.model.answer import Answer
from dispatcher.model.notice import Notice
from dispatcher.model.warning import Alert, Contribution, VillageGrade, Warning  # noqa: A004 - the word of the field
from dispatcher.ports import Reader, Row
from dispatcher.registry.model import Registry
from dispatcher.rows import value_of
from dispatcher.timestamps import from_ms, to_ms
from dispatcher.views.load import moment

MOST_ENTRIES = 400
VILLAGES_PER_PAGE = 40


class EntryKind(StrEnum):
    """What happened."""

    CHANGE = "change"
    ALERT = "alert"
    NOTICE = "notice"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened; ``value`` is the row of a change, else an Alert, Notice or Answer."""

    at: datetime
    kind: EntryKind
    value: Row | Alert | Notice | Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningView:
    """One warning, newest entries first; ``cut`` when older ones were left out. ``deliveries`` are of one page of villages.

    ``holding`` is everybody who holds any of them in a grade, each once, the highest first.
    """

    warning: Warning
    villages: Sequence[VillageGrade]
    entries: Sequence[Entry]
    cut: bool
    deliveries: Mapping[str, Sequence[Row]]
    holding: Sequence[Contribution]
    page: int
    pages: int


async def load_warning(reader: Reader, registry: Registry, warning_id: str, page: int) -> WarningView | None:
    """The view of a warning of the registry's county; None when there is none. ``page`` counts from 1."""
    rows = await reader.fetch("warnings.one", {"id": warning_id})
    if not rows or rows[0]["county"] != registry.county.code:
        return None
    warning = value_of(Warning, rows[0])
    villages = [value_of(VillageGrade, row) for row in await reader.fetch("warnings.villages", {"warning": warning_id})]
    entries = await _entries(reader, registry, warning, [v.village for v in villages])
    pages = max(1, -(-len(villages) // VILLAGES_PER_PAGE))
    page = min(max(1, page), pages)
    ordered = sorted(villages, key=lambda v: (-v.grade, v.village))
    shown = ordered[(page - 1) * VILLAGES_PER_PAGE : page * VILLAGES_PER_PAGE]
    deliveries: dict[str, list[Row]] = defaultdict(list)
    wanted = json.dumps([v.village for v in shown])
    for row in await reader.fetch("views.deliveries_of", {"warning": warning_id, "villages": wanted}):
        deliveries[row["village"]].append(row)
    return WarningView(
        warning=warning,
        villages=shown,
        entries=entries[:MOST_ENTRIES],
        cut=len(entries) > MOST_ENTRIES,
        deliveries=deliveries,
        holding=await _holding(reader, warning),
        page=page,
        pages=pages,
    )


async def _holding(reader: Reader, warning: Warning) -> list[Contribution]:
    scope = {"county": warning.county, "status": warning.status.value, "hazard": warning.hazard, "warning": warning.id}
    found: dict[str, Contribution] = {}
    for row in await reader.fetch("warnings.contributions_of", scope):
        one = value_of(Contribution, row)
        held = found.setdefault(one.contributor, one)
        found[one.contributor] = max(held, one, key=lambda c: c.grade)
    return sorted(found.values(), key=lambda c: (-c.grade, c.since, c.contributor))


async def _entries(reader: Reader, registry: Registry, warning: Warning, villages: Sequence[str]) -> list[Entry]:
    of, limit = {"warning": warning.id}, {"limit": MOST_ENTRIES + 1}
    # A change belongs to a warning by its place: one of its villages, or a station linked to one.
    inside = set(villages)
    places = sorted(inside | {link.station for link in registry.links if link.village in inside})
    period = {"since": to_ms(warning.opened_at), "until": moment(warning.closed_at), "places": json.dumps(places)}
    scope = {"county": warning.county, "status": warning.status.value, "hazard": warning.hazard}
    changes = await reader.fetch("views.changes_of", scope | period | limit)
    alerts = [value_of(Alert, row) for row in await reader.fetch("warnings.alerts", of)]
    notices = [value_of(Notice, row) for row in await reader.fetch("views.notices_of", of | limit)]
    answers = [value_of(Answer, row) for row in await reader.fetch("views.answers_of", of | limit)]
    found = [Entry(from_ms(row["decided_at"]), EntryKind.CHANGE, row) for row in changes]
    found += [Entry(a.sent_at, EntryKind.ALERT, a) for a in alerts]
    found += [Entry(n.released_at, EntryKind.NOTICE, n) for n in notices]
    found += [Entry(a.at, EntryKind.ANSWER, a) for a in answers]
    rank = {kind: n for n, kind in enumerate(EntryKind)}
    return sorted(found, key=lambda e: (e.at, rank[e.kind]), reverse=True)
