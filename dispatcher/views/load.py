"""Reads what a view is made of: a handful of queries over sets, whatever the number of villages."""

import json
from datetime import datetime

from dispatcher.ports import Reader, Row
from dispatcher.registry.model import Registry
from dispatcher.timestamps import to_ms
from dispatcher.views.arrange import Tables, arrange
from dispatcher.views.board import Board, Filter

_FAR_AHEAD_MS = 2**62


async def load_board(reader: Reader, registry: Registry, wanted: Filter, now: datetime) -> Board:
    """The board of the registry's county at ``now``, from four queries."""
    county = registry.county.code
    villages = await reader.fetch("views.board", {"county": county, "closed_after": _FAR_AHEAD_MS})
    warnings = sorted({row["of_warning"] for row in villages})
    notices = [row["id"] for row in villages if row["id"]]
    plans: list[Row] = []
    answers: list[Row] = []
    tallies: list[Row] = []
    if notices:
        digests = sorted({row["plan"] for row in villages if row["id"]})
        plans = await reader.fetch("views.plans", {"digests": json.dumps(digests)})
        answers = await reader.fetch("views.answers", {"warnings": json.dumps(warnings)})
        tallies = await reader.fetch("deliveries.tally", {"notices": json.dumps(notices)})
    return arrange(Tables(villages=villages, plans=plans, answers=answers, tallies=tallies), registry, wanted, now)


async def last_feed_seq(reader: Reader, county: str) -> int:
    """The number of the newest line of the live stream; 0 when there is none."""
    rows = await reader.fetch("desk.feed_latest", {"county": county, "limit": 1})
    return int(rows[0]["seq"]) if rows else 0


def moment(at: datetime | None) -> int:
    """A time as a query's bound; none is far ahead."""
    return _FAR_AHEAD_MS if at is None else to_ms(at)
