"""The flood of 29 October 2024 through the whole engine: when each village was told red, when it answered, with what lead.

    python scripts/valencia_lead.py ../shared/data/storms/valencia-2024/rambla-del-poyo-5min.csv

Runs ``dispatcher demo`` on the gauge's record and reads its database. Prints one table and one JSON line; exits 1 when a
message was lost. The villages and their contacts are simulated, the discharge and the times of the grades are real.
The population alert was really sent at 20:11 local time.
"""

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[1]
MADRID = ZoneInfo("Europe/Madrid")
REAL_ALERT = datetime(2024, 10, 29, 20, 11, tzinfo=MADRID)
BEGIN, END = "2024-10-29T10:30+01:00", "2024-10-29T21:00+01:00"
GRADES = ("none", "blue", "yellow", "orange", "red")
RED = GRADES.index("red")
TOLD = """
SELECT n.village, n.released_at, min(a.at) AS answered_at FROM notices n LEFT JOIN answers a ON a.notice = n.id
WHERE n.grade = ? AND n.purpose = 'warn' GROUP BY n.seq ORDER BY n.village, n.released_at
"""
CHANGES = "SELECT at, before, after FROM changes ORDER BY at, seq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One red notice of one village: when it was released, and when somebody first answered it."""

    village: str
    red_at: datetime
    answered_at: datetime | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print."""
    parser = argparse.ArgumentParser(description="Red notices, first answers and the lead over the real alert of 29 October 2024.")
    parser.add_argument("recording", type=Path, help="the five-minute record of the Rambla del Poyo gauge (CSV)")
    parser.add_argument("--speed", type=float, default=600, help="times faster than life (default %(default)s, about 50 s)")
    parser.add_argument("--state", type=Path, help="folder for the state of the run, kept; default a temporary one")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        state = given.state or Path(temporary)
        summary, code = run(given.recording.resolve(), state.resolve(), given.speed)
        if not summary:
            return code
        told, changes = read(state / "demo.db")
    print(table(told, names()))
    print(json.dumps(figures(told, changes, summary), ensure_ascii=False))
    return code


def run(recording: Path, state: Path, speed: float) -> tuple[dict[str, Any], int]:
    """The demonstration until the last village has answered; its summary and exit code."""
    where = ["--registry", str(ROOT / "config" / "valencia"), "--input", str(recording), "--from", BEGIN, "--to", END]
    how = ["--state", str(state), "--port", "0", "--speed", str(speed), "--until-answered", "--json"]
    ran = subprocess.run([sys.executable, "-m", "dispatcher", "demo", *where, *how], stdout=subprocess.PIPE, cwd=ROOT, check=False)
    return (json.loads(ran.stdout) if ran.stdout else {}), ran.returncode


def read(database: Path) -> tuple[list[Told], list[tuple[datetime, str, str]]]:
    """The red notices with their first answers, and the changes of grade."""
    with closing(sqlite3.connect(database)) as connection:
        told = [
            Told(village=village, red_at=local(red_ms), answered_at=None if answered_ms is None else local(answered_ms))
            for village, red_ms, answered_ms in connection.execute(TOLD, (RED,))
        ]
        changes = [(local(at), GRADES[before], GRADES[after]) for at, before, after in connection.execute(CHANGES)]
    return told, changes


def local(ms: int) -> datetime:
    """Milliseconds since 1970 as the time in Valencia."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(MADRID)


def names() -> dict[str, str]:
    """The villages' names by code."""
    lines = (ROOT / "config" / "valencia" / "villages.csv").read_text(encoding="utf-8").splitlines()[1:]
    return {line.split(",")[0]: line.split(",")[2] for line in lines}


def by_village(told: Sequence[Told]) -> dict[str, list[Told]]:
    """The notices of each village, oldest first."""
    found: dict[str, list[Told]] = {}
    for one in told:
        found.setdefault(one.village, []).append(one)
    return found


def lead_min(at: datetime | None) -> float | None:
    """Minutes before the real alert."""
    return None if at is None else round((REAL_ALERT - at).total_seconds() / 60, 1)


def clock(at: datetime | None) -> str:
    """Hours, minutes and seconds."""
    return "-" if at is None else f"{at:%H:%M:%S}"


def table(told: Sequence[Told], name_of: dict[str, str]) -> str:
    """A line for each village: its red notices with their first answers, and the lead of the last answer."""
    head = f"{'village':<14}{'red notice → first answer, 29 October 2024, local time':<58}{'lead over 20:11':>16}"
    lines = [head, "-" * len(head)]
    for village, notices in by_village(told).items():
        pairs = "   ".join(f"{clock(one.red_at)} → {clock(one.answered_at)}" for one in notices)
        lead = lead_min(notices[-1].answered_at)
        lines.append(f"{name_of.get(village, village):<14}{pairs:<58}{'-' if lead is None else f'{lead:.0f} min':>16}")
    return "\n".join(lines)


def figures(told: Sequence[Told], changes: Sequence[tuple[datetime, str, str]], summary: dict[str, Any]) -> dict[str, Any]:
    """The same for a program, with the times of the grades. Every ``last_answer`` is that of the slowest village."""
    villages = by_village(told)
    answers = [notices[-1].answered_at for notices in villages.values()]
    last = max((at for at in answers if at), default=None) if all(answers) else None
    first_red = [notices[0].answered_at for notices in villages.values()]
    last_of_first = max((at for at in first_red if at), default=None) if all(first_red) else None
    return {
        "grades": [{"at": at.isoformat(timespec="minutes"), "from": before, "to": after} for at, before, after in changes],
        "villages": len(villages),
        "red_notices_most": max(map(len, villages.values()), default=0),
        "last_answer_first_red": last_of_first.isoformat(timespec="seconds") if last_of_first else None,
        "last_answer": last.isoformat(timespec="seconds") if last else None,
        "lead_min_first_red": lead_min(last_of_first),
        "lead_min": lead_min(last),
        **{name: summary[name] for name in ("readings", "notices", "deliveries", "acks", "lost", "duplicates", "unanswered")},
    }


if __name__ == "__main__":
    sys.exit(main())
