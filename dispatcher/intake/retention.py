"""What the journal no longer needs is deleted, a bounded number of rows at a time, while the engine runs.

A row goes when it is older than ``keep`` and recovery does not need it: it lies behind the last snapshot, and no rule looks back as
far. So the state can be worked out anew from the journal alone should a snapshot be damaged. Rejects go with the row that has their
bytes, or when there are too many of them, oldest first; before that they are written to a file with their bytes.
"""

import asyncio
import base64
import json
import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from dispatcher.errors import StoreFailed
from dispatcher.intake.journal import Damaged, read_row
from dispatcher.intake.rehearsal import REHEARSED
from dispatcher.ports import Reader, Row
from dispatcher.timestamps import from_ms, to_ms
from dispatcher.workplace import Workplace
from rules.plan import Plan

LOOK_EVERY_S = 60.0
ROWS_AT_ONCE = 200
MOST_REJECTS = 100_000
_PART = "retention"
_BREATH_S = 0.05


def kept_for(keep: timedelta, plan: Plan) -> timedelta:
    """How long rows stay: what the operator says, and never less than the longest window with its hold, or what a new plan rehearses."""
    return max(keep, REHEARSED + timedelta(days=1), timedelta(seconds=max((s.horizon_s for s in plan.series), default=0)))


def deletable(oldest: Sequence[Row], before: datetime, snapshot_seq: int) -> int:
    """The last of the oldest rows, in order, up to which all may go; 0 when none may."""
    through = 0
    for row in oldest:
        if row["seq"] > snapshot_seq or row["now"] >= to_ms(before):
            break
        through = row["seq"]
    return through


class Retention:
    """``run`` until cancelled; ``once`` does one bounded step."""

    def __init__(self, place: Workplace, keep: timedelta, archive: Path, most_rejects: int = MOST_REJECTS) -> None:
        """``archive`` is a folder for the rejects that go; made when there are any."""
        self._place = place
        self._keep = keep
        self._archive = archive
        self._most_rejects = most_rejects

    async def run(self, plan: Callable[[], Plan]) -> None:
        """Look now and then; while there is more to delete, breathe only between two steps."""
        while True:
            try:
                with self._place.health.at_work(_PART, "deleting what is no longer needed"):
                    more = await self.once(plan())
                self._place.health.clear(_PART)
            except StoreFailed as failure:
                self._place.log.error("store_failed", error=str(failure))
                more = False
            except OSError as failure:  # the archive: nothing is deleted that could not be written there
                self._place.health.set(_PART, f"cannot write to {self._archive}: {failure.strerror}", bearable=True)
                more = False
            await asyncio.sleep(_BREATH_S if more else LOOK_EVERY_S)

    async def once(self, plan: Plan) -> bool:
        """Delete what may go, within the bound; true when there may be more."""
        before = self._place.clock.now() - kept_for(self._keep, plan)
        async with self._place.store.read() as reader:
            oldest = await reader.fetch("journal.oldest", {"limit": ROWS_AT_ONCE})
            snapshot = await reader.fetch("journal.snapshot_seq")
            through = deletable(oldest, before, snapshot[0]["seq"])
            span = (await reader.fetch("rejects.span"))[0]
            beyond = max(0, span["last"] - self._most_rejects)
            going = await reader.fetch("rejects.oldest", {"through": beyond, "journal_seq": through, "limit": ROWS_AT_ONCE})
            lines = [await archived(reader, row, self._place.house.county) for row in going]
        if lines:
            await asyncio.to_thread(self._write, lines)
        async with self._place.store.write() as tx:
            await tx.run_many("rejects.forget", [{"seq": row["seq"]} for row in going])
            if through and len(going) < ROWS_AT_ONCE:  # while rejects of these rows wait for the archive, their bytes stay
                await tx.run("journal.forget", {"through": through})
        self._place.metrics.archived.inc(len(going))
        return len(going) == ROWS_AT_ONCE or (through > 0 and len(oldest) == ROWS_AT_ONCE)

    def _write(self, lines: Sequence[str]) -> None:
        """Append to the file of the month, on disk before anything is deleted. A crash in between leaves a line twice, never none."""
        self._archive.mkdir(parents=True, exist_ok=True)
        month = from_ms(json.loads(lines[-1])["at"]).strftime("%Y-%m")
        with (self._archive / f"rejects-{month}.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())


async def archived(reader: Reader, reject: Row, county: str) -> str:
    """A reject as a line of the archive: all that is known of it, and its whole bytes where the journal has them."""
    body = await body_of(reader, reject, county)
    known = {name: value for name, value in reject.items() if name not in ("excerpt", "journal_seq", "part", "state")}
    excerpt = base64.b64encode(bytes(reject["excerpt"])).decode()
    return json.dumps({**known, "excerpt": excerpt, "body": None if body is None else base64.b64encode(body).decode()}, ensure_ascii=False)


async def body_of(reader: Reader, reject: Row, county: str) -> bytes | None:
    """The bytes a reject came in; None when the journal does not have them (any more, or whole)."""
    rows = await reader.fetch("journal.row", {"seq": reject["journal_seq"]})
    if not rows:
        return None
    try:
        items = read_row(rows[0], county).items
    except Damaged:
        return None
    return items[reject["part"]].body if reject["part"] < len(items) else None
