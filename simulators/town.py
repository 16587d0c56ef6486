"""The town as a program: ``python -m simulators.town --help``."""

import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import aiohttp
import uvloop
from aiohttp import web

from simulators import (
    agenda,
    calls,
    faults,
    gateway,
    ground,
    habits,
    ledger,
    options,
    phone_network,
    roster,
    rush,
    speakers,
    villagers,
    webhooks,
)
from simulators.ledger import Entry, Kind

CALLBACK_WORKERS = 24
ANSWER_WORKERS = 12
SPEAKER_WORKERS = 12
CALL_TIMEOUT_S = 15.0
BROKER_WAIT_S = 5.0
STOPS_WITHIN_S = 2.0
OBJECTS_PER_COLLECTION = (50_000, 20, 50)
"""The town keeps every text for ever: Python's own 700 would have it look through all of them again and again."""
CANCEL_EVERY_S = 0.3
WRONG_FILE, WRONG_USAGE, OUT_OF_REACH = 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """The parts, put together."""

    network: phone_network.PhoneNetwork
    people: villagers.Villagers
    speakers: speakers.Speakers | None
    web: web.Application
    agendas: tuple[agenda.Agenda, ...]


def build(given: options.Options, book: ledger.Ledger, session: aiohttp.ClientSession) -> Town:
    """Put the town together from its options and what its ledger remembers; straight down, so that it is longer than usual."""
    everybody = roster.load(given.registry)
    settings = habits.load(given.habits)
    by_id = habits.of_contacts(everybody, settings, given.seed)
    habit_of = {phone: by_id[contact.id] for phone, contact in everybody.by_phone.items()}
    hooks = webhooks.Webhooks(session, given.token, given.patience_s)
    crowd = rush.Rush()
    callbacks = agenda.Agenda(given.clock, workers=CALLBACK_WORKERS, yields_to=crowd)
    answers = agenda.Agenda(given.clock, workers=ANSWER_WORKERS)
    playings = agenda.Agenda(given.clock, workers=SPEAKER_WORKERS)
    on = ground.Ground(settings=settings, seed=given.seed, clock=given.clock, book=book, account=given.account)
    people = villagers.Villagers(
        on=on, habit_of=habit_of, calls=hooks, plans=answers, inbound_url=given.inbound_url, uncalled=given.uncalled
    )
    wrong = faults.Faults(given.fault, given.seed, given.swallow)
    network = phone_network.PhoneNetwork(on=on, habit_of=habit_of, calls=hooks, plans=callbacks, people=people, wrong=wrong)
    telephone = calls.Telephone(on=on, habit_of=habit_of, calls=hooks, plans=answers)
    horns = None
    if given.broker is not None:
        speaker_habits = habits.of_speakers(everybody, settings, given.seed)
        horns = speakers.Speakers(on=on, broker=given.broker, habit_of=speaker_habits, plans=playings)
    _resume(book, people, network, telephone, horns)
    api = gateway.Gateway(
        on=on,
        token=given.token,
        network=network,
        telephone=telephone,
        wrong=wrong,
        rate=gateway.Rate(given.rate),
        crowd=crowd,
    )
    return Town(network=network, people=people, speakers=horns, web=api.application(), agendas=(callbacks, answers, playings))


def _resume(
    book: ledger.Ledger,
    people: villagers.Villagers,
    network: phone_network.PhoneNetwork,
    telephone: calls.Telephone,
    horns: speakers.Speakers | None,
) -> None:
    for entry in ledger.read(book.path):
        people.remember(entry)
        network.remember(entry)
        telephone.remember(entry)
        if horns is not None:
            horns.remember(entry)
    network.resume()
    telephone.resume()
    if horns is not None:
        horns.resume()


async def run(given: options.Options) -> int:
    """Live until SIGTERM or SIGINT; gives the exit code."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    if given.until_stdin_closes:
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _heed, stop)
    book = ledger.Ledger(given.ledger)
    connector = aiohttp.TCPConnector(limit=CALLBACK_WORKERS + ANSWER_WORKERS)
    timeout = aiohttp.ClientTimeout(total=CALL_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            town = build(given, book, session)
            async with _serving(town.web, given.host, given.port) as port, _working(town):
                announcing = asyncio.create_task(_announce(given, town, port, book))
                stopping = asyncio.create_task(stop.wait())
                await asyncio.wait({announcing, stopping}, return_when=asyncio.FIRST_COMPLETED)  # told to stop before it is ready
                if announcing.done():
                    announcing.result()
                    await stopping
                last = _end_within(STOPS_WITHIN_S)
                announcing.cancel()
        last.cancel()
        book.write(Entry(at=given.clock.now(), kind=Kind.TOWN_STOPPED))
    finally:
        book.close()
    return 0


def _end_within(seconds: float) -> threading.Timer:
    """A connection that hangs does not keep the town alive: every line of the ledger is written already."""
    last = threading.Timer(seconds, os._exit, (0,))
    last.daemon = True
    last.start()
    return last


def _heed(stop: asyncio.Event) -> None:
    """Whoever started us holds the other end of our standard input: when it closes, he is gone, however he went."""
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop.set()


@contextlib.asynccontextmanager
async def _serving(application: web.Application, host: str, port: int) -> AsyncIterator[int]:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=1024)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def _working(town: Town) -> AsyncIterator[None]:
    """All agendas and the speakers' connection, until the block ends; an error in any of them ends the town."""
    jobs = [part.run() for part in town.agendas]
    if town.speakers is not None:
        jobs.append(town.speakers.run())
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(job) for job in jobs]
        try:
            yield
        finally:
            while not all(task.done() for task in tasks):  # Python 3.11's wait_for may drop a cancellation: say it again
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks, timeout=CANCEL_EVERY_S)


async def _announce(given: options.Options, town: Town, port: int, book: ledger.Ledger) -> None:
    connected = False
    if town.speakers is not None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(town.speakers.connected.wait(), BROKER_WAIT_S)
        connected = town.speakers.connected.is_set()
    book.write(Entry(at=given.clock.now(), kind=Kind.TOWN_STARTED))
    ready = {
        "ready": True,
        "gateway": f"http://{given.host}:{port}",
        "port": port,
        "speakers_connected": connected,
        "messages_remembered": len(town.network.records),
        "waiting": sum(map(len, town.agendas)),
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the town; 0 stopped, 1 a file is wrong, 2 wrong usage, 3 an address cannot be had."""
    given = options.parse(arguments)
    gc.set_threshold(*OBJECTS_PER_COLLECTION)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(run(given))
    except (roster.RosterError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_FILE
    except OSError as error:
        sys.stderr.write(f"cannot listen on {given.host}:{given.port} or use {given.ledger}: {error}\n")
        return OUT_OF_REACH


if __name__ == "__main__":
    sys.exit(main())
