"""The correctness matrix: what other engines get wrong, one test a row.

| trouble                          | what must come of it                                                        |
| -------------------------------- | --------------------------------------------------------------------------- |
| 40 minutes late                  | counts where it was measured, may raise, is marked late, never lowers       |
| sent twice                       | counts once                                                                 |
| corrected                        | the newer value counts; upwards it may raise                                |
| a station two days ahead         | set aside and reported; hurts no other, and nothing once its clock is right |
| a gauge dead in the storm        | its grade stays; one that reports 0 is lowered; the duty room is told       |
| a restart in mid-storm           | the same changes as without                                                 |
| an edit of the rules in mid-storm| grade and windows go over; the next reading is judged by the new numbers    |
| 36 readings in 3 h               | the window is open on the left: 99.0 mm, not 101.75                         |
| a batch of 1 and one of 1,000    | the same decisions                                                          |
"""

from datetime import timedelta

from rules.change import Change, Remark, RemarkKind
from rules.engine import Engine
from rules.grade import Grade
from rules.place import Place
from rules.reading import Reading
from tests.rules.making import RAIN, S1, at, feed, grade_of, rain_engine, reading, short

S2 = Place("S2", "rain_gauge", ("rain",), 300)
STORM = (*[2.0] * 25, *[4.0] * 13, *[0.0] * 73)
DAYS_AHEAD = 2 * 24 * 60


def test_late_by_forty_minutes() -> None:
    engine = rain_engine()
    feed(engine, [5, 5, None, 5, 5, 5, 5, 0, 0, 0, 0])  # 30 mm: below blue
    late = engine.observe([reading(6, 15)], at(55)).changes
    assert [(short(c), c.late_by, c.because[0].late) for c in late] == [("none>blue r1h", timedelta(minutes=40), 1)]
    lower = engine.observe([reading(0, 10)], at(56)).changes
    assert (lower, grade_of(engine)) == ((), "blue")


def test_duplicate() -> None:
    once, twice = rain_engine(), rain_engine()
    first = feed(once, STORM)
    second: list[Change] = []
    for n, value in enumerate(STORM, start=1):
        minutes = 5 * n
        second += twice.tick(at(minutes)).changes
        for _ in range(2):
            second += twice.observe([reading(value, minutes)], at(minutes)).changes
    assert second == first
    assert twice.values("S1") == once.values("S1")


def test_corrected_value() -> None:
    engine = rain_engine()
    feed(engine, [5.0] * 5)
    raised = engine.observe([reading(16, 25)], at(26)).changes
    assert [short(c) for c in raised] == ["none>blue r1h"]
    assert engine.values("S1")["r1h"] == 36
    engine.observe([reading(5, 25)], at(27))
    assert engine.values("S1")["r1h"] == 25


def test_one_station_two_days_ahead() -> None:
    engine, alone = rain_engine(places=(S1, S2)), rain_engine(places=(S1, S2))
    wrong = engine.observe([reading(20, 5 + DAYS_AHEAD, "S2")], at(5))
    assert [(r.kind, r.place) for r in wrong.remarks] == [(RemarkKind.CLOCK, "S2")]
    assert wrong.changes == ()
    changes = feed(engine, STORM)
    assert changes
    assert changes == feed(alone, STORM)
    set_right = feed(engine, [12.0] * 3, first=5 + 5 * len(STORM), station="S2")
    assert [short(c) for c in set_right] == ["none>blue r1h"]


def test_gauge_dead_in_the_storm() -> None:
    engine = rain_engine(places=(S1, S2))
    told: list[Remark] = []
    for n, value in enumerate(STORM, start=1):
        told += engine.tick(at(5 * n)).remarks
        both = [reading(value, 5 * n, "S1")] + ([reading(value, 5 * n, "S2")] if n <= 38 else [])
        told += engine.observe(both, at(5 * n)).remarks
    assert (grade_of(engine, "S1"), grade_of(engine, "S2")) == ("blue", "yellow")
    assert [(r.kind, r.place) for r in told] == [(RemarkKind.NO_DATA, "S2")]


def test_restart_in_mid_storm() -> None:
    whole = feed(rain_engine(), STORM)
    for cut in range(0, len(STORM), 7):
        before, after = rain_engine(), rain_engine()
        found = feed(before, STORM[:cut])
        after.restore(before.snapshot())
        found += feed(after, STORM[cut:], first=5 + 5 * cut)
        assert found == whole, f"stopped after {cut} readings"


def test_rule_edit_in_mid_storm() -> None:
    old = rain_engine()
    feed(old, STORM[:28])  # 62.0 mm in 3 h: blue
    new = rain_engine(RAIN.replace("[ 55,  75, 100, 120]", "[ 55,  60, 100, 120]").replace("version: 7", "version: 8"))
    new.succeed(old)
    assert grade_of(new) == "blue"
    changes = feed(new, STORM[28:30], first=5 + 5 * 28)
    assert [(short(c), c.version, c.id) for c in changes] == [("blue>yellow r3h", 8, "flash-flood-rain/S1/1/2")]
    assert changes[0].because[0].readings == 29


def test_thirty_six_readings_in_three_hours() -> None:
    engine = rain_engine()
    changes = feed(engine, [2.75] * 40)
    assert engine.values("S1")["r3h"] == 99.0
    assert max(c.after for c in changes) is Grade.YELLOW, "orange begins at 100 mm"
    assert all(e.readings <= 36 for c in changes for e in (*c.because, *c.also) if e.row == "r3h")


def test_a_batch_of_one_decides_as_a_batch_of_a_thousand() -> None:
    now = at(5 * 1100)
    readings = [Reading(s, "rain", value, int(at(5 * n).timestamp()))
                for n, value in enumerate(STORM * 5, start=1) for s in ("S1", "S2")]  # fmt: skip
    ones, many = rain_engine(places=(S1, S2)), rain_engine(places=(S1, S2))
    single = [ones.observe([r], now) for r in readings[:1000]]
    whole = many.observe(readings[:1000], now)
    assert whole.changes == tuple(c for d in single for c in d.changes)
    assert whole.remarks == tuple(r for d in single for r in d.remarks)
    assert _same(ones, many)


def _same(one: Engine, other: Engine) -> bool:
    return one.standing() == other.standing() and one.snapshot() == other.snapshot()
