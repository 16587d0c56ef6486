"""The compiled variant and the pure one: the same decisions, the same tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rules
from rules.variant import FOLDER, PURE, fits, prefer_compiled
from tests.services.left_out import leave_out

ROOT = Path(__file__).resolve().parents[2]
STORMS = 60


def _run(*command: str, pure: bool) -> str:
    environment = {name: value for name, value in os.environ.items() if name != PURE} | ({PURE: "1"} if pure else {})
    ran = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    return ran.stdout


@pytest.fixture
def _compiled() -> None:
    if not rules.COMPILED:
        leave_out("compiled", "the hot loops are not compiled here (make compiled)")


@pytest.mark.usefixtures("_compiled")
def test_both_variants_decide_the_same_storms_alike() -> None:
    slow, quick = (_run("-m", "tests.rules.storm_decisions", str(STORMS), pure=pure).splitlines() for pure in (True, False))
    assert (slow[0], quick[0]) == ("pure", "compiled")
    assert quick[1:] == slow[1:]
    assert sum(int(line.split()[1]) for line in slow[1:]) > STORMS, "storms that change nothing prove nothing"


@pytest.mark.usefixtures("_compiled")
def test_the_tests_of_the_rules_hold_for_the_pure_variant_too() -> None:
    tests = ["tests/rules", "tests/decode/test_two_paths.py", "tests/decode/test_decode.py"]
    printed = _run("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests, "--ignore=tests/rules/test_variants.py", pure=True)
    assert " passed" in printed


@pytest.mark.usefixtures("_compiled")
def test_compiled_files_of_other_sources_are_not_used(tmp_path: Path) -> None:
    package = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", package)
    assert fits(package, package / FOLDER)
    (package / "series.py").write_text((package / "series.py").read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
    search = [str(package)]
    assert not prefer_compiled(search)
    assert search == [str(package)]


@pytest.mark.parametrize("listed", ["", "0 series.py\n", "nothing\n", None])
def test_a_folder_with_a_list_that_says_nothing_is_not_used(tmp_path: Path, listed: str | None) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    (tmp_path / "series.py").touch()
    if listed is not None:
        (folder / "SOURCES").write_text(listed, encoding="utf-8")
    assert not fits(tmp_path, folder)
    assert not fits(tmp_path, tmp_path / "none")


def test_the_pure_variant_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PURE, "1")
    search = [str(ROOT / "rules")]
    assert not prefer_compiled(search)
    assert len(search) == 1
