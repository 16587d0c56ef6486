"""``make faults``: storms under faults, one line a storm on standard error, and one JSON line at the end on standard output."""

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from dispatcher.upkeep.commit_points import Point
from tests.faults.kinds import FAMILIES, KINDS, SOURCES, kind_of
from tests.faults.mutants import MUTANTS, SHOWN_BY, noticed
from tests.faults.nursery import Nursery
from tests.faults.storms import Ground, Outcome, Plan, Storms, plans, remove
from tests.services import kafka_jars, server
from tests.services.kafka import Kafka

RUNS = 60
#: Of every kind but the kill there is one for so many kills, and three at least: 3 with 60, 20 with 2,000.
KILLS_PER_OTHER = 100
LEAST = 3
LONG_RUNS = 2000
SHOWN = 12
STEPS_OF_MUTANTS = 12
GROUPS = dict.fromkeys([*FAMILIES, *(kind.group for kind in KINDS.values())])
EPILOG = f"""KIND is a kind ({", ".join(KINDS)}), a group of kinds ({", ".join(GROUPS)}),
kill@POINT with POINT one of {", ".join(Point)},
or a source ({", ".join(SOURCES)}) once batches of it are kept; several with commas, each also as KIND:TIMES; or mutants."""


def wanted(kinds: str, runs: int | None = None) -> dict[str, int]:
    """Kind → how often. ``runs`` is the number of kills where all kinds are wanted, else that of each. ValueError says what is allowed."""
    if not kinds:
        kills = runs or RUNS
        return {name: kills if name == "kill" else max(LEAST, kills // KILLS_PER_OTHER) for name in KINDS}
    found: dict[str, int] = {}
    for one in kinds.split(","):
        name, _, times = one.partition(":")
        named = [kind for kind, what in KINDS.items() if name in {kind, what.group} or what.group in FAMILIES.get(name, ())] or [name]
        try:
            for kind in named:
                found[kind] = int(times) if times else runs or (RUNS if kind_of(kind).group == "kill" else LEAST)
        except (KeyError, ValueError):
            raise ValueError(f"KIND={one}: {EPILOG}") from None
    return found


def summary(outcomes: Sequence[Outcome], seed: int) -> dict[str, object]:
    """The one line at the end, counted over all storms."""
    struck = [o for o in outcomes if o.plan is not None]
    verdicts = [o.verdict for o in outcomes]
    return {
        "runs": sum(sum(o.plan.strikes.values()) for o in struck if o.plan),
        "seed": seed,
        "kinds": sorted({kind for o in struck if o.plan for kind in o.plan.strikes}),
        "storms": len(outcomes),
        "changes": sum(o.evidence.changes.total() for o in outcomes),
        "notices": sum(len(o.evidence.notices) for o in outcomes),
        "deliveries": sum(v.deliveries for v in verdicts),
        "acks": sum(v.acks for v in verdicts),
        "lost": sum(len(v.lost) for v in verdicts),
        "unmarked_duplicates": sum(len(v.unmarked) for v in verdicts),
        "marked_duplicates": sum(v.marked for v in verdicts),
        "marked_share": round(sum(v.marked for v in verdicts) / max(1, sum(v.deliveries for v in verdicts)), 4),
        "out_of_order": sum(len(v.out_of_order) for v in verdicts),
        "broker_lost": sum(v.broker_lost for v in verdicts),
        "wrong": sum(len(v.wrong) for v in verdicts),
    }


def say(outcome: Outcome, folder: Path | None = None) -> None:
    """One storm, and what to do about it when it failed."""
    plan, verdict = outcome.plan, outcome.verdict
    name = f"{plan.seed} {dict(plan.strikes)}" if plan else "undisturbed"
    counted = f"{verdict.deliveries} messages, {verdict.marked} marked duplicates, broker lost {verdict.broker_lost}"
    sys.stderr.write(f"{'holds ' if verdict.holds else 'FAILED'} {outcome.seconds:5.1f} s  {name}: {counted}\n")
    if not verdict.holds:
        found = verdict.findings().splitlines()
        shown = "\n".join([*found[:SHOWN], *([f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else [])])
        sys.stderr.write(f"{shown}\nagain: {plan.again() if plan else 'make faults'}\nleft behind in {folder}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make faults", epilog=EPILOG)
    parser.add_argument("--runs", type=int, help="how many kills; of each other kind a hundredth, at least 3")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--kind", default="")
    parser.add_argument("--at-once", type=int, default=2, help="storms that run at the same time")
    given = parser.parse_args(arguments)
    mutants = given.kind == "mutants" or (not given.kind and (given.runs or 0) >= LONG_RUNS)
    try:
        chosen = plans({} if given.kind == "mutants" else wanted(given.kind, given.runs), given.seed)
    except ValueError as error:
        parser.error(str(error))
    mosquitto, java = server.program("mosquitto"), server.program("java")
    if not mosquitto or not java:
        parser.error("mosquitto and java must be there; make test installs them on Debian and Ubuntu")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it says every second that a broker which we killed is away
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    (folder / "kafka").mkdir()
    kafka = Kafka(folder / "kafka", java, kafka_jars.jars())
    nursery = Nursery()
    kafka.format()
    kafka.start()
    try:
        ground = {"folder": folder, "mosquitto": mosquitto, "kafka": kafka, "nursery": nursery}
        numbers = count()  # a storm's number names its folder and its topics
        held = run_all(Storms(Ground(**ground), numbers), chosen, given)  # type: ignore[arg-type]
        broken = Storms(Ground(**ground, steps=STEPS_OF_MUTANTS), numbers)  # type: ignore[arg-type]
        noticed = not mutants or run_mutants(broken, given.seed, given.at_once)
    finally:
        kafka.kill()
        nursery.close()
    if held and noticed:
        remove(folder)
    return 0 if held and noticed else 1


def run_all(storms: Storms, chosen: Sequence[Plan], given: argparse.Namespace) -> bool:
    """Every storm of the plan; true when all of them hold."""
    if not chosen:
        return True
    outcomes: list[Outcome] = []
    for outcome in storms.all(chosen, given.at_once):
        outcomes.append(outcome)
        say(outcome, storms.ground.folder)
    sys.stdout.write(json.dumps(summary(outcomes, given.seed)) + "\n")
    return all(outcome.verdict.holds for outcome in outcomes)


def mutant_plans(seed: int) -> list[Plan]:
    """For each mutant a storm of the strikes that show it."""
    return [Plan(seed=seed + n, strikes=SHOWN_BY[name][0], mutant=name) for n, name in enumerate(MUTANTS)]


def run_mutants(storms: Storms, seed: int, at_once: int) -> bool:
    """True when each mutant made the harness fail, and the engine itself did not."""
    sound, *broken = storms.all(mutant_plans(seed), at_once)
    missed = [o for o in broken if o.plan and not noticed(o.plan.mutant, o.verdict.findings())]
    for outcome in broken:
        said = "NOT NOTICED" if outcome in missed else "noticed"
        sys.stderr.write(f"{said} {outcome.seconds:5.1f} s  {outcome.plan.mutant if outcome.plan else ''}\n")
    for outcome in missed:
        say(outcome, storms.ground.folder)
    return sound.verdict.holds and not missed


if __name__ == "__main__":
    sys.exit(main())
