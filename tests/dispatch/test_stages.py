"""A warning that comes nearer tells more people: the county far ahead, then the township, then the village itself."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from dispatcher.accounts import Principal, Role
from dispatcher.model.notice import NoticeState
from dispatcher.policy.release import Origin
from dispatcher.testing.stores import FarSide
from dispatcher.warnings.drafting import Draft
from dispatcher.warnings.releasing import By
from rules.change import Change
from rules.grade import Grade
from tests.dispatch.making import (
    COUNTY_LEADER,
    HAZARD,
    HEAD,
    SECRETARY,
    START,
    TOWNSHIP_LEADER,
    V1,
    V2,
    WARDEN,
    change,
    house,
    minutes,
    unreviewed,
)
from tests.dispatch.running import Running, running
from tests.policy.test_stages import STAGES

WANG = By(who=Principal(name="wang", role=Role.FORECASTER), origin="198.51.100.7")
VILLAGE = {SECRETARY, HEAD, WARDEN}


@pytest.fixture
async def engine(place: FarSide) -> AsyncIterator[Running]:
    async with running(place, replace(house(policy=unreviewed(Origin.FORECASTER)), stages=STAGES)) as made:
        yield made


async def expected(engine: Running, hours: float, grade: Grade = Grade.RED, areas: tuple[str, ...] = (V1,)) -> None:
    onset = START + timedelta(hours=hours) if hours else None
    until = START + timedelta(hours=20)
    await engine.releases.propose(Draft(hazard=HAZARD, grade=grade, areas=areas, expires_at=until, reason_zh="强降雨", onset=onset), WANG)
    await engine.later(timedelta(seconds=11))


async def test_each_stage_tells_its_own_people_as_the_time_comes_nearer(engine: Running) -> None:
    await expected(engine, 10)
    assert engine.sms.addresses() == {COUNTY_LEADER}
    assert (await engine.notice(V1)).stage == "outlook"
    assert engine.sms.told(COUNTY_LEADER)[0].startswith("【风险提示】预计")
    await engine.later(timedelta(hours=4))
    assert engine.sms.addresses() == {COUNTY_LEADER, TOWNSHIP_LEADER}
    assert (await engine.notice(V1)).stage == "warning"
    await engine.later(timedelta(hours=4))
    assert engine.sms.addresses() >= VILLAGE
    told = await engine.notice(V1)
    assert (told.stage, told.state, told.revision) == ("imminent", NoticeState.CALLING, 3)
    assert not engine.sms.told(WARDEN)[0].startswith("【风险提示】")


async def test_what_is_still_far_asks_people_to_prepare_and_only_what_is_near_says_go(engine: Running) -> None:
    await expected(engine, 5)
    assert "随时准备转移" in engine.sms.told(TOWNSHIP_LEADER)[0]
    assert "立即转移" not in engine.sms.told(TOWNSHIP_LEADER)[0]
    await engine.later(timedelta(hours=3))
    assert "立即转移" in engine.sms.told(WARDEN)[0]


async def test_one_message_about_several_villages_that_are_still_far_says_no_word_of_going_either(engine: Running) -> None:
    await expected(engine, 5, areas=(V1, V2))
    text = engine.sms.told(TOWNSHIP_LEADER)[0]
    assert text.startswith("【预警】预计")
    assert text.count("随时准备转移") == 2
    assert "分钟" not in text
    assert "立即转移" not in text


async def test_what_is_expected_now_or_at_no_known_time_tells_the_village_at_once(engine: Running) -> None:
    await expected(engine, 0)
    assert engine.sms.addresses() >= VILLAGE


async def test_what_a_rule_sees_brings_the_village_in_although_a_person_expects_it_later(engine: Running) -> None:
    await expected(engine, 10)
    await engine.change(change(Grade.RED))
    await engine.later(timedelta(seconds=11))
    assert engine.sms.addresses() >= VILLAGE


async def test_a_village_that_was_told_is_not_left_out_again_when_it_is_expected_later(engine: Running) -> None:
    await expected(engine, 0, Grade.ORANGE)
    count = len(engine.sms.told(WARDEN))
    name = (await engine.rows("warnings.contributions_of", status="Actual", hazard=HAZARD, warning=(await engine.notice(V1)).warning))[0]
    until = START + timedelta(hours=20)
    later = Draft(
        hazard=HAZARD, grade=Grade.RED, areas=(V1,), expires_at=until, reason_zh="推迟", replaces=name["contributor"],
        onset=START + timedelta(hours=10),
    )  # fmt: skip
    await engine.releases.propose(later, WANG)
    await engine.later(timedelta(seconds=11))
    assert (await engine.notice(V1)).stage == "imminent"
    assert len(engine.sms.told(WARDEN)) == count + 1


async def test_a_village_that_was_never_told_hears_nothing_of_the_end(engine: Running) -> None:
    await expected(engine, 10)
    await engine.later(timedelta(hours=1))
    warning = (await engine.notice(V1)).warning
    await engine.releases.lift(warning, [], ("已过", ""), WANG)
    await engine.later(timedelta(seconds=11))
    assert WARDEN not in engine.sms.addresses()
    assert "解除" in engine.sms.told(COUNTY_LEADER)[-1]
    await engine.later(timedelta(hours=12))
    assert WARDEN not in engine.sms.addresses()


async def test_while_only_higher_levels_are_told_silence_never_calls_the_village(engine: Running) -> None:
    await expected(engine, 5)
    for _ in range(30):
        await engine.later(minutes(1))
    assert not engine.sms.addresses() & VILLAGE
    assert {COUNTY_LEADER, TOWNSHIP_LEADER} <= engine.sms.addresses()


async def test_what_a_rule_expects_for_later_tells_each_stage_its_own_people(engine: Running) -> None:
    await engine.change(foreseen(Grade.ORANGE, 10))
    await engine.later(timedelta(seconds=11))
    assert engine.sms.addresses() == {COUNTY_LEADER}
    assert engine.sms.told(COUNTY_LEADER)[0].startswith("【风险提示】预计")
    await engine.later(timedelta(hours=4))
    assert engine.sms.addresses() == {COUNTY_LEADER, TOWNSHIP_LEADER}
    await engine.later(timedelta(hours=4))
    assert engine.sms.addresses() >= VILLAGE


async def test_a_rule_that_expects_it_sooner_brings_the_village_in_at_once(engine: Running) -> None:
    await engine.change(foreseen(Grade.ORANGE, 10))
    await engine.later(timedelta(seconds=11))
    await engine.change(foreseen(Grade.ORANGE, 1, before=Grade.ORANGE, step=1))
    await engine.later(timedelta(seconds=1))
    assert engine.sms.addresses() >= VILLAGE
    assert (await engine.notice(V1)).stage == "imminent"


async def test_a_rule_that_expects_it_sooner_in_the_same_stage_tells_nobody_twice(engine: Running) -> None:
    await engine.change(foreseen(Grade.ORANGE, 10))
    await engine.later(timedelta(seconds=11))
    await engine.change(foreseen(Grade.ORANGE, 8, before=Grade.ORANGE, step=1))
    await engine.later(timedelta(seconds=11))
    assert len(engine.sms.told(COUNTY_LEADER)) == 1
    await engine.later(timedelta(hours=2))
    assert TOWNSHIP_LEADER in engine.sms.addresses()


async def test_villages_that_a_rule_warns_of_later_are_told_in_one_alert(engine: Running) -> None:
    for gauge in ("G1", "G2"):
        await engine.change(foreseen(Grade.ORANGE, 10, gauge=gauge))
        await engine.later(timedelta(seconds=2))
    await engine.later(timedelta(seconds=20))
    assert len(await engine.rows("warnings.alerts", warning=(await engine.notice(V1)).warning)) == 1


def foreseen(grade: Grade, hours: float, *, before: Grade = Grade.NONE, gauge: str = "G1", step: int = 0) -> Change:
    return replace(change(grade, gauge, before=before, step=step), onset=START + timedelta(hours=hours))
