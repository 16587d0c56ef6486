"""Stopped or killed in mid-storm, the demonstration goes on from where it was, and the world got every message."""

import random
import signal
import time
from pathlib import Path

import pytest

from tests.integration.programs import Programs, Running, arrivals, count, rows
from tests.services.server import free_port, random_seed

SPEED = "900"
#: The engine gives its parts four seconds; the rest is the end of the process on a busy machine.
STOPS_WITHIN_S = 10.0
#: What was decided, whenever it was.
CHANGES = "SELECT rule, place, before, after, at FROM changes ORDER BY at, rule, place, after"
WARNINGS = "SELECT id FROM warnings ORDER BY seq"
POSITION = "SELECT position FROM positions WHERE source = 'storm'"


class Storm:
    """Runs of one demonstration, each on the state that the one before has left."""

    def __init__(self, programs: Programs, name: str) -> None:
        self._programs = programs
        # The same address each time: villagers hold links to it.
        self._options = ("--state", name, "--port", str(free_port()), "--speed", SPEED, "--json")
        self.state = programs.folder / name
        self.database = self.state / "demo.db"

    def start(self, *options: str) -> Running:
        return self._programs.start("demo", *self._options, *options)

    def position(self) -> int:
        found = rows(self.database, POSITION)
        return int(found[0]["position"]) if found else 0

    def told(self) -> int:
        """How many deliveries the world has."""
        return len(arrivals(self.state / "town.jsonl"))

    def decided(self) -> list[tuple[object, ...]]:
        return [tuple(row) for row in rows(self.database, CHANGES)]

    def warnings(self) -> list[str]:
        return [row["id"] for row in rows(self.database, WARNINGS)]

    def said_twice_without_a_mark(self) -> set[str]:
        marked = {row["id"] for row in rows(self.database, "SELECT id FROM deliveries WHERE possible_duplicate")}
        return {delivery for delivery, times in arrivals(self.state / "town.jsonl").items() if times > 1} - marked


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    """The changes of a storm that nobody interrupts."""
    programs = Programs(tmp_path_factory.mktemp("undisturbed"))
    try:
        storm = Storm(programs, "state")
        ran = storm.start("--until-answered").wait()
        assert ran.code == 0, ran.err
        return storm.decided()
    finally:
        programs.end()


def test_a_storm_that_is_stopped_ends_in_time_and_goes_on_where_it_was(programs: Programs, undisturbed: list[tuple[object, ...]]) -> None:
    storm = Storm(programs, "state")
    running = storm.start()
    running.until(lambda: storm.told() >= 30, "thirty messages in the world")
    running.signal(signal.SIGINT)
    ran = running.wait(STOPS_WITHIN_S)
    assert ran.code == 0, ran.err
    assert ran.summary["lost"] == 0
    position, warnings = storm.position(), storm.warnings()
    assert 0 < position < 1248

    ran = storm.start("--until-answered").wait()
    assert ran.code == 0, ran.err
    assert (ran.summary["lost"], ran.summary["unanswered"], ran.summary["waiting"]) == (0, 0, 0)
    assert storm.position() == 1248
    assert storm.warnings()[: len(warnings)] == warnings
    assert storm.decided() == undisturbed
    assert storm.said_twice_without_a_mark() == set()


def test_a_run_that_should_wait_for_the_answers_says_when_it_was_interrupted(programs: Programs) -> None:
    storm = Storm(programs, "state")
    running = storm.start("--until-answered")
    running.until(lambda: storm.told() >= 5, "five messages in the world")
    running.signal(signal.SIGTERM)
    ran = running.wait(STOPS_WITHIN_S)
    assert ran.code == 130
    assert ran.summary["lost"] == 0


def test_a_power_cut_loses_nothing_and_changes_no_decision(programs: Programs, undisturbed: list[tuple[object, ...]]) -> None:
    """One for the demonstration, whose broker and recording are its own; tests/faults has many for the engine with real brokers."""
    chance = random.Random(random_seed("POWER_CUT_SEED"))
    storm = Storm(programs, "state")
    most = 5 + chance.randrange(80)
    running = storm.start()
    running.until(lambda: storm.told() >= most, f"{most} messages in the world")
    time.sleep(chance.random() * 0.3)
    running.kill()
    assert storm.position() < 1248

    ran = storm.start("--until-answered").wait()
    assert ran.code == 0, f"{ran.out}{ran.err[-3000:]}"
    assert (ran.summary["lost"], ran.summary["unanswered"]) == (0, 0)
    assert storm.decided() == undisturbed
    assert storm.said_twice_without_a_mark() == set()
    assert count(storm.database, "journal", "decided = 0") == 0


def test_the_town_of_a_killed_engine_ends_by_itself(programs: Programs, tmp_path: Path) -> None:
    storm = Storm(programs, "state")
    running = storm.start()
    running.until(lambda: storm.told() >= 1, "a message in the world")
    running.kill()
    end = time.monotonic() + 10
    while b"town.stopped" not in (storm.state / "town.jsonl").read_bytes():
        assert time.monotonic() < end, "the town goes on without an engine"
        time.sleep(0.05)
