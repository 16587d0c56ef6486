"""Which faults a command asks for, and that a seed gives the same storm again."""

import random
from collections import Counter

import pytest

from tests.faults.__main__ import main, wanted
from tests.faults.kinds import KINDS, garbage, kind_of
from tests.faults.storm import Route, storm
from tests.faults.storms import plans


def test_without_a_kind_all_are_wanted_and_in_the_long_mode_twenty_of_each() -> None:
    assert wanted("") == wanted("", 60) == {name: 60 if name == "kill" else 3 for name in KINDS}
    assert wanted("", 2000) == {name: 2000 if name == "kill" else 20 for name in KINDS}


@pytest.mark.parametrize(
    ("kinds", "found"),
    [
        ("kill", {"kill": 7}),
        ("broker", {"mqtt-kill": 7, "mqtt-pause": 7, "kafka-kill": 7, "kafka-pause": 7}),
        ("disk:2,lock", {"disk": 2, "lock": 7}),
        ("kill@lease.kept:4", {"kill@lease.kept": 4}),
        ("kill@kafka:2", {"kill@kafka": 2}),
    ],
)
def test_a_kind_a_group_a_point_and_a_number_can_be_named(kinds: str, found: dict[str, int]) -> None:
    assert wanted(kinds, 7) == found


@pytest.mark.parametrize("kinds", ["fire", "kill@nowhere", "kill:x"])
def test_what_does_not_exist_is_refused_with_what_does(kinds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--kind", kinds])
    assert "mqtt-pause" in capsys.readouterr().err


def test_every_strike_is_in_a_storm_of_its_group_and_the_command_of_a_storm_gives_that_storm() -> None:
    made = plans(wanted("", 60), 100)
    assert sum((Counter(plan.strikes) for plan in made), Counter[str]()) == Counter(wanted("", 60))
    assert [plan.seed for plan in made] == list(range(100, 100 + len(made)))
    for plan in made:
        assert len({kind_of(name).group for name in plan.strikes}) == 1
        seed, kinds = plan.again().removeprefix("make faults SEED=").split(" KIND=")
        assert plans(wanted(kinds), int(seed)) == [plan]
    assert 1 <= sum(plan.shared for plan in made) < len(made) / 2


def test_the_storm_is_the_same_each_time_and_takes_every_way_in() -> None:
    assert storm() == storm()
    assert {one.route for one in storm()} == set(Route)
    assert len({one.id for one in storm()}) == len(storm()) == 24 * 16


def test_garbage_is_the_same_for_the_same_seed_and_no_two_pieces_are() -> None:
    first, second = ([garbage(random.Random(1), n) for n in range(50)] for _ in range(2))
    assert first == second
    assert len(set(first)) == 50
