"""Recordings in our own form: a mistake in one is said with its line, and what no way in would take is not used."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dispatcher.cli.commands import app
from dispatcher.errors import ConfigurationError
from dispatcher.files.plain_recording import read_plain

ROOT = Path(__file__).resolve().parents[2]
NAMES = "station,variable,value,unit,time\n"
GOOD = "990121R11,rain,1.5,mm,2026-07-20T14:05:00+08:00\n"


def test_a_table_and_lines_of_json_give_the_same_rows(tmp_path: Path) -> None:
    table, lines = tmp_path / "a.csv", tmp_path / "a.jsonl"
    table.write_text("\ufeff" + NAMES + GOOD, encoding="utf-8")
    row = {"station": "990121R11", "variable": "rain", "value": 1.5, "unit": "mm", "time": "2026-07-20T14:05:00+08:00"}
    lines.write_text(json.dumps(row) + "\n\n", encoding="utf-8")
    assert read_plain(table) == read_plain(lines) == [row]


@pytest.mark.parametrize(
    ("name", "text", "line", "said"),
    [
        pytest.param("a.csv", "a,b\n1,2\n", 1, "lacks station, variable, value, unit, time", id="other columns"),
        pytest.param("a.csv", NAMES + GOOD + "990121R11,rain,,mm,2026-07-20T14:10:00+08:00\n", 3, "lacks value", id="empty cell"),
        pytest.param("a.csv", NAMES + "990121R11,rain,wet,mm,2026-07-20T14:10:00+08:00\n", 2, "'wet' is not a number", id="word"),
        pytest.param("a.csv", NAMES + "990121R11,rain,1,mm,yesterday\n", 2, "'yesterday' is not an ISO 8601 time", id="no time"),
        pytest.param("a.csv", NAMES + "990121R11,rain,1,mm,2026-07-20T14:10:00\n", 2, "with an offset", id="no offset"),
        pytest.param("a.jsonl", '{"station":\n', 1, "not JSON", id="cut off"),
        pytest.param("a.jsonl", "[1]\n", 1, "not a JSON object", id="array"),
    ],
)
def test_a_mistake_is_named_with_its_line(name: str, text: str, line: int, said: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as raised:
        read_plain(file)
    assert [problem.line for problem in raised.value.problems] == [line]
    assert said in raised.value.problems[0].message


def test_a_recording_that_is_not_there_is_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["rules", "replay", "--registry", str(ROOT / "config/sample"), "--input", str(tmp_path / "no.csv")])
    assert ran.exit_code == 1
    assert "the file is missing" in ran.output


def test_a_replay_converts_units_and_names_what_no_way_in_would_take(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    rows = "990121Z11,level,21850,cm,2026-07-20T14:05:00+08:00\nNOWHERE,rain,1,mm,2026-07-20T14:05:00+08:00\n"
    file.write_text(NAMES + rows, encoding="utf-8")
    ran = CliRunner().invoke(app, ["rules", "replay", "--registry", str(ROOT / "config/sample"), "--input", str(file)])
    assert ran.exit_code == 0
    assert "218.5 m" in ran.stdout
    assert "1 x not used: field \"station\": unknown station 'NOWHERE'" in ran.stderr
