"""Storms under faults: the engine is killed, its brokers, gateway, disk, clock and store fail, and the ledgers agree to the last reading.

All storms are run once, two at a time; each test looks at what became of them. `make faults` runs more of the same.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.faults import Fault
from simulators.ledger import Kind
from tests.faults.__main__ import STEPS_OF_MUTANTS, mutant_plans, summary, wanted
from tests.faults.deployment import POLLED, POLLED_SENDER
from tests.faults.kinds import KINDS
from tests.faults.mutants import MUTANTS, noticed
from tests.faults.nursery import Nursery
from tests.faults.storms import Ground, Outcome, Storms, plans, remove
from tests.services.kafka import Kafka
from tests.services.server import random_seed

#: Storms and not tests take the time: all of them belong to the first test that asks.
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def seed() -> int:
    return random_seed("FAULTS_SEED")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("faults")
    yield made
    remove(made)


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.close()


@pytest.fixture(scope="module")
def outcomes(folder: Path, mosquitto_binary: str, kafka: Kafka, nursery: Nursery, seed: int) -> list[Outcome]:
    """An undisturbed storm, and those with 60 kills and three of each other fault."""
    storms = Storms(Ground(folder=folder, mosquitto=mosquitto_binary, kafka=kafka, nursery=nursery))
    found = list(storms.all(plans(wanted(""), seed), at_once=2))
    print(summary(found, seed))  # noqa: T201 - shown when a test fails
    return found


def of_group(outcomes: list[Outcome], group: str) -> list[Outcome]:
    found = [o for o in outcomes if o.plan and o.plan.group == group]
    assert found
    return found


def test_a_storm_that_nobody_disturbs_keeps_every_promise(outcomes: list[Outcome]) -> None:
    undisturbed = outcomes[0]
    assert undisturbed.verdict.holds, undisturbed.verdict.findings()
    assert len(undisturbed.evidence.changes) >= 50
    assert {change[3] for change in undisturbed.evidence.changes} == {1, 2, 3, 4}
    assert any(change[3] < change[2] for change in undisturbed.evidence.changes), "rivers go down again"
    assert len(undisturbed.evidence.notices) >= 80
    assert undisturbed.verdict.acks >= 200
    assert len(undisturbed.evidence.words) >= 8
    assert len(undisturbed.evidence.roll_calls) >= 3
    assert all(word.taken for word in undisturbed.evidence.approvals if word.act == "refuse"), "what was just looked at can be decided"
    present = {a["notice"] for a in undisturbed.evidence.answers if a["notice"].startswith("roll-call")}
    assert present, "somebody on duty answered"
    happened = Counter(entry.kind for entry in undisturbed.evidence.world)
    assert happened[Kind.CALL_KEY] >= 200
    assert happened[Kind.SPEAKER_PRESSED] >= 15
    assert happened[Kind.CHAT_POSTED] >= 60
    assert sum(answer["path"] == "terminal" for answer in undisturbed.evidence.answers) >= 10
    assert sum(answer["path"] == "chat" for answer in undisturbed.evidence.answers) >= 5
    assert sum(delivery["gateway"] == POLLED for delivery in undisturbed.evidence.deliveries) >= 60
    replies = [entry for entry in undisturbed.evidence.world if entry.kind is Kind.SMS_REPLY]
    assert sum(entry.more["sender"] == POLLED_SENDER for entry in replies) >= 60


def test_two_officers_released_what_needs_them_and_were_called_and_silence_released_the_rest(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        released = {word.village for word in outcome.evidence.approvals if word.taken}
        assert len(released) >= 30, outcome.plan
    assert sum(word.taken and word.act == "refuse" for outcome in outcomes for word in outcome.evidence.approvals) >= 5
    assert sum(word.taken and word.act == "override" for outcome in outcomes for word in outcome.evidence.approvals) >= 5
    acts = Counter((act["act"], act["actor"]) for outcome in outcomes for act in outcome.evidence.acts)
    assert acts["released_release", "policy:timeout"] >= 3
    assert acts["paged_release", "policy:timeout"] >= 3


@pytest.mark.parametrize("group", sorted({kind.group for kind in KINDS.values()}))
def test_under_faults_nothing_is_lost_nothing_is_said_twice_unmarked_and_nothing_overtakes(outcomes: list[Outcome], group: str) -> None:
    for outcome in of_group(outcomes, group):
        assert outcome.plan
        assert outcome.verdict.holds, f"again: {outcome.plan.again()}\n{outcome.verdict.findings()}"


def test_each_kind_of_fault_has_struck_and_the_storms_went_on(outcomes: list[Outcome]) -> None:
    struck = sum((Counter(o.plan.strikes) for o in outcomes if o.plan), Counter[str]())
    assert struck == Counter(wanted(""))
    assert struck["kill"] >= 60
    assert all(len(o.evidence.notices) >= 40 for o in outcomes)


def test_the_gateway_has_failed_in_every_way_it_can(outcomes: list[Outcome]) -> None:
    entries = [entry for outcome in of_group(outcomes, "gateway") for entry in outcome.evidence.world]
    failed = Counter(entry.code for entry in entries if entry.kind is Kind.FAULT)
    assert set(failed) == set(Fault)
    assert min(failed.values()) >= 3, failed


def test_while_a_storm_came_up_some_villages_exercised_and_what_was_released_of_it_was_told(outcomes: list[Outcome]) -> None:
    storms = [outcome.evidence for outcome in outcomes if outcome.evidence.status == "Actual"]
    assert any(notice["status"] == "Exercise" for storm in storms for notice in storm.notices)
    assert any(word.status == "Exercise" and word.taken for storm in storms for word in storm.approvals)


def test_a_drill_was_told_and_every_message_of_it_says_so(outcomes: list[Outcome]) -> None:
    for outcome in of_group(outcomes, "drill"):
        told = Counter(entry.kind for entry in outcome.evidence.world)
        assert told[Kind.SMS_ACCEPTED] >= 100
        assert told[Kind.SPEAKER_COMMAND] >= 10
        assert {n["status"] for n in outcome.evidence.notices} == {"Exercise"}


def test_each_of_five_broken_engines_is_noticed(folder: Path, mosquitto_binary: str, kafka: Kafka, nursery: Nursery, seed: int) -> None:
    storms = Storms(Ground(folder=folder / "mutants", mosquitto=mosquitto_binary, kafka=kafka, nursery=nursery, steps=STEPS_OF_MUTANTS))
    sound, *broken = storms.all(mutant_plans(seed), at_once=2)
    assert sound.verdict.holds, sound.verdict.findings()
    missed = {o.plan.mutant: o.verdict.findings() for o in broken if o.plan and not noticed(o.plan.mutant, o.verdict.findings())}
    assert len(broken) == len(MUTANTS)
    assert missed == {}, f"seed {seed}"
