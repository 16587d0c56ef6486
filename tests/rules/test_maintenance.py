"""While somebody works on a station its readings are remembered and not used, and that it is silent says nothing."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.change import Change, Decisions, Remark, RemarkKind
from rules.engine import Engine
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import compile_rules
from rules.sentence import sentence
from tests.rules.making import LEVEL, LEVELS, at, kinds, rain_engine, reading


def span(since: float, until: float) -> tuple[int, int]:
    return int(at(since).timestamp()), int(at(until).timestamp())


def gauge(*works: tuple[int, int], name: str = "S1", counter: bool = False) -> Place:
    return Place(name, "rain_gauge", ("rain",), 300, counters=("rain",) if counter else (), maintenance=works)


def run(engine: Engine, values: Sequence[float | None], first: float = 5) -> tuple[list[Change], list[Remark]]:
    """One value every five minutes, with every silence in between."""
    decided: list[Decisions] = []
    for n, value in enumerate(values):
        now = at(first + 5 * n)
        decided.append(engine.tick(now))
        if value is not None:
            decided.append(engine.observe([reading(value, first + 5 * n)], now))
    return [c for d in decided for c in d.changes], [r for d in decided for r in d.remarks]


def test_water_that_a_technician_pours_in_is_no_storm_and_nobody_is_told() -> None:
    poured = [0.0] * 3 + [30.0] * 4 + [0.0] * 3
    changes, remarks = run(rain_engine(places=[gauge(span(18, 36))]), poured)
    assert (changes, remarks) == ([], [])
    assert run(rain_engine(places=[gauge()]), poured)[0] != []


def test_a_later_warning_says_how_many_readings_were_of_maintenance() -> None:
    changes, _ = run(rain_engine(places=[gauge(span(18, 36))]), [0.0] * 3 + [30.0] * 4 + [12.0] * 3)
    assert changes[0].because[0].value == 36.0
    assert (changes[0].because[0].suspect, changes[0].because[0].doubts) == (4, ("maintenance",))
    assert "4 doubtful values not used: was taken during maintenance" in sentence(changes[0], "en", "Upper Ford")
    assert "维护期间" in sentence(changes[0], "zh", "上滩")


@pytest.mark.parametrize(("minutes", "used"), [(19, True), (20, False), (30, False), (31, True)], ids=["before", "first", "last", "after"])
def test_both_ends_belong_to_it(minutes: float, used: bool) -> None:  # noqa: FBT001 a column of the table
    engine = rain_engine(places=[gauge(span(20, 30))])
    engine.observe([reading(29.0, minutes)], at(40))
    assert (engine.values("S1").get("r1h") == 29.0) is used


def test_silence_is_told_when_it_lasts_beyond_the_maintenance() -> None:
    dry: list[float | None] = [0.0] * 3
    _, remarks = run(rain_engine(places=[gauge(span(18, 120))]), dry + [None] * 21 + dry)
    assert remarks == []
    _, remarks = run(rain_engine(places=[gauge(span(18, 120))]), dry + [None] * 30)
    assert [(r.kind, r.at) for r in remarks] == [(RemarkKind.NO_DATA, at(140))]


def test_it_lowers_nothing() -> None:
    storm = [12.0] * 4
    changes, _ = run(rain_engine(places=[gauge(span(22, 300))]), storm + [0.0] * 56)
    assert max(c.after for c in changes) is changes[-1].after  # still up after four hours of maintenance
    changes, _ = run(rain_engine(places=[gauge()]), storm + [0.0] * 56)
    assert changes[-1].after < changes[0].after


def test_a_running_total_goes_on_from_what_it_says_after_the_maintenance() -> None:
    totals = [100.0, 100.0, 101.0, 131.0, 161.0, None, 200.0, 201.0]  # 99 mm poured in; 1 before and 1 after fell
    engine = rain_engine(places=[gauge(span(18, 32), counter=True)])
    changes, remarks = run(engine, totals)
    assert (changes, remarks) == ([], [])
    assert engine.values("S1")["r1h"] == 2.0
    # One that is set back in the maintenance begins anew.
    engine = rain_engine(places=[gauge(span(18, 32), counter=True)])
    assert run(engine, [100.0, 101.0, 101.0, None, None, None, 70.0, 71.0]) == ([], [])
    assert engine.values("S1")["r1h"] == 2.0


def test_a_place_of_several_stations_goes_by_those_that_nobody_works_on() -> None:
    rule = LEVEL.replace("for_each: river_gauge", "for_each: reach").replace("latest(level)", "latest(level, take=highest)")
    rule = rule.replace("change(level, 1h)", "change(level, 1h, take=highest)")
    places = [
        Place("Z1", "reach", (), 300, members=("A", "B")),
        Place("A", "river_gauge", ("level",), 300, maintenance=(span(0, 600),)),
        Place("B", "river_gauge", ("level",), 300),
    ]
    engine = Engine(compile_rules(parse_rules({"r.yaml": rule, "thresholds/river_levels.csv": LEVELS}), places))
    found: list[Remark] = []
    for n in range(1, 30):
        station = [reading(12.4, 5 * n, "A", "level")] + ([reading(5.0, 5 * n, "B", "level")] if n < 10 else [])
        decided = engine.observe(station, at(5 * n))
        assert decided.changes == ()
        found.extend(decided.remarks)
    assert kinds(found) == []  # one of its stations is enough to be heard, and one is worked on
    assert engine.values("Z1", at(45))["z"] == 5.0


Works = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), max_size=3).map(
    lambda w: [span(5 * a - 1, 5 * (a + n) + 1) for a, n in w]
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(st.none(), st.floats(0, 30)), min_size=1, max_size=60), Works)
def test_it_decides_as_if_what_is_of_maintenance_had_not_been_sent(values: list[float | None], works: list[tuple[int, int]]) -> None:
    def kept(n: int, value: float | None) -> float | None:
        moment = at(5 + 5 * n).timestamp()
        return None if any(a <= moment <= b for a, b in works) else value

    tended, spared = rain_engine(places=[gauge(*works)]), rain_engine(places=[gauge(*works)])
    with_it, without = run(tended, values), run(spared, [kept(n, v) for n, v in enumerate(values)])
    assert [(c.id, c.after, c.at, c.decided_at) for c in with_it[0]] == [(c.id, c.after, c.at, c.decided_at) for c in without[0]]
    assert with_it[1] == without[1]


def test_a_snapshot_in_the_middle_goes_on_alike() -> None:
    values: list[float | None] = [12.0] * 3 + [30.0] * 4 + [12.0] * 5 + [None] * 20
    place = gauge(span(18, 36))
    whole = run(rain_engine(places=[place]), values)
    first, second = rain_engine(places=[place]), rain_engine(places=[place])
    begun = run(first, values[:5])
    second.restore(first.snapshot())
    ended = run(second, values[5:], first=30)
    assert (begun[0] + ended[0], begun[1] + ended[1]) == whole


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="must end after it has begun"):
        gauge((10, 10))
