"""Plans of storms, and one storm from the first reading to the verdict."""

import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from simulators import ledger
from simulators.ledger import Kind
from tests.faults.deployment import POLLED_SENDER
from tests.faults.disk import SmallDisk
from tests.faults.evidence import Broker, Evidence, Topics, gather, journalled
from tests.faults.kinds import GATEWAY, KINDS, Struck, kind_of
from tests.faults.nursery import Nursery
from tests.faults.site import NotRunning, Site, Surroundings
from tests.faults.storm import STEPS
from tests.faults.verdict import Reference, Verdict, at_release, judge
from tests.integration.programs import rows
from tests.services.kafka import Kafka

STRUCK_FOR_S = 46.0
SETTLES_WITHIN_S = 60.0
#: What a broken engine has lost never comes.
BROKEN_SETTLES_WITHIN_S = 25.0
QUIET_S = 1.2
OPEN = """SELECT (SELECT count(*) FROM deliveries WHERE state IN ('planned', 'sending', 'unknown'))
    + (SELECT count(*) FROM notices WHERE purpose = 'warn' AND state = 'calling' AND hazard <> 'roll-call')
    + (SELECT count(*) FROM warnings WHERE alert_due IS NOT NULL)
    + (SELECT count(*) FROM proposals WHERE state = 'waiting')
    + (SELECT count(*) FROM deliveries WHERE gateway = 'polled' AND state IN ('accepted', 'sent') AND carried_by = '')
    + (SELECT count(*) FROM notices WHERE hazard NOT IN ('release-page', 'roll-call') AND seq > coalesce((
       SELECT max(CAST(position AS INTEGER)) FROM positions WHERE source = 'outlet board' AND name = 'changes'), 0)) AS n"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What strikes one storm: kind → how often; the order and all the rest follow from the seed."""

    seed: int
    strikes: Mapping[str, int]
    mutant: str = ""

    @property
    def group(self) -> str:
        return kind_of(next(iter(self.strikes))).group

    @property
    def shared(self) -> bool:
        return any(kind_of(name).shared for name in self.strikes)

    def again(self) -> str:
        """The command that runs this storm once more."""
        kinds = ",".join(f"{kind}:{times}" for kind, times in self.strikes.items())
        return f"make faults SEED={self.seed} KIND={kinds}"


def plans(wanted: Mapping[str, int], seed: int) -> list[Plan]:
    """The strikes that are wanted, in as few storms as they fit into; storm n has the seed ``seed`` + n."""
    chunks: list[Counter[str]] = []
    for group in dict.fromkeys(kind.group for kind in KINDS.values()):
        left = Counter({name: times for name, times in wanted.items() if kind_of(name).group == group and times})
        while left:
            chunk, taken_s = Counter[str](), 0.0
            while left and taken_s < STRUCK_FOR_S:
                for name in list(left):
                    left -= Counter([name])
                    chunk[name] += 1
                    taken_s += kind_of(name).takes_s
            chunks.append(chunk)
    return [Plan(seed=seed + n, strikes=dict(chunk)) for n, chunk in enumerate(chunks)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all storms of a session stand on."""

    folder: Path
    mosquitto: str
    kafka: Kafka
    nursery: Nursery
    steps: int = STEPS


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One storm and what it came to."""

    plan: Plan | None
    evidence: Evidence
    verdict: Verdict
    seconds: float


@dataclass
class Storms:
    """Runs storms on one ground."""

    ground: Ground
    _numbers: Iterator[int] = field(default_factory=count)

    def all(self, wanted: Sequence[Plan], at_once: int) -> Iterator[Outcome]:
        """First a storm that nobody disturbs, against which the others are held, then each of the plans.

        It must keep every promise itself. Those that strike what all share run alone, after the others.
        """
        together = [plan for plan in wanted if not plan.shared]
        with ThreadPoolExecutor(at_once) as pool:
            found = pool.map(self._run, [None, *together])
            undisturbed, seconds = next(found)
            reference = Reference(changes=undisturbed.changes, told=at_release(undisturbed))
            yield Outcome(plan=None, evidence=undisturbed, verdict=judge(undisturbed, reference), seconds=seconds)
            for plan, (evidence, seconds) in zip(together, found, strict=True):
                yield Outcome(plan=plan, evidence=evidence, verdict=judge(evidence, reference), seconds=seconds)
        for plan in wanted:
            if plan.shared:
                evidence, seconds = self._run(plan)
                yield Outcome(plan=plan, evidence=evidence, verdict=judge(evidence, reference), seconds=seconds)

    def _run(self, plan: Plan | None) -> tuple[Evidence, float]:
        started = time.monotonic()
        name = f"{next(self._numbers)}-{plan.seed if plan else 'undisturbed'}"
        folder = self.ground.folder / name
        group = plan.group if plan else ""
        disk = SmallDisk(folder / "disk") if plan and "disk" in plan.strikes else None
        site = Site(
            Surroundings(
                folder=folder,
                mosquitto=self.ground.mosquitto,
                kafka=self.ground.kafka,
                nursery=self.ground.nursery,
                name=name,
                state=disk.folder if disk else None,
                steps=self.ground.steps,
                mutant=plan.mutant if plan else "",
                status="Exercise" if group == "drill" else "Actual",
                town_options=tuple(f"--fault={fault}" for fault in GATEWAY) if group == "gateway" else (),
            )
        )
        struck = Struck(site, random.Random(plan.seed if plan else 0), set(), disk)
        ended = ""
        try:
            site.open()
            try:
                self._strike(struck, plan)
                _settle(site, BROKEN_SETTLES_WITHIN_S if site.on.mutant else SETTLES_WITHIN_S)
            except NotRunning as error:
                ended = str(error)
                site.publisher.stop()
            site.officer.stop()
            site.releasers.stop()
            site.stop_engine()
            found = gather(
                site.publisher.accepted,
                database=site.database,
                town=site.ledger,
                chat=site.chat,
                county=site.county,
                mosquitto=Broker(site.mosquitto.port, site.mosquitto.log),
                kafka=Topics(self.ground.kafka.bootstrap, site.topic, site.changes, site.exercises),
                status=site.on.status,
                garbage=struck.garbage,
                words=site.officer.taken,
                approvals=site.releasers.words,
                roll_calls=site.releasers.roll_calls,
                ended=ended,
            )
        finally:
            site.close()
            if disk:
                disk.close()
        return found, time.monotonic() - started

    def _strike(self, struck: Struck, plan: Plan | None) -> None:
        site = struck.site
        site.start_engine()  # the broker keeps a session for it from now on: what is published before is for nobody
        site.await_answer()
        site.begin_drill()
        site.publisher.start()
        site.officer.start()
        site.releasers.start()
        order = [name for name, times in (plan.strikes if plan else {}).items() for _ in range(times)]
        struck.chance.shuffle(order)
        for name in order:
            struck.pause(*kind_of(name).rest_s)
            kind_of(name).strike(struck)
        if not site.runs():
            site.start_engine()


def _settle(site: Site, within_s: float) -> None:
    """Wait until every reading was taken and kept, nothing is open any more and the town has been quiet for a while; or long enough."""
    end = time.monotonic() + site.lasts_s() + within_s
    quiet_since, before = time.monotonic(), (0, 0)
    while time.monotonic() < end:
        site.check_engine()
        size = site.ledger.stat().st_size if site.ledger.exists() else 0
        opened = rows(site.database, OPEN)
        now = (size, int(opened[0]["n"]) if opened else 1)
        if now != before or now[1] or not site.publisher.done() or set(site.publisher.accepted) - journalled(site.database):
            quiet_since, before = time.monotonic(), now
        elif time.monotonic() - quiet_since > QUIET_S and not _unheard(site):
            return
        time.sleep(0.2)
    site.publisher.stop()


def _unheard(site: Site) -> bool:
    """Whether something lies with a broker or in a list that the engine has not come for: a key at a speaker, a reply."""
    said = {f"{e.to}/{e.reference}" for e in ledger.read(site.ledger) if e.kind is Kind.SPEAKER_PRESSED}
    said |= {e.reference for e in ledger.read(site.ledger) if e.kind is Kind.SMS_REPLY and e.more.get("sender") == POLLED_SENDER}
    return bool(said - {row["reference"] for row in rows(site.database, "SELECT reference FROM heard_replies")})


def remove(folder: Path) -> None:
    """What a storm left behind, when nobody needs it."""
    shutil.rmtree(folder, ignore_errors=True)
