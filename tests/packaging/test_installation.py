"""An environment in which it cannot be told whose code would run is refused (docs/adr/0001)."""

import subprocess
import sys
from pathlib import Path

import pytest

from dispatcher.errors import ConfigurationError
from dispatcher.installation import PACKAGES, check_installation, intruders
from tests.packaging.conftest import ROOT


def test_an_installation_of_our_own_is_let_through() -> None:
    assert intruders({name: ["dispatcher"] for name in PACKAGES} | {"pip": ["pip"]}) == []
    assert intruders({}) == []  # a checkout
    check_installation()


@pytest.mark.parametrize("name", PACKAGES)
def test_another_distribution_that_owns_one_of_our_names_is_named(name: str) -> None:
    (problem,) = intruders({name: ["dispatcher", "business-rules", "business-rules"]})
    assert name in problem.message
    assert "business-rules" in problem.message
    assert "environment of its own" in problem.message


def _install(folder: Path, distribution: str, package: str) -> None:
    (folder / package).mkdir(parents=True)
    (folder / package / "__init__.py").write_text("raise ImportError('the code of somebody else')\n")
    info = folder / f"{distribution}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "top_level.txt").write_text(f"{package}\n")


def test_the_program_refuses_to_start_before_it_imports_anything_of_the_other(tmp_path: Path) -> None:
    _install(tmp_path, "business-rules", "rules")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from dispatcher.__main__ import main; main()"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert "'rules' also belongs to business-rules" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_check_raises_what_the_commands_understand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(tmp_path, "weather-adapters", "adapters")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match="weather-adapters"):
        check_installation()
