"""The composition root: opens everything straight down, closes it in reverse, each by name and within a bound.

Closing: no new readings, then what was taken is decided and kept, then what is being sent is settled, then the web and the
desk (replies that come meanwhile are still recorded), the store last.

Longer than other files because it alone knows every part: what would be moved out would have to know them, too.
"""

import asyncio
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from dispatcher.answers.desk import Desk
from dispatcher.answers.polling import Poller
from dispatcher.auditor.auditor import Auditor
from dispatcher.calls.helping import knowing_helpers
from dispatcher.calls.preview import Announcement, Preview, preview
from dispatcher.calls.timekeeper import Timekeeper
from dispatcher.clock import Clock, SystemClock
from dispatcher.deliveries.duty_room import DutyRoom
from dispatcher.deliveries.gateways import Gateway
from dispatcher.deliveries.sender import Sender
from dispatcher.drills.roll_calls import RollCalls
from dispatcher.drills.running import Drills
from dispatcher.drills.storming import Storming
from dispatcher.drills.storms import AtWork, Storms
from dispatcher.duty.book import DutyBook
from dispatcher.duty.stored import SaidOfDuty
from dispatcher.errors import ConfigurationError, NotAllowed, NotProposed, Problem, StoreFailed
from dispatcher.files.countyfiles import CountyFiles, load_county_files, located
from dispatcher.files.textfile import mark_of
from dispatcher.house import House
from dispatcher.incidents.book import Book
from dispatcher.intake.activation import START, write_first
from dispatcher.intake.acts import RuleAct, Verb
from dispatcher.intake.asking import asking
from dispatcher.intake.basis import areas_of, basis_of, compiled_with, entries_of
from dispatcher.intake.catalogue import Catalogue, catalogue
from dispatcher.intake.codecs.choose import AS_MARKED, Formats
from dispatcher.intake.codecs.load import load_formats
from dispatcher.intake.decode import DEFAULT_LIMITS
from dispatcher.intake.http_intake import HttpIntake
from dispatcher.intake.pipeline import Pipeline
from dispatcher.intake.recovery import Recovered
from dispatcher.intake.refeeding import Refeeding
from dispatcher.intake.reloading import SIGNAL, Reloading, Version, activate
from dispatcher.intake.retention import Retention
from dispatcher.intake.rules_desk import RulesDesk
from dispatcher.intake.sourcing import keep_open
from dispatcher.intake.word import give_word
from dispatcher.lifetime import Lifetime, calling, cancelled
from dispatcher.outward.publishing import Publisher
from dispatcher.ports import Beacon, Channel, Listening, Polling, Printer, Source, Store, World
from dispatcher.registry.book import Basis, RegistryBook
from dispatcher.registry.households import HouseholdBook
from dispatcher.registry.model import Registry
from dispatcher.registry.versions import Imported, newest_version
from dispatcher.reports.reporter import Reporter
from dispatcher.reports.sampling import Sampler
from dispatcher.rulework.seen import plot_of
from dispatcher.rulework.svg import Picture
from dispatcher.serving import bind, make_server
from dispatcher.settings import AdapterChoice, Deployment, find_adapter, secret_of, validated
from dispatcher.shard import LOOK_S, Turn
from dispatcher.upkeep.broadcast import Broadcast
from dispatcher.upkeep.commit_points import arm
from dispatcher.upkeep.health import Health
from dispatcher.upkeep.log import Log
from dispatcher.upkeep.metrics import Metrics
from dispatcher.upkeep.watchdog import watch
from dispatcher.views.unknown import Remembered, Unknown, unknown_villages
from dispatcher.warnings.in_use import refuse_missing
from dispatcher.warnings.releasing import By, Releases
from dispatcher.web.application import create_app
from dispatcher.web.context import WebContext
from dispatcher.workplace import Workplace


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an operator's files say, compiled. ``mark`` is of the files before they were read."""

    files: CountyFiles
    catalogue: Catalogue
    mark: str = ""


def load(deployment: Deployment, imported: Imported | None = None) -> Loaded:
    """Read, check and compile; ConfigurationError carries every mistake found. ``imported`` is the registry that was imported last."""
    mark = _mark(deployment)
    try:
        files = load_county_files(deployment.county, deployment.rules, imported)
    except ConfigurationError as error:
        raise ConfigurationError([located(p, deployment.county, deployment.rules) for p in error.problems]) from error
    return Loaded(files, catalogue_of(files.registry), mark)


def _mark(deployment: Deployment) -> str:
    return mark_of(deployment.county, *([deployment.rules] if deployment.rules else []))


def catalogue_of(registry: Registry) -> Catalogue:
    """What each station may report, and the places that forecasts may be for."""
    return catalogue(entries_of(registry), areas_of(registry))


@dataclass
class Application:
    """One engine. ``start``, then ``finished`` ends when a part that must run has died; ``stop`` at the end.

    ``store`` is open; it is closed by ``stop``. ``read`` adds a source (a replay) to those of the deployment.
    """

    deployment: Deployment
    loaded: Loaded
    store: Store
    clock: Clock
    log: Log
    url: str = ""
    metrics: Metrics = field(default_factory=Metrics)
    health: Health = field(default_factory=Health)
    intake: HttpIntake = field(default_factory=HttpIntake)
    reading: list[asyncio.Task[None]] = field(default_factory=list)
    imported: Imported | None = None
    said_of_duty: SaidOfDuty = field(default_factory=SaidOfDuty)
    looking: asyncio.Future[None] | None = None
    lifetime: Lifetime = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is open but the store."""
        self.lifetime = Lifetime(self.log)

    async def start(self) -> None:
        """Open everything, straight down; whatever fails closes what was opened before it."""
        try:
            await self.open()
            self.begin()
        except BaseException:
            await self.stop()
            raise

    async def open(self) -> None:
        """Everything that hears: the page, webhooks, answers. Nothing is sent, decided or read before ``begin``."""
        try:
            await self._open()
        except BaseException:
            await self.stop()
            raise

    async def _open(self) -> None:  # deliberately one straight line: the order is the point
        self.lifetime.later("store", self.store.close)
        await self._take_imported()
        if dies_at := arm():
            self.log.warning("will_die", at=dies_at)
        listening = bind(self.deployment.web.host, self.deployment.web.port)
        host, port = listening.getsockname()[:2]
        self.url = self.deployment.web.public_url or f"http://{host}:{port}"
        self.lifetime.later("socket", calling(listening.close))
        self.place = Workplace(self._house(self.loaded.files), self.store, self.clock, Broadcast(), self.metrics, self.health, self.log)
        await refuse_missing(self.store, self.place.house)
        await self._open_broker()
        channels = self._channels()
        for name, channel in channels.items():
            self.lifetime.later(f"channel {name}", channel.close)

        codecs = load_formats(self.deployment)
        version = self._version(self.loaded)
        self.pipeline = Pipeline(self.place, version.compiled, DEFAULT_LIMITS, codecs)
        self.reloading = Reloading(self.place, self.pipeline, self._read, partial(_mark, self.deployment), self._adopted, self.loaded.mark)
        self.sender = Sender(self.place, channels, gateways=gateways_of(self.deployment))
        self.storms = Storms(self.deployment.county / "drills", self._at_work)
        self.drills = Drills(self.place, self.sender.wake, self.storms)
        self.roll_calls = RollCalls(self.place, self.sender.wake)
        self.turn = Turn(self.store, self.place.house.county, self.deployment.worker)
        async with self.turn.arriving() as alone:
            await (self._take_over(version) if await self.turn.take() else self._stand_by())
            if alone:  # what others have in hand is theirs until its lease ends
                lost = await self.sender.recover()
                if lost:
                    self.log.info("in_hand", deliveries=lost)

        self.duty = DutyBook(self.place, self.said_of_duty)
        await self.duty.look()
        self.lifetime.until_stop("duty", self.duty.run())
        self.households = HouseholdBook(self.place)
        self.lifetime.until_stop("households", self.households.run())
        desk = Desk(self.place, channels, self.sender.wake, self.sender.pressed)
        self.lifetime.run("desk", desk.run(), desk.stop)
        for channel in channels.values():
            if isinstance(channel, Listening):
                self.lifetime.until_stop("listening", desk.listen(channel))
        self.pollers = [Poller(self.place, desk, n, c) for n, c in channels.items() if isinstance(c, Polling) and c.poll_every]
        stopping = asyncio.Event()
        self._context = self._web(desk, stopping)
        server = make_server(create_app(self._context))

        async def stop_server() -> None:
            stopping.set()
            server.should_exit = True

        self.lifetime.run("web", server.serve(sockets=[listening]), stop_server)

    def begin(self) -> None:
        """Send, let timers fire, decide, read: the world is there."""
        self.lifetime.run("sender", self.sender.run(), self.sender.stop)
        self.lifetime.until_stop("drills", self.drills.run())
        self.lifetime.until_stop("roll calls", self.roll_calls.run())
        self.lifetime.until_stop("auditor", Auditor(self.place, self._beacons()).run())
        if self.turn.ours:
            self._decide()
        self.lifetime.until_stop("watchdog", watch(self.health, self.log))
        if self.turn.shared:
            self.lifetime.until_stop("turn", self._keep_turn())

    async def _take_over(self, version: Version | None) -> None:
        """Come back to the state after the last row that anybody committed; from here on nobody else decides.

        ``version`` are the files; None when they have mistakes, so that what decided before goes on.
        """
        self.pipeline.shard = await self.turn.begin(self.clock.now())
        recovered = await self.pipeline.start()
        await self._begin_with(version, recovered)
        self.intake.stands_by = ""
        self.metrics.deciding.set(1)
        if recovered.seq:
            self.log.info("recovered", journal_seq=recovered.seq, replayed=recovered.replayed)

    async def _stand_by(self) -> None:
        """Send and hear; another worker decides."""
        self.intake.stands_by = f"worker {self.turn.worker} stands by: another one takes readings in"
        self.log.info("stands_by", worker=self.turn.worker)

    async def _keep_turn(self) -> None:
        """Take over when the one that decides is gone; ShardLost when another took over from us."""
        deciding = self.turn.ours
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                if deciding:
                    await self.turn.keep()
                elif await self.turn.take():
                    version = await self.reloading.look()  # while we stood by, files may have changed
                    await self._take_over(version)
                    if version is not None:
                        self._adopted(version)
                    self._decide()
                    deciding = True
            except StoreFailed as failure:
                self.log.error("store_failed", error=str(failure))

    def _decide(self) -> None:
        """Let timers fire, decide, read."""
        self.lifetime.until_stop("timekeeper", Timekeeper(self.place, self.pipeline, self.sender.wake).run())
        self.lifetime.until_stop("storm of a drill", Storming(self.place, self.storms).run())
        self.lifetime.until_stop("sampler", Sampler(self.place, self.pipeline).run())
        for poller in self.pollers:
            self.lifetime.until_stop("poller", poller.run())
        self.lifetime.later("snapshot", self.pipeline.snapshot)
        self.lifetime.run("pipeline", self.pipeline.run(), self.pipeline.stop)
        if self.deployment.watch_files_s:
            self.lifetime.until_stop("files", self.reloading.watch(self.deployment.watch_files_s))
        self.lifetime.later("sources", lambda: cancelled(*self.reading))
        retention = Retention(self.place, timedelta(days=self.deployment.journal_days), self.deployment.state_dir / "rejects")
        self.lifetime.until_stop("retention", retention.run(lambda: self.pipeline.engine.plan))
        for name, choice in self.deployment.outlets.items():
            outlet = self._build("outlets", name, choice)
            self.lifetime.later(f"outlet {name}", outlet.close)
            self.lifetime.until_stop(f"outlet {name}", Publisher(self.place, name, outlet).run())
        self.read(self.intake)
        self.read(Refeeding(self.place))
        for source, formats in self._sources():
            self.read(source, formats)

    def read(self, source: Source, formats: Formats = AS_MARKED) -> asyncio.Task[None]:
        """Begin to read a source; the task ends when it is read out."""
        self.reading += asking(self.place, source)
        task = asyncio.create_task(keep_open(self.place, self.pipeline, source, formats), name=f"source {source.name}")
        self.reading.append(task)
        return self.lifetime.watch(task, may_end=True)

    def reload_on(self, number: signal.Signals) -> None:
        """Look at the files whenever the process gets this signal."""

        def told() -> None:
            if self.turn.ours:
                self.looking = asyncio.ensure_future(self.reloading.try_reload(SIGNAL))

        asyncio.get_running_loop().add_signal_handler(number, told)

    async def finished(self) -> None:
        """Wait until a part that must run has ended, and raise what it raised. A source that is read out does not count."""
        await self.lifetime.finished()

    async def stop(self) -> None:
        """Close in reverse; each part has a bound, and one that fails does not keep the others open."""
        await self.lifetime.stop()

    # ------------------------------------------------------------------------------------------- parts

    def _house(self, files: CountyFiles) -> House:
        return House(
            registry=files.registry,
            policies=files.policies,
            templates=files.templates,
            status=self.deployment.status,
            public_url=self.url,
            secret=secret_of(self.deployment),
            coalesce=timedelta(seconds=self.deployment.coalesce_s),
            cap_sender=self.deployment.cap_sender,
            reporting=files.reporting,
            stages=files.stages,
            duty=self.said_of_duty.over(files.registry.duty),
        )

    def _plot(self, place: str, since: datetime, until: datetime) -> Picture:
        if not self.turn.ours:
            raise NotAllowed("another worker decides: look at plots there", "请在主机上查看曲线")
        registry = self.place.house.registry
        name = registry.name_of(place, registry.county.languages[0])
        return plot_of(self.pipeline.engine, place, name, (since, until), registry.county.timezone)

    def _at_work(self) -> AtWork:
        return AtWork(self.pipeline.engine.plan, self.pipeline.ruling.compiled.catalogue)

    def _unknown(self) -> Unknown:
        """Where another worker decides, its page says what is unknown."""
        engine = self.pipeline.engine
        return unknown_villages(engine.plan, engine.standing(), self.place.house.registry) if self.turn.ours else {}

    async def _lift_rule(self, rule: str, place: str, by: By) -> None:
        """A person has lifted what a rule says of a place; where another worker decides, it is for that one's officers to say."""
        if not self.turn.ours:
            self.log.warning("rule_not_lifted", rule=rule, place=place, reason="another worker decides")
            return
        try:
            await give_word(self.place, self.pipeline, RuleAct(verb=Verb.LIFT, rule=rule, place=place, by=by.who.name), by.origin)
        except NotProposed as why:  # it has fallen meanwhile: nothing is left to lift
            self.log.info("rule_not_lifted", rule=rule, place=place, reason=str(why))

    def _world(self, name: str) -> World:
        county = self.loaded.files.registry.county.code
        return World(clock=self.clock, county=county, public_url=self.url, worker=self.deployment.worker, name=name)

    def _build(self, kind: str, name: str, choice: AdapterChoice) -> Any:  # noqa: ANN401 - the port depends on the kind
        where = f"{kind}.{name}"
        adapter = find_adapter(kind, choice.adapter, where)
        return adapter.build(validated(adapter.settings, choice.own(), where), self._world(name))

    async def _open_broker(self) -> None:
        if self.deployment.broker is not None:
            broker = self._build("brokers", "broker", self.deployment.broker)
            await broker.start()
            self.lifetime.later("broker", broker.stop)

    def _channels(self) -> Mapping[str, Channel]:
        """Every channel that can be built; one that cannot is said, and its deliveries go to their fallbacks."""
        channels: dict[str, Channel] = {"duty_room": DutyRoom()}
        for name, choice in self.deployment.channels.items():
            try:
                channels[name] = self._build("channels", name, choice)
            except ConfigurationError as error:
                reason = "; ".join(problem.message for problem in error.problems)
                self.health.set(f"channel {name}", reason)
                self.log.error("channel_disabled", channel=name, reason=reason)
        return channels

    def _beacons(self) -> list[Beacon]:
        return [self._build("beacons", name, choice) for name, choice in self.deployment.beacons.items()]

    def _printer(self) -> Printer | None:
        """What makes PDFs; without it the page still prints."""
        if self.deployment.printer is None:
            return None
        try:
            printer: Printer = self._build("printers", "printer", self.deployment.printer)
        except ConfigurationError as error:
            self.log.warning("no_printer", reason="; ".join(problem.message for problem in error.problems))
            return None
        return printer

    def _sources(self) -> list[tuple[Source, Formats]]:
        chosen = self.deployment.sources.items()
        return [(self._build("sources", name, choice), Formats(choice.format, choice.formats)) for name, choice in chosen]

    async def _begin_with(self, version: Version | None, recovered: Recovered) -> None:
        """Record what decides; files that have changed since the last run take over as they would have while running."""
        if recovered.lost:
            self.log.error("plan_lost", digest=recovered.lost)
        if not recovered.known:
            await write_first(self.place, recovered.deciding.compiled)
        if version is not None:
            await activate(self.place, self.pipeline, version, actor=START)

    def _version(self, loaded: Loaded) -> Version:
        files = loaded.files
        digests = {
            "registry": files.registry.digest,
            "policies": files.policies.digest,
            "templates": files.templates.digest,
            "rules": files.plan.digest,
        }
        compiled = compiled_with(basis_of(files.rules, files.registry), files.plan)
        return Version(compiled=compiled, house=self._house(files), digests=digests)

    async def _take_imported(self) -> None:
        """A registry that was imported stands in place of the directory's, until somebody edits that."""
        async with self.store.read() as reader:
            self.imported = await newest_version(reader, self.loaded.files.registry.county.code)
        if self.imported is not None:
            self.loaded = await asyncio.to_thread(load, self.deployment, self.imported)

    async def _adopt_imported(self, actor: str, origin: str) -> None:
        if not self.turn.ours:
            raise NotAllowed(
                "another worker decides here; it takes the registry over when it is started again, or import it there",
                "由另一台主机判定，请在该主机导入，或待其重启",
            )
        async with self.store.read() as reader:
            self.imported = await newest_version(reader, self.place.house.county)
        await self.reloading.reload(actor, origin)

    def _check_registry(self, files: Mapping[str, str]) -> None:
        """ConfigurationError when these files do not fit with the rules, policies and texts at work."""
        tried = Imported(seq=0, digest="", directory=self.loaded.files.directory, files=files)
        county = load(self.deployment, tried).files.registry.county.code
        if county != self.place.house.county:
            raise ConfigurationError([Problem("county.yaml", f"the county is {county!r}, and {self.place.house.county!r} is at work")])

    def _read(self) -> Version:
        """The files as they are now; ConfigurationError also when they speak of another county."""
        self.loaded = loaded = load(self.deployment, self.imported)
        before, now = self.place.house.county, loaded.files.registry.county.code
        if now != before:
            message = f"the county is {now!r}, and {before!r} is at work; allowed: another county after a restart"
            raise ConfigurationError([Problem(str(self.deployment.county / "county.yaml"), message)])
        return self._version(loaded)

    def _basis(self) -> Basis:
        return Basis(files=self.loaded.files.registry_texts, directory=self.loaded.files.directory)

    def _adopted(self, version: Version) -> None:
        self._context.registry, self._context.texts = version.house.registry, version.house.templates

    async def _look_ahead(self, hazard: str, said: Sequence[Announcement]) -> Preview:
        async with self.store.read() as reader:
            house = await knowing_helpers(reader, self.place.house, (one.village for one in said))
        return await asyncio.to_thread(
            preview, house, hazard, said, gateways_of(self.deployment), self.clock.now()
        )  # seconds for a province

    def _web(self, desk: Desk, stopping: asyncio.Event) -> WebContext:
        house = self.place.house
        return WebContext(
            store=self.store,
            desk=desk,
            intake=self.intake,
            incidents=Book(self.place),
            releases=Releases(self.place, self.sender.wake, self._lift_rule, self._plot),
            drills=self.drills,
            roll_calls=self.roll_calls,
            reporter=Reporter(self.place, lambda: self.pipeline.engine.plan, self._printer()),
            unknown=Remembered(self._unknown),
            duty=self.duty,
            households=self.households,
            registry_book=RegistryBook(self.place, self._basis, self._check_registry, self._adopt_imported),
            broadcast=self.place.broadcast,
            health=self.health,
            registry=house.registry,
            texts=house.templates,
            clock=self.clock,
            status=house.status,
            public_url=self.url,
            secret=house.secret.hex(),
            metrics=self.metrics.registry,
            refused=lambda code: self.metrics.rejects.labels(self.intake.name, code).inc(),
            look_ahead=self._look_ahead,
            stopping=stopping,
            rules=RulesDesk(self.place, self.pipeline, self.reloading, lambda: self.intake.stands_by),
        )


def gateways_of(deployment: Deployment) -> list[Gateway]:
    """The gateways of the channels, as the deployment lists them. One that could not be built is among them: its messages fail over."""
    return [
        Gateway(name=name, channel=c.serves or name, weight=c.weight, prefixes=c.prefixes, rate=c.rate, burst=c.burst, price=c.price)
        for name, c in deployment.channels.items()
    ]


async def open_store(deployment: Deployment) -> Store:
    """The store of a deployment, open; Unreachable when another process holds it."""
    adapter = find_adapter("stores", deployment.store.adapter, "store")
    world = World(clock=SystemClock(), county="", public_url="")
    opening: Any = adapter.build(validated(adapter.settings, deployment.store.own(), "store"), world)
    store: Store = await opening
    return store
