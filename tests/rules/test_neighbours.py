"""A value that does not fit to the stations around is doubted, shown and counted, until it says so twice."""

import pytest

from rules.change import RemarkKind
from rules.engine import Engine
from rules.errors import RuleErrors
from rules.grade import Grade
from rules.parse import parse_rules
from rules.place import Place
from tests.rules.making import RAIN, at, grade_of, rain_engine, reading

HELD = RAIN.replace("quality: {range: [0, 30]}", "quality: {range: [0, 90], neighbours: {within: 10km, apart: 15}}")
GAUGES = tuple(Place(f"S{n}", "rain_gauge", ("rain",), 300, lat=26.0 + n / 50, lon=111.0) for n in range(1, 5))
FAR = Place("S9", "rain_gauge", ("rain",), 300, lat=28.0, lon=111.0)


def rained(engine: Engine, minutes: int, *amounts: float | None, first: int = 1) -> list[RemarkKind]:
    """One amount for each gauge, in the order of their names; gives what was remarked."""
    sent = [reading(a, minutes, f"S{n}") for n, a in enumerate(amounts, start=first) if a is not None]
    return [r.kind for r in engine.observe(sent, at(minutes)).remarks]


def test_one_gauge_against_all_others_is_not_believed_and_goes_to_the_duty_room_at_once() -> None:
    engine = rain_engine(HELD, GAUGES)
    rained(engine, 5, 1, 1, 1, 1)
    said = engine.observe([reading(0, 10, "S2"), reading(1, 10, "S3"), reading(2, 10, "S4"), reading(70, 10, "S1")], at(10))
    assert said.changes == ()
    assert [(r.kind, r.place, r.grade) for r in said.remarks] == [(RemarkKind.SUSPECT, "S1", Grade.ORANGE)]
    assert "does not fit to the stations around" in said.remarks[0].text_en
    assert engine.values("S1")["r1h"] == 1


def test_a_storm_over_one_gauge_is_believed_at_its_second_word_and_from_then_on() -> None:
    engine = rain_engine(HELD, GAUGES)
    rained(engine, 5, 1, 1, 1, 1)
    assert rained(engine, 10, 20, 1, 1, 1) == [RemarkKind.SUSPECT]
    assert rained(engine, 15, 22, 1, 1, 1) == []
    assert engine.values("S1")["r1h"] == 43
    assert grade_of(engine) == "blue"
    assert rained(engine, 20, 21, 1, 1, 1) == []
    assert engine.values("S1")["r1h"] == 64


def test_a_value_that_was_wrong_once_is_left_out_and_counted_in_the_explanation() -> None:
    engine = rain_engine(HELD, GAUGES)
    rained(engine, 5, 1, 1, 1, 1)
    rained(engine, 10, 40, 1, 1, 1)
    rained(engine, 15, 12, 12, 12, 12)
    rained(engine, 20, 12, 12, 12, 12)
    changes = engine.observe([reading(12, 25, "S1")], at(25)).changes
    assert [(c.after.word, c.because[0].value) for c in changes] == [("blue", 37.0)]
    assert (changes[0].because[0].suspect, changes[0].because[0].doubts) == (1, ("neighbours",))


@pytest.mark.parametrize("places", [GAUGES[:2], (GAUGES[0], FAR)], ids=["one neighbour", "none near"])
def test_it_is_not_held_against_too_few(places: tuple[Place, ...]) -> None:
    engine = rain_engine(HELD, places)
    engine.observe([reading(1, 5, p.id) for p in places], at(5))
    assert engine.observe([reading(50, 10)], at(10)).remarks == ()


def test_neighbours_that_are_silent_say_nothing() -> None:
    engine = rain_engine(HELD, GAUGES)
    rained(engine, 5, 1, 1, 1, 1)
    for minutes in (10, 15, 20):
        rained(engine, minutes, 1)
    assert RemarkKind.SUSPECT not in rained(engine, 25, 40)
    assert grade_of(engine) == "blue"


def test_a_snapshot_between_the_two_words_changes_nothing() -> None:
    engine, other = rain_engine(HELD, GAUGES), rain_engine(HELD, GAUGES)
    rained(engine, 5, 1, 1, 1, 1)
    rained(engine, 10, 20, 1, 1, 1)
    other.restore(engine.snapshot())
    assert rained(other, 15, 22, 1, 1, 1) == rained(engine, 15, 22, 1, 1, 1) == []
    assert other.values("S1") == engine.values("S1")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{within: 10, apart: 15}", "within a distance such as 10km"),
        ("{within: 10km, apart: 0}", "apart must be above 0"),
        ("{within: 10km}", "apart"),
        ("{rain: {within: 10km, apart: 15, most: 3}}", "most"),
    ],
)
def test_a_mistake_in_it_is_named(written: str, said: str) -> None:
    with pytest.raises(RuleErrors, match=said):
        parse_rules({"rules.yaml": RAIN.replace("quality: {range: [0, 30]}", f"quality: {{neighbours: {written}}}")})
