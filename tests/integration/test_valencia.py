"""29 October 2024 at the Rambla del Poyo, through the real program: when it would have been told, and that silence lowers nothing."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.integration.programs import ROOT, Programs, rows
from tests.services.server import free_port
from tests.shared_data import shared_data

MADRID = ZoneInfo("Europe/Madrid")
RECORDING = "storms/valencia-2024/rambla-del-poyo-5min.csv"
RANK = {"none": 0, "blue": 1, "yellow": 2, "orange": 3, "red": 4}
A_DAY_S = 6.0
FASTEST = 20_000


def on_the_29th(hour: int, minute: int) -> datetime:
    return datetime(2024, 10, 29, hour, minute, tzinfo=MADRID)


@pytest.fixture(scope="module")
def recording() -> Path:
    return shared_data(RECORDING)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    started = Programs(tmp_path_factory.mktemp("valencia"))
    yield started
    started.end()


@pytest.fixture(scope="module")
def replayed(programs: Programs, recording: Path) -> list[dict[str, Any]]:
    """The changes that ``dispatcher rules replay`` prints."""
    county = str(ROOT / "config" / "valencia")
    ran = programs.run("rules", "replay", "--registry", county, "--input", str(recording), "--json")
    assert ran.code == 0, ran.err
    return [json.loads(line) for line in ran.out.splitlines()]


@pytest.fixture(scope="module")
def told(programs: Programs, recording: Path) -> dict[str, Any]:
    """The JSON line of ``scripts/valencia_lead.py``, after its table."""
    script = [sys.executable, str(ROOT / "scripts" / "valencia_lead.py"), str(recording), "--speed", "1200"]
    ran = subprocess.run([*script, "--state", str(programs.folder / "state")], capture_output=True, text=True, timeout=200, check=False)
    assert ran.returncode == 0, ran.stderr
    *table, line = ran.stdout.splitlines()
    assert len(table) == 2 + 8
    assert "Paiporta" in ran.stdout
    found: dict[str, Any] = json.loads(line)
    return found


def grade_at(changes: list[dict[str, Any]], when: datetime) -> int:
    return next((RANK[c["to"]] for c in reversed(changes) if datetime.fromisoformat(c["at"]) <= when), 0)


def test_the_rules_alone_reach_red_twice_in_time_and_come_down_in_between(replayed: list[dict[str, Any]]) -> None:
    reds = [datetime.fromisoformat(c["at"]) for c in replayed if c["to"] == "red"]
    assert len(reds) == 2
    assert on_the_29th(11, 30) <= reds[0] <= on_the_29th(11, 40)
    assert grade_at(replayed, on_the_29th(16, 0)) < RANK["orange"]
    assert on_the_29th(17, 0) <= reds[1] <= on_the_29th(17, 35)
    assert grade_at(replayed, on_the_29th(23, 59)) == RANK["red"]
    assert all(c["because"] for c in replayed)


def test_every_village_is_told_red_at_most_twice_and_answers_long_before_the_real_alert(told: dict[str, Any]) -> None:
    assert (told["lost"], told["unanswered"]) == (0, 0)
    assert told["villages"] == 8
    assert told["red_notices_most"] == 2
    assert told["lead_min"] >= 60
    assert told["lead_min_first_red"] > 8 * 60


def test_the_whole_engine_decides_what_the_rules_alone_decide(told: dict[str, Any], replayed: list[dict[str, Any]]) -> None:
    def moves(changes: list[dict[str, Any]]) -> list[tuple[datetime, str, str]]:
        return [(datetime.fromisoformat(c["at"]).replace(second=0, microsecond=0), c["from"], c["to"]) for c in changes]

    assert moves(told["grades"]) == moves(replayed)


def test_a_day_of_silence_lowers_nothing_and_is_a_task(told: dict[str, Any], programs: Programs, recording: Path) -> None:
    database = programs.folder / "state" / "demo.db"
    county = ["--registry", str(ROOT / "config" / "valencia"), "--input", str(recording)]
    span = ["--from", "2024-10-29T10:30+01:00", "--to", "2024-10-29T21:00+01:00"]
    how = ["--state", "state", "--port", str(free_port()), "--speed", str(FASTEST), "--json"]
    running = programs.start("demo", *county, *span, *how)
    running.until(lambda: rows(database, "SELECT 1 FROM tasks WHERE kind = 'no_data'"), "a task about the lost sensor")
    time.sleep(A_DAY_S)
    running.signal(signal.SIGINT)
    assert running.wait(5).code == 0

    clock = rows(database, "SELECT max(at) AS at FROM (SELECT max(at) AS at FROM feed UNION ALL SELECT max(now) FROM journal)")[0]["at"]
    assert clock >= (on_the_29th(18, 55) + timedelta(minutes=30)).timestamp() * 1000
    grades = rows(database, "SELECT after FROM changes ORDER BY at, seq")
    assert grades[-1]["after"] == RANK["red"]
    assert [tuple(row) for row in rows(database, "SELECT state, grade FROM warnings")] == [("open", RANK["red"])]
    assert rows(database, "SELECT 1 FROM notices WHERE purpose <> 'warn' AND released_at > ?", on_the_29th(18, 55).timestamp() * 1000) == []
    assert len(rows(database, "SELECT 1 FROM tasks WHERE kind = 'no_data'")) == 1
