"""A storm in the small county, and what its report says of it."""

import json
from datetime import timedelta
from xml.etree import ElementTree as ET

from adapters.printers.pdf import PdfPrinter
from dispatcher.errors import PermanentFailure
from dispatcher.policy.model import Action
from dispatcher.ports import DeliveryState, Heard, Receipt
from dispatcher.reports.account import Account, account
from dispatcher.reports.compose import compose
from dispatcher.reports.gather import Gathered, gather
from dispatcher.reports.reporter import Reporter
from dispatcher.reports.sampling import STEP, Sampler, steps
from dispatcher.reports.sheet import Section, Sheet
from dispatcher.rulework.svg import drawing
from dispatcher.timestamps import from_ms
from rules.grade import Grade
from tests.dispatch.making import DEPUTY, HEAD, SECRETARY, START, V1, V2, WARDEN, minutes
from tests.dispatch.running import Running, batch, rain


async def storm(engine: Running) -> None:
    """Rain every five minutes until red; the deputy's number is dead, the warden answers after 90 seconds and moves 35 people."""
    engine.sms.troubles[SECRETARY] = [PermanentFailure("21211", "no such number")] * 9
    sampler = Sampler(engine.place, engine.pipeline)
    for n in range(5):
        await engine.read(batch(rain(2.0, engine.clock.now())))
        await engine.later(timedelta(seconds=1))
        await sampler.sample(engine.clock.now())
        if n < 4:
            await engine.later(minutes(5) - timedelta(seconds=1))
    await engine.later(timedelta(seconds=89))
    sent = next(d for d in await engine.deliveries(WARDEN) if d.state is DeliveryState.ACCEPTED and d.grade is Grade.RED)
    await engine.desk.take(Heard(receipts=(Receipt(delivery=sent.id, state=DeliveryState.DELIVERED, at=engine.clock.now()),)))
    await engine.reply(WARDEN, "收到")
    await engine.later(minutes(20))
    await engine.reply(WARDEN, "已转移35人")


async def gathered(engine: Running) -> Gathered:
    [warning] = await engine.rows("warnings.open", status="Actual", hazard="flash-flood")
    async with engine.store.read() as reader:
        found = await gather(reader, engine.house.registry, warning["id"], engine.clock.now())
    assert found is not None
    return found


def reckoned(found: Gathered) -> Account:
    return account(found.notices, found.plans, found.deliveries, found.answers, found.delivered, {V1: found.changes, V2: found.changes})


async def test_the_report_has_the_way_from_reading_to_evacuated(engine: Running) -> None:
    await storm(engine)
    found = await gathered(engine)
    red = next(n for n in reckoned(found).notices if n.village == V1 and n.grade is Grade.RED)
    first = max(c["at"] for c in found.changes)
    assert red.reading_at == from_ms(first) == red.decided_at
    assert red.accepted_at is not None
    assert red.delivered_at == red.answered_at
    assert red.answered_at is not None
    assert red.answered_at - red.accepted_at == timedelta(seconds=89)
    assert red.within
    assert red.actions[Action.EVACUATED] - red.actions[Action.RECEIVED] == minutes(20)
    assert red.people == 35


async def test_the_totals_are_those_of_the_rows(engine: Running) -> None:
    await storm(engine)
    found = await gathered(engine)
    result = reckoned(found)
    asked = [n for n in result.notices if n.asked]
    assert result.totals.asked == len(asked)
    assert result.totals.answered == len({a.notice for a in found.answers})
    assert (result.totals.people, result.totals.evacuated) == (35, 1)
    assert sum(c.planned for c in result.channels) == len(found.deliveries)
    assert ("sms", "secretary") in result.dead
    assert not any(person == "warden" for _, person in result.dead)


async def test_samples_show_the_rise_from_before_the_warning_and_are_written_once(engine: Running) -> None:
    await storm(engine)
    found = await gathered(engine)
    values = [v["r1h"] for _, v in found.samples["G1"]]
    assert values == sorted(values)
    assert values[-1] == 10.0
    assert found.samples["G1"][0][0] < found.warning.opened_at, "what led to it"
    again = Sampler(engine.place, engine.pipeline)
    assert await again.sample(engine.clock.now()) == 0


def test_steps_are_round_and_lie_behind_the_last_one() -> None:
    assert steps(START, START + minutes(12)) == [START + minutes(5), START + minutes(10)]
    assert steps(START, START) == []
    assert steps(START + timedelta(seconds=1), START + STEP) == [START + STEP]


async def test_the_sheet_says_it_in_both_languages_and_names_no_telephone_number(engine: Running) -> None:
    await storm(engine)
    found = await gathered(engine)
    for language, words in (
        ("zh", ("逐村叫应情况", "转移 35 人", "warden甲", "全部未送达")),
        ("en", ("Village by village", "35 people", "Mx warden")),
    ):
        sheet = compose(engine.house, engine.pipeline.engine.plan, found, language)
        text = said(sheet)
        for word in words:
            assert word in text, word
        for number in (WARDEN, HEAD, DEPUTY, SECRETARY):
            assert number not in text
            assert number[-6:] not in text
        json.dumps(sheet.facts, default=str)


async def test_the_plots_hold_the_series_against_the_thresholds(engine: Running) -> None:
    await storm(engine)
    sheet = compose(engine.house, engine.pipeline.engine.plan, await gathered(engine), "en")
    [plot] = [p for s in sheet.sections for p in s.plots]
    [panel] = plot.panels
    assert [(v, g) for v, g in panel.limits] == [(4, Grade.BLUE), (6, Grade.YELLOW), (8, Grade.ORANGE), (10, Grade.RED)]
    assert panel.points[-1][1] == 10.0
    ET.fromstring(drawing(plot))  # noqa: S314 - our own text


async def test_the_paper_has_every_section_and_a_drill_is_marked_on_it(engine: Running) -> None:
    await storm(engine)
    sheet = compose(engine.house, engine.pipeline.engine.plan, await gathered(engine), "zh")
    paper = PdfPrinter().print(sheet)
    assert paper.startswith(b"%PDF-")
    assert paper.rstrip().endswith(b"%%EOF")
    assert b"STSong-Light" in paper
    hostile = Sheet(
        title="<b>&x</b>", subtitle="", mark="演练 EXERCISE", language="zh", sections=(Section(title="</para>", lines=("<img src='x'/>",)),)
    )
    assert PdfPrinter().print(hostile).startswith(b"%PDF-")


async def test_a_warning_that_is_not_there_has_no_report(engine: Running) -> None:
    reporter = Reporter(engine.place, lambda: engine.pipeline.engine.plan)
    assert await reporter.sheet("no/such/warning", "en") is None
    assert await reporter.table("no/such/warning", "en") is None


def said(sheet: Sheet) -> str:
    parts = [sheet.title, sheet.subtitle]
    for section in sheet.sections:
        parts += [section.title, *section.lines]
        if section.table:
            parts += [cell for row in section.table.rows for cell in row]
    return "\n".join(parts)
