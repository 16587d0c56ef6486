"""A checkpoint and the increments after it are the state itself."""

import random
from datetime import timedelta

import msgspec
import pytest

from dispatcher.intake.decode import decode
from dispatcher.ports import Item
from rules.change import Decisions
from rules.engine import Engine
from rules.errors import SnapshotError
from tests.rules.making import LEVELS, S1, START, at, feed, grade_of, rain_engine, reading
from tests.rules.storm_decisions import KNOWN, PLACES, RULES, storm


def _fresh(seed: int) -> Engine:
    return rain_engine(RULES[seed % len(RULES)], PLACES, {"thresholds/river_levels.csv": LEVELS})


def _decided(seed: int, *, restarts: bool) -> tuple[list[Decisions], object]:
    """All decisions of a storm, without a stop or with many, each from a chain as it has grown so far."""
    chance, engine = random.Random(seed), _fresh(seed)
    found: list[Decisions] = []
    chain: list[bytes] = []
    for now, body in storm(seed):
        found.append(engine.tick(now - timedelta(seconds=30)))
        found.append(engine.observe(decode(Item(body, "storm"), KNOWN).readings, now))
        fate = chance.random() if restarts else 0.0
        if fate > 0.75:
            more = engine.increment() if chain else None
            chain = [*chain, more] if more is not None else [engine.checkpoint()]
        if fate > 0.9:
            engine = _fresh(seed)
            engine.restore(chain[0], chain[1:])
            chain = []
    return found, engine.standing()


@pytest.mark.parametrize("seed", range(20))
def test_restarts_from_a_chain_change_no_decision(seed: int) -> None:
    assert _decided(seed, restarts=True) == _decided(seed, restarts=False)


def test_an_increment_is_as_small_as_what_has_changed() -> None:
    engine = rain_engine(places=PLACES[:3])
    for station in ("S1", "S2", "S3"):
        feed(engine, [0.1] * 280, station=station)
    whole = engine.checkpoint()
    engine.observe([reading(0.2, 1405)], at(1405))
    more = engine.increment()
    assert more is not None
    assert len(more) < len(whole) / 10
    nothing = engine.increment()
    assert nothing is not None
    assert len(nothing) < 100 + len(engine.plan.digest)


def test_nothing_follows_where_no_checkpoint_is() -> None:
    engine = rain_engine()
    assert engine.increment() is None
    feed(engine, [1.0] * 3)
    assert engine.increment() is None
    whole = engine.checkpoint()
    assert engine.increment() is not None
    engine.restore(whole)
    assert engine.increment() is None


def test_a_chain_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    engine, other = rain_engine(), rain_engine(places=PLACES[:3])
    feed(engine, [3.0] * 12)
    feed(other, [3.0] * 12, station="S3")
    whole = engine.checkpoint()
    other.checkpoint()
    feed(other, [3.0], first=65, station="S3")
    strange = other.increment()
    assert strange is not None
    for more in ([strange], [b"rubbish"], [whole]):
        with pytest.raises(SnapshotError):
            engine.restore(whole, more)
        assert grade_of(engine) == "blue"


def test_a_snapshot_of_the_release_before_is_understood() -> None:
    times = b"".join((int(START.timestamp()) + 300 * n).to_bytes(8, "little") for n in range(12))
    values = b"".join((30_000).to_bytes(8, "little") for _ in range(12))
    series = ["S1", "rain", "", times, values, 1, False, 0, [], [], None, [0, None], b"", b""]
    engine = rain_engine(places=(S1,))
    engine.restore(msgspec.msgpack.encode({"format": 2, "digest": "", "series": [series], "ladders": [], "feeds": []}))
    assert engine.values("S1")["r1h"] == 36


def test_a_damaged_series_leaves_a_new_engine_as_new_as_it_was() -> None:
    old = rain_engine()
    feed(old, [3.0] * 12)
    saved = msgspec.msgpack.decode(old.snapshot())
    saved["series"][0][6] = saved["series"][0][6][:-1]
    engine = rain_engine()
    with pytest.raises(SnapshotError):
        engine.restore(msgspec.msgpack.encode(saved))
    assert [(s.grade.word, s.last_reading) for s in engine.standing()] == [("none", None)]
    engine.restore(old.snapshot())
    assert list(engine.standing()) == list(old.standing())
