"""Token buckets delay and never discard, and red waits for nobody below it."""

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.deliveries.limits import Limit, admit, limit_of, wait_s
from rules.grade import Grade

_GRADES = st.sampled_from([Grade.BLUE, Grade.YELLOW, Grade.ORANGE, Grade.RED])
_SENDS = st.lists(st.tuples(st.floats(0, 2), _GRADES, st.integers(1, 6)), max_size=60)
_RATES = st.floats(0.5, 50)


def _start(rate: float, burst: float = 0) -> Limit:
    made = limit_of(rate, burst, 0.0)
    assert made is not None
    return made


def test_a_rate_of_zero_is_no_limit() -> None:
    assert limit_of(0, 10, 0.0) is None


@given(_RATES, _SENDS)
def test_orange_and_red_go_as_if_lower_grades_did_not_exist(rate: float, sends: list[tuple[float, Grade, int]]) -> None:
    mixed = alone = _start(rate)
    now = 0.0
    for pause, grade, cost in sends:
        now += pause
        after = admit(mixed, cost, grade, now)
        if grade >= Grade.ORANGE:
            without = admit(alone, cost, grade, now)
            assert (after is None) == (without is None)
            alone = without or alone
        mixed = after or mixed


@given(_RATES, _SENDS)
def test_what_must_wait_is_admitted_after_the_time_that_was_told(rate: float, sends: list[tuple[float, Grade, int]]) -> None:
    limit, now = _start(rate), 0.0
    for pause, grade, cost in sends:
        now += pause
        after = admit(limit, cost, grade, now)
        if after is None:
            now += wait_s(limit, cost, grade, now) + 1e-6
            after = admit(limit, cost, grade, now)
        assert after is not None
        limit = after


@given(_RATES, st.lists(st.tuples(st.floats(0, 2), st.integers(1, 6)), max_size=60))
def test_over_time_no_more_goes_than_the_rate_one_burst_and_one_text(rate: float, sends: list[tuple[float, int]]) -> None:
    limit, now, gone = _start(rate), 0.0, 0
    for pause, cost in sends:
        now += pause
        after = admit(limit, cost, Grade.BLUE, now)
        gone += cost if after else 0
        limit = after or limit
    assert gone <= rate * now + max(rate, 1.0) + 6 + 1e-6


def test_a_text_longer_than_the_burst_goes_when_the_bucket_is_full_and_leaves_a_debt() -> None:
    after = admit(_start(1), 5, Grade.BLUE, 0.0)
    assert after is not None
    assert admit(after, 1, Grade.BLUE, 4.9) is None
    assert admit(after, 1, Grade.BLUE, 5.1) is not None
