"""What the gauges of a soak report: a day of drizzle before it begins, then the last whole five minutes again and again.

The day is there so that the windows are full from the start: what grows after that is no window. What comes again within five minutes is
a repeat, or each fifth time a correction, so the windows stay as they are. Corrections are the dearest readings there are: a place is
judged again for all the hour that its rule holds a grade. Each five minutes another gauge has a cloudburst, so that people are called
all the while.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache

from bench.county import station

STATIONS = 2_000
BATCH = 100
SLOT_S = 300
_DAY_S = 86_400
_BLOCKS = STATIONS // BATCH
_AMOUNTS = (0.2, 0.4, 0.6)
_ALIKE = 5
_CLOUDBURST = 90.0


def history(now_s: float) -> Iterator[bytes]:
    """A body for each five minutes of the last day but the newest, oldest first."""
    newest_s = slot(now_s)
    for slot_s in range(newest_s - _DAY_S, newest_s, SLOT_S):
        yield _body(slot_s, ((n, _AMOUNTS[0]) for n in range(STATIONS)))


def batch(number: int, now_s: float) -> bytes:
    """The next hundred gauges; each body is made once in five minutes."""
    return _batch(number % _BLOCKS, number // _BLOCKS // _ALIKE % len(_AMOUNTS), slot(now_s))


def slot(now_s: float) -> int:
    """The last whole five minutes."""
    return int(now_s) // SLOT_S * SLOT_S


@lru_cache(_BLOCKS * len(_AMOUNTS))
def _batch(block: int, amount: int, slot_s: int) -> bytes:
    wet = slot_s // SLOT_S % STATIONS
    gauges = range(block * BATCH, block * BATCH + BATCH)
    return _body(slot_s, ((n, _CLOUDBURST if n == wet else _AMOUNTS[amount]) for n in gauges))


def _body(slot_s: int, readings: Iterable[tuple[int, float]]) -> bytes:
    at = datetime.fromtimestamp(slot_s, UTC).isoformat()
    form = f'","variable":"rain","unit":"mm","time":"{at}"}}\n'
    return "".join(f'{{"value":{value:.1f},"station":"{station(n)}{form}' for n, value in readings).encode()
