"""Stages by lead time: who is told how long ahead, read from the county's table."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.errors import Problem
from dispatcher.policy.model import Action
from dispatcher.policy.stages import Stages, read_stages, staged
from rules.grade import Grade
from tests.dispatch.making import START, minutes, sample_policy

TABLE = """stages:
  - {id: imminent, name: 临近预警, name_en: Imminent, within: 2h, to: [village, township, county]}
  - {id: warning, name: 预警, name_en: Warning, within: 6h, to: [township, county]}
  - {id: outlook, name: 风险提示, name_en: Outlook, within: 12h, to: [county]}
"""


def read(directory: Path, text: str = TABLE) -> tuple[Stages, list[Problem]]:
    problems: list[Problem] = []
    (directory / "stages.yaml").write_text(text, encoding="utf-8")
    return read_stages(directory, problems), problems


def test_without_a_table_there_are_no_stages(tmp_path: Path) -> None:
    assert read_stages(tmp_path, []) == Stages()
    assert Stages().at(START + minutes(600), START) is None
    assert Stages().later(START + minutes(600), START) is None


NAMES = {None: "imminent", -1: "imminent", 2: "imminent", 2.1: "warning", 6: "warning", 12: "outlook", 48: "outlook"}


@pytest.mark.parametrize(("hours", "stage"), NAMES.items())
def test_the_stage_is_the_most_imminent_that_holds_and_unknown_is_now(tmp_path: Path, hours: float | None, stage: str) -> None:
    stages, problems = read(tmp_path)
    assert problems == []
    found = stages.at(None if hours is None else START + timedelta(hours=hours), START)
    assert found is not None
    assert found.id == stage


@given(lead_min=st.integers(-60, 3000))
def test_a_stage_only_ever_becomes_more_imminent_and_the_next_moment_is_where_it_does(lead_min: int) -> None:
    stages = Stages(tuple(STAGES.table))
    onset, at, last = START + minutes(lead_min), START, 99
    while True:
        stage = stages.at(onset, at)
        assert stage is not None
        assert stages.rank(stage.id) <= last
        last = stages.rank(stage.id)
        later = stages.later(onset, at)
        if later is None:
            break
        before = stages.at(onset, later - timedelta(seconds=1))
        assert before is not None
        assert before.id == stage.id or later - at <= timedelta(seconds=1)
        at = later
    assert last == 0


def test_an_early_stage_asks_nothing_of_the_village_and_calls_the_higher_levels_at_once() -> None:
    red = sample_policy().grades[Grade.RED]
    warning = staged(red, STAGES.named("warning"))
    roles = [role for step in warning.steps for role in step.to]
    assert roles == ["county.duty_room", "township.leader_on_duty", "county.leader_on_duty"]
    assert warning.actions == (Action.RECEIVED,)
    assert [s.after for s in warning.steps] == [minutes(0), minutes(0), minutes(5)]
    assert not any(s.task for s in warning.steps)
    assert staged(red, STAGES.named("imminent")) is red
    assert staged(red, None) is red


def test_a_stage_that_leaves_only_the_duty_room_asks_for_no_answer() -> None:
    blue = sample_policy().grades[Grade.BLUE]
    plan = staged(blue, STAGES.named("outlook"))
    assert [step.to for step in plan.steps] == [("county.duty_room",)]
    assert plan.actions == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("within: 2h", "within: 8h", "the most imminent (shortest 'within') first"),
        ("to: [village, township, county]", "to: [township, county]", "must tell the village itself"),
        ("id: outlook", "id: warning", "two stages have the same id"),
        ("to: [county]", "to: [nation]", "'nation'; allowed: county, township, village"),
        ("within: 12h", "within: soon", "'soon' is not a length of time"),
    ],
)
def test_a_mistake_in_the_table_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    _, problems = read(tmp_path, TABLE.replace(old, new))
    assert any(says in str(p) for p in problems), problems


def _table() -> Stages:
    import tempfile  # noqa: PLC0415 - once, for the tests above

    with tempfile.TemporaryDirectory() as folder:
        return read(Path(folder))[0]


STAGES = _table()
