from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from dispatcher.deliveries.settle import (
    LEASE,
    LONGEST_WAIT,
    PATIENCE,
    RANK,
    needs_next_channel,
    on_expiry,
    on_failure,
    on_lease,
    on_lost_lease,
    on_receipt,
    on_supersession,
    wait_after,
)
from dispatcher.deliveries.writing import settled_now
from dispatcher.errors import DeliveryError, PermanentFailure, TooLate, TransientFailure, UnknownOutcome
from dispatcher.model.delivery import Delivery, delivery_id
from dispatcher.ports import DeliveryState, Receipt
from dispatcher.warnings.issuing import first_call
from tests.dispatch.making import START, house, minutes, notice, red_plan

S = DeliveryState
PLANNED = next(d for d in first_call(house(), notice(), red_plan(), START)[1] if d.channel == "sms")
SENDING = on_lease(PLANNED, START)
REPORTS = (S.ACCEPTED, S.SENT, S.UNDELIVERED, S.FAILED, S.DELIVERED)


def reported(delivery: Delivery, *states: DeliveryState) -> Delivery:
    for n, state in enumerate(states):
        delivery = on_receipt(delivery, Receipt(delivery=delivery.id, state=state, code=str(n)), START) or delivery
    return delivery


@pytest.mark.parametrize("states", list(permutations((S.ACCEPTED, S.SENT, S.DELIVERED, S.UNDELIVERED))), ids=" ".join)
def test_whatever_the_order_of_reports_the_end_is_the_same(states: Sequence[DeliveryState]) -> None:
    assert reported(SENDING, *states).state is S.DELIVERED


@given(st.lists(st.sampled_from(REPORTS), max_size=12))
def test_no_report_moves_a_delivery_backwards_and_a_repeated_one_changes_nothing(states: list[DeliveryState]) -> None:
    delivery = SENDING
    for state in states:
        after = reported(delivery, state)
        assert RANK[after.state] >= RANK[delivery.state]
        assert reported(after, state) == after
        delivery = after
    assert RANK[delivery.state] == max([RANK[s] for s in states], default=RANK[S.SENDING])


@given(st.lists(st.sampled_from(REPORTS), max_size=6))
def test_the_time_of_acceptance_is_that_of_the_first_report(states: list[DeliveryState]) -> None:
    first = reported(SENDING, *states)
    later = on_receipt(first, Receipt(delivery=first.id, state=S.DELIVERED), START + minutes(9))
    assert (first.accepted_at is None) == (not states)
    if later is not None:
        assert later.accepted_at == (first.accepted_at or START + minutes(9))


def test_a_permanent_failure_ends_it_at_once() -> None:
    after = on_failure(SENDING, PermanentFailure("21614", "not a mobile"), START, 0.5)
    assert (after.state, after.code, after.lease) == (S.FAILED, "21614", None)


def test_what_was_too_late_when_it_was_to_be_handed_over_has_expired_and_starts_no_other_channel() -> None:
    after = on_failure(SENDING, TooLate(), START, 0.5)
    assert (after.state, after.code, after.lease) == (S.EXPIRED, "expired", None)
    assert not needs_next_channel(after)


def test_a_transient_failure_is_tried_again_while_the_notice_holds_because_a_limit_delays_and_never_discards() -> None:
    delivery = PLANNED
    for n in range(1, PATIENCE * 10):
        leased = on_lease(delivery, START)
        assert leased.attempts == n
        assert not leased.possible_duplicate
        delivery = on_failure(leased, TransientFailure("503", "busy"), START, 0.5)
        assert delivery.state is S.PLANNED
        assert delivery.due > START


def test_a_channel_that_goes_on_failing_does_not_keep_the_next_one_waiting() -> None:
    delivery = PLANNED
    for n in range(1, PATIENCE + 3):
        delivery = on_failure(on_lease(delivery, START), TransientFailure("503", "busy"), START, 0.5)
        assert needs_next_channel(delivery) is (n >= PATIENCE)
    assert needs_next_channel(on_failure(on_lease(PLANNED, START), PermanentFailure("21614", "not a mobile"), START, 0.5))
    assert not needs_next_channel(reported(SENDING, S.DELIVERED))


def test_an_unknown_outcome_is_tried_again_while_the_notice_holds_and_marked() -> None:
    delivery = PLANNED
    for _ in range(PATIENCE * 3):
        delivery = on_failure(on_lease(delivery, START), UnknownOutcome("timeout", "no answer"), START, 0.5)
        assert delivery.state is S.UNKNOWN
    assert on_lease(delivery, START).possible_duplicate


@pytest.mark.parametrize("error", [UnknownOutcome("timeout", ""), TransientFailure("503", "")], ids=lambda e: type(e).__name__)
def test_nothing_is_tried_again_after_the_notice_has_expired(error: DeliveryError) -> None:
    late = PLANNED.expires_at - timedelta(seconds=1)
    assert on_failure(SENDING, error, late, 1.0).state is S.FAILED


@given(attempts=st.integers(0, 1000), jitter=st.floats(0, 1))
def test_waits_grow_and_stay_within_bounds(attempts: int, jitter: float) -> None:
    assert timedelta(seconds=1) <= wait_after(attempts, jitter) <= LONGEST_WAIT * 1.5
    assert wait_after(attempts, jitter) <= wait_after(attempts + 1, jitter)


def test_a_mark_of_a_possible_duplicate_is_never_taken_away() -> None:
    marked = on_lease(on_lost_lease(SENDING, START), START)
    again = on_lease(on_failure(marked, TransientFailure("503", ""), START, 0.5), START)
    assert again.possible_duplicate


def test_a_lease_ends_and_a_lost_one_is_unknown_and_due_at_once() -> None:
    assert SENDING.lease == START + LEASE
    lost = on_lost_lease(SENDING, START + LEASE)
    assert (lost.state, lost.due, lost.lease) == (S.UNKNOWN, START + LEASE, None)


def test_what_is_dropped_keeps_a_record_and_whether_it_may_have_arrived() -> None:
    unknown = on_lost_lease(SENDING, START)
    for drop, state in ((on_expiry, S.EXPIRED), (on_supersession, S.SUPERSEDED)):
        assert (drop(PLANNED, START).state, drop(PLANNED, START).possible_duplicate) == (state, False)
        assert drop(PLANNED, START).reason
        assert drop(unknown, START).possible_duplicate


def test_what_arrived_although_it_was_dropped_is_known_to_have_arrived() -> None:
    assert reported(on_supersession(on_lost_lease(SENDING, START), START), S.DELIVERED).state is S.DELIVERED


ACCEPTED = replace(SENDING, state=S.ACCEPTED, reference="SM1", accepted_at=START, lease=None)


@pytest.mark.parametrize(
    ("stored", "after", "state", "reference"),
    [
        pytest.param(SENDING, ACCEPTED, S.ACCEPTED, "SM1", id="nothing-happened-meanwhile"),
        pytest.param(reported(SENDING, S.DELIVERED), ACCEPTED, S.DELIVERED, "SM1", id="a-receipt-overtook-the-answer"),
        pytest.param(on_lost_lease(SENDING, START), ACCEPTED, S.ACCEPTED, "SM1", id="it-was-taken-for-lost"),
        pytest.param(on_supersession(on_lost_lease(SENDING, START), START), ACCEPTED, S.ACCEPTED, "SM1", id="it-was-taken-back-too-late"),
    ],
)
def test_an_outcome_never_goes_back_behind_what_is_stored(stored: Delivery, after: Delivery, state: DeliveryState, reference: str) -> None:
    settled = settled_now(stored, after)
    assert settled is not None
    assert (settled.state, settled.reference) == (state, reference)


@pytest.mark.parametrize("error", [TransientFailure("503", ""), UnknownOutcome("timeout", ""), PermanentFailure("21614", "")], ids=repr)
def test_a_failed_try_does_not_undo_what_a_receipt_has_said(error: DeliveryError) -> None:
    assert settled_now(reported(SENDING, S.SENT), on_failure(SENDING, error, START, 0.5)) is None


def test_the_id_of_a_delivery_is_stable_and_names_all_that_makes_it_another() -> None:
    one = delivery_id(("n1", "n2"), "sms", "+447700900001", 0, 0)
    assert one == delivery_id(("n2", "n1"), "sms", "+447700900001", 0, 0)
    others = [
        delivery_id(("n1",), "sms", "+447700900001", 0, 0),
        delivery_id(("n1", "n2"), "chat", "+447700900001", 0, 0),
        delivery_id(("n1", "n2"), "sms", "+447700900002", 0, 0),
        delivery_id(("n1", "n2"), "sms", "+447700900001", 1, 0),
        delivery_id(("n1", "n2"), "sms", "+447700900001", 0, 1),
    ]
    assert len({one, *others}) == 6
