"""What people read: the sample county's own texts, filled in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dispatcher.ports import Status
from dispatcher.templates.load import load_templates
from dispatcher.templates.model import Facts, Templates
from dispatcher.templates.render import occasion_of, render
from rules.grade import Grade

FACTS = Facts(
    village="下坪村",
    hazard="flash-flood",
    grade=Grade.RED,
    reason="石潭河源头雨量站1小时雨量74.4毫米。",
    shelter="下坪小学",
    route="沿村道向上",
    transfer_people=("陈春生", "李桂英"),
    issuer="云岭县防汛抗旱指挥部",
    at=datetime(2026, 7, 20, 6, 35, tzinfo=UTC),
    zone=ZoneInfo("Asia/Shanghai"),
    travel_time=timedelta(minutes=25),
    status=Status.ACTUAL,
    code="4821",
    link="https://example.invalid/a/t0ken",
)


@pytest.fixture(scope="module")
def templates() -> Templates:
    return load_templates(Path(__file__).resolve().parents[2] / "config/sample/templates")


def test_a_red_message_says_place_and_action_first_and_how_to_answer_last(templates: Templates) -> None:
    text = render(templates, FACTS, "sms", "zh")
    assert text == (
        "下坪村立即转移到下坪小学，沿村道向上！山洪红色预警，洪水约25分钟后可能到达。听从陈春生、李桂英带领。石潭河源头雨量站1小时雨量74.4毫米。"
        "回复“1 4821”已收到；“2 4821”正在转移；“3 4821 人数”已转移。https://example.invalid/a/t0ken 云岭县防汛抗旱指挥部07月20日14:35"
    )


def test_an_english_message_says_the_same(templates: Templates) -> None:
    facts = replace(
        FACTS,
        village="Xiaping Village",
        shelter="Xiaping School",
        route="",
        transfer_people=(),
        reason="Rain gauge: 74.4 mm in 1 h.",
        issuer="Flood Control",
    )
    assert render(templates, facts, "sms", "en") == (
        "Xiaping Village: MOVE NOW to Xiaping School, by the way the village says! RED flash flood warning, "
        "water may arrive in about 25 min. "
        "Follow the village leaders. "
        "Rain gauge: 74.4 mm in 1 h. "
        "Reply 1 4821 received, 2 4821 moving, 3 4821 N moved. https://example.invalid/a/t0ken Flood Control 2026-07-20 14:35"
    )


@pytest.mark.parametrize(
    ("status", "language", "start"),
    [
        (Status.EXERCISE, "zh", "【演练】下坪村"),
        (Status.EXERCISE, "en", "[EXERCISE] "),
        (Status.ACTUAL, "zh", "下坪村"),
    ],
    ids=["zh", "en", "actual"],
)
@pytest.mark.parametrize("channel", ["sms", "duty_room"])
def test_an_exercise_is_marked_whatever_the_template_says(
    templates: Templates, status: Status, language: str, start: str, channel: str
) -> None:
    assert render(templates, replace(FACTS, status=status), channel, language).startswith(start)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("after", [Grade.NONE, Grade.BLUE, Grade.ORANGE], ids=["lift", "to blue", "to orange"])
def test_lowering_and_lifting_ask_for_nothing(templates: Templates, language: str, after: Grade) -> None:
    for channel in ("sms", "loudspeaker", "duty_room"):
        text = render(templates, replace(FACTS, before=Grade.RED, grade=after), channel, language)
        assert FACTS.code not in text
        assert FACTS.link not in text


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("grade", [g for g in Grade if g])
def test_a_loudspeaker_says_no_code_and_no_link(templates: Templates, language: str, grade: Grade) -> None:
    text = render(templates, replace(FACTS, grade=grade), "loudspeaker", language)
    assert FACTS.code not in text
    assert FACTS.link not in text


def test_who_brings_people_to_safety_is_listed_as_the_language_does(templates: Templates) -> None:
    facts = replace(FACTS, transfer_people=("Chunsheng Chen", "Guiying Li"))
    assert "Follow Chunsheng Chen, Guiying Li. " in render(templates, facts, "sms", "en")


def test_a_village_without_a_shelter_is_sent_to_high_ground(templates: Templates) -> None:
    text = render(templates, replace(FACTS, shelter="", route="", transfer_people=()), "sms", "zh")
    assert "立即转移到附近高处，按村里指定的路线走！" in text
    assert "听从村干部带领。" in text


@pytest.mark.parametrize("travel_time", [None, timedelta(0), timedelta(seconds=59)], ids=["unknown", "none", "seconds"])
def test_no_travel_time_means_at_any_moment(templates: Templates, travel_time: timedelta | None) -> None:
    assert "洪水随时可能到达" in render(templates, replace(FACTS, travel_time=travel_time), "sms", "zh")


def test_braces_in_a_fact_stay_as_they_are(templates: Templates) -> None:
    assert "{code}" in render(templates, replace(FACTS, village="{code}村", shelter="{link}"), "sms", "zh")


@pytest.mark.parametrize(
    ("before", "after", "occasion"),
    [
        (Grade.NONE, Grade.BLUE, "blue"),
        (Grade.BLUE, Grade.RED, "red"),
        (Grade.ORANGE, Grade.ORANGE, "orange"),
        (Grade.RED, Grade.ORANGE, "lower"),
        (Grade.RED, Grade.NONE, "lift"),
    ],
)
def test_the_move_between_grades_chooses_the_text(before: Grade, after: Grade, occasion: str) -> None:
    assert occasion_of(before, after) == occasion
