"""The house keeps its own rules, and says clearly what is missing on a machine."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts import check_words
from tests.packaging.conftest import ROOT
from tests.services.left_out import listed


def _run(*command: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False)


def _programs(folder: Path, *names: str) -> str:
    """A path that has nothing but a few tools of the system."""
    folder.mkdir()
    for name in names:
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return str(folder)


def test_without_any_python_the_message_says_which_one_is_needed_and_how_to_name_it(tmp_path: Path) -> None:
    ran = _run("/bin/sh", "scripts/python.sh", PATH=_programs(tmp_path / "bin"), PYTHON="")
    assert ran.returncode == 3
    assert "Python 3.11 or newer" in ran.stderr
    assert "make PYTHON=" in ran.stderr


def test_a_python_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    path = _programs(tmp_path / "bin")
    old = Path(path) / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    assert _run("/bin/sh", "scripts/python.sh", PATH=path, PYTHON="").returncode == 3


def test_the_python_that_is_named_is_taken() -> None:
    ran = _run("/bin/sh", "scripts/python.sh", PYTHON=sys.executable)
    assert (ran.returncode, ran.stdout.strip()) == (0, sys.executable)


def test_a_python_that_is_named_but_does_not_run_is_an_error_and_no_other_is_taken() -> None:
    ran = _run("/bin/sh", "scripts/python.sh", PYTHON="/nonexistent/python3")
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "PYTHON=/nonexistent/python3" in ran.stderr


def test_an_environment_that_holds_the_lock_is_left_alone(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    now = _run("sh", "-c", r"cksum requirements/dev.lock pyproject.toml | tr '\n' ' '").stdout
    (venv / ".stamp-dev").write_text(now)
    for kind in ("dev", "run"):
        ran = _run("sh", "scripts/venv.sh", kind, VENV=str(venv), PYTHON="/nonexistent")
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_make_alone_says_what_there_is() -> None:
    ran = _run("make", "--no-print-directory")
    assert {"run", "test", "bench", "lint", "fmt", "lock"} <= set(re.findall(r"make (\w+)", ran.stdout))


@pytest.mark.parametrize("script", sorted((ROOT / "scripts").glob("*.sh")), ids=lambda path: path.stem)
def test_a_script_is_understood_by_a_plain_shell(script: Path) -> None:
    assert _run("sh", "-n", str(script)).returncode == 0


def test_ci_never_reads_from_its_input_and_runs_the_linters_and_every_test() -> None:
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "exec </dev/null" in text
    assert text.index("make lint") < text.index("make test")


def test_every_group_that_ci_may_leave_out_has_a_reason() -> None:
    assert listed((ROOT / ".ci" / "left-out.txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("see /" + "work/main/x.py", id="path of a machine"),
        pytest.param("cd /" + "root/x", id="home of root"),
        pytest.param("File '/ho" + "me/li/x.py'", id="home of somebody"),
        pytest.param("https://py" + "pi.org/simple", id="package registry"),
        pytest.param("https://www.npm" + "js.com/package/x", id="another package registry"),
    ],
)
def test_words_that_must_never_be_in_the_project_are_found(line: str) -> None:
    assert [number for number, _, _ in check_words.faults(f"fine\n{line}\n")] == [2]


@pytest.mark.parametrize("line", ["build/" + "work/x", "the villagers work/rest", "network/root/x", "a home", "pypi"])
def test_ordinary_words_are_let_through(line: str) -> None:
    assert check_words.faults(line) == []


def test_an_engine_that_imports_an_adapter_is_found(tmp_path: Path) -> None:
    for package in ("adapters", "dispatcher", "rules", "simulators"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    linter = str(Path(sys.executable).parent / "lint-imports")
    assert _run(linter, "--no-cache", cwd=tmp_path, PYTHONPATH=str(tmp_path)).returncode == 0
    (tmp_path / "dispatcher" / "pipeline.py").write_text("import adapters\n")
    (tmp_path / "rules" / "ladder.py").write_text("import time\n")
    ran = _run(linter, "--no-cache", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert ran.returncode == 1
    assert "Contracts: 3 kept, 2 broken" in ran.stdout


def test_every_decision_has_its_drivers_options_and_consequences() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert records
    assert [path.name[:4] for path in records] == [f"{n:04}" for n in range(1, len(records) + 1)]
    for path in records:
        headings = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Drivers", "Options", "Decision", "Consequences"], path.name


def test_the_changelog_uses_the_four_tags_only() -> None:
    entries = re.findall(r"^\* (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert entries
    assert [e for e in entries if not re.match(r"\[(CHANGE|FEATURE|ENHANCEMENT|BUGFIX)\] [a-z ]+: ", e)] == []


@pytest.mark.parametrize("path", [*(ROOT / "deploy").rglob("*.y*ml"), ROOT / "compose.yaml"], ids=lambda path: path.name)
def test_a_file_of_settings_can_be_read(path: Path) -> None:
    assert yaml.safe_load(path.read_text(encoding="utf-8"))
