from collections.abc import Iterable, Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.warning import Contribution, VillageGrade, Warning, WarningState  # noqa: A004
from dispatcher.ports import Status
from dispatcher.warnings.alerting import release
from dispatcher.warnings.grading import Standing, grade_villages, live
from dispatcher.warnings.sayings import contributor_of, sayings_of
from rules.change import Change, Mode
from rules.grade import Grade
from tests.dispatch.making import COUNTY, EAST, GAUGES, HAZARD, START, V1, V2, V3, WEST, change, registry, sample_policy

COALESCE = timedelta(seconds=10)
REGISTRY = registry()


class World:
    """The rows that grading works on, kept between calls as the store keeps them."""

    def __init__(self) -> None:
        self.contributions: dict[tuple[str, str], Contribution] = {}
        self.warnings: dict[str, Warning] = {}
        self.villages: dict[tuple[str, str], VillageGrade] = {}
        self.now = START

    def apply(self, *changes: Change) -> None:
        opened = [w for w in self.warnings.values() if w.state is WarningState.OPEN]
        standing = Standing(
            contributions=list(self.contributions.values()),
            warnings=opened,
            villages=[v for v in self.villages.values() if v.warning in {w.id for w in opened}],
        )
        sayings = sayings_of(changes, REGISTRY)
        graded = grade_villages(HAZARD, sayings, standing, REGISTRY, status=Status.ACTUAL, now=self.now, coalesce=COALESCE)
        for gone in graded.withdrawn:
            self.contributions.pop((gone.village, gone.contributor), None)
        self.contributions |= {(c.village, c.contributor): c for c in graded.contributed}
        self.warnings |= {w.id: w for w in graded.warnings}
        self.villages |= {(v.warning, v.village): v for v in graded.villages}

    def release(self) -> None:
        """Tell what is due, as the timekeeper does."""
        policy = sample_policy()
        for warning in [w for w in self.warnings.values() if w.alert_due is not None and w.alert_due <= self.now]:
            mine = [v for v in self.villages.values() if v.warning == warning.id]
            released = release(warning, mine, [], policy, dict.fromkeys(Grade, "d"), now=self.now, released_by="test")
            self.warnings[warning.id] = released.warning
            self.villages |= {(v.warning, v.village): v for v in released.villages}

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def grades(self) -> dict[str, Grade]:
        """The grade of each village in warnings that are open; a village in two of them is a mistake."""
        found: dict[str, Grade] = {}
        for v in self.villages.values():
            if self.warnings[v.warning].state is WarningState.OPEN and v.grade:
                assert v.village not in found, f"{v.village} stands in two warnings"
                found[v.village] = v.grade
        return found

    def only(self) -> Warning:
        (warning,) = (w for w in self.warnings.values() if w.state is WarningState.OPEN)
        return warning


def test_a_gauge_grades_every_village_it_is_linked_to() -> None:
    world = World()
    world.apply(change(Grade.YELLOW))
    assert world.grades() == {V1: Grade.YELLOW, V2: Grade.YELLOW}
    assert world.only().area == EAST
    assert world.only().grade is Grade.YELLOW


def test_a_village_has_the_highest_grade_of_its_contributors_and_keeps_it_when_a_lower_one_moves() -> None:
    world = World()
    world.apply(change(Grade.ORANGE, "G1"), change(Grade.YELLOW, "G2"))
    world.apply(change(Grade.BLUE, "G2", before=Grade.YELLOW))
    assert world.grades() == {V1: Grade.ORANGE, V2: Grade.ORANGE}
    world.apply(change(Grade.NONE, "G1", before=Grade.ORANGE))
    assert world.grades() == {V2: Grade.BLUE}


def test_the_reason_of_a_village_is_that_of_its_highest_contributor() -> None:
    world = World()
    world.apply(change(Grade.ORANGE, "G1"), change(Grade.RED, "G2"))
    assert "G2" in world.villages[world.only().id, V2].reason_zh
    assert "G1" in world.villages[world.only().id, V1].reason_zh


def test_a_lift_says_why_it_is_lifted_and_not_why_it_was_raised() -> None:
    world = World()
    world.apply(change(Grade.ORANGE))
    raised = world.villages[world.only().id, V1].reason_zh
    world.later(10)
    world.release()
    world.apply(change(Grade.NONE, before=Grade.ORANGE))
    assert world.villages[world.only().id, V1].reason_zh != raised
    assert "无预警" in world.villages[world.only().id, V1].reason_zh


def test_red_is_due_at_once_and_takes_along_what_was_waiting() -> None:
    world = World()
    world.apply(change(Grade.BLUE, "G1"))
    assert world.only().alert_due == START + COALESCE
    world.later(3)
    world.apply(change(Grade.RED, "G2"))
    assert world.only().alert_due == world.now


def test_later_changes_do_not_put_off_what_is_waiting() -> None:
    world = World()
    world.apply(change(Grade.BLUE, "G1"))
    world.later(6)
    world.apply(change(Grade.YELLOW, "G2"))
    assert world.only().alert_due == START + COALESCE


def test_a_red_that_was_told_does_not_make_later_changes_urgent() -> None:
    world = World()
    world.apply(change(Grade.RED, "G2"))
    world.release()
    world.later(60)
    world.apply(change(Grade.BLUE, "G1"))
    assert world.only().alert_due == world.now + COALESCE


def test_what_rose_and_fell_before_it_was_told_is_not_told_and_closes_silently() -> None:
    world = World()
    world.apply(change(Grade.BLUE))
    world.later(3)
    world.apply(change(Grade.NONE, before=Grade.BLUE))
    assert world.only().alert_due == world.now
    world.release()
    assert [w.state for w in world.warnings.values()] == [WarningState.LIFTED]


def test_a_lift_of_the_last_village_closes_the_warning_and_a_new_rise_opens_another() -> None:
    world = World()
    world.apply(change(Grade.RED, "G3"))
    world.release()
    world.later(60)
    world.apply(change(Grade.NONE, "G3", before=Grade.RED))
    world.later(10)
    world.release()
    assert [w.state for w in world.warnings.values()] == [WarningState.LIFTED]
    world.later(60)
    world.apply(change(Grade.BLUE, "G3"))
    assert len(world.warnings) == 2
    assert world.grades() == {V3: Grade.BLUE}


def test_a_rule_of_the_county_warns_for_the_county_and_one_of_the_townships_for_each() -> None:
    world = World()
    world.apply(change(Grade.BLUE, "G1"), change(Grade.BLUE, "G3"))
    assert {w.area for w in world.warnings.values()} == {EAST, WEST}
    world = World()
    world.apply(change(Grade.BLUE, "G1", issued_by="county"), change(Grade.BLUE, "G3", issued_by="county"))
    assert {w.area for w in world.warnings.values()} == {COUNTY}


def test_a_village_stays_in_the_warning_it_stands_in_when_a_rule_of_another_level_speaks() -> None:
    world = World()
    world.apply(change(Grade.BLUE, "G1", rule="town"))
    world.apply(change(Grade.RED, "G1", rule="county", issued_by="county"))
    assert world.grades() == {V1: Grade.RED, V2: Grade.RED}
    world.apply(change(Grade.NONE, "G1", rule="town", before=Grade.BLUE))
    world.apply(change(Grade.NONE, "G1", rule="county", before=Grade.RED, issued_by="county"))
    assert world.grades() == {}


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.STOPPED])
def test_only_live_rules_leave_the_house(mode: Mode) -> None:
    assert live([change(Grade.RED, mode=mode), change(Grade.BLUE)]) == [change(Grade.BLUE)]


SAID = st.tuples(
    st.sampled_from(sorted(GAUGES)),
    st.sampled_from(["rain", "flow"]),
    st.sampled_from(list(Grade)),
    st.sampled_from(["township", "county"]),
)


def expected(said: Iterable[tuple[str, str, Grade, str]]) -> dict[str, Grade]:
    """The slow way: the last word of each contributor, and the maximum of those."""
    last = {(gauge, rule): grade for gauge, rule, grade, _ in said}
    grades = {v: max((g for (gauge, _), g in last.items() if v in GAUGES[gauge]), default=Grade.NONE) for v in (V1, V2, V3)}
    return {v: g for v, g in grades.items() if g}


@given(batches=st.lists(st.lists(SAID, max_size=4), max_size=6), tell=st.booleans())
def test_in_whatever_order_and_batches_changes_come_no_village_is_lost(
    batches: Sequence[Sequence[tuple[str, str, Grade, str]]], *, tell: bool
) -> None:
    world = World()
    for batch in batches:
        world.later(30)
        changes = [change(g, gauge, rule=rule, issued_by=level, at=world.now, step=n) for n, (gauge, rule, g, level) in enumerate(batch)]
        world.apply(*changes)
        if tell:
            world.later(10)
            world.release()
    assert world.grades() == expected(one for batch in batches for one in batch)
    told = {(v.warning, v.village) for v in world.villages.values() if v.grade != v.told}
    due = {w.id for w in world.warnings.values() if w.alert_due is not None}
    assert {w for w, _ in told} <= due, "what is not told is due"


def test_contributors_are_named_by_rule_and_place() -> None:
    assert contributor_of(change(Grade.RED)) == "rule:rain/G1"
