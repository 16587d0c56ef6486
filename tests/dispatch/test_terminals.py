"""A key at a village's speaker is an answer of that village, and of no other."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from dispatcher.answers.polling import Asked
from dispatcher.answers.taking import Taking
from dispatcher.model.answer import Path as Way
from dispatcher.model.task import TaskKind
from dispatcher.ports import Heard, Reply, Status, Transaction
from rules.grade import Grade
from tests.dispatch.making import V1, V2, change
from tests.dispatch.running import Running

SPEAKER = "spk-1"


async def red(engine: Running) -> None:
    await engine.change(change(Grade.RED))
    await engine.send()


async def press(engine: Running, said: str, reference: str = "k1", **more: object) -> None:
    reply = Reply(channel="loudspeaker", address=SPEAKER, text=said, reference=f"{SPEAKER}/{reference}", **more)  # type: ignore[arg-type]
    await engine.desk.take(Heard(replies=(reply,)), Asked(gateway="loudspeaker"))


async def unclear(engine: Running) -> list[str]:
    return [t.text_en for t in await engine.tasks() if t.kind is TaskKind.UNCLEAR_REPLY]


async def test_a_key_answers_for_the_village_of_the_speaker_and_the_chain_stops_there(engine: Running) -> None:
    await red(engine)
    await press(engine, "received")
    (given,) = await engine.answers()
    assert (given.village, given.action, given.path, given.person, given.note) == (V1, "received", Way.TERMINAL, SPEAKER, "村部")
    assert (await engine.notice(V1)).state == "answered"
    assert (await engine.notice(V2)).state == "calling"


async def test_one_press_that_is_said_twice_is_one_answer_and_a_second_press_another(engine: Running) -> None:
    await red(engine)
    for reference in ("k1", "k1", "k2"):
        await press(engine, "received", reference)
    assert len(await engine.answers()) == 2


class Terminal:
    """A far side that says three things together, and may forget them when it is asked for more."""

    def __init__(self, engine: Running, *said: str) -> None:
        self.engine, self.said = engine, said
        self.kept = asyncio.Event()

    async def heard(self) -> AsyncIterator[Heard]:
        replies = [Reply(channel="loudspeaker", address=SPEAKER, text=said, reference=f"{SPEAKER}/{n}") for n, said in enumerate(self.said)]
        yield Heard(replies=tuple(replies), once=True)
        self.forgotten = len(await self.engine.answers())
        self.kept.set()
        await asyncio.Event().wait()


async def test_a_key_is_durable_before_the_broker_may_forget_it(engine: Running) -> None:
    await red(engine)
    terminal = Terminal(engine, "received", "evacuating", "help")
    listening = asyncio.create_task(engine.desk.listen(terminal))
    await asyncio.wait_for(terminal.kept.wait(), 30)
    assert terminal.forgotten == 3
    listening.cancel()


async def test_a_key_that_cannot_be_taken_does_not_take_the_others_with_it(engine: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    await red(engine)
    take = Taking._take_pressed

    async def breaks(self: Taking, tx: Transaction, reply: Reply, now: datetime) -> None:
        if reply.text == "evacuating":
            raise RuntimeError("a fault of ours")
        await take(self, tx, reply, now)

    monkeypatch.setattr(Taking, "_take_pressed", breaks)
    terminal = Terminal(engine, "received", "evacuating", "help")
    listening = asyncio.create_task(engine.desk.listen(terminal))
    await asyncio.wait_for(terminal.kept.wait(), 30)
    assert sorted(a.action for a in await engine.answers()) == ["help", "received"]
    listening.cancel()


async def test_a_cry_for_help_at_a_terminal_is_a_task_at_once(engine: Running) -> None:
    await red(engine)
    await press(engine, "help")
    assert TaskKind.HELP in {t.kind for t in await engine.tasks()}


async def test_a_key_answers_the_command_it_names(engine: Running) -> None:
    await red(engine)
    (command,) = [d for d in await engine.deliveries(SPEAKER) if not d.repeat]
    await press(engine, "evacuating", delivery=command.id)
    assert [(a.village, a.action) for a in await engine.answers()] == [(V1, "evacuating")]


async def test_a_speaker_does_not_answer_what_was_said_elsewhere(engine: Running) -> None:
    await red(engine)
    other = next(d for d in await engine.deliveries() if d.channel == "sms")
    await press(engine, "received", delivery=other.id)
    assert await engine.answers() == []
    assert len(await unclear(engine)) == 1


async def test_a_key_that_was_pressed_before_the_warning_came_does_not_answer_it(engine: Running) -> None:
    before = engine.clock.now() - timedelta(minutes=5)
    await red(engine)
    await press(engine, "received", at=before)
    assert await engine.answers() == []
    assert "the terminal of the speaker 村部" in (await unclear(engine))[0]


async def test_a_key_of_an_exercise_answers_no_warning_in_earnest(engine: Running) -> None:
    await red(engine)
    await press(engine, "received", status=Status.EXERCISE)
    assert await engine.answers() == []


async def test_a_key_when_nothing_is_asked_is_work_for_a_person_and_one_at_an_unknown_speaker_changes_nothing(engine: Running) -> None:
    await press(engine, "help")
    assert TaskKind.HELP in {t.kind for t in await engine.tasks()}
    stranger = Reply(channel="loudspeaker", address="spk-none", text="help", reference="spk-none/k1")
    await engine.desk.take(Heard(replies=(stranger,)), Asked(gateway="loudspeaker"))
    assert len(await engine.tasks()) == 1


async def test_after_a_higher_revision_the_old_command_answers_nothing(engine: Running) -> None:
    await engine.change(change(Grade.ORANGE))
    await engine.later(engine.house.coalesce)
    (command, *_) = await engine.deliveries(SPEAKER)
    await engine.change(change(Grade.RED, before=Grade.ORANGE, step=1))
    await engine.send()
    await press(engine, "received", delivery=command.id)
    assert await engine.answers() == []
    assert (await engine.notice(V1)).state == "calling"
