"""How a soak judges what it saw; the soak itself takes hours and is run by hand."""

import random
from pathlib import Path

import pytest

from bench.soak import MOST_GROWTH_MIB, MOST_MORE_FDS, Soak, summary


def soaked(tmp_path: Path, resident: list[float], fds: list[int], *, taken: int = 100) -> Soak:
    soak = Soak(tmp_path, 5_000, random.Random(1), taken=taken)
    soak.samples = [(float(n), mib, count) for n, (mib, count) in enumerate(zip(resident, fds, strict=True))]
    return soak


@pytest.mark.parametrize(
    ("resident", "fds", "flat"),
    [
        pytest.param([50, 90, 100, 100, 101, 99, 100, 102], [20] * 8, True, id="warming up is no growth"),
        pytest.param([100, 100, 100, 100, 120, 120, 140, 141 + MOST_GROWTH_MIB], [20] * 8, False, id="memory grows"),
        pytest.param([100] * 8, [20, 20, 20, 20, 30, 40, 21 + MOST_MORE_FDS, 30 + MOST_MORE_FDS], False, id="descriptors grow"),
        pytest.param([100, 100, 100, 400, 100, 100, 100, 100], [20, 20, 20, 90, 20, 20, 20, 20], True, id="a peak is no growth"),
    ],
)
def test_growth_is_the_last_quarter_against_the_second(tmp_path: Path, resident: list[float], fds: list[int], flat: bool) -> None:  # noqa: FBT001 - a column
    assert summary(soaked(tmp_path, resident, fds), 5, 1, 100)["flat"] is flat


def test_what_was_taken_and_is_not_stored_is_lost(tmp_path: Path) -> None:
    assert summary(soaked(tmp_path, [100] * 8, [20] * 8), 5, 1, 93)["lost"] == 7
    assert summary(soaked(tmp_path, [100] * 8, [20] * 8), 5, 1, 120)["lost"] == 0, "a repeated batch counts twice there"
