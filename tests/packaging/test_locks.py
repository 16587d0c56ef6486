"""The locks: what is tested is what is installed, and nothing in them says where it comes from."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.packaging.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)")
LOCKS = ("run", "dev")


def _text(lock: str) -> str:
    return (ROOT / "requirements" / f"{lock}.lock").read_text(encoding="utf-8")


def _pins(lock: str) -> dict[str, list[Version]]:
    """Versions of each package; more than one where it depends on the platform."""
    pins: dict[str, list[Version]] = {}
    for line in _text(lock).splitlines():
        if found := PINNED.match(line):
            pins.setdefault(canonicalize_name(found[1]), []).append(Version(found[2]))
    return pins


def _direct(extras: tuple[str, ...]) -> list[Requirement]:
    """Every direct dependency of the project with these extras; an extra may name others."""
    found: list[Requirement] = []
    todo = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    while todo:
        requirement = Requirement(todo.pop())
        if requirement.name == "dispatcher":
            todo.extend(line for extra in requirement.extras for line in EXTRAS[extra])
        else:
            found.append(requirement)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_no_address(lock: str) -> None:
    assert "://" not in _text(lock)
    assert not re.search(r"^\s*-(?!-hash)", _text(lock), re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_in_a_lock_has_hashes(lock: str) -> None:
    blocks = re.split(r"\n(?=[A-Za-z0-9])", _text(lock))
    assert [b.splitlines()[0] for b in blocks if PINNED.match(b) and "--hash=sha256:" not in b] == []


@pytest.mark.parametrize(("lock", "extras"), [("run", ("demo", "kafka", "postgres")), ("dev", tuple(EXTRAS))])
def test_every_direct_dependency_is_locked_within_its_bounds(lock: str, extras: tuple[str, ...]) -> None:
    pins = _pins(lock)
    for requirement in _direct(extras):
        versions = pins.get(canonicalize_name(requirement.name))
        assert versions, f"{requirement} is not in {lock}.lock: make lock"
        assert all(requirement.specifier.contains(v) for v in versions), f"{requirement} against {versions}: make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_what_builds_the_project_is_locked_too(lock: str) -> None:
    lines = (ROOT / "requirements" / "build.in").read_text(encoding="utf-8").splitlines()
    for requirement in (Requirement(line) for line in lines if not line.startswith("#")):
        assert all(requirement.specifier.contains(v) for v in _pins(lock)[canonicalize_name(requirement.name)])


def test_what_runs_is_what_is_tested() -> None:
    tested = _pins("dev")
    assert {name: versions for name, versions in _pins("run").items() if tested.get(name) != versions} == {}


def test_every_extra_has_code_that_needs_it() -> None:
    assert set(EXTRAS) == {"chat", "kafka", "twilio", "embedded", "postgres", "pdf", "demo", "dev"}
