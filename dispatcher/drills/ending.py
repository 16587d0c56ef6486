"""Inside one transaction: the drill that runs, its storm as it is kept, and its end."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from dispatcher.drills.model import Drill
from dispatcher.drills.script import Script
from dispatcher.house import House
from dispatcher.model.task import FeedKind, FeedLine
from dispatcher.model.warning import Contribution
from dispatcher.policy.release import Origin
from dispatcher.ports import Reader, Status, Transaction
from dispatcher.rows import row_of, value_of
from dispatcher.timestamps import from_ms, to_ms
from dispatcher.warnings.hearing import apply_released, take_off
from dispatcher.warnings.issuing import release_warning
from dispatcher.warnings.sayings import taken_back
from dispatcher.warnings.telling import add_feed
from rules.plan import Plan
from rules.reading import Reading


async def end_drill(tx: Transaction, house: House, drill: Drill, now: datetime) -> Drill:
    """Take back all that the drill said, by hand or through rules; whoever was told is told that it is over."""
    exercise = replace(house, drill=drill.participants).of(Status.EXERCISE)
    rows = await tx.fetch("drills.contributions", {"county": drill.county})
    held = [value_of(Contribution, row) for row in rows]
    zh, en = f"演练结束：{drill.title}", f"The exercise is over: {drill.title}"
    for hazard in sorted(h for policy in house.policies.policies.values() for h in policy.hazards):
        await take_off(tx, exercise, hazard, drill.villages, now)
    for hazard in dict.fromkeys(c.hazard for c in held):
        sayings = [taken_back(c, now, zh, en, origin=Origin.OBSERVED) for c in held if c.hazard == hazard]
        for warning in await apply_released(tx, exercise, hazard, sayings, now):
            await release_warning(tx, exercise, warning, now, f"drill:{drill.id}")
    ended = replace(drill, ended_at=now)
    await tx.run("drills.save", row_of(ended))
    await add_feed(tx, [feed_line(exercise, drill, now, f"演练结束：{drill.title}", f"Drill is over: {drill.title}")])
    return ended


async def running_drill(reader: Reader, county: str) -> Drill | None:
    """The drill that runs now; None when there is none."""
    rows = await reader.fetch("drills.running", {"county": county})
    return value_of(Drill, rows[0]) if rows else None


def feed_line(house: House, drill: Drill, now: datetime, zh: str, en: str) -> FeedLine:
    """A word about a drill for the live stream."""
    return FeedLine(
        county=house.county, status=Status.EXERCISE, at=now, kind=FeedKind.WARNING, grade=drill.grade, subject=drill.id,
        text_zh=zh, text_en=en,
    )  # fmt: skip


def script_row(drill: Drill, script: Script, plan: Plan) -> dict[str, object]:
    """A script as it is kept: whole, since its file may be another one tomorrow."""
    readings = [list(reading) for reading in script.readings]
    return {
        "county": drill.county,
        "drill": drill.id,
        "name": script.name,
        "begin_at": to_ms(script.begin),
        "ends_at": to_ms(script.ends),
        "speed": script.speed,
        "plan": plan.digest,
        "readings": json.dumps(readings, ensure_ascii=False, separators=(",", ":")),
        "done_at": to_ms(script.begin),
        "why_zh": "",
        "why_en": "",
    }


def stored_script(row: Mapping[str, Any]) -> tuple[Script, str, datetime]:
    """The script again, the digest of the rules it began with, and up to when it has been decided."""
    script = Script(
        name=row["name"],
        begin=from_ms(row["begin_at"]),
        ends=from_ms(row["ends_at"]),
        speed=row["speed"],
        readings=tuple(Reading(*one) for one in json.loads(row["readings"])),
    )
    return script, row["plan"], from_ms(row["done_at"])
