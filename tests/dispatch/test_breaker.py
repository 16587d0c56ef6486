"""The circuit breaker: opens on failures, probes, closes; it never keeps a gateway away for good."""

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.deliveries.breaker import FIRST_REST_S, LEAST, LONGEST_REST_S, PROBE_S, Breaker, Circuit, on_outcome, try_one

_EVENTS = st.lists(st.tuples(st.floats(0, 90), st.sampled_from(["try", "through", "failed"])), max_size=80)


def _after(events: list[tuple[float, str]]) -> tuple[Breaker, float]:
    breaker, now = Breaker(), 0.0
    for pause, event in events:
        now += pause
        breaker = (try_one(breaker, now) or breaker) if event == "try" else on_outcome(breaker, now, through=event == "through")
    return breaker, now


def _opened() -> Breaker:
    breaker = Breaker()
    for n in range(LEAST):
        breaker = on_outcome(breaker, float(n), through=False)
    assert breaker.circuit is Circuit.OPEN
    return breaker


@given(_EVENTS)
def test_whatever_happened_a_try_is_let_through_after_the_longest_rest(events: list[tuple[float, str]]) -> None:
    breaker, now = _after(events)
    assert try_one(breaker, now + max(LONGEST_REST_S, PROBE_S)) is not None


@given(_EVENTS)
def test_it_never_opens_while_most_of_the_last_tries_came_through(events: list[tuple[float, str]]) -> None:
    breaker, now = Breaker(), 0.0
    for pause, event in events:
        now += pause
        before = breaker
        breaker = (try_one(breaker, now) or breaker) if event == "try" else on_outcome(breaker, now, through=event == "through")
        if before.circuit is Circuit.CLOSED and breaker.circuit is Circuit.OPEN:
            assert breaker.failed >= 0.5
            assert len(breaker.recent) >= LEAST
            assert event == "failed"


@given(_EVENTS)
def test_a_probe_that_comes_through_closes_it(events: list[tuple[float, str]]) -> None:
    breaker, now = _after(events)
    probing = try_one(breaker, now + max(LONGEST_REST_S, PROBE_S))
    assert probing is not None
    assert on_outcome(probing, now + 100, through=True).circuit is Circuit.CLOSED


def test_one_probe_goes_at_a_time_and_a_failed_one_doubles_the_rest() -> None:
    opened = _opened()
    at = opened.since_s + FIRST_REST_S
    assert try_one(opened, at - 0.1) is None
    probing = try_one(opened, at)
    assert probing is not None
    assert try_one(probing, at + 1) is None
    again = on_outcome(probing, at + 1, through=False)
    assert (again.circuit, again.rest_s) == (Circuit.OPEN, 2 * FIRST_REST_S)


def test_tries_from_before_it_opened_tell_nothing_new() -> None:
    opened = _opened()
    assert on_outcome(opened, opened.since_s + 1, through=True) == opened
