"""``dispatcher decode`` shows what a file holds."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from dispatcher.cli.commands import app
from tests.codecs.making import AT_S, message
from tests.codecs.test_cap import MESSAGE

PACK = [{"bn": "990121R11:", "bt": AT_S, "n": "rain", "u": "mm", "v": 1.2}]


def run(folder: Path, body: bytes, *options: str) -> Result:
    file = folder / "message.bin"
    file.write_bytes(body)
    return CliRunner().invoke(app, ["decode", str(file), *options])


def test_readings_are_shown_line_by_line(tmp_path: Path) -> None:
    result = run(tmp_path, json.dumps(PACK).encode(), "--format", "senml")
    assert (result.exit_code, result.stdout) == (0, "2026-07-20T00:05:00+00:00  990121R11  rain  1.2  mm  good\n")


def test_what_is_refused_is_said_and_ends_with_1(tmp_path: Path) -> None:
    result = run(tmp_path, json.dumps([*PACK, {"n": "9:rain", "v": 1}]).encode(), "--format", "senml", "--json")
    assert result.exit_code == 1
    reading, reject = map(json.loads, result.stdout.splitlines())
    assert (reading["station"], reject["refused"], reject["item"]) == ("990121R11", "unknown_station", 2)


def test_a_frame_is_judged_by_the_time_it_came(tmp_path: Path) -> None:
    late = run(tmp_path, message("2219000005"), "--format", "sl651", "--at", "2026-07-21T08:06+08:00")
    assert (late.exit_code, "station's clock" in late.stderr) == (1, True)
    on_time = run(tmp_path, message("2219000005"), "--format", "sl651", "--at", "2026-07-20T08:06+08:00")
    assert "unknown station '0043112901'" in on_time.stderr


def test_alerts_are_shown(tmp_path: Path) -> None:
    result = run(tmp_path, MESSAGE.encode(), "--format", "cap")
    assert result.exit_code == 0
    assert "Exercise  Update  yjglj@example-county.gov.cn" in result.stdout
    assert "zh-CN  Extreme  山洪灾害红色预警: 某镇某村" in result.stdout
    as_json = json.loads(run(tmp_path, MESSAGE.encode(), "--format", "cap", "--json").stdout)
    assert (as_json["sent"], as_json["infos"][0]["urgency"]) == ("2026-07-20T16:15:12+08:00", "Immediate")


def test_an_unknown_format_is_answered_with_those_there_are(tmp_path: Path) -> None:
    result = run(tmp_path, b"x", "--format", "telepathy")
    assert result.exit_code == 1
    assert "unknown format 'telepathy'; allowed: json, senml, sl651" in result.stderr
