"""Ten thousand storms in a run, each with its own disorder, against the slow engine; the seed of a run is printed when one fails.

``RULES_SEED=…`` repeats a run; ``RULES_CASES=…`` makes it longer.
"""

import os
import secrets
from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle, islice
from random import Random

import pytest

from rules.engine import Engine
from rules.grade import Grade
from rules.plan import Plan
from rules.reading import Reading
from tests.rules.making import START
from tests.rules.oracle import Oracle, Spec
from tests.rules.test_oracle import UPS, pair

CASES = int(os.environ.get("RULES_CASES", "10000"))
SEED = int(os.environ.get("RULES_SEED", "0")) or secrets.randbits(32)
PARTS = 4
_AMOUNTS = (0, 0, 0, 0, 0, 1, 1, 2, 3, 5, 8)
"""Whole numbers, so that the slow engine is not slower than it must be; fractions are the business of test_oracle.py."""
_FATES = ("good",) * 12 + ("missing", "missing", "late", "late", "twice", "corrected", "off", "silence")
_BASE_S = int(START.timestamp())
Event = tuple[int, Reading]
Kind = tuple[str, str, str]
KINDS: tuple[Kind, ...] = tuple((kind, up, to) for kind in ("table", "expressions") for up in UPS for to in ("computed", "one_step"))


def storm(chance: Random) -> list[Event]:
    """(arrival in seconds after the start, reading), in order of arrival: some missing, late, sent twice, corrected, off the grid."""
    events: list[Event] = []
    n = 0
    for _ in range(chance.randint(3, 24)):
        fate, value = chance.choice(_FATES), float(chance.choice(_AMOUNTS))
        n += 6 if fate == "silence" else 1
        at_s = 300 * n + (chance.randint(-140, 140) if fate == "off" else 0)
        one = Reading("S1", "rain", value, _BASE_S + at_s)
        again_s = 300 * n + chance.randint(1, 14) * 300 + 7
        if fate in ("good", "off", "twice", "corrected"):
            events.append((max(at_s, 300 * n), one))
        if fate in ("late", "twice"):
            events.append((again_s, one))
        if fate == "corrected":
            events.append((again_s, one._replace(value=float(chance.choice(_AMOUNTS)))))
    return sorted(events, key=lambda e: e[0])


def decided(engine: Engine, events: list[Event]) -> list[tuple[int, int, int, int]]:
    found = [c for arrival, reading in events for c in engine.observe([reading], START + timedelta(seconds=arrival)).changes]
    return [(int(c.before), int(c.after), int(c.at.timestamp()), int(c.late_by.total_seconds())) for c in found]


@pytest.fixture(scope="module")
def made() -> dict[Kind, tuple[Plan, Spec]]:
    """Each rule compiled once."""
    pairs = {k: pair(*k) for k in KINDS}
    return {k: (engine.plan, oracle.spec) for k, (engine, oracle) in pairs.items()}


def cases(part: int) -> Iterator[tuple[int, Kind, list[Event]]]:
    """The cases of one part of the run; each can be made again from the seed and its number."""
    numbers = range(part, CASES, PARTS)
    for number, kind in zip(numbers, islice(cycle(KINDS), part, None), strict=False):
        yield number, kind, storm(Random(SEED * 1_000_003 + number))


@pytest.mark.parametrize("part", range(PARTS))
def test_the_engine_decides_as_the_slow_one_does_in_ten_thousand_storms(part: int, made: dict[Kind, tuple[Plan, Spec]]) -> None:
    for number, kind, events in cases(part):
        plan, spec = made[kind]
        oracle = Oracle(spec)
        for _, r in events:
            oracle.observe(r.at_s, int(r.value))
        assert decided(Engine(plan), events) == oracle.changes, f"RULES_SEED={SEED}, case {number}, {kind}: {events}"


def test_in_a_thousand_storms_no_grade_is_above_the_highest_row_met_nor_falls_without_lower(made: dict[Kind, tuple[Plan, Spec]]) -> None:
    for number in range(1_000):
        kind = KINDS[number % len(KINDS)]
        plan, spec = made[kind]
        engine, looked = Engine(plan), Oracle(spec)
        highest = 0
        for arrival, reading in storm(Random(SEED + number)):
            looked.observe(reading.at_s, int(reading.value))
            # Every row that any moment known by now reaches, whatever came late.
            highest = max([highest, *(met for met, _ in looked.judged.values())])
            for c in engine.observe([reading], START + timedelta(seconds=arrival)).changes:
                where = f"RULES_SEED={SEED}, case {number}, {kind}"
                if c.after > c.before:
                    assert max(e.met for e in c.because) >= c.after, where
                    assert c.after <= highest, where
                else:
                    assert [e.row for e in c.because] == ["lower"], where


def test_in_a_thousand_storms_more_rain_never_means_a_lower_peak(made: dict[Kind, tuple[Plan, Spec]]) -> None:
    """Of a rule whose rows all rise with the value."""
    plans = [made[k][0] for k in KINDS if k[0] == "table"]
    for number in range(1_000):
        chance = Random(SEED - number)
        plan, events = plans[number % len(plans)], storm(chance)
        index = chance.randrange(len(events)) if events else 0
        wetter = [(a, r._replace(value=min(9.0, r.value + chance.choice((1, 4)))) if n >= index else r) for n, (a, r) in enumerate(events)]
        peaks = [max((after for _, after, _, _ in decided(Engine(plan), e)), default=0) for e in (events, wetter)]
        assert peaks[0] <= peaks[1], f"RULES_SEED={SEED}, case {number}: {Grade(peaks[0])} {events}"
