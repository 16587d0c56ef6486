"""The steps of the Dockerfile, carried out in a plain folder: no container engine runs where the tests run."""

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from dockerfile_parse.parser import DockerfileParser

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction of a Dockerfile, its continuation lines joined."""

    instruction: str
    value: str


def steps(dockerfile: Path) -> list[Step]:
    """Every instruction, in order."""
    structure = DockerfileParser(path=str(dockerfile)).structure
    return [Step(s["instruction"], s["value"]) for s in structure if s["instruction"] != "COMMENT"]


def stages(dockerfile: Path) -> list[list[Step]]:
    """The instructions of each stage, the first of which is its FROM."""
    found: list[list[Step]] = []
    for step in steps(dockerfile):
        if step.instruction == "FROM":
            found.append([])
        if found:
            found[-1].append(step)
    return found


@dataclass(frozen=True, slots=True)
class Image:
    """What the build stage left behind: ``source`` is its /src, ``prefix`` its /opt/dispatcher."""

    source: Path
    prefix: Path

    @property
    def wheel(self) -> Path:
        """The wheel it built."""
        (wheel,) = (self.source / "dist").glob("*.whl")
        return wheel

    def run(self, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run an installed program outside the checkout."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV", "PYTEST"))}
        path = self.prefix / "bin" / command[0]
        return subprocess.run([str(path), *command[1:]], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


def _copy(value: str, source: Path) -> None:
    *names, target = shlex.split(value)
    for name in names:
        origin = ROOT / name
        into = source / target / origin.name if target.endswith("/") else source / target
        if origin.is_dir():
            shutil.copytree(origin, into, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(origin, into)


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The build stage of the Dockerfile, with other folders for /src and /opt/dispatcher."""
    folder = tmp_path_factory.mktemp("image")
    made = Image(source=folder / "src", prefix=folder / "opt" / "dispatcher")
    made.source.mkdir()
    programs = folder / "bin"
    programs.mkdir()
    (programs / "python").symlink_to(sys.executable)
    for step in stages(ROOT / "Dockerfile")[0]:
        if step.instruction == "COPY":
            _copy(step.value, made.source)
        elif step.instruction == "RUN":
            command = step.value.replace("/opt/dispatcher", str(made.prefix)).replace("/src", str(made.source))
            environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
            ran = subprocess.run(
                ["sh", "-ec", command], cwd=made.source, env=environment, capture_output=True, text=True, timeout=600, check=False
            )
            assert ran.returncode == 0, f"{command}\n{ran.stdout[-2000:]}{ran.stderr[-3000:]}"
    return made
