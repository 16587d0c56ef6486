"""How a soak judges what it saw; the soak itself takes hours and is run by hand."""

import json
import random
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from bench.soak import MOST_GROWTH_MIB, MOST_MORE_FDS, Soak, summary
from bench.soak_readings import BATCH, SLOT_S, STATIONS, batch, history


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


def test_what_was_taken_is_told_by_the_second(tmp_path: Path) -> None:
    soak = soaked(tmp_path, [100] * 8, [20] * 8, taken=30_000)
    soak.seconds = 6.0
    assert summary(soak, 0.1, 1, 30_000)["achieved"] == 5_000


def read(body: bytes) -> list[tuple[str, int]]:
    return [(r["station"], int(datetime.fromisoformat(r["time"]).timestamp())) for r in map(json.loads, body.splitlines())]


def test_a_day_is_full_before_the_newest_five_minutes_are_repeated() -> None:
    now_s = 1_790_000_123.0
    before = [r for body in history(now_s) for r in read(body)]
    rounds = [[r for n in range(STATIONS // BATCH) for r in read(batch(n + first, now_s))] for first in (0, STATIONS // BATCH)]
    assert rounds[0] == rounds[1]
    newest_s = rounds[0][0][1]
    assert len({station for station, _ in rounds[0]}) == STATIONS
    assert sorted({at_s for _, at_s in before}) == list(range(newest_s - 86_400, newest_s, SLOT_S))
    assert len(before) == len(set(before)) == 86_400 // SLOT_S * STATIONS
    in_a_row = [batch(n * STATIONS // BATCH, now_s) for n in range(15)]
    assert sum(a != b for a, b in pairwise(in_a_row)) == 2, "each fifth round is a correction"


def test_another_gauge_has_a_cloudburst_each_five_minutes() -> None:
    def wettest(now_s: float) -> str:
        rows = [json.loads(line) for n in range(STATIONS // BATCH) for line in batch(n, now_s).splitlines()]
        return str(max(rows, key=lambda row: row["value"])["station"])

    assert len({wettest(1_790_000_123.0 + SLOT_S * n) for n in range(4)}) == 4
