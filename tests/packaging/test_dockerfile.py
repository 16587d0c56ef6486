"""The Dockerfile, as far as it can be tried without a container engine; its build steps run in test_wheel.py."""

import json
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, stages
from tests.services import server
from tests.services.left_out import leave_out

DOCKERFILE = ROOT / "Dockerfile"


def _values(instruction: str, stage: int = -1) -> list[str]:
    return [step.value for step in stages(DOCKERFILE)[stage] if step.instruction == instruction]


def test_hadolint_finds_nothing() -> None:
    hadolint = server.program(str(Path(sys.executable).parent / "hadolint"), "hadolint")
    if hadolint is None:
        leave_out("hadolint", "no hadolint for this kind of machine")
    ran = subprocess.run([hadolint, "--no-color", str(DOCKERFILE)], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_it_is_built_in_stages_and_every_image_has_a_version() -> None:
    bases = [stage[0].value for stage in stages(DOCKERFILE)]
    assert len(bases) >= 2
    assert all(re.fullmatch(r"python:3\.\d+(-slim)?( AS \w+)?", base) for base in bases)
    assert bases[-1].endswith("-slim")


def test_it_does_not_run_as_root() -> None:
    assert _values("USER") == ["10001:10001"]


def test_it_keeps_what_it_writes_in_one_volume() -> None:
    assert [json.loads(v) for v in _values("VOLUME")] == [["/var/lib/dispatcher"]]
    assert _values("WORKDIR") == ["/var/lib/dispatcher"]


def test_the_programs_are_started_without_a_shell_so_that_they_get_the_signal() -> None:
    assert json.loads(_values("ENTRYPOINT")[0]) == ["dispatcher"]
    assert json.loads(_values("CMD")[0]) == ["run"]


def test_everything_it_copies_is_there_and_let_through() -> None:
    through = {line[1:].rstrip("/") for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")}
    for value in _values("COPY", stage=0):
        for name in shlex.split(value)[:-1]:
            assert (ROOT / name).exists(), name
            assert name in through, f"{name} is kept out by .dockerignore"


@pytest.fixture
def answering() -> Iterator[Callable[[int], int]]:
    """Start a page that answers with a status; gives its port."""
    started: list[ThreadingHTTPServer] = []

    def start(status: int) -> int:
        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status if self.path == "/healthz" else 404)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        page = ThreadingHTTPServer((server.HOST, 0), Page)
        started.append(page)
        threading.Thread(target=page.serve_forever, daemon=True).start()
        return page.server_port

    yield start
    for page in started:
        page.shutdown()
        page.server_close()


def _health(port: int) -> int:
    (check,) = _values("HEALTHCHECK")
    command = json.loads(check[check.index("[") :])
    command = [sys.executable, *command[1:-1], command[-1].replace("8080", str(port))]
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode


def test_the_health_check_holds_when_the_process_answers(answering: Callable[[int], int]) -> None:
    assert _health(answering(200)) == 0


def test_the_health_check_fails_when_the_process_is_ill(answering: Callable[[int], int]) -> None:
    assert _health(answering(503)) != 0


def test_the_health_check_fails_when_nobody_answers() -> None:
    assert _health(server.free_port()) != 0
