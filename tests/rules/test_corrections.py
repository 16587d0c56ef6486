"""A correction leaves a series as if its reading had come so from the start, however it is kept."""

import pytest

from rules.quality import Checks
from rules.series import Series

BEAT_S = 300
WIDE = 3_000_000_000


def series(readings: list[tuple[int, int]]) -> Series:
    made = Series("S1", "rain", BEAT_S, Checks(), 86_400)
    for at_s, scaled in readings:
        made.append(at_s, scaled)
    return made


def kept(of: Series) -> list[tuple[int, int]]:
    return [(of.time(n), of.value(n)) for n in range(of.size())]


EVEN = [(BEAT_S * n, 2_000) for n in range(1, 6)]
UNEVEN = [*EVEN, (BEAT_S * 9 + 7, 2_000)]


@pytest.mark.parametrize("readings", [EVEN, UNEVEN, EVEN[:1]], ids=["even", "uneven", "only one"])
@pytest.mark.parametrize("scaled", [0, 4_000, WIDE], ids=["less", "more", "more than four bytes hold"])
@pytest.mark.parametrize("newest", [True, False])
def test_a_correction_is_as_if_it_had_come_so(readings: list[tuple[int, int]], scaled: int, newest: bool) -> None:  # noqa: FBT001 - a column
    corrected, n = series(readings), len(readings) - 1 if newest else 0
    corrected.wake = WIDE
    as_it_is = [*readings[:n], (readings[n][0], scaled), *readings[n + 1 :]]
    assert corrected.put(readings[n][0], scaled)
    assert kept(corrected) == as_it_is
    assert (corrected.total, corrected.last_s) == (sum(v for _, v in as_it_is), readings[-1][0])
    assert corrected.touched, "the next snapshot holds it"
    assert corrected.total >= corrected.wake, "places are judged again"
    corrected.append(readings[-1][0] + BEAT_S, 1_000)
    assert kept(corrected) == [*as_it_is, (readings[-1][0] + BEAT_S, 1_000)]


@pytest.mark.parametrize("n", [0, 2, 4])
def test_a_repeat_changes_nothing(n: int) -> None:
    repeated = series(EVEN)
    assert not repeated.put(*EVEN[n])
    assert kept(repeated) == EVEN
    assert not repeated.touched
