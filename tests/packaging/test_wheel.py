"""What a user gets: a wheel with four packages, installed from the lock, running outside the checkout."""

import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, Image

PACKAGES = {"adapters", "dispatcher", "rules", "simulators"}

#: The first installation on a machine fetches every package.
pytestmark = pytest.mark.timeout(900)


def _names(image: Image) -> list[str]:
    with zipfile.ZipFile(image.wheel) as archive:
        return archive.namelist()


def test_the_top_level_of_the_wheel_is_exactly_the_four_packages(image: Image) -> None:
    top = {name.split("/")[0] for name in _names(image)}
    assert {name for name in top if not name.startswith("dispatcher-")} == PACKAGES


def test_every_file_of_the_packages_is_in_the_wheel(image: Image) -> None:
    there = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    assert there - set(_names(image)) == set()


def test_the_files_an_operator_edits_are_installed_as_data_and_not_as_a_package(image: Image) -> None:
    there = {p.relative_to(ROOT / "config") for p in (ROOT / "config").rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    share = image.prefix / "share" / "dispatcher" / "config"
    assert there
    assert {p.relative_to(share) for p in share.rglob("*") if p.is_file()} == there


def test_the_installed_program_says_its_version_from_outside_the_checkout(image: Image, tmp_path: Path) -> None:
    ran = image.run("dispatcher", "--version", cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert version("dispatcher") in ran.stdout


def test_every_adapter_that_is_named_can_be_loaded_from_the_installation(image: Image, tmp_path: Path) -> None:
    code = (
        "from importlib.metadata import entry_points\n"
        "for group in ('brokers', 'sources', 'channels', 'stores'):\n"
        "    for point in entry_points(group=f'dispatcher.{group}'):\n"
        "        print(group, point.name, point.load().settings.__name__)\n"
    )
    ran = image.run("python", "-c", code, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    found = {tuple(line.split()[:2]) for line in ran.stdout.splitlines()}
    assert found == {
        ("brokers", "embedded"),
        ("sources", "mqtt"),
        ("sources", "kafka"),
        ("sources", "file"),
        ("channels", "sms"),
        ("channels", "voice"),
        ("channels", "loudspeaker"),
        ("channels", "chat"),
        ("sources", "sl651_tcp"),
        ("stores", "sqlite"),
        ("stores", "postgres"),
    }


def test_every_dependency_of_the_installation_is_there_and_fits(image: Image) -> None:
    uv = Path(sys.executable).parent / "uv"
    command = [str(uv), "pip", "check", "--python", str(image.prefix / "bin" / "python")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr


def test_the_tools_that_built_and_tested_it_do_not_travel_along(image: Image, tmp_path: Path) -> None:
    code = "from importlib.metadata import distributions\nprint(*(d.metadata['Name'].lower() for d in distributions()))"
    names = set(image.run("python", "-c", code, cwd=tmp_path).stdout.split())
    assert {"dispatcher", "aiokafka", "aiomqtt", "amqtt", "fastapi", "psycopg", "pydantic", "twilio"} <= names
    assert names.isdisjoint({"cython", "hatchling", "setuptools", "pip", "pytest", "mypy", "ruff"})
