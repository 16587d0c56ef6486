"""Drills that play a storm: the real rules decide, only participants hear of it, and no death of the engine leaves it half."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.printers.pdf import PdfPrinter
from dispatcher.accounts import Principal, Role
from dispatcher.drills.model import DrillPlan
from dispatcher.drills.report import drill_sheet
from dispatcher.drills.running import Drills
from dispatcher.drills.script import begun, foreseen, play, script_of
from dispatcher.drills.storming import Storming
from dispatcher.drills.storms import AtWork, Storms
from dispatcher.errors import NotAllowed, StoreFailed
from dispatcher.model.task import TaskKind
from dispatcher.policy.release import ReleaseRule, Way
from dispatcher.ports import Status
from dispatcher.reports.sheet import Sheet
from dispatcher.warnings.releasing import By, Choice
from rules.grade import Grade
from rules.plan import Plan
from rules.reading import Reading
from tests.dispatch.making import HAZARD, V1, V2, change, house, minutes
from tests.dispatch.running import RULES, Running, compiled
from tests.dispatch.test_release import LI, policy

CHEN = By(who=Principal(name="chen", role=Role.DUTY_OFFICER), origin="test")
PLAN = DrillPlan(title="汛前演练", hazard="", grade=Grade.NONE, areas=(V1,), storm="storm.csv", speed=10.0, minutes=60)
BEGIN = datetime.fromisoformat("2025-06-01T00:00:00+00:00")
RAIN = (0, 1, 2, 2, 2, 1, 3, 0, 0, 0, 0, 0)
"""Every five minutes at G1, whose hour is blue from 4, yellow from 6, orange from 8 and red from 10."""


def csv_of(gauges: tuple[str, ...] = ("G1",)) -> str:
    rows = [f"{gauge},rain,{value},mm,{(BEGIN + minutes(5 * n)).isoformat()}" for n, value in enumerate(RAIN) for gauge in gauges]
    return "\n".join(["station,variable,value,unit,time", *rows])


@pytest.fixture
def storms(engine: Running, tmp_path: Path) -> Storms:
    (tmp_path / "storm.csv").write_text(csv_of(("G1", "G3")), encoding="utf-8")
    return Storms(tmp_path, lambda: AtWork(engine.pipeline.engine.plan, engine.compiled.catalogue))


@pytest.fixture
def drills(engine: Running, storms: Storms) -> Drills:
    return Drills(engine.place, lambda: None, storms)


async def through(engine: Running, storming: Storming, steps: int = 60, pause: timedelta = timedelta(seconds=10)) -> None:
    """Let the drill run: ten seconds are a hundred of the storm."""
    for _ in range(steps):
        engine.clock.advance(pause)
        await storming.advance()
    engine.house = engine.place.house
    await engine.send()


async def moves(engine: Running) -> list[tuple[str, str]]:
    """The changes that are kept, without the storm's own name."""
    rows = await engine.rows("warnings.changes", before_seq=2**60, limit=1000)
    return [(row["place"], Grade(row["after"]).word) for row in reversed(rows) if row["status"] == "Exercise"]


async def test_the_real_rules_warn_and_only_those_hear_who_take_part(engine: Running, drills: Drills, storms: Storms) -> None:
    drill = await drills.start(PLAN, CHEN)
    assert (drill.hazard, drill.grade) == ("flash-flood", Grade.RED), "what the rules will make of it is known before anybody is called"
    assert engine.sms.arrived == []
    await through(engine, Storming(engine.place, storms))
    assert engine.sms.arrived
    assert {m.status for m in engine.sms.arrived} == {Status.EXERCISE}
    assert all(m.text.startswith(("【演练】", "[EXERCISE]", "EXERCISE")) for m in engine.sms.arrived)
    found = await engine.notices()
    assert {n.village for n in found} == {V1}, "the gauge of another village rains too, and the other village of this gauge is not listed"
    assert {n.status for n in found} == {Status.EXERCISE}
    assert max(n.grade for n in found) is Grade.RED


async def test_what_is_decided_in_earnest_knows_nothing_of_it(engine: Running, drills: Drills, storms: Storms) -> None:
    await drills.start(PLAN, CHEN)
    await through(engine, Storming(engine.place, storms))
    assert {s.grade for s in engine.pipeline.engine.standing()} == {Grade.NONE}
    assert await engine.rows("warnings.open", status="Actual", hazard="flash-flood") == []


async def test_it_is_played_at_its_own_speed(engine: Running, drills: Drills, storms: Storms) -> None:
    await drills.start(PLAN, CHEN)
    storming = Storming(engine.place, storms)
    await through(engine, storming, steps=9)  # 90 seconds: 14 minutes of the storm, 3 mm
    assert await engine.notices() == []
    await through(engine, storming, steps=9)
    assert await engine.notices() != []


async def test_an_engine_that_died_goes_on_and_decides_the_same(engine: Running, drills: Drills, storms: Storms) -> None:
    await drills.start(PLAN, CHEN)
    for _ in range(20):  # each time other rules, that must see the storm again
        await through(engine, Storming(engine.place, storms), steps=1, pause=timedelta(seconds=25))
    script = storms.read("storm.csv", 10.0)
    expected = [(c.place, c.after.word) for c in foreseen(engine.pipeline.engine.plan, script) if c.place == "G1"]
    assert await moves(engine) == expected


async def test_what_the_store_did_not_take_is_played_again(engine: Running, drills: Drills, storms: Storms) -> None:
    await drills.start(PLAN, CHEN)
    storming = Storming(engine.place, storms)
    await through(engine, storming, steps=10)
    engine.clock.advance(timedelta(seconds=40))
    engine.store.plan = [0]
    with pytest.raises(StoreFailed):
        await storming.advance()
    await through(engine, storming, steps=40)
    script = storms.read("storm.csv", 10.0)
    assert await moves(engine) == [(c.place, c.after.word) for c in foreseen(engine.pipeline.engine.plan, script) if c.place == "G1"]


async def test_under_other_rules_it_ends_with_a_word_after_a_death(engine: Running, drills: Drills, storms: Storms) -> None:
    drill = await drills.start(PLAN, CHEN)
    await through(engine, Storming(engine.place, storms), steps=20)
    other = compiled(RULES.replace("[4, 6, 8, 10]", "[40, 60, 80, 100]"), house())
    again = Storming(engine.place, Storms(storms.directory, lambda: AtWork(other.plan, other.catalogue)))
    await again.advance()
    assert await engine.rows("drills.running") == []
    async with engine.store.read() as reader:
        sheet = await drill_sheet(reader, engine.place.house, drill.id, "en", engine.clock.now())
    assert sheet is not None
    assert any("cut short: the rules were changed" in line for line in sheet.sections[0].lines)


async def test_a_warning_in_earnest_in_a_village_that_takes_part_ends_it(engine: Running, drills: Drills, storms: Storms) -> None:
    await drills.start(PLAN, CHEN)
    storming = Storming(engine.place, storms)
    await through(engine, storming, steps=20)
    engine.house = engine.place.house
    await engine.change(change(Grade.RED, "G1"))
    await through(engine, storming, steps=1)
    assert await engine.rows("drills.running") == []
    assert [n.status for n in await engine.notices() if n.grade is Grade.RED][-1] is Status.ACTUAL


async def test_what_waits_for_release_is_taken_off_at_the_end(engine: Running, drills: Drills, storms: Storms) -> None:
    await drills.start(PLAN, CHEN)
    await through(engine, Storming(engine.place, storms), steps=25)
    await drills.end(CHEN)
    assert await engine.rows("drills.contributions") == []
    assert [t for t in await engine.tasks() if t.kind is TaskKind.RELEASE] == []


def under_review(engine: Running) -> None:
    """From now on red waits for an officer."""
    reviewed = house(policy=policy({Grade.RED: ReleaseRule(way=Way.REVIEW)}))
    engine.house = engine.place.house = replace(engine.place.house, policies=reviewed.policies)


async def test_what_an_officer_releases_of_it_stays_an_exercise(engine: Running, drills: Drills, storms: Storms) -> None:
    under_review(engine)
    await drills.start(PLAN, CHEN)
    await through(engine, Storming(engine.place, storms), steps=25)
    (proposal,) = await engine.rows("proposals.waiting", status="Exercise", hazard=HAZARD)
    await engine.releases.approve(proposal["id"], Choice(hash=proposal["hash"]), LI)
    engine.sms.arrived.clear()
    await engine.send()
    assert {(n.status, n.village) for n in await engine.notices()} == {(Status.EXERCISE, V1)}
    assert {m.address for m in engine.sms.arrived} <= {c.phone for c in engine.house.registry.contacts.values() if c.area == V1}
    assert engine.sms.arrived
    assert {m.status for m in engine.sms.arrived} == {Status.EXERCISE}


async def test_what_an_officer_lifts_or_retracts_of_it_is_taken_back_there(engine: Running, drills: Drills, storms: Storms) -> None:
    await drills.start(PLAN, CHEN)
    await through(engine, Storming(engine.place, storms), steps=25)
    (warning,) = await engine.rows("warnings.open", status="Exercise", hazard=HAZARD)
    (proposal,) = await engine.releases.lift(warning["id"], (), ("演练调整", ""), LI)
    assert [row["id"] for row in await engine.rows("proposals.waiting", status="Exercise", hazard=HAZARD)] == [proposal]
    await engine.releases.retract(warning["id"], ("演练调整", ""), LI)
    assert await engine.rows("drills.contributions") == []
    assert {n.status for n in await engine.notices()} == {Status.EXERCISE}


async def test_the_report_names_the_storm_and_how_much_of_it_was_played(engine: Running, drills: Drills, storms: Storms) -> None:
    drill = await drills.start(PLAN, CHEN)
    await through(engine, Storming(engine.place, storms))
    async with engine.store.read() as reader:
        sheet = await drill_sheet(reader, engine.place.house, drill.id, "zh", engine.clock.now())
    assert sheet is not None
    facts = sheet.facts["storm"]
    assert isinstance(facts, dict)
    assert (facts["name"], facts["played_min"], facts["whole_min"]) == ("storm.csv", 56, 56)


async def sheet_of(engine: Running, drill: str, plan: Plan | None) -> Sheet:
    async with engine.store.read() as reader:
        sheet = await drill_sheet(reader, engine.place.house, drill, "en", engine.clock.now(), plan)
    assert sheet is not None
    return sheet


async def test_the_report_shows_the_series_against_their_thresholds(engine: Running, drills: Drills, storms: Storms) -> None:
    drill = await drills.start(PLAN, CHEN)
    await through(engine, Storming(engine.place, storms))
    sheet = await sheet_of(engine, drill.id, drills.plan)
    (section,) = (s for s in sheet.sections if s.plots)
    (picture,) = section.plots
    (panel,) = picture.panels
    script = storms.read("storm.csv", 10.0)
    expected = foreseen(engine.pipeline.engine.plan, script)
    assert picture.title == "G1", "the gauge whose villages took no part is not shown"
    assert (picture.begin, picture.end) == (script.begin, script.ends)
    assert [(v, g.word) for v, g in panel.limits] == [(4, "blue"), (6, "yellow"), (8, "orange"), (10, "red")]
    assert [v for _, v in panel.points] == [sum(RAIN[: n + 1]) for n in range(len(RAIN))]
    assert [at for at, _ in panel.points] == [BEGIN + minutes(5 * n) for n in range(len(RAIN))]
    band = picture.bands[0][1]
    assert [g for _, g in band] == [c.after for c in expected if c.place == "G1"]
    assert all(abs(at - c.at) < timedelta(seconds=1) for (at, _), c in zip(band, (c for c in expected if c.place == "G1"), strict=True))
    assert section.lines == ("Times in the plots are those of the storm.",)
    assert PdfPrinter().print(sheet).startswith(b"%PDF-")


async def test_a_storm_that_was_cut_short_is_shown_as_far_as_it_was_played(engine: Running, drills: Drills, storms: Storms) -> None:
    drill = await drills.start(PLAN, CHEN)
    await through(engine, Storming(engine.place, storms), steps=14)
    await drills.end(CHEN)
    (picture,) = next(s.plots for s in (await sheet_of(engine, drill.id, drills.plan)).sections if s.plots)
    assert picture.end == BEGIN + minutes(14 * 100 / 60 - 1)
    assert [v for _, v in picture.panels[0].points] == [0, 1, 3, 5, 7]


async def test_plots_under_rules_that_have_changed_since_say_so(engine: Running, drills: Drills, storms: Storms) -> None:
    drill = await drills.start(PLAN, CHEN)
    await through(engine, Storming(engine.place, storms))
    other = compiled(RULES.replace("[4, 6, 8, 10]", "[40, 60, 80, 100]"), house())
    section = next(s for s in (await sheet_of(engine, drill.id, other.plan)).sections if s.plots)
    assert "The rules have changed since" in section.lines[1]
    assert section.plots[0].panels[0].limits[0][0] == 40
    assert not any(s.plots for s in (await sheet_of(engine, drill.id, None)).sections)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"storm": "other.csv"}, "there is no storm 'other.csv'"),
        ({"storm": "../storm.csv"}, "there is no storm"),
        ({"speed": 0.5}, "1 to 120 times"),
        ({"minutes": 5}, "takes 6 minutes"),
        ({"areas": (V2,), "storm": "elsewhere.csv"}, "warns none of these villages"),
        ({"storm": "strange.csv"}, "G9"),
    ],
)
async def test_a_storm_that_cannot_be_is_refused_with_a_reason(
    engine: Running, drills: Drills, storms: Storms, more: dict[str, object], says: str
) -> None:
    (storms.directory / "elsewhere.csv").write_text(csv_of(("G3",)), encoding="utf-8")
    (storms.directory / "strange.csv").write_text(csv_of(("G9",)), encoding="utf-8")
    with pytest.raises(NotAllowed, match=says):
        await drills.start(replace(PLAN, **more), CHEN)  # type: ignore[arg-type]  # fields of the plan
    assert await engine.rows("drills.running") == []


async def test_the_feed_of_a_rule_test_is_a_storm_too(engine: Running, drills: Drills, storms: Storms) -> None:
    text = """
tests:
  - name: cloudburst
    rule: rain
    step: 5m
    start: 2026-07-01T00:05+08:00
    feed: {G1.rain: 0x2 3x4 0x4}
    expect:
      - {at: 30m, G1: red}
"""
    (storms.directory / "tests.scenario.yaml").write_text(text, encoding="utf-8")
    assert drills.storms() == ["storm.csv", "tests.scenario.yaml:cloudburst"]
    drill = await drills.start(replace(PLAN, storm="tests.scenario.yaml:cloudburst"), CHEN)
    assert drill.grade is Grade.RED


@given(cuts=st.lists(st.integers(0, 3600), max_size=12))
def test_however_a_storm_is_cut_the_rules_decide_the_same(cuts: list[int]) -> None:
    plan = compiled(RULES, house()).plan
    readings = [Reading("G1", "rain", float(v), int((BEGIN + minutes(5 * n)).timestamp())) for n, v in enumerate(RAIN)]
    script = script_of("s", readings, 1.0)
    engine, at, found = begun(plan, script), script.begin, []
    for cut in sorted(cuts):
        until = min(script.begin + timedelta(seconds=cut), script.ends)
        found += play(engine, script, at, until)
        at = until
    found += play(engine, script, at, script.ends)
    assert found == foreseen(plan, script)
