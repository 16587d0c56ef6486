"""Running totals: what fell in between, with resets, roll-overs, gaps, and every kind of disorder."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.engine import Engine
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import compile_rules
from tests.rules.making import RAIN, at, feed, kinds, reading, short

COUNTER = Place("S1", "rain_gauge", ("rain",), 300, counters=("rain",))


def counting(text: str = RAIN) -> Engine:
    return Engine(compile_rules(parse_rules({"rules.yaml": text}), [COUNTER]))


def send(engine: Engine, *totals: tuple[float, float]) -> list[str]:
    return [k for minutes, total in totals for k in kinds(engine.observe([reading(total, minutes)], at(minutes)).remarks)]


def test_the_first_total_says_nothing_and_each_further_one_what_fell_since() -> None:
    engine = counting()
    assert send(engine, (0, 120.4), (5, 121.0), (10, 123.6)) == []
    assert engine.values("S1")["r1h"] == 3.2


def test_a_counter_decides_as_the_increments_would() -> None:
    increments = [0.0, *[2.0] * 24, *[4.0] * 12, *[0.0] * 72]
    totals, total = [], 500.0
    for value in increments:
        total += value
        totals.append(total)
    plain = Engine(compile_rules(parse_rules({"rules.yaml": RAIN}), [Place("S1", "rain_gauge", ("rain",), 300)]))
    assert [(short(c), c.at) for c in feed(counting(), totals)] == [(short(c), c.at) for c in feed(plain, increments)]


def test_a_reset_counts_what_has_come_since_and_a_roll_over_goes_on() -> None:
    engine = counting()
    send(engine, (0, 900), (5, 905), (10, 2))
    assert engine.values("S1")["r1h"] == 7
    engine = counting(RAIN.replace("range: [0, 30]", "range: [0, 30], rollover: 1000"))
    send(engine, (0, 990), (5, 995), (10, 2))
    assert engine.values("S1")["r1h"] == 12


def test_a_gap_is_spread_over_the_readings_that_are_missing() -> None:
    engine = counting()
    send(engine, (0, 0), (120, 48))
    assert engine.values("S1") == {"r1h": 24, "r3h": 48, "r6h": 48, "r24h": 48}


def test_a_total_that_falls_a_little_is_doubted_and_never_counted_as_a_reset() -> None:
    engine = counting()
    assert send(engine, (0, 120.4), (5, 120.2), (10, 120.3), (15, 120.6)) == ["suspect"]
    assert engine.values("S1")["r1h"] == 0.4


def test_a_wild_total_is_doubted_and_the_next_one_tells_who_was_right() -> None:
    engine = counting()
    assert send(engine, (0, 100), (5, 700), (10, 101)) == ["suspect"]
    assert engine.values("S1")["r1h"] == 1
    engine = counting()
    assert send(engine, (0, 100), (5, 700), (10, 702)) == ["suspect"]
    assert engine.values("S1")["r1h"] == 2


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.2, 1.4, 7.0, 20.0]), min_size=2, max_size=30), st.data())
def test_in_whatever_order_totals_come_the_sums_are_those_of_order(increments: list[float], data: st.DataObject) -> None:
    totals, total = [], 50.0
    for n, value in enumerate(increments):
        total += value
        totals.append(reading(round(total, 1), 5 * n))
    straight = counting()
    for r in totals:
        straight.observe([r], at(1000))
    mixed = counting()
    for r in data.draw(st.permutations(totals)):
        mixed.observe([r, r], at(1000))
    assert mixed.values("S1") == straight.values("S1")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0, 3, 9, 500, -40, -2]), min_size=1, max_size=25), st.integers(0, 25))
def test_a_restart_changes_nothing_of_a_counter(steps: list[int], cut: int) -> None:
    totals, total = [], 100.0
    for n, step in enumerate(steps):
        total = max(0.0, total + step)
        totals.append(reading(total, 5 * n))
    whole, engine, second = counting(), counting(), counting()
    expected = [whole.observe([r], r_at) for r, r_at in ((r, at(5 * n)) for n, r in enumerate(totals))]
    found = []
    for n, r in enumerate(totals):
        if n == cut:
            second.restore(engine.snapshot())
            engine = second
        found.append(engine.observe([r], at(5 * n)))
    assert found == expected
