"""The auditor against the real rows of an engine, and against rows that somebody has spoilt."""

import asyncio
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.auditor.auditor import Auditor
from dispatcher.auditor.expecting import PATIENCE, STALLED, Amiss, Expected, Finding, Found, expected_of, findings
from dispatcher.errors import BeatFailed, TransientFailure
from dispatcher.model.task import TaskKind
from dispatcher.ports import Beat
from dispatcher.timestamps import to_ms
from rules.grade import Grade
from tests.dispatch.making import COUNTY, START, V1, WARDEN, change, minutes
from tests.dispatch.running import PATIENCE_S, Running

NOTHING = timedelta(0)


class Switch:
    """A dead-man's switch that writes down what it heard."""

    name = "switch"

    def __init__(self) -> None:
        self.heard: list[Beat] = []
        self.deaf = False
        self._beaten = asyncio.Event()

    async def beat(self, beat: Beat) -> None:
        if self.deaf:
            raise BeatFailed("the beacon cannot be reached")
        self.heard.append(beat)
        self._beaten.set()

    async def hears(self) -> None:
        """Wait for a beat from now on, as long as a busy machine may need."""
        self._beaten.clear()
        await asyncio.wait_for(self._beaten.wait(), PATIENCE_S)


class Counted(Auditor):
    """An auditor whose rounds can be waited for."""

    def __init__(self, engine: Running, switch: Switch) -> None:
        super().__init__(engine.place, [switch], every_s=0.001)
        self._ended = asyncio.Event()

    async def audit(self) -> list[Finding]:
        found = await super().audit()
        self._ended.set()
        return found

    async def more(self, rounds: int) -> None:
        """Wait until so many more rounds have ended, as long as a busy machine may need."""
        for _ in range(rounds):
            self._ended.clear()
            await asyncio.wait_for(self._ended.wait(), PATIENCE_S)


async def spoil(engine: Running, statement: str) -> None:
    """Do to the database what no code of ours would: the auditor must not trust the rest of the engine."""
    async with engine.store.write() as tx:
        connection: Any = vars(tx)["_connection"]
        await connection.execute(statement)


async def test_a_storm_in_which_everything_goes_well_has_no_finding(engine: Running) -> None:
    await engine.change(change(Grade.RED))
    await engine.send()
    for _ in range(12):
        assert await Auditor(engine.place).audit() == []
        await engine.later(minutes(1))
    assert engine.place.health.problems() == []


async def test_a_village_that_no_channel_has_reached_is_found_once_it_should_have_been(engine: Running) -> None:
    await engine.change(change(Grade.RED))  # and nothing is sent: the sender hangs
    engine.clock.advance(minutes(PATIENCE[Grade.RED]))
    assert await Auditor(engine.place).audit() == []
    engine.clock.advance(timedelta(seconds=1))
    found = await Auditor(engine.place).audit()
    assert {(f.amiss, f.expected.village) for f in found} >= {(Amiss.NOT_REACHED, V1)}
    assert any(p.startswith("auditor: ") for p in engine.place.health.problems())
    assert [t.kind for t in await engine.tasks() if t.key.startswith("audit/")] == [TaskKind.AUDIT] * len(found)
    await Auditor(engine.place).audit()
    assert len([t for t in await engine.tasks() if t.kind is TaskKind.AUDIT]) == len(found), "the same matter is one task"
    await engine.send()
    assert await Auditor(engine.place).audit() == []
    assert engine.place.health.problems() == []


async def test_a_gateway_that_refuses_everything_is_found(engine: Running) -> None:
    for number in ("11", "12", "13", "32", "33"):
        engine.sms.troubles[f"+4477009000{number}"] = [TransientFailure("500", "the gateway is away")] * 50
    engine.speaker.troubles["spk-1"] = [TransientFailure("offline", "no answer")] * 50
    await engine.change(change(Grade.RED))
    await engine.send()
    for _ in range(4):
        await engine.later(minutes(1))
    assert Amiss.NOT_REACHED in {f.amiss for f in await Auditor(engine.place).audit()}


async def test_an_answer_by_any_path_proves_that_the_village_was_reached(engine: Running) -> None:
    await engine.change(change(Grade.RED))
    await engine.send()
    await engine.reply(WARDEN, "收到")
    await spoil(engine, "UPDATE deliveries SET accepted_at = NULL")
    engine.clock.advance(minutes(4))
    assert V1 not in {f.expected.village for f in await Auditor(engine.place).audit() if f.amiss is Amiss.NOT_REACHED}


async def test_a_notice_that_vanished_is_found_from_the_log_alone(engine: Running) -> None:
    await engine.change(change(Grade.RED))
    await engine.send()
    await spoil(engine, f"DELETE FROM notices WHERE village = '{V1}'")  # noqa: S608 - a constant of the test
    assert {(f.amiss, f.expected.village) for f in await Auditor(engine.place).audit()} == {(Amiss.NO_NOTICE, V1)}


async def test_a_call_plan_that_stands_still_is_found(engine: Running) -> None:
    await engine.change(change(Grade.RED))
    await engine.send()
    due = (await engine.notice(V1)).next_due
    assert due is not None
    engine.clock.advance(due - engine.clock.now() + STALLED + timedelta(seconds=1))
    assert Amiss.STALLED in {f.amiss for f in await Auditor(engine.place).audit()}
    await engine.later(NOTHING)
    assert await Auditor(engine.place).audit() == []


async def test_the_heart_beats_only_while_nothing_is_amiss(engine: Running) -> None:
    switch = Switch()
    auditor = Counted(engine, switch)
    run = asyncio.create_task(auditor.run())
    await switch.hears()
    assert switch.heard[0] == Beat(county=COUNTY, status=engine.house.status, at=engine.clock.now())
    await engine.change(change(Grade.RED))
    engine.clock.advance(minutes(4))
    await auditor.more(2)  # one may have been under way when the time went on
    beats = len(switch.heard)
    await auditor.more(3)
    assert len(switch.heard) == beats, "silence is the message"
    run.cancel()


async def test_a_beacon_that_cannot_be_reached_is_said_and_the_others_are_still_told(engine: Running) -> None:
    deaf, switch = Switch(), Switch()
    deaf.deaf = True
    run = asyncio.create_task(Auditor(engine.place, [deaf, switch], every_s=0.001).run())
    await switch.hears()
    run.cancel()
    assert switch.heard
    assert "beat_failed" in {event for event, _ in engine.log.lines}


def entry(act: str, subject: str, places: str, minute: int) -> dict[str, object]:
    return {"act": act, "subject": subject, "detail": f'{{"places": {places}, "status": "Actual"}}', "at": to_ms(START + minutes(minute))}


def test_only_the_newest_release_of_a_village_counts_and_a_retracted_warning_expects_nothing() -> None:
    log = [entry("release", "w1.1", '{"a": "blue", "b": "red"}', 0), entry("release", "w1.2", '{"a": "none"}', 5)]
    assert {(e.village, e.grade, e.alert) for e in expected_of(log)} == {("a", Grade.NONE, "w1.2"), ("b", Grade.RED, "w1.1")}
    assert expected_of([*log, entry("retract", "w1", "{}", 6)]) == ()


grades = st.sampled_from([g for g in Grade if g])
moments = st.integers(0, 3600).map(lambda s: timedelta(seconds=s))


@given(grade=grades, age=moments, reached=st.integers(0, 2), answers=st.integers(0, 2), overdue=st.none() | moments, slack=moments)
def test_silence_is_never_well_and_an_ear_reached_is_never_amiss(
    grade: Grade, age: timedelta, reached: int, answers: int, overdue: timedelta | None, slack: timedelta
) -> None:
    now = START + age
    one = Expected(warning="w", village="v", alert="w.1", grade=grade, released_at=START)
    due = None if overdue is None else now - overdue
    row = Found(notice="n", calling=not answers, holds=True, reached=reached, answers=answers, next_due=due)
    amiss = {f.amiss for f in findings([one], {("w.1", "v"): row}, now, slack)}
    late = age > minutes(PATIENCE[grade]) + slack
    assert (Amiss.NOT_REACHED in amiss) is (late and not reached and not answers)
    stalled = bool(reached and not answers and overdue is not None and overdue > STALLED + slack)
    assert (Amiss.STALLED in amiss) is stalled
    assert findings([one], {}, now, slack)[0].amiss is Amiss.NO_NOTICE
