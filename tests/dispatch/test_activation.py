"""Another plan of rules takes over while the engine runs, and survives whatever happens then."""

import asyncio
import json
from dataclasses import replace

import pytest

from dispatcher.errors import ConfigurationError, Problem, StoreFailed
from dispatcher.intake.activation import write_first
from dispatcher.intake.basis import compile_stored
from dispatcher.intake.reloading import Reloading, Version, activate
from dispatcher.model.task import TaskKind
from dispatcher.policy.model import Policies
from dispatcher.testing.stores import FarSide
from rules.grade import Grade
from tests.dispatch.making import START, V1, V2, change, minutes
from tests.dispatch.running import RULES, Running, batch, compiled, rain, running

LOWER = RULES.replace("[4, 6, 8, 10]", "[2, 3, 4, 5]").replace("version: 1", "version: 2")
LONGER = LOWER.replace('{r1h: "sum(rain, 1h)"}', '{r1h: "sum(rain, 1h)", r6h: "sum(rain, 6h)"}').replace(
    "    r1h: [2, 3, 4, 5]", "    r1h: [2, 3, 4, 5]\n    r6h: [40, 50, 60, 70]"
)
OTHER = RULES.replace("rule: rain", "rule: other-rain")
OF_CHANGES = "warnings.changes"


def version(engine: Running, rules: str) -> Version:
    made = compiled(rules, engine.house)
    return Version(compiled=made, house=engine.house, digests={"rules": made.plan.digest})


async def known(engine: Running) -> None:
    """As the application does at its first start."""
    await write_first(engine.place, engine.pipeline.ruling.compiled)


async def rained(engine: Running, *amounts: float, first: int = 0) -> None:
    for n, amount in enumerate(amounts, start=first):
        engine.clock.advance(START + minutes(5 * n) - engine.clock.now())
        await engine.read(batch(rain(amount, engine.clock.now())))


async def decided(engine: Running) -> list[tuple[str, int]]:
    rows = await engine.rows(OF_CHANGES, before_seq=10**9, limit=100)
    return [(f"{Grade(r['before']).word}>{Grade(r['after']).word}", json.loads(r["record"])["version"]) for r in reversed(rows)]


async def test_in_mid_storm_the_new_numbers_decide_from_the_next_reading_on_and_the_rain_before_counts(engine: Running) -> None:
    await known(engine)
    await rained(engine, 1, 1, 1)
    differences = await activate(engine.place, engine.pipeline, version(engine, LOWER), actor="wang")
    assert await decided(engine) == []
    await rained(engine, 1, first=3)
    assert await decided(engine) == [("none>orange", 2)]
    assert differences is not None
    assert [(a.place, a.old, a.new) for a in differences.found] == [("G1", Grade.NONE, Grade.BLUE), ("G1", Grade.NONE, Grade.YELLOW)]
    assert differences.readings == 3


async def test_what_it_changes_over_the_last_day_stands_with_the_activation_and_on_the_live_stream(engine: Running) -> None:
    await known(engine)
    await rained(engine, 1, 1, 1)
    await activate(engine.place, engine.pipeline, version(engine, LOWER), actor="wang", origin="10.0.0.1")
    newest, first = await engine.rows("plans.activations", before=10**9, limit=9)
    assert (newest["actor"], first["actor"]) == ("wang", "start")
    assert [(d["place"], d["old"], d["new"]) for d in json.loads(newest["differences"])] == [
        ("G1", "none", "blue"),
        ("G1", "none", "yellow"),
    ]
    feed = await engine.rows("desk.feed_latest", limit=1)
    assert feed[0]["kind"] == "rules"
    assert "2 differences at 1 places" in feed[0]["text_en"]
    audit = await engine.rows("desk.audit", after=0, limit=99)
    assert [(a["actor"], a["origin"], a["act"]) for a in audit] == [("wang", "10.0.0.1", "activate rules")]


async def test_files_that_say_the_same_activate_nothing(engine: Running) -> None:
    await known(engine)
    assert await activate(engine.place, engine.pipeline, version(engine, RULES), actor="wang") is None
    assert len(await engine.rows("plans.activations", before=10**9, limit=9)) == 1
    assert engine.pipeline.seq == 0


async def test_killed_right_after_it_comes_back_with_the_very_same_plan_whatever_the_files_say(place: FarSide) -> None:
    async with running(place) as engine:
        await known(engine)
        await rained(engine, 1, 1, 1)
        await activate(engine.place, engine.pipeline, version(engine, LONGER), actor="wang")
        digest, state = engine.pipeline.ruling.compiled.digest, engine.pipeline.engine.snapshot()
    async with running(place, start=START + minutes(12)) as again:  # its files are the old ones
        assert again.pipeline.ruling.compiled.digest == digest
        assert again.pipeline.engine.snapshot() == state
        await rained(again, 1, first=3)
        assert await decided(again) == [("none>orange", 2)]


async def test_replayed_from_before_it_the_state_is_the_same_as_of_the_one_that_was_not_killed(place: FarSide) -> None:
    async with running(place) as engine:
        await known(engine)
        await rained(engine, 1, 1, 1)
        await activate(engine.place, engine.pipeline, version(engine, LONGER), actor="wang")
        await rained(engine, 1, 0, first=3)
        state = engine.pipeline.engine.snapshot()
        async with engine.store.write() as tx:  # as if no snapshot had ever been kept
            await tx.run("journal.forget_snapshots", {"journal_seq": 10**9})
        replayed = await engine.pipeline.start()
        assert replayed.replayed == engine.pipeline.seq == 6
        assert engine.pipeline.engine.snapshot() == state


@pytest.mark.parametrize("statement", [0, 1, 2, 3, 4, 5, 6])
async def test_a_store_that_fails_in_the_middle_leaves_either_all_of_it_or_nothing(engine: Running, statement: int) -> None:
    await known(engine)
    await rained(engine, 1, 1, 1)
    before = engine.pipeline.ruling.compiled.digest
    engine.store.plan = [statement]
    with pytest.raises(StoreFailed):
        await activate(engine.place, engine.pipeline, version(engine, LOWER), actor="wang")
    recovered = await engine.pipeline.start()
    assert recovered.deciding.compiled.digest == before
    assert len(await engine.rows("plans.activations", before=10**9, limit=9)) == 1


async def test_readings_go_on_while_the_next_plan_is_rehearsed_and_none_is_decided_twice_or_never(engine: Running) -> None:
    await known(engine)
    run = asyncio.create_task(engine.pipeline.run())
    taking: list[asyncio.Task[object]] = []
    for n in range(40):
        engine.clock.advance(minutes(5))
        await engine.pipeline.offer(engine.tap, batch(rain(0.1, engine.clock.now())))
        if n == 20:
            taking.append(asyncio.create_task(activate(engine.place, engine.pipeline, version(engine, LONGER), actor="wang")))
            await asyncio.sleep(0)
    await asyncio.gather(*taking)
    await engine.pipeline.stop()
    await run
    assert len(engine.tap.acked) == 40
    assert round(engine.pipeline.engine.values("G1")["r6h"], 4) == 4.0
    live = engine.pipeline.engine.snapshot()
    await engine.pipeline.start()
    assert engine.pipeline.engine.snapshot() == live


async def test_a_rule_that_is_taken_away_lifts_nothing_and_asks_a_person(engine: Running) -> None:
    await known(engine)
    await rained(engine, 12)
    await activate(engine.place, engine.pipeline, version(engine, OTHER), actor="wang")
    assert (await engine.notice(V1)).grade is Grade.RED
    tasks = [t for t in await engine.tasks() if t.kind is TaskKind.LIFT]
    assert [t.key for t in tasks] == ["lift/rain/G1"]
    assert "red is in force" in tasks[0].text_en


async def test_a_stored_basis_compiles_to_the_very_same_plan(engine: Running) -> None:
    made = compiled(LONGER, engine.house)
    again = compile_stored(made.packed)
    assert (again.digest, again.plan.digest, again.plan.series) == (made.digest, made.plan.digest, made.plan.series)
    assert again.catalogue == made.catalogue


# ---------------------------------------------------------------------------------------- looking at files


class Files:
    """What an operator's files say; a text, or mistakes."""

    def __init__(self, engine: Running) -> None:
        self.engine = engine
        self.rules = RULES
        self.house = engine.house
        self.mistakes: list[Problem] = []
        self.adopted: list[str] = []

    def read(self) -> Version:
        if self.mistakes:
            raise ConfigurationError(self.mistakes)
        return replace(version(self.engine, self.rules), house=self.house)

    def mark(self) -> str:
        return self.rules + str(self.mistakes)

    def reloading(self) -> Reloading:
        return Reloading(self.engine.place, self.engine.pipeline, self.read, self.mark, lambda v: self.adopted.append(v.compiled.digest))


def sample(engine: Running, name: str) -> float:
    found = engine.metrics.registry.get_sample_value(name)
    assert found is not None
    return found


async def test_files_with_a_mistake_leave_the_old_rules_at_work_and_say_so_until_they_are_right(engine: Running) -> None:
    await known(engine)
    files = Files(engine)
    reloading = files.reloading()
    files.mistakes = [Problem("rules/rain.yaml", "unknown key", 7, 3)]
    with pytest.raises(ConfigurationError):
        await reloading.reload("wang")
    assert reloading.problems == tuple(files.mistakes)
    assert reloading.refused_at == engine.clock.now()
    assert ["rules/rain.yaml:7:3: unknown key" in p for p in engine.place.health.problems()] == [True]
    assert engine.place.health.ready, "the old rules do their job"
    assert sample(engine, "dispatcher_rules_refused") == 1
    await rained(engine, 12)
    assert await decided(engine) == [("none>red", 1)]
    files.mistakes, files.rules = [], LOWER
    outcome = await reloading.reload("wang")
    assert outcome.differences is not None
    assert engine.place.health.problems() == []
    assert sample(engine, "dispatcher_rules_refused") == 0
    assert files.adopted == [engine.pipeline.ruling.compiled.digest]


async def test_a_changed_file_is_taken_once_it_has_stopped_changing(engine: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    await known(engine)
    files = Files(engine)
    reloading = files.reloading()
    texts = iter([RULES, RULES, LOWER, LONGER, LONGER, LONGER, LONGER])
    looks = 0

    async def sleep(_: float) -> None:
        nonlocal looks
        looks += 1
        found = next(texts, None)
        if found is None:
            raise asyncio.CancelledError
        files.rules = found

    monkeypatch.setattr("dispatcher.intake.reloading.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await reloading.watch(5)
    assert [r["actor"] for r in await engine.rows("plans.activations", before=10**9, limit=9)] == ["files", "start"]
    assert engine.pipeline.ruling.compiled.digest == compiled(LONGER, engine.house).digest


async def test_a_file_that_changed_after_it_was_read_and_before_the_first_look_is_taken(
    engine: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await known(engine)
    files = Files(engine)
    reloading = files.reloading()
    reloading.seen = files.mark()
    files.rules = LOWER
    looks = 0

    async def sleep(_: float) -> None:
        nonlocal looks
        looks += 1
        if looks > 3:
            raise asyncio.CancelledError

    monkeypatch.setattr("dispatcher.intake.reloading.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await reloading.watch(5)
    assert [r["actor"] for r in await engine.rows("plans.activations", before=10**9, limit=9)] == ["files", "start"]


async def test_another_registry_takes_over_with_its_house(engine: Running) -> None:
    await known(engine)
    registry = replace(
        engine.house.registry, links=tuple(link for link in engine.house.registry.links if link.village == V2), digest="other"
    )
    other = replace(version(engine, RULES), house=replace(engine.house, registry=registry), digests={"registry": "other"})
    await activate(engine.place, engine.pipeline, other, actor="wang")
    await rained(engine, 12)
    assert {n.village for n in await engine.notices()} == {V2}


async def test_files_without_a_policy_for_a_warning_in_force_are_refused_until_it_is_over(engine: Running) -> None:
    await known(engine)
    files = Files(engine)
    (policy,) = engine.house.policies.policies.values()
    renamed = Policies(policies={policy.id: replace(policy, hazards=("landslide",))}, digest="other")
    files.house = replace(engine.house, policies=renamed)
    await engine.change(change(Grade.RED))
    with pytest.raises(ConfigurationError, match="'flash-flood', of which 1 warning"):
        await files.reloading().reload("wang")
    assert engine.place.house.policies == engine.house.policies
    await engine.change(change(Grade.NONE, before=Grade.RED, step=1))
    await engine.later(minutes(1))
    await files.reloading().reload("wang")
    assert engine.place.house.policies == renamed
