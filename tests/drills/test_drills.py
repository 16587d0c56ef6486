"""Drills beside the engine in earnest: who is reached, who is not, what is scored."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.printers.pdf import PdfPrinter
from dispatcher.accounts import Principal, Role
from dispatcher.auditor.auditor import Auditor
from dispatcher.drills.model import DrillPlan
from dispatcher.drills.report import drill_sheet
from dispatcher.drills.running import Drills
from dispatcher.drills.scoring import Score, VillageScore, compared
from dispatcher.errors import NotAllowed
from dispatcher.model.notice import NoticeState
from dispatcher.model.task import TaskKind
from dispatcher.ports import Status
from dispatcher.warnings.releasing import By
from rules.grade import Grade
from tests.dispatch.making import (
    COUNTY,
    COUNTY_LEADER,
    EAST,
    HAZARD,
    HEAD,
    SECRETARY,
    TOWNSHIP_LEADER,
    V1,
    V2,
    V3,
    WARDEN,
    change,
    house,
    minutes,
)  # fmt: skip
from tests.dispatch.running import Running

CHEN = By(who=Principal(name="chen", role=Role.DUTY_OFFICER), origin="test")
PLAN = DrillPlan(title="汛前演练", hazard=HAZARD, grade=Grade.RED, areas=(V1, V2))


@pytest.fixture
def drills(engine: Running) -> Drills:
    return Drills(engine.place, lambda: None)


def running(engine: Running) -> bool:
    return engine.place.house.drill is not None


async def started(engine: Running, drills: Drills, **more: object) -> str:
    drill = await drills.start(replace(PLAN, **more), CHEN)  # type: ignore[arg-type]  # fields of the plan
    engine.house = engine.place.house
    await engine.send()
    return drill.id


async def test_only_participants_are_called_and_every_text_says_that_it_is_an_exercise(engine: Running, drills: Drills) -> None:
    await started(engine, drills)
    assert engine.sms.addresses() == {SECRETARY, HEAD, WARDEN, "+447700900032", "+447700900033"}
    for message in engine.sms.arrived:
        assert message.status is Status.EXERCISE
        assert message.text.startswith(("【演练】", "[EXERCISE]", "EXERCISE"))
    assert engine.speaker.arrived == [], "speakers play only when they are listed"
    for _ in range(12):
        await engine.later(minutes(1))
    assert TOWNSHIP_LEADER not in engine.sms.addresses()
    assert COUNTY_LEADER not in engine.sms.addresses()
    assert await Auditor(engine.place).audit() == []


async def test_higher_levels_and_speakers_take_part_when_they_are_listed(engine: Running, drills: Drills) -> None:
    await started(engine, drills, township=True, county=True, speakers=True)
    assert {m.address for m in engine.speaker.arrived} == {"spk-1"}
    for _ in range(12):
        await engine.later(minutes(1))
    assert {TOWNSHIP_LEADER, COUNTY_LEADER} <= engine.sms.addresses()


async def test_what_a_drill_warns_of_is_no_warning_in_earnest(engine: Running, drills: Drills) -> None:
    await started(engine, drills)
    assert {n.status for n in await engine.notices()} == {Status.EXERCISE}
    assert await engine.rows("warnings.open", status="Actual", hazard=HAZARD) == []


async def test_a_warning_in_earnest_reaches_everybody_while_a_drill_runs(engine: Running, drills: Drills) -> None:
    await started(engine, drills)
    await engine.change(change(Grade.RED, "G3"))
    await engine.send()
    told = [m for m in engine.sms.arrived if m.status is Status.ACTUAL]
    assert {m.address for m in told} == {"+447700900043"}
    await engine.later(minutes(11))
    assert COUNTY_LEADER in {m.address for m in engine.sms.arrived if m.status is Status.ACTUAL}, "escalation in earnest knows everybody"


async def test_a_warning_in_earnest_closes_the_drill_of_whom_it_calls(engine: Running, drills: Drills) -> None:
    await started(engine, drills)
    await engine.change(change(Grade.RED))
    await engine.send()
    drilled = [n for n in await engine.notices() if n.status is Status.EXERCISE]
    assert {n.state for n in drilled} == {NoticeState.SUPERSEDED}


async def test_for_half_an_hour_only_the_code_answers_a_warning_that_came_into_a_drill(engine: Running, drills: Drills) -> None:
    await started(engine, drills)
    await engine.change(change(Grade.RED))
    await engine.send()
    await engine.reply(WARDEN, "收到")
    real = next(n for n in await engine.notices() if n.status is Status.ACTUAL and n.village == V1)
    assert real.state is NoticeState.CALLING
    assert TaskKind.UNCLEAR_REPLY in {t.kind for t in await engine.tasks()}, "it is not dropped"
    await engine.reply(WARDEN, f"1 {real.code}")
    assert (await engine.notice(V1)).state is NoticeState.ANSWERED


async def test_who_was_in_no_drill_answers_with_a_bare_word_as_ever(engine: Running, drills: Drills) -> None:
    await started(engine, drills)
    await engine.change(change(Grade.RED, "G3"))
    await engine.send()
    await engine.reply("+447700900043", "收到")
    assert (await engine.notice(V3)).state is NoticeState.ANSWERED


async def test_no_drill_begins_where_a_warning_in_earnest_is_in_force(engine: Running, drills: Drills) -> None:
    await engine.change(change(Grade.BLUE))
    await engine.later(timedelta(seconds=10))
    with pytest.raises(NotAllowed, match="in earnest"):
        await started(engine, drills)
    await started(engine, drills, areas=(V3,))


async def test_the_end_tells_those_who_were_told_and_nobody_is_called_after_it(engine: Running, drills: Drills) -> None:
    await started(engine, drills)
    before = {m.address for m in engine.sms.arrived}
    count = len(engine.sms.arrived)
    await drills.end(CHEN)
    await engine.send()
    over = engine.sms.arrived[count:]
    assert {m.address for m in over} == before
    assert {m.status for m in over} == {Status.EXERCISE}
    count = len(engine.sms.arrived)
    for _ in range(20):
        await engine.later(minutes(1))
    assert len(engine.sms.arrived) == count
    with pytest.raises(NotAllowed, match="no drill"):
        await drills.end(CHEN)


async def test_a_drill_ends_by_itself_and_survives_a_restart_until_then(engine: Running, drills: Drills) -> None:
    await started(engine, drills, minutes=30)
    engine.place.house = replace(engine.place.house, drill=None)  # another process
    again = Drills(engine.place, lambda: None)
    await again.look()
    assert running(engine)
    with pytest.raises(NotAllowed, match="another drill"):
        await again.start(PLAN, CHEN)
    engine.clock.advance(minutes(30))
    await again.look()
    assert not running(engine)
    assert await engine.rows("drills.running") == []


async def test_when_no_drill_runs_an_exercise_reaches_nobody(engine: Running) -> None:
    nobody = engine.place.house.of(Status.EXERCISE)
    assert nobody.registry.contacts == {}
    assert nobody.registry.speakers == {}
    assert nobody.of(Status.EXERCISE) is nobody


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"areas": ()}, "name at least one village"),
        ({"areas": ("1234",)}, "no village lies in '1234'"),
        ({"hazard": "dragons"}, "no policy for hazard 'dragons'"),
        ({"grade": Grade.NONE}, "from blue to red"),
        ({"minutes": 1}, "from 5 minutes to 24 hours"),
        ({"title": " "}, "needs a title"),
    ],
)
async def test_a_plan_that_cannot_be_is_refused_with_a_reason(engine: Running, drills: Drills, more: dict[str, object], says: str) -> None:
    with pytest.raises(NotAllowed, match=says):
        await started(engine, drills, **more)
    assert engine.place.house.drill is None


async def test_an_installation_that_only_drills_needs_no_drill(engine: Running) -> None:
    engine.place.house = house(status=Status.EXERCISE)
    with pytest.raises(NotAllowed, match="only drills"):
        await Drills(engine.place, lambda: None).start(PLAN, CHEN)


async def test_the_report_scores_the_drill_and_compares_it_with_the_last(engine: Running, drills: Drills) -> None:
    drill = ""
    for wait, answered in ((4, (WARDEN,)), (1, (WARDEN, "+447700900033"))):
        drill = await started(engine, drills, areas=(EAST,))
        await engine.later(minutes(wait))
        for phone in answered:
            await engine.reply(phone, "收到")
        await engine.later(minutes(1))
        await drills.end(CHEN)
        await engine.send()
        await engine.later(timedelta(days=1))
    async with engine.store.read() as reader:
        sheet = await drill_sheet(reader, engine.place.house, drill, "en", engine.clock.now())
    assert sheet is not None
    facts = sheet.facts["score"]
    assert isinstance(facts, dict)
    assert facts["share_in_time"] == 1.0
    assert facts["first_answer_s"] == 60.0
    against = sheet.facts["against_last"]
    assert isinstance(against, dict)
    assert against["villages"] == 2
    assert against["faster_s"] == 180.0
    assert against["share_gained"] == 0.5
    assert sheet.mark
    assert PdfPrinter().print(sheet).startswith(b"%PDF-")
    async with engine.store.read() as reader:
        assert await drill_sheet(reader, engine.place.house, "d99", "en", engine.clock.now()) is None
        rows = await reader.fetch("drills.last_of_villages", {"county": COUNTY})
    assert {r["village"] for r in rows} == {V1, V2}


scores = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.none() | st.floats(0, 3600), st.booleans()), max_size=6, unique_by=lambda v: v[0]
).map(
    lambda found: Score(
        villages=tuple(VillageScore(village=v, first_answer_s=s, in_time=t and s is not None) for v, s, t in found),
        first_answer_s=None, share_in_time=None, silent=tuple(v for v, s, _ in found if s is None), dead=(), speakers_failed=(),
    )
)  # fmt: skip


@given(scores, scores)
def test_a_comparison_turns_its_sign_when_the_drills_change_places(a: Score, b: Score) -> None:
    one, other = compared(a, b), compared(b, a)
    assert one.villages == other.villages
    assert one.silent_again == other.silent_again
    for x, y in ((one.faster_s, other.faster_s), (one.share_gained, other.share_gained)):
        assert (x is None) == (y is None)
        if x is not None and y is not None:
            assert x == pytest.approx(-y)
