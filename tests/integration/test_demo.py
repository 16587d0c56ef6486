"""The demonstration from the storm to the last answer, its loss counted by the world and not by the engine."""

from pathlib import Path
from typing import Any

from tests.integration.programs import Programs, Ran, arrivals, ledger, rows

QUICK = ("--port", "0", "--speed", "900", "--until-answered", "--json")


def demo(programs: Programs, *options: str) -> Ran:
    return programs.run("demo", "--state", "state", *QUICK, *options)


def sent_twice(state: Path) -> tuple[set[str], set[str]]:
    """The deliveries that reached the world more than once, and those of the store that say they may have."""
    twice = {delivery for delivery, times in arrivals(state / "town.jsonl").items() if times > 1}
    marked = {row["id"] for row in rows(state / "demo.db", "SELECT id FROM deliveries WHERE possible_duplicate")}
    return twice, marked


def test_the_storm_runs_to_the_last_answer_and_nothing_is_lost_or_said_twice(programs: Programs, tmp_path: Path) -> None:
    ran = demo(programs)
    assert ran.code == 0, ran.err
    told: dict[str, Any] = ran.summary
    assert (told["lost"], told["duplicates"], told["unanswered"], told["waiting"]) == (0, 0, 0, 0)
    assert told["readings"] == len((Path(tmp_path) / "state" / "storm.jsonl").read_text("utf-8").splitlines())
    assert told["warnings"] >= 2
    assert told["notices"] >= 40
    assert told["deliveries"] >= 3 * told["warnings"]
    assert told["acks"] >= 40
    database = tmp_path / "state" / "demo.db"
    assert {row["grade"] for row in rows(database, "SELECT DISTINCT grade FROM notices WHERE purpose = 'warn'")} >= {1, 2, 3, 4}
    assert {row["channel"] for row in rows(database, "SELECT DISTINCT channel FROM deliveries")} == {"sms", "loudspeaker", "duty_room"}
    paths = {row["path"] for row in rows(database, "SELECT DISTINCT path FROM answers")}
    assert {"sms", "link"} <= paths


def test_a_message_that_the_network_forgets_is_counted_and_named(programs: Programs, tmp_path: Path) -> None:
    ran = demo(programs, "--town=--swallow=5")
    assert ran.code == 1
    told = ran.summary
    assert told["lost"] == len(told["lost_messages"]) >= 1, "a text may have been for several villages"
    arrived = arrivals(tmp_path / "state" / "town.jsonl")
    claimed = (
        "SELECT DISTINCT CASE carried_by WHEN '' THEN id ELSE carried_by END AS id FROM deliveries "
        "WHERE channel = 'sms' AND state IN ('accepted', 'sent', 'delivered', 'undelivered')"
    )
    forgotten = [row["id"] for row in rows(tmp_path / "state" / "demo.db", claimed) if row["id"] not in arrived]
    assert len(forgotten) == 1
    assert forgotten[0] in str(told["lost_messages"]) or _message_of(tmp_path, forgotten[0]) in told["lost_messages"]


def _message_of(folder: Path, delivery: str) -> list[str]:
    row = rows(folder / "state" / "demo.db", "SELECT notice, channel, address FROM deliveries WHERE id = ?", delivery)[0]
    return [row["notice"], row["channel"], row["address"]]


def test_a_bad_network_loses_nothing_and_what_comes_twice_is_marked(programs: Programs, tmp_path: Path) -> None:
    faults = ("lose-answer=0.05", "refuse=0.05", "repeat=0.1", "reorder=0.1")
    ran = demo(programs, *(f"--town=--fault={fault}" for fault in faults))
    assert ran.code == 0, ran.err
    assert ran.summary["lost"] == 0
    state = tmp_path / "state"
    twice, marked = sent_twice(state)
    assert twice <= marked
    assert marked, "the answers of about one in twenty texts are lost: some outcome must have been unknown"
    assert any(entry["kind"] == "sms.refused" for entry in ledger(state / "town.jsonl"))
