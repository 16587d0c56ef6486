"""The compiled variant is built where it can be, and its absence is told and harms nothing."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT


def _wheel(folder: Path, **environment: str) -> tuple[subprocess.CompletedProcess[str], Path | None]:
    """Build a wheel in a copy of what it is made of."""
    source = folder / "src"
    source.mkdir()
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("adapters", "config", "dispatcher", "rules", "simulators"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "_compiled"))
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    ran = subprocess.run(
        command, cwd=source, env=os.environ | environment, capture_output=True, text=True, timeout=250, check=False
    )  # fmt: skip
    return ran, next((folder / "dist").glob("*.whl"), None) if (folder / "dist").exists() else None


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        pytest.param({"DISPATCHER_COMPILED": "0"}, "", id="not wanted"),
        pytest.param({"CC": "no-such-compiler"}, "there is no C compiler 'no-such-compiler' on the path", id="no compiler"),
    ],
)
def test_without_it_the_wheel_is_pure_and_fits_everywhere(tmp_path: Path, environment: dict[str, str], told: str) -> None:
    ran, wheel = _wheel(tmp_path, **environment)
    assert ran.returncode == 0, ran.stderr
    assert told in ran.stderr
    assert wheel is not None
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert [name for name in archive.namelist() if "_compiled" in name] == []


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        pytest.param({"DISPATCHER_COMPILED": "1", "CC": "no-such-compiler"}, "cannot be built: there is no C compiler", id="no compiler"),
        pytest.param({"DISPATCHER_COMPILED": "yes"}, "DISPATCHER_COMPILED=yes: allowed are auto, 0, 1", id="another word"),
    ],
)
def test_who_insists_on_it_is_told_why_it_cannot_be(tmp_path: Path, environment: dict[str, str], told: str) -> None:
    ran, wheel = _wheel(tmp_path, **environment)
    assert ran.returncode != 0
    assert told in ran.stderr
    assert wheel is None
