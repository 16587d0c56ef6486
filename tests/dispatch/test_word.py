"""A person's word to the rules: journaled, audited, deterministic, and with all that follows from it."""

import pytest

from dispatcher.errors import NotProposed
from dispatcher.intake.acts import RuleAct, Verb
from dispatcher.intake.keeping import asked_of
from dispatcher.intake.reloading import activate
from dispatcher.intake.word import give_word
from dispatcher.model.task import TaskKind
from dispatcher.testing.stores import FarSide
from rules.grade import Grade
from tests.dispatch.making import START, V1, minutes
from tests.dispatch.running import RULES, Running, running
from tests.dispatch.test_activation import OTHER, decided, known, rained, version

ASKING = RULES.replace("to: computed}", "to: computed, ask: duty-room}")
EXPIRING = RULES.replace("grade: hold}", "grade: expire}")


async def under(engine: Running, rules: str) -> None:
    await known(engine)
    await activate(engine.place, engine.pipeline, version(engine, rules), actor="wang")


def act(verb: Verb, rule: str = "rain", place: str = "G1") -> RuleAct:
    return RuleAct(verb=verb, rule=rule, place=place, by="li")


async def asked(engine: Running) -> None:
    """It has rained, it has stopped, and the rule proposes to lower."""
    await under(engine, ASKING)
    await rained(engine, 7)
    await engine.later(minutes(1))
    await rained(engine, *([0] * 18), first=1)


async def said(engine: Running, verb: Verb, **more: str) -> None:
    await give_word(engine.place, engine.pipeline, act(verb, **more), "10.0.0.1")


async def test_a_lowering_that_is_proposed_happens_when_a_person_confirms_it(engine: Running) -> None:
    await asked(engine)
    task = next(t for t in await engine.tasks() if t.kind is TaskKind.CONFIRM)
    assert asked_of(task.key) == ("rain", "G1")
    assert (await engine.notice(V1)).grade is Grade.YELLOW
    await said(engine, Verb.CONFIRM)
    assert await decided(engine) == [("none>yellow", 1), ("yellow>none", 1)]
    audit = (await engine.rows("desk.audit", after=0, limit=99))[-1]
    assert (audit["actor"], audit["origin"], audit["act"], audit["subject"]) == ("li", "10.0.0.1", "rule_confirm", "G1")
    with pytest.raises(NotProposed, match="does not propose"):
        await said(engine, Verb.CONFIRM)


async def test_a_lowering_that_is_refused_does_not_happen_and_is_proposed_again_later(engine: Running) -> None:
    await asked(engine)
    await said(engine, Verb.REFUSE)
    await rained(engine, *([0] * 11), first=19)
    assert len([t for t in await engine.tasks() if t.kind is TaskKind.CONFIRM]) == 1
    await rained(engine, *([0] * 3), first=30)
    assert len([t for t in await engine.tasks() if t.kind is TaskKind.CONFIRM]) == 2
    assert (await engine.notice(V1)).grade is Grade.YELLOW


@pytest.mark.parametrize("verb", [Verb.CONFIRM, Verb.REFUSE, Verb.LIFT])
async def test_after_a_kill_the_word_still_holds(place: FarSide, verb: Verb) -> None:
    async with running(place) as engine:
        await asked(engine)
        await said(engine, verb)
        state, seq = engine.pipeline.engine.snapshot(), engine.pipeline.seq
    async with running(place, start=START + minutes(95)) as again:
        assert again.pipeline.seq == seq
        assert again.pipeline.engine.snapshot() == state


async def test_what_silence_withdraws_stays_in_force_until_a_person_lifts_it(engine: Running) -> None:
    await under(engine, EXPIRING)
    await rained(engine, 7)
    await engine.later(minutes(1))
    engine.clock.advance(minutes(30))
    await engine.pipeline.offer_tick()
    await engine.read()
    assert await decided(engine) == [("none>yellow", 1), ("yellow>none", 1)]
    await engine.later(minutes(1))
    assert (await engine.notice(V1)).grade is Grade.YELLOW, "nothing is lifted by silence"
    task = next(t for t in await engine.tasks() if t.kind is TaskKind.LIFT)
    assert asked_of(task.key) == ("rain", "G1")
    await said(engine, Verb.LIFT)
    await engine.later(minutes(1))
    assert (await engine.notice(V1)).grade is Grade.NONE
    assert not [t for t in await engine.tasks() if t.kind is TaskKind.LIFT]
    assert (await decided(engine))[-1] == ("yellow>none", 1)


async def test_a_place_that_reports_again_needs_no_word_any_more(engine: Running) -> None:
    await under(engine, EXPIRING)
    await rained(engine, 7)
    engine.clock.advance(minutes(30))
    await engine.pipeline.offer_tick()
    await engine.read()
    assert [t.kind for t in await engine.tasks()].count(TaskKind.LIFT) == 1
    await rained(engine, 9, first=7)
    assert [t.kind for t in await engine.tasks()].count(TaskKind.LIFT) == 0
    assert (await decided(engine))[-1] == ("none>red", 1)


async def test_what_a_rule_that_is_gone_has_left_in_force_can_be_lifted(engine: Running) -> None:
    await known(engine)
    await rained(engine, 7)
    await engine.later(minutes(1))
    await activate(engine.place, engine.pipeline, version(engine, OTHER), actor="wang")
    await said(engine, Verb.LIFT)
    await engine.later(minutes(1))
    assert (await engine.notice(V1)).grade is Grade.NONE
    await engine.pipeline.start()  # the journal has a row that no rule hears
    with pytest.raises(NotProposed, match="nothing of it is in force"):
        await said(engine, Verb.LIFT)
    await activate(engine.place, engine.pipeline, version(engine, RULES), actor="wang")
    await rained(engine, 7, first=3)
    assert (await decided(engine))[-1] == ("none>red", 1)


async def test_a_place_that_no_rule_grades_cannot_be_spoken_of(engine: Running) -> None:
    with pytest.raises(NotProposed):
        await said(engine, Verb.LIFT, place="nowhere")
    with pytest.raises(NotProposed):
        await said(engine, Verb.CONFIRM, rule="nothing")
    assert engine.pipeline.seq == 0
