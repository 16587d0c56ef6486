"""Any CSV can be read as readings once a profile describes it; what is missing is never a zero."""

from pathlib import Path

import pytest

from dispatcher.errors import ConfigurationError
from dispatcher.files.recordings import load_profile, read_recording

PROFILE = """\
name: test
delimiter: ";"
decimal: ","
timezone: Europe/Madrid
time: {column: Time, format: "%d/%m/%Y %H:%M"}
station_column: Gauge
values:
  - {column: Flow, variable: discharge, unit: m3/s}
  - {column: Stage, variable: level, unit: m}
missing: ["", "-"]
flags: {column: State, lost: [FALLO]}
"""
HEAD = "Gauge;Time;Flow;Stage;State\n"


def read(tmp_path: Path, rows: str, profile: str = PROFILE) -> list[tuple[str, str, float, str]]:
    (tmp_path / "p.yaml").write_text(profile, encoding="utf-8")
    (tmp_path / "r.csv").write_text(HEAD + rows, encoding="utf-8")
    found = read_recording(tmp_path / "r.csv", load_profile(tmp_path / "p.yaml"))
    return [(r["station"], r["variable"], r["value"], r["time"]) for r in found]


def refused(tmp_path: Path, rows: str, profile: str = PROFILE) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, rows, profile)
    return str(caught.value)


def test_each_value_column_gives_a_reading_in_local_time(tmp_path: Path) -> None:
    assert read(tmp_path, "P1;29/10/2024 11:30;208,207;1,5;\n") == [
        ("P1", "discharge", 208.207, "2024-10-29T11:30:00+01:00"),
        ("P1", "level", 1.5, "2024-10-29T11:30:00+01:00"),
    ]


@pytest.mark.parametrize(
    ("row", "left"),
    [
        ("P1;29/10/2024 19:00;;;FALLO\n", []),
        ("P1;29/10/2024 19:00;0;0;FALLO\n", []),
        ("P1;29/10/2024 19:00;-;1,5;\n", ["level"]),
        ("P1;29/10/2024 19:00;0;;\n", ["discharge"]),
    ],
    ids=["lost and empty", "lost though it says 0", "one value missing", "a real zero stays"],
)
def test_what_is_missing_is_no_reading(tmp_path: Path, row: str, left: list[str]) -> None:
    assert [reading[1] for reading in read(tmp_path, row)] == left


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("P1;29/10/2024 19:00;1.5;;\n", "r.csv:2: Flow: '1.5' is not a number with decimal sign ','"),
        ("P1;29/10/2024 19:00;nan;;\n", "r.csv:2: Flow: 'nan' is not a number"),
        ("P1;2024-10-29 19:00;1;;\n", "r.csv:2: Time: '2024-10-29 19:00' is not a time of the form '%d/%m/%Y %H:%M'"),
        ("P1;27/10/2024 02:30;1;;\n", "is not one moment in Europe/Madrid: the clocks were changed then"),
        ("P1;31/03/2024 02:30;1;;\n", "is not one moment in Europe/Madrid: the clocks were changed then"),
    ],
    ids=["wrong decimal sign", "nan", "wrong time", "an hour that came twice", "an hour that never was"],
)
def test_a_row_that_cannot_be_read_is_named_with_its_line(tmp_path: Path, row: str, said: str) -> None:
    assert said in refused(tmp_path, row)


def test_a_column_that_is_not_there_is_named_with_those_there_are(tmp_path: Path) -> None:
    said = refused(tmp_path, "", PROFILE.replace("column: Flow", "column: Caudal"))
    assert "r.csv:1: column missing: Caudal; columns there are: Gauge, Time, Flow, Stage, State" in said


def test_a_row_that_is_cut_short_is_named(tmp_path: Path) -> None:
    assert "r.csv:2" in refused(tmp_path, "P1;29/10/2024 19:00\n")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Europe/Madrid", "Europe/Valencia", "p.yaml:4:11: unknown time zone 'Europe/Valencia'"),
        ('decimal: ","', 'decimal: ";"', "unknown decimal sign ';'; allowed: ., ,"),
        ("station_column: Gauge\n", "", "p.yaml:7:5: 'station' is missing"),
        ("values:", "columns:", "unknown key 'columns'; allowed: name, timezone, time, values"),
    ],
    ids=["zone", "decimal", "no station", "unknown key"],
)
def test_a_mistake_in_a_profile_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert said in refused(tmp_path, "", PROFILE.replace(old, new))


HOURS = PROFILE.replace('format: "%d/%m/%Y %H:%M"', 'format: "%d/%m/%Y", hour: State').replace(
    "flags: {column: State, lost: [FALLO]}\n", "trace: [T]\n"
)


def test_an_hour_may_stand_by_itself_and_24_ends_the_day(tmp_path: Path) -> None:
    found = read(tmp_path, "P1;31/12/2024;T;-;24\nP1;01/01/2025;0,1;-;1\n", HOURS)
    assert [(value, time) for _, _, value, time in found] == [(0.0, "2025-01-01T00:00:00+01:00"), (0.1, "2025-01-01T01:00:00+01:00")]
    assert "r.csv:2: State: '25' is not an hour from 0 to 24" in refused(tmp_path, "P1;31/12/2024;1;-;25\n", HOURS)


def test_a_delimiter_at_the_end_of_a_row_adds_nothing_and_a_value_there_is_a_mistake(tmp_path: Path) -> None:
    assert len(read(tmp_path, "P1;29/10/2024 19:00;1;-;;\n")) == 1
    assert "r.csv:2: the row has more or fewer cells than the heading" in refused(tmp_path, "P1;29/10/2024 19:00;1;-;;9\n")
