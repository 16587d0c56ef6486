import pytest

from rules.feed_text import Sent, steps


def _values(text: str) -> list[list[float]]:
    return [[s.value for s in step] for step in steps(text)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        pytest.param("4", [[4]], id="one value"),
        pytest.param("2x3", [[2], [2], [2], [2]], id="a value, then three times more, as in promtool"),
        pytest.param("10+2x5", [[10], [12], [14], [16], [18], [20]], id="rising"),
        pytest.param("1-0.5x2", [[1], [0.5], [0]], id="falling"),
        pytest.param("0.1+0.1x2", [[0.1], [0.2], [0.3]], id="decimals stay exact"),
        pytest.param("-3x1 -2", [[-3], [-3], [-2]], id="below zero"),
        pytest.param("1 _ 2", [[1], [], [2]], id="nothing arrives"),
        pytest.param("_x3", [[], [], []], id="nothing three times, as in promtool"),
        pytest.param("4>6@+30m", [[4, 6]], id="a correction"),
        pytest.param("", [], id="nothing at all"),
    ],
)
def test_series_are_written_as_in_promtool(text: str, values: list[list[float]]) -> None:
    assert _values(text) == values


def test_the_troubles_of_gauges_can_be_written() -> None:
    assert steps("4@+40m") == ((Sent(value=4, late_s=2400),),)
    assert steps("4!") == ((Sent(value=4, copies=2),),)
    assert steps("4?") == ((Sent(value=4, quality="suspect"),),)
    assert steps("4^+2d") == ((Sent(value=4, ahead_s=172800),),)
    assert steps("4^-1h") == ((Sent(value=4, ahead_s=-3600),),)
    assert steps("4>6@+30m") == ((Sent(value=4), Sent(value=6, late_s=1800)),)
    assert steps("4x1@+5m!") == ((Sent(value=4, late_s=300, copies=2),),) * 2


@pytest.mark.parametrize("text", ["x3", "4x", "four", "4@40m", "1e5", "_@+4m", "_!", "4+2", "nan", "4x1000000", "4^2d", "4@+4y"])
def test_what_is_not_understood_is_named_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?s)allowed"):
        steps(f"1 {text} 2")


def test_a_series_has_an_end() -> None:
    with pytest.raises(ValueError, match="more than 100000"):
        steps("1x99999 1x99999")
