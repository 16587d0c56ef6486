"""The registry's rows become one look-up, and a row that cannot be is refused when it is loaded."""

import pytest

from dispatcher.intake.catalogue import CatalogueEntry, catalogue
from dispatcher.intake.units import VARIABLES


def entry(variable: str = "rain", kind: str = "increment", interval_s: int = 300) -> CatalogueEntry:
    return CatalogueEntry(station="1", variable=variable, kind=kind, interval_s=interval_s)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        pytest.param([entry(variable="sunshine")], "unknown variable; allowed: rain, level", id="unknown variable"),
        pytest.param([entry(kind="average")], "kind 'average'; allowed: increment, counter, instant", id="kind not accepted"),
        pytest.param([entry(interval_s=0)], "whole seconds above 0", id="no interval"),
        pytest.param([entry(), entry()], "listed twice", id="twice"),
    ],
)
def test_a_row_that_cannot_be_says_what_is_allowed(entries: list[CatalogueEntry], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        catalogue(entries)


@pytest.mark.parametrize("variable", VARIABLES.values(), ids=lambda v: v.name)
def test_the_canonical_unit_of_a_variable_is_one_of_its_units_and_changes_nothing(variable: object) -> None:
    known = VARIABLES[variable.name]  # type: ignore[attr-defined]
    assert tuple(known.units[known.unit]) == (1.0, 1.0, 0.0)
    assert known.low < known.high


def test_degrees_fahrenheit_become_celsius() -> None:
    times, over, plus = VARIABLES["temperature"].units["degF"]
    assert 212 * times / over + plus == pytest.approx(100)
    assert -40 * times / over + plus == pytest.approx(-40)


def test_a_running_total_may_be_larger_than_anything_that_falls_in_an_interval() -> None:
    known = catalogue([entry(kind="counter")])
    assert known.places["1", "rain", "mm"].high > 1e6
