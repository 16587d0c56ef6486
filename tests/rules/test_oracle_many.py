"""A place with several stations against the slow engine: stations out of step, late, doubled, corrected and silent."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.engine import Engine
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import compile_rules
from rules.reading import Reading
from tests.rules.making import START
from tests.rules.oracle_many import RULE, Many

STATIONS = ("A", "B", "C")
PLACES = (*(Place(s, "gauge", ("rain",), 300) for s in STATIONS), Place("P", "slope", (), 300, members=STATIONS))
Event = tuple[int, Reading]
SLOW = [HealthCheck.too_slow]


def new_engine(to: str) -> Engine:
    return Engine(compile_rules(parse_rules({"r.yaml": RULE.format(to=to)}), PLACES))


@st.composite
def storms(draw: st.DrawFn) -> list[Event]:
    """(arrival in seconds after the start, reading) of three stations, each with its own habits."""
    base, events = int(START.timestamp()), []
    values, dry = st.sampled_from([0, 0, 0, 0, 1, 2, 3, 5, 8]), st.sampled_from([0.0] * 12 + [4.0])
    offsets = {s: draw(st.sampled_from([0, 0, 0, 60, 140, 230])) for s in STATIONS}
    wet = draw(st.integers(2, 12))
    for n in range(1, wet + draw(st.integers(2, 14))):
        for s in STATIONS:
            fate = draw(st.sampled_from(["good"] * 12 + ["missing", "missing", "late", "twice", "corrected"]))
            at_s = 300 * n + offsets[s]
            one = Reading(s, "rain", float(draw(values)) if n <= wet else draw(dry), base + at_s)
            delay = draw(st.integers(1, 8)) * 300 + 7
            if fate in ("good", "twice", "corrected"):
                events.append((at_s, one))
            if fate in ("late", "twice", "corrected"):
                events.append((at_s + delay, one._replace(value=float(draw(values))) if fate == "corrected" else one))
    return sorted(events, key=lambda e: e[0])


def decisions(engine: Engine, events: list[Event]) -> list[tuple[int, int, int, int]]:
    changes = [c for arrival, r in events for c in engine.observe([r], START + timedelta(seconds=arrival)).changes]
    return [(int(c.before), int(c.after), int(c.at.timestamp()), int(c.late_by.total_seconds())) for c in changes]


@settings(max_examples=300, deadline=None, suppress_health_check=SLOW)
@given(storms(), st.sampled_from(["computed", "one_step"]))
def test_several_stations_decide_as_the_slow_engine_does(events: list[Event], to: str) -> None:
    oracle = Many(to == "one_step", {s: {} for s in STATIONS})
    found = decisions(new_engine(to), events)
    for _, r in events:
        oracle.observe(r.station, r.at_s, r.value)
    assert found == oracle.changes


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
@given(storms(), st.integers(0, 70))
def test_a_snapshot_anywhere_changes_nothing_of_several_stations(events: list[Event], cut: int) -> None:
    whole, first, second = new_engine("one_step"), new_engine("one_step"), new_engine("one_step")
    expected = [whole.observe([r], START + timedelta(seconds=a)) for a, r in events]
    found = [first.observe([r], START + timedelta(seconds=a)) for a, r in events[:cut]]
    second.restore(first.snapshot())
    found += [second.observe([r], START + timedelta(seconds=a)) for a, r in events[cut:]]
    assert found == expected
    assert second.standing() == whole.standing()


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(storms())
def test_one_batch_of_several_stations_decides_as_many_batches_of_one(events: list[Event]) -> None:
    one, many, now = new_engine("computed"), new_engine("computed"), START + timedelta(days=1)
    whole = one.observe([r for _, r in events], now)
    parts = [many.observe([r], now) for _, r in events]
    assert whole.changes == tuple(c for p in parts for c in p.changes)
