"""The named points of the engine: cheap, honoured only when asked for, and all of them there."""

import os
import signal
import subprocess
import sys

import pytest

from dispatcher.errors import ConfigurationError
from dispatcher.upkeep import commit_points
from dispatcher.upkeep.commit_points import VARIABLE, Point
from tests.integration.programs import ROOT

PROGRAM = """
from dispatcher.upkeep.commit_points import Point, arm, passing
arm()
for number in range(5):
    print(number, flush=True)
    passing(Point.LEASE_KEPT)
    passing(Point.BATCH_KEPT)
"""


def run(said: str) -> tuple[int, str]:
    environment = {k: v for k, v in os.environ.items() if k != VARIABLE} | ({VARIABLE: said} if said else {})
    ran = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout.replace("\n", "")


@pytest.mark.parametrize(
    ("said", "end", "out"),
    [("", 0, "01234"), ("batch.kept", -signal.SIGKILL, "0"), ("batch.kept:3", -signal.SIGKILL, "012"), ("timers.kept", 0, "01234")],
)
def test_a_process_dies_the_given_time_it_passes_its_point_and_without_the_variable_never(said: str, end: int, out: str) -> None:
    assert run(said) == (end, out)


@pytest.mark.parametrize("said", ["batch", "batch.kept:0", "batch.kept:x", "batch.kept:-1", ":1"])
def test_a_point_that_does_not_exist_is_refused_with_those_that_do(said: str) -> None:
    with pytest.raises(ConfigurationError, match=r"batch\.kept, batch\.acknowledged"):
        commit_points.arm({VARIABLE: said})


def test_the_engine_passes_each_point_in_exactly_one_place() -> None:
    source = "\n".join(file.read_text("utf-8") for file in (ROOT / "dispatcher").rglob("*.py"))
    assert {point: source.count(f"passing(Point.{point.name})") for point in Point} == dict.fromkeys(Point, 1)
