"""Roll calls: whom they ask, what counts, and what the month's table says."""

from dataclasses import replace
from datetime import time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.accounts import Principal, Role
from dispatcher.drills.roll_calls import RollCalls, attendance, attended, on_duty_now
from dispatcher.duty.model import DutyTable, Pattern, Roster, Shift
from dispatcher.errors import NotAllowed, PermanentFailure
from dispatcher.model.notice import NoticeState
from dispatcher.ports import Status
from dispatcher.testing.stores import FarSide
from dispatcher.timestamps import to_ms
from dispatcher.warnings.releasing import By
from tests.dispatch.making import CONTACTS, COUNTY, COUNTY_LEADER, EAST, HEAD, START, TOWNSHIP_LEADER, house, minutes
from tests.dispatch.running import Running, running

LI = By(who=Principal(name="li", role=Role.RELEASING_OFFICER), origin="test")
ALL_DAY = (Pattern(name="7x24", shifts=(Shift(name="day", begins=time(8), ends=time(8)),)),)
TEN = timedelta(minutes=10)


@pytest.fixture
def calls(engine: Running) -> RollCalls:
    return calls_of(engine)


def calls_of(engine: Running) -> RollCalls:
    """The leaders of the county and of the eastern town are on duty by roster."""
    said = (("county", "county.leader_on_duty", COUNTY, "county"), ("east", "township.leader_on_duty", EAST, "leader"))
    rosters = {n: Roster(id=n, name=n, name_en=n, role=role, area=area, patterns=ALL_DAY, people=(who,)) for n, role, area, who in said}
    object.__setattr__(engine.place.house, "duty", DutyTable(zone=engine.house.registry.county.timezone, rosters=rosters))
    return RollCalls(engine.place, lambda: None)


async def test_everybody_on_duty_is_asked_and_nobody_else(engine: Running, calls: RollCalls) -> None:
    assert on_duty_now(engine.place.house, START) == ["county", "leader"]
    await calls.ask(TEN, LI)
    await engine.send()
    assert engine.sms.addresses() == {COUNTY_LEADER, TOWNSHIP_LEADER}
    assert HEAD not in engine.sms.addresses()
    assert all("点名" in m.text and "回复“1 " in m.text for m in engine.sms.arrived)


async def test_whoever_a_text_cannot_reach_is_called_and_told_which_key_to_press(place: FarSide) -> None:
    people = [replace(one, channels=("sms", "voice")) if one.id == "county" else one for one in CONTACTS]
    async with running(place, house(contacts=people)) as engine:
        engine.sms.troubles[COUNTY_LEADER] = [PermanentFailure("30005", "dead")]
        await calls_of(engine).ask(TEN, LI)
        await engine.send()
        (call,) = [d for d in await engine.deliveries(COUNTY_LEADER) if d.channel == "voice"]
        assert "【值班点名】" in call.text
        assert call.text.endswith("前按1")


async def test_a_roll_call_of_an_engine_that_exercises_says_so(place: FarSide) -> None:
    async with running(place, house(status=Status.EXERCISE)) as engine:
        await calls_of(engine).ask(TEN, LI)
        await engine.send()
        assert engine.sms.arrived
        assert all(m.text.startswith("【演练】") for m in engine.sms.arrived)


async def test_an_answer_in_time_one_too_late_and_none_stand_in_the_table(engine: Running, calls: RollCalls) -> None:
    for late in (1, 20):
        await calls.ask(TEN, LI)
        await engine.send()
        await engine.later(minutes(late))
        await engine.reply(COUNTY_LEADER, "收到")
        await engine.later(timedelta(hours=25))
    async with engine.store.read() as reader:
        found = await attendance(reader, engine.place.house, START, engine.clock.now())
    assert [(a.person, a.asked, a.in_time, a.late) for a in found] == [("leader", 2, 0, 0), ("county", 2, 1, 1)]
    assert found[1].median_s == pytest.approx((60 + 1200) / 2)


async def test_a_roll_call_is_no_village_that_has_not_answered(engine: Running, calls: RollCalls) -> None:
    await calls.ask(TEN, LI)
    await engine.send()
    assert {n.state for n in await engine.notices()} == {NoticeState.CALLING}
    assert (await engine.rows("notices.unanswered"))[0]["n"] == 0
    for _ in range(5):
        await engine.later(minutes(10))
    assert len(engine.sms.arrived) == 2, "nobody is called again or instead"


async def test_a_random_moment_comes_within_its_span_and_once(engine: Running, calls: RollCalls) -> None:
    made = await calls.ask(TEN, LI, timedelta(hours=10))
    assert START <= made.due < START + timedelta(hours=10)
    engine.clock.advance(made.due - START)
    assert await calls.make_due() in {0, 2}
    engine.clock.advance(timedelta(hours=1))
    await calls.make_due()
    assert len(await engine.notices()) == 2


@pytest.mark.parametrize("within", [timedelta(0), timedelta(hours=3)])
async def test_a_time_that_cannot_be_kept_is_refused(calls: RollCalls, within: timedelta) -> None:
    with pytest.raises(NotAllowed, match="within 1 to 120 minutes"):
        await calls.ask(within, LI)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 3000)), max_size=30))
def test_every_call_is_counted_once(told: list[tuple[str, int | None]]) -> None:
    rows = [{"id": f"roll-call.r{n}/{p}/1", "released_at": to_ms(START), "plan": "roll-call/600"} for n, (p, _) in enumerate(told)]
    answers = {rows[n]["id"]: START + timedelta(seconds=w) for n, (_, w) in enumerate(told) if w is not None}
    table = attended(rows, answers)  # type: ignore[arg-type]  # ids are texts
    assert sum(a.asked for a in table) == len(told)
    assert sum(a.in_time for a in table) == sum(w is not None and w <= 600 for _, w in told)
    assert sum(a.late for a in table) == sum(w is not None and w > 600 for _, w in told)
