"""The record of the Rambla del Poyo gauge, 28 October - 1 November 2024, through the Valencia rule pack."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dispatcher.files.countyfiles import load_county_files
from dispatcher.files.recordings import load_profile, read_recording
from rules.change import Change, Remark, RemarkKind
from rules.engine import Engine
from rules.grade import Grade
from rules.reading import Reading
from tests.shared_data import shared_data

CONFIG = Path(__file__).resolve().parents[2] / "config" / "valencia"
MADRID = ZoneInfo("Europe/Madrid")


def on_the_29th(hour: int, minute: int) -> datetime:
    return datetime(2024, 10, 29, hour, minute, tzinfo=MADRID)


@pytest.fixture(scope="module")
def decided() -> tuple[list[Change], list[Remark]]:
    """What the rules decide, with every timer, until two days after the sensor was lost."""
    file = shared_data("storms/valencia-2024/rambla-del-poyo-5min.csv")
    engine = Engine(load_county_files(CONFIG).plan)
    changes: list[Change] = []
    remarks: list[Remark] = []

    def wait_until(now: datetime) -> None:
        while (due := engine.next_tick()) is not None and due <= now:
            found = engine.tick(due)
            changes.extend(found.changes)
            remarks.extend(found.remarks)
            if engine.next_tick() == due:
                break

    for row in read_recording(file, load_profile(CONFIG / "recording.yaml")):
        at = datetime.fromisoformat(row["time"]).astimezone(UTC)
        wait_until(at)
        found = engine.observe([Reading(row["station"], row["variable"], row["value"], int(at.timestamp()))], at)
        changes.extend(found.changes)
        remarks.extend(found.remarks)
    wait_until(on_the_29th(18, 55).astimezone(UTC) + timedelta(days=2))
    return changes, remarks


def grade_at(changes: list[Change], when: datetime) -> Grade:
    return next((change.after for change in reversed(changes) if change.at <= when), Grade.NONE)


Decided = tuple[list[Change], list[Remark]]


def test_red_is_reached_at_once_when_the_first_flood_comes(decided: Decided) -> None:
    first = next(change for change in decided[0] if change.after is Grade.RED)
    assert on_the_29th(11, 30) <= first.at <= on_the_29th(11, 40)


def test_it_is_below_orange_by_four_in_the_afternoon(decided: Decided) -> None:
    assert grade_at(decided[0], on_the_29th(16, 0)) < Grade.ORANGE


def test_red_is_reached_again_two_and_a_half_hours_before_the_alert_that_was_really_sent(decided: Decided) -> None:
    assert grade_at(decided[0], on_the_29th(17, 35)) is Grade.RED
    assert on_the_29th(20, 11) - decided[0][-1].at >= timedelta(hours=2, minutes=30)


def test_there_are_two_reds_and_no_more(decided: Decided) -> None:
    assert [change.after for change in decided[0]].count(Grade.RED) == 2


def test_the_lost_sensor_lowers_nothing_and_the_duty_room_is_told(decided: Decided) -> None:
    changes, remarks = decided
    assert changes[-1].after is Grade.RED
    assert changes[-1].at <= on_the_29th(18, 55)
    silent = [remark for remark in remarks if remark.kind is RemarkKind.NO_DATA]
    assert len(silent) == 1
    assert silent[0].at == on_the_29th(19, 25)


def test_the_rows_of_the_lost_sensor_are_no_readings() -> None:
    file = shared_data("storms/valencia-2024/rambla-del-poyo-5min.csv")
    rows = list(read_recording(file, load_profile(CONFIG / "recording.yaml")))
    assert len(rows) == 391
    assert rows[-1] == {"station": "POYO", "variable": "discharge", "value": 2282.904, "unit": "m3/s", "time": "2024-10-29T18:55:00+01:00"}
