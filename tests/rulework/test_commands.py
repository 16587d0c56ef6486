"""``dispatcher rules …`` as people call it: exit codes, what it says, and JSON for programs."""

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner, Result

from dispatcher.application import open_store
from dispatcher.cli.commands import app
from dispatcher.ports import Store
from dispatcher.settings import Deployment, load_deployment
from dispatcher.warnings.explain import change_as_json
from rules.change import Change, Evidence, Mode
from rules.grade import Grade

SAMPLE = Path(__file__).resolve().parents[2] / "config" / "sample"
EVENTS = """\
place,from,to,grade,hazard,name
990121R14,2026-07-20T15:00,2026-07-20T17:00,red,,at the head
990121101201,2026-07-20T18:00,2026-07-20T20:00,orange,flash-flood,村
990121101000,2026-07-20T18:00+08:00,2026-07-20T20:00+08:00,orange,,
990121000000,2026-07-20T18:00,2026-07-20T20:00,blue,,
"""
SCENARIO = """\
tests:
- name: too much is expected
  rule: flash-flood-rain
  step: 5m
  start: 2024-07-01T00:05+08:00
  feed: {S1.rain: 2x24 4x12}
  expect: [{at: 2h15m, S1: red}]
"""


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """A copy of the sample county, without the scenarios of its rules."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "county", ignore=shutil.ignore_patterns("*.scenario.yaml")))


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["rules", *map(str, arguments)])


def _json(*arguments: object) -> Any:  # noqa: ANN401 - what it prints
    ran = _run(*arguments, "--json")
    return json.loads(ran.stdout)


# ----------------------------------------------------------------------------------------------- test


def test_a_failing_scenario_ends_with_1_and_says_the_difference(county: Path) -> None:
    file = county / "rules" / "storm.scenario.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    ran = _run("test", file)
    assert ran.exit_code == 1
    assert f"{file}:7:12: too much is expected" in ran.output
    assert "at 2h15m, S1: expected red; was blue" in ran.output
    assert "r3h 58" in ran.output
    assert "2h15m none → blue (r3h 58 mm)" in ran.output
    assert "0 passed, 1 failed" in ran.output


def test_differences_are_there_for_programs(county: Path) -> None:
    (county / "rules" / "storm.scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    found = _json("test", county / "rules")
    (d,) = found["differences"]
    assert (found["ok"], found["passed"], found["failed"], d["place"], d["after_s"], d["line"]) == (False, 0, 1, "S1", 8100, 7)


def test_only_the_scenario_that_is_named_is_run(county: Path) -> None:
    (county / "rules" / "bad.scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    good = county / "rules" / "good.scenario.yaml"
    good.write_text(SCENARIO.replace("S1: red", "S1: blue"), encoding="utf-8")
    ran = _run("test", good)
    assert (ran.exit_code, ran.output) == (0, "1 passed, 0 failed\n")


def test_scenarios_may_stand_in_a_folder_below_their_rules(county: Path) -> None:
    (county / "rules" / "tests").mkdir()
    file = county / "rules" / "tests" / "good.scenario.yaml"
    file.write_text(SCENARIO.replace("S1: red", "S1: blue"), encoding="utf-8")
    assert _run("test", file).output == "1 passed, 0 failed\n"
    assert _run("test", county / "rules").output == "1 passed, 0 failed\n"


def test_scenarios_beside_the_rules_of_a_county_are_no_rules_of_it(county: Path) -> None:
    (county / "rules" / "storm.scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    ran = CliRunner().invoke(app, ["check", "-c", str(county / "deployment.yaml")])
    assert ran.exit_code == 0, ran.output


def test_a_path_without_rules_is_named(tmp_path: Path) -> None:
    ran = _run("test", tmp_path)
    assert ran.exit_code == 1
    assert f"{tmp_path}: no rules here; allowed: a folder with rule files" in ran.output


def test_the_rules_of_the_sample_county_pass_their_tests() -> None:
    assert _run("test", SAMPLE / "rules").output == "5 passed, 0 failed\n"


# ---------------------------------------------------------------------------------------------- check


def test_a_rule_without_a_test_is_a_warning_and_no_mistake(county: Path) -> None:
    ran = _run("check", county / "rules", "--registry", county)
    assert ran.exit_code == 0
    assert "flash-flood-rain.yaml:10:15: rule 'flash-flood-rain' has no test" in ran.output
    assert "ok: 2 rules, 0 tests, 2 warnings" in ran.output


def test_every_mistake_is_named_with_file_line_and_column(county: Path) -> None:
    rule = county / "rules" / "flash-flood-rain.yaml"
    rule.write_text(rule.read_text("utf-8").replace("mode: live", "mode: off").replace("r3h < 30", "r4h < 30"), encoding="utf-8")
    (county / "rules" / "bad.scenario.yaml").write_text(SCENARIO.replace("S1: red", "S1: pink"), encoding="utf-8")
    found = _json("check", county / "rules")
    assert not found["ok"]
    assert [(Path(p["file"]).name, p["line"], p["column"]) for p in found["problems"]] == [
        ("flash-flood-rain.yaml", 12, 11),
        ("flash-flood-rain.yaml", 26, 19),
        ("bad.scenario.yaml", 7, 28),
    ]
    assert "YAML reads 'off' as true or false" in found["problems"][0]["message"]


def test_rules_that_do_not_fit_to_a_county_are_mistakes_only_with_the_county(county: Path) -> None:
    table = county / "rules" / "thresholds" / "rain_by_station.csv"
    table.write_text(table.read_text("utf-8") + "NOWHERE,r1h,1,2,3,4\n", encoding="utf-8")
    assert _json("check", county / "rules")["ok"]
    ran = _run("check", county / "rules", "--registry", county)
    assert ran.exit_code == 1
    assert "'NOWHERE' is no rain_gauge" in ran.output


def test_a_hazard_that_no_policy_is_for_is_a_mistake_with_the_county(county: Path) -> None:
    rule = county / "rules" / "flash-flood-rain.yaml"
    rule.write_text(rule.read_text("utf-8").replace("hazard: flash-flood", "hazard: fog"), encoding="utf-8")
    assert _json("check", county / "rules")["ok"]
    ran = _run("check", county / "rules", "--registry", county)
    assert ran.exit_code == 1
    assert "no policy for hazard 'fog'; policies are for: flash-flood, river-flood" in ran.output


def test_a_test_of_a_rule_that_is_not_there_is_a_mistake(county: Path) -> None:
    (county / "rules" / "bad.scenario.yaml").write_text(SCENARIO.replace("flash-flood-rain", "flash-flood"), encoding="utf-8")
    ran = _run("check", county / "rules")
    assert ran.exit_code == 1
    assert "bad.scenario.yaml:2:3: test 'too much is expected' is of an unknown rule 'flash-flood'" in ran.output


# ------------------------------------------------------------------------------------ backtest and diff


def _events(tmp_path: Path, text: str = EVENTS) -> Path:
    file = tmp_path / "events.csv"
    file.write_text(text, encoding="utf-8")
    return file


def _history(county: Path) -> list[object]:
    return ["--registry", county, "--history", SAMPLE / "storm.csv"]


def test_a_backtest_counts_by_station_village_township_and_county(county: Path, tmp_path: Path) -> None:
    found = _json("backtest", *_history(county), "--events", _events(tmp_path))
    kinds = {(r["kind"], r["hazard"]): {s["grade"]: s for s in r["scores"]} for r in found["results"]}
    assert set(kinds) == {("station", ""), ("village", "flash-flood"), ("township", ""), ("county", "")}
    red = kinds["station", ""]["red"]
    assert (red["events"], red["hits"], red["misses"]) == (1, 1, 0)
    assert red["outcomes"][0]["name"] == "at the head"
    assert red["outcomes"][0]["lead_s"] == red["leads_s"][0] > 0
    county_blue = kinds["county", ""]["blue"]
    assert (county_blue["hits"], county_blue["false_alarms"], county_blue["pod"], county_blue["far"]) == (1, 0, 1, 0)
    assert kinds["county", ""]["red"]["pod"] is None  # no event deserved it


def test_versions_stand_side_by_side(county: Path, tmp_path: Path) -> None:
    new = Path(shutil.copytree(county / "rules", tmp_path / "new"))
    rule = new / "flash-flood-rain.yaml"
    rule.write_text(rule.read_text("utf-8").replace("    override: thresholds/rain_by_station.csv\n", ""), encoding="utf-8")
    both = ["--rules", county / "rules", "--rules", new]
    found = _json("backtest", *_history(county), "--events", _events(tmp_path), *both)
    blue = {r["version"]: r["scores"][0] for r in found["results"] if r["kind"] == "station"}
    assert set(blue) == {str(county / "rules"), str(new)}
    # Without the lower numbers of the steep catchment the warning comes later.
    assert blue[str(new)]["leads_s"] < blue[str(county / "rules")]["leads_s"]
    said = _run("backtest", *_history(county), "--events", _events(tmp_path), *both).output
    assert "by station" in said
    assert "石潭河源头雨量站 Shitan Stream head rain gauge (990121R14)" in said


def test_only_the_time_that_was_asked_for_counts(county: Path, tmp_path: Path) -> None:
    found = _json("backtest", *_history(county), "--events", _events(tmp_path), "--from", "2026-07-20T17:30", "--to", "2026-07-20T19:00")
    assert found["from"] == "2026-07-20T17:30:01+08:00"
    assert [s["events"] for r in found["results"] if r["kind"] == "station" for s in r["scores"]] == [0, 0, 0, 0]


def test_an_event_becomes_a_picture_that_any_browser_shows(county: Path, tmp_path: Path) -> None:
    found = _json("backtest", *_history(county), "--events", _events(tmp_path), "--plot", tmp_path / "plots")
    assert len(found["plots"]) == 4
    (file,) = (name for name in found["plots"] if "990121R14" in name)
    svg = ET.parse(file).getroot()  # noqa: S314 - our own file
    shapes = [element.tag.rpartition("}")[2] for element in svg.iter()]
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert shapes.count("polyline") == 4  # 1, 3, 6 and 24 hours of rain
    assert len(next(e for e in svg.iter() if e.tag.endswith("polyline")).attrib["points"].split()) > 50
    texts = " ".join(e.text or "" for e in svg.iter())
    assert "at the head" in texts
    assert "flash-flood-rain: r3h = sum(rain, 3h) [mm]" in texts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("place,from,to\n", "events.csv:1: column missing: 'grade'", id="column"),
        pytest.param("place,from,to,grade\n", "there is no event; at least one is needed", id="none"),
        pytest.param("place,from,to,grade\nX,2026-07-20,2026-07-21,red\n", "2:1: place: 'X' is neither a station nor an area", id="place"),
        pytest.param("place,from,to,grade\n990121R14,soon,2026-07-21,red\n", "2:11: from: 'soon' is not a time", id="time"),
        pytest.param("place,from,to,grade\n990121R14,2026-07-20,2026-07-21,pink\n", "grade: unknown grade 'pink'", id="grade"),
        pytest.param("place,from,to,grade\n990121R14,2026-07-22,2026-07-21,red\n", "ends", id="order"),
    ],
)
def test_a_mistake_in_the_events_is_named_with_its_place(county: Path, tmp_path: Path, text: str, said: str) -> None:
    ran = _run("backtest", *_history(county), "--events", _events(tmp_path, text))
    assert ran.exit_code == 1
    assert said in ran.output


def test_a_duration_that_is_none_is_wrong_usage(county: Path, tmp_path: Path) -> None:
    ran = _run("backtest", *_history(county), "--events", _events(tmp_path), "--before", "a day")
    assert ran.exit_code == 2
    assert "--before: 'a day' is not a length of time" in ran.output


def test_equal_versions_do_not_differ(county: Path) -> None:
    ran = _run("diff", county / "rules", SAMPLE / "rules", *_history(county))
    assert (ran.exit_code, ran.output) == (0, "no difference\n")


def test_a_new_version_differs_from_to_and_how(county: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.yaml"
    rule = (county / "rules" / "flash-flood-rain.yaml").read_text("utf-8")
    new.write_text(rule.replace("    override: thresholds/rain_by_station.csv\n", ""), encoding="utf-8")
    old = county / "rules" / "flash-flood-rain.yaml"
    ran = _run("diff", old, new, *_history(county))
    assert ran.exit_code == 0
    assert "2026-07-20 14:15" in ran.output
    assert "flash-flood-rain" in ran.output
    assert ran.output.splitlines()[-1].endswith("times lower")
    found = _json("diff", old, new, *_history(county))["differences"]
    assert {d["rule"] for d in found} == {"flash-flood-rain"}
    assert found[0]["from"] < found[-1]["from"]
    assert found[0].keys() == {"place", "rule", "from", "to", "old", "new"}


# ------------------------------------------------------------------------------------- explain, replay


def test_a_replay_explains_a_place_with_rule_values_thresholds_and_clocks(county: Path) -> None:
    ran = _run("explain", "990121R14", "--registry", county, "--input", SAMPLE / "storm.csv", "--at", "2026-07-20T14:20")
    assert ran.exit_code == 0
    assert "2026-07-20 14:15:00  flash-flood-rain/990121R14/1/1  none → blue" in ran.output
    assert "石潭河源头雨量站：1小时雨量15.4mm，达到蓝色（Ⅳ级）阈值12mm" in ran.output
    assert "Shitan Stream head rain gauge: 1 h rain 15.4 mm (blue from 12 mm)" in ran.output
    assert "r1h = 15.4 mm → blue; blue 12, yellow 30, orange 50, red 70; 数据 readings 3/12, 迟到 late 0" in ran.output
    assert "测得 measured 2026-07-20T14:15:00+08:00, 判定 decided 2026-07-20T14:15:01+08:00 (+1 s)" in ran.output


def test_a_replay_explains_one_change_and_a_village_by_its_stations(county: Path) -> None:
    replay = ["--registry", county, "--input", SAMPLE / "storm.csv"]
    (one,) = _json("explain", "flash-flood-rain/990121R14/1/1", *replay)
    assert (one["from"], one["to"], one["because"][0]["row"]) == ("none", "blue", "r1h")
    assert one["zh"].startswith("石潭河源头雨量站")
    village = _json("explain", "990121101201", *replay, "--limit", 1000)
    assert {"990121R11", "990121Z11"} <= {r["place"] for r in village}
    whole = _json("explain", "990121000000", *replay, "--limit", 1000)
    assert len(whole) > len(village)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["nowhere", "--registry", SAMPLE, "--input", SAMPLE / "storm.csv"], 1, "'nowhere' is neither a station", id="place"),
        pytest.param(["990121R14", "--input", SAMPLE / "storm.csv"], 2, "--input and --registry belong together", id="usage"),
        pytest.param(["990121R14", "--registry", SAMPLE, "--input", "none.csv"], 1, "none.csv: the file is missing", id="file"),
    ],
)
def test_what_cannot_be_explained_is_said(arguments: list[object], code: int, said: str) -> None:
    ran = _run("explain", *arguments)
    assert ran.exit_code == code
    assert said in ran.output


def test_a_rule_in_shadow_mode_is_marked_in_a_replay(county: Path) -> None:
    rule = county / "rules" / "flash-flood-rain.yaml"
    rule.write_text(rule.read_text("utf-8").replace("mode: live", "mode: shadow"), encoding="utf-8")
    ran = _run("replay", "--registry", county, "--input", SAMPLE / "storm.csv")
    marked = [line for line in ran.output.splitlines() if "[试运行 shadow]" in line]
    assert marked
    assert all("flash flood" in line for line in marked)
    assert any("river flood" in line and "shadow" not in line for line in ran.output.splitlines())


@asynccontextmanager
async def _store(deployment: Deployment) -> AsyncIterator[Store]:
    store = await open_store(deployment)
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
async def stored(county: Path, tmp_path: Path) -> Path:
    """A deployment whose database holds two changes of a station."""
    config = tmp_path / "deployment.yaml"
    config.write_text(f"county: {county}\nstate_dir: {tmp_path}\nstore: {{adapter: sqlite, path: {tmp_path}/kept.db}}\n", encoding="utf-8")
    async with _store(load_deployment(config)) as store, store.write() as tx:
        for n, after in enumerate((Grade.BLUE, Grade.RED), start=1):
            await tx.run("warnings.add_change", _row(n, after))
    return config


def _row(n: int, after: Grade) -> dict[str, object]:
    at = datetime(2026, 7, 20, 6, tzinfo=UTC) + timedelta(hours=n)
    evidence = Evidence(row="r1h", value=40.0 * n, unit="mm", met=after, thresholds=(35, 45, 60, 80), readings=12, expected=12)
    change = Change(
        id=f"flash-flood-rain/990121R14/1/{n}", rule="flash-flood-rain", version=1, table="sha256:0", hazard="flash-flood",
        place="990121R14", before=Grade.NONE, after=after, at=at, decided_at=at, because=(evidence,), mode=Mode.SHADOW,
    )  # fmt: skip
    ms = int(at.timestamp() * 1000)
    texts = {"reason_zh": f"第{n}次", "reason_en": f"time {n}", "record": change_as_json(change)}
    return {
        "id": change.id, "county": "990121000000", "status": "Actual", "mode": "shadow", "rule": change.rule, "hazard": change.hazard,
        "place": change.place, "before": 0, "after": int(after), "at": ms, "decided_at": ms, **texts,
    }  # fmt: skip


def test_the_database_explains_a_change_a_station_and_a_village(stored: Path) -> None:
    (one,) = _json("explain", "flash-flood-rain/990121R14/1/1", "-c", stored)
    assert (one["to"], one["zh"], one["en"], one["mode"]) == ("blue", "第1次", "time 1", "shadow")
    assert [r["to"] for r in _json("explain", "990121R14", "-c", stored)] == ["red", "blue"]
    assert [r["to"] for r in _json("explain", "990121R14", "-c", stored, "--at", "2026-07-20T15:30")] == ["blue"]
    assert [r["to"] for r in _json("explain", "990121101000", "-c", stored, "--limit", 1)] == ["red"]
    ran = _run("explain", "990121R13", "-c", stored)
    assert (ran.exit_code, ran.output) == (0, "990121R13: 没有级别变化 no change of grade\n")
    ran = _run("explain", "nowhere", "-c", stored)
    assert ran.exit_code == 1
    assert "'nowhere' is no change, warning, station or area that is known here" in ran.output


def test_the_schema_is_printed_as_json() -> None:
    assert json.loads(_run("schema").output)["required"] == ["rules"]
