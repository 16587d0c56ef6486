"""The command line: what is wrong is said with its place, and the exit code tells a script which kind of wrong it was."""

import json
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from dispatcher.cli.commands import app
from tests.integration.installation import Installation
from tests.integration.programs import ROOT, Programs

CONFIG = ROOT / "config"


def commands(group: object, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command with the words that lead to it."""
    below = getattr(group, "commands", {})
    return [words, *(found for name, command in below.items() for found in commands(command, (*words, name)))]


EVERY = commands(typer.main.get_command(app))


@pytest.mark.parametrize("words", EVERY, ids=lambda words: " ".join(words) or "dispatcher")
def test_every_command_explains_itself_and_shows_an_example(words: tuple[str, ...]) -> None:
    command: Any = typer.main.get_command(app)
    for word in words:
        command = command.commands[word]
    assert command.help
    if not hasattr(command, "commands"):
        assert f"dispatcher {' '.join(words)}" in command.help


def test_help_of_the_real_program_exits_with_0(programs: Programs) -> None:
    ran = programs.run("rules", "replay", "--help")
    assert (ran.code, ran.err) == (0, "")
    assert "Usage: " in ran.out


@pytest.mark.parametrize("words", [("storm",), ("demo", "--speed", "0"), ("rules", "replay")])
def test_wrong_usage_exits_with_2(programs: Programs, words: tuple[str, ...]) -> None:
    assert programs.run(*words).code == 2


@pytest.mark.parametrize("county", ["sample", "valencia"])
def test_the_shipped_counties_pass_the_check(programs: Programs, tmp_path: Path, county: str) -> None:
    config = tmp_path / "deployment.yaml"
    config.write_text(yaml.safe_dump({"county": str(CONFIG / county)}))
    ran = programs.run("check", "-c", str(config))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("ok: ")


def test_without_a_file_the_sample_county_is_checked(programs: Programs) -> None:
    ran = programs.run("check")
    assert ran.code == 0
    assert "Yunling" in ran.out


def test_a_port_that_is_taken_is_named_with_the_setting_to_change(programs: Programs) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = programs.run("demo", "--state", "state", "--port", str(port))
        assert ran.code == 3
        assert f"127.0.0.1:{port}" in ran.err
        assert "--port" in ran.err

        ran = programs.run("run", "-c", str(Installation(programs, web_port=port).config))
        assert ran.code == 3
        assert f"127.0.0.1:{port}" in ran.err
        assert "web.port" in ran.err

        ran = programs.run("demo", "--state", "state", "--port", "0", "--broker-port", str(port))
        assert ran.code == 3
        assert str(port) in ran.err
        assert "--broker-port" in ran.err
    assert "Traceback" not in ran.err


def test_a_second_engine_on_the_same_state_is_refused_and_told_who_holds_it(programs: Programs) -> None:
    installed = Installation(programs)
    first = installed.start()
    ran = programs.run("run", "-c", str(installed.config))
    assert ran.code == 3
    assert str(first.process.pid) in ran.err


def broken(folder: Path, file: str, before: str, after: str) -> Path:
    """The sample county with one mistake, and a deployment of it."""
    shutil.copytree(CONFIG / "sample", folder / "county")
    path = folder / "county" / file
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")
    config = folder / "broken.yaml"
    config.write_text("county: county\n")
    return config


MISTAKES = [
    pytest.param(
        "rules/flash-flood-rain.yaml",
        "r1h: [35, 45, 60, 80]",
        "r1h: [35, 45, 60]",
        "must have 4 thresholds",
        id="a ladder that is too short",
    ),
    pytest.param("villages.csv", "990121101000,26.24822", "990121109999,26.24822", "990121109999", id="a township that is not there"),
    pytest.param("policies/flash-flood.yaml", "answer_within: 30m", "answer_within: soon", "soon", id="a time that is none"),
    pytest.param("county.yaml", "timezone: Asia/Shanghai", "timezone: Asia/Yunling", "Asia/Yunling", id="an unknown time zone"),
]


@pytest.mark.parametrize(("file", "before", "after", "named"), MISTAKES)
def test_a_mistake_in_the_countys_files_is_said_with_file_and_line(
    programs: Programs, tmp_path: Path, file: str, before: str, after: str, named: str
) -> None:
    config = broken(tmp_path, file, before, after)
    line = next(n for n, text in enumerate((tmp_path / "county" / file).read_text("utf-8").splitlines(), 1) if after in text)
    ran = programs.run("check", "-c", str(config))
    assert ran.code == 1
    assert f"{file}:{line}" in ran.err
    assert named in ran.err
    assert "Traceback" not in ran.err


def test_an_engine_does_not_start_on_files_that_do_not_pass_the_check(programs: Programs, tmp_path: Path) -> None:
    ran = programs.run("run", "-c", str(broken(tmp_path, "county.yaml", "timezone: Asia/Shanghai", "timezone: Asia/Yunling")))
    assert ran.code == 1
    assert "county.yaml:" in ran.err
    assert "Asia/Yunling" in ran.err


@pytest.mark.parametrize(
    ("text", "line", "named"),
    [
        pytest.param("web:\n  prot: 8080\n", 2, "allowed: host, port, public_url", id="an unknown setting"),
        pytest.param("web:\n  port: many\n", 2, "web.port", id="a port that is no number"),
        pytest.param("web: [\n", 2, "YAML", id="not YAML"),
    ],
)
def test_a_mistake_in_the_deployment_is_said_with_its_line(programs: Programs, tmp_path: Path, text: str, line: int, named: str) -> None:
    config = tmp_path / "deployment.yaml"
    config.write_text(text)
    told = json.loads(programs.run("check", "-c", str(config), "--json").out)
    assert told["ok"] is False
    problem = told["problems"][0]
    assert (Path(problem["file"]).name, problem["line"]) == ("deployment.yaml", line)
    assert named in problem["message"]


def test_a_file_that_is_not_there_is_named(programs: Programs) -> None:
    ran = programs.run("check", "-c", "nowhere.yaml")
    assert ran.code == 1
    assert "nowhere.yaml" in ran.err


def test_an_adapter_that_does_not_exist_is_named_with_those_that_do(programs: Programs, tmp_path: Path) -> None:
    config = tmp_path / "deployment.yaml"
    sources = {"rain": {"adapter": "carrier-pigeon"}}
    config.write_text(yaml.safe_dump({"county": str(CONFIG / "sample"), "sources": sources}))
    ran = programs.run("check", "-c", str(config))
    assert ran.code == 1
    assert "carrier-pigeon" in ran.err
    assert "mqtt" in ran.err
