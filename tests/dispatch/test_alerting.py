from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.notice import Notice, NoticeState, Purpose
from dispatcher.model.warning import Alert, MessageType, VillageGrade, Warning, WarningState  # noqa: A004
from dispatcher.ports import Status
from dispatcher.warnings.alerting import Released, purpose_of, release
from rules.grade import Grade
from tests.dispatch.making import COUNTY, EAST, HAZARD, START, V1, V2, sample_policy

PLANS = {grade: f"plan-{grade.word}" for grade in Grade if grade}
WARNING = Warning(
    id="w", county=COUNTY, status=Status.ACTUAL, hazard=HAZARD, area=EAST, state=WarningState.OPEN, grade=Grade.NONE,
    opened_at=START, updated_at=START, alert_due=START,
)  # fmt: skip


def village(code: str, grade: Grade, told: Grade = Grade.NONE, revision: int = 0) -> VillageGrade:
    return VillageGrade(
        warning="w", village=code, county=COUNTY, status=Status.ACTUAL, grade=grade, told=told, revision=revision,
        reason_zh="雨", reason_en="rain",
    )  # fmt: skip


def told(*villages: VillageGrade, alerts: Sequence[Alert] = (), now: datetime = START, warning: Warning = WARNING) -> Released:
    return release(warning, villages, alerts, sample_policy(), PLANS, now=now, released_by="policy:auto")


def alert_of(released: Released) -> Alert:
    assert released.alert is not None
    return released.alert


def test_only_villages_whose_grade_changed_get_a_notice_and_a_higher_revision() -> None:
    released = told(village(V1, Grade.RED, Grade.ORANGE, 2), village(V2, Grade.BLUE, Grade.BLUE, 1))
    assert [(n.village, n.revision, n.grade, n.before) for n in released.notices] == [(V1, 3, Grade.RED, Grade.ORANGE)]
    assert [(v.village, v.told, v.revision) for v in released.villages] == [(V1, Grade.RED, 3)]
    assert alert_of(released).places == ((V1, 3, 4),)


def test_nobody_is_told_what_he_knows() -> None:
    released = told(village(V1, Grade.RED, Grade.RED, 1))
    assert released.alert is None
    assert released.notices == ()
    assert released.warning.alert_due is None
    assert released.warning.alerts == 0


def test_a_rise_warns_and_asks_and_a_fall_informs_and_asks_nothing() -> None:
    released = told(village(V1, Grade.RED, Grade.NONE), village(V2, Grade.BLUE, Grade.ORANGE, 1))
    by_village = {n.village: n for n in released.notices}
    assert (by_village[V1].purpose, by_village[V1].state) == (Purpose.WARN, NoticeState.CALLING)
    assert (by_village[V2].purpose, by_village[V2].state) == (Purpose.LOWER, NoticeState.INFORMED)


def test_the_first_message_is_an_alert_the_next_an_update_and_the_last_a_cancel() -> None:
    first = told(village(V1, Grade.BLUE))
    assert alert_of(first).message_type is MessageType.ALERT
    second = told(village(V1, Grade.RED, Grade.BLUE, 1), alerts=[alert_of(first)], warning=first.warning)
    assert alert_of(second).message_type is MessageType.UPDATE
    last = told(village(V1, Grade.NONE, Grade.RED, 2), alerts=[alert_of(first), alert_of(second)], warning=second.warning)
    assert alert_of(last).message_type is MessageType.CANCEL
    assert last.warning.state is WarningState.LIFTED
    assert last.warning.closed_at == START
    assert [alert_of(r).id for r in (first, second, last)] == ["w.1", "w.2", "w.3"]


def test_a_lift_of_one_village_of_several_is_an_update_and_the_warning_stays_open() -> None:
    first = told(village(V1, Grade.RED), village(V2, Grade.BLUE))
    second = told(village(V1, Grade.NONE, Grade.RED, 1), village(V2, Grade.BLUE, Grade.BLUE, 1), alerts=[alert_of(first)])
    assert alert_of(second).message_type is MessageType.UPDATE
    assert second.warning.state is WarningState.OPEN
    assert [n.purpose for n in second.notices] == [Purpose.LIFT]


def test_a_message_names_every_earlier_one_that_has_not_expired() -> None:
    first = alert_of(told(village(V1, Grade.BLUE)))
    second = alert_of(told(village(V1, Grade.RED, Grade.BLUE, 1), alerts=[first]))
    third = alert_of(told(village(V1, Grade.NONE, Grade.RED, 2), alerts=[first, second], now=second.expires_at))
    assert second.refs == (first.id,)
    assert third.refs == tuple(a.id for a in (first, second) if a.expires_at > second.expires_at)


def test_a_message_holds_as_long_as_the_longest_of_its_notices() -> None:
    released = told(village(V1, Grade.RED), village(V2, Grade.BLUE))
    plans = sample_policy().grades
    assert alert_of(released).expires_at == START + max(plans[Grade.RED].valid_for, plans[Grade.BLUE].valid_for)
    assert {n.expires_at for n in released.notices} <= {START + p.valid_for for p in plans.values()}


def test_a_lift_keeps_the_plan_that_was_in_force() -> None:
    assert told(village(V1, Grade.NONE, Grade.ORANGE, 1)).notices[0].plan == "plan-orange"


@pytest.mark.parametrize(
    ("before", "after", "purpose"),
    [
        pytest.param(Grade.NONE, Grade.BLUE, Purpose.WARN, id="rise"),
        pytest.param(Grade.ORANGE, Grade.RED, Purpose.WARN, id="further"),
        pytest.param(Grade.RED, Grade.BLUE, Purpose.LOWER, id="fall"),
        pytest.param(Grade.BLUE, Grade.NONE, Purpose.LIFT, id="lift"),
    ],
)
def test_the_purpose_follows_from_the_move(before: Grade, after: Grade, purpose: Purpose) -> None:
    assert purpose_of(before, after) is purpose


@given(st.lists(st.tuples(st.sampled_from(list(Grade)), st.sampled_from(list(Grade))), min_size=1, max_size=12))
def test_over_any_life_a_revision_rises_exactly_when_the_grade_told_changes(life: list[tuple[Grade, Grade]]) -> None:
    one, two = village(V1, Grade.NONE), village(V2, Grade.NONE)
    warning, alerts, notices, now = WARNING, list[Alert](), list[Notice](), START
    for first, second in life:
        one, two = _moved(one, first), _moved(two, second)
        now += timedelta(minutes=1)
        released = told(one, two, alerts=alerts, now=now, warning=warning)
        warning = released.warning
        alerts += [released.alert] if released.alert else []
        after = {v.village: v for v in released.villages}
        for before in (one, two):
            assert (before.village in after) == (before.grade != before.told)
        one, two = after.get(V1, one), after.get(V2, two)
        notices += released.notices
    for code, last in ((V1, one), (V2, two)):
        mine = [n for n in notices if n.village == code]
        assert [n.revision for n in mine] == list(range(1, len(mine) + 1))
        assert [n.before for n in mine] == [Grade.NONE, *[n.grade for n in mine]][: len(mine)]
        assert last.told == last.grade
    assert len({n.id for n in notices}) == len(notices)
    assert (warning.state is WarningState.LIFTED) == (one.grade is two.grade is Grade.NONE)


def _moved(before: VillageGrade, grade: Grade) -> VillageGrade:
    return village(before.village, grade, before.told, before.revision)
