"""``dispatcher roster``: who is on duty when, and rosters as files, through the running engine; the former also from a store at rest."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from dispatcher.application import load, open_store
from dispatcher.cli.asking import DEFAULT_URL, TOKEN_ENV, Url, engine, part
from dispatcher.cli.registrywork import AsJson, Config, deployment_of, newest_in
from dispatcher.cli.running import WRONG, WRONG_USAGE, fail, run_async
from dispatcher.clock import SystemClock
from dispatcher.duty.book import reachable
from dispatcher.duty.gaps import duty_gaps
from dispatcher.duty.model import DutyTable
from dispatcher.duty.resolve import turns_to_come
from dispatcher.duty.stored import SaidOfDuty
from dispatcher.registry.model import Registry
from dispatcher.settings import Deployment

roster = typer.Typer(
    help="Who is on duty when. Asks the running engine when DISPATCHER_TOKEN is set, else looks into the store itself.",
    no_args_is_help=True,
)
Hours = Annotated[int, typer.Option(min=1, max=1488, help="How many hours to look ahead.")]
One = Annotated[str, typer.Option("--roster", help="Which roster a calendar is of; needed for .ics only.")]
_CALENDAR, _TABLE = ".ics", ".csv"


@roster.command()
def show(config: Config = None, url: Url = DEFAULT_URL, *, hours: Hours = 24, as_json: AsJson = False) -> None:
    """Who is on duty from now on, shift by shift, with stand-ins.

    Example: dispatcher roster show --hours 48
    """
    if os.environ.get(TOKEN_ENV):
        found = engine(url).get(f"/rosters/turns?hours={hours}")
        rows = [{k: r[k] for k in ("roster", "shift", "begins", "ends", "people")} | _times(r) for r in found]
    else:
        rows = run_async(_turns(deployment_of(config), hours))
    lines = (f"{r['begins']}  {r['ends']}  {r['roster']}  {r['shift']}  {' '.join(r['people']) or '无人 nobody'}" for r in rows)
    typer.echo(json.dumps(rows, ensure_ascii=False) if as_json else "\n".join(lines))


@roster.command()
def gaps(config: Config = None, url: Url = DEFAULT_URL, *, hours: Hours = 168, as_json: AsJson = False) -> None:
    """When nobody who can be reached is on duty; exit 1 when there is such a time.

    Example: dispatcher roster gaps --hours 720
    """
    if os.environ.get(TOKEN_ENV):
        rows = [gap | _times(gap) for gap in engine(url).get(f"/rosters/gaps?hours={hours}")]
    else:
        rows = run_async(_gaps(deployment_of(config), hours))
    lines = (f"{r['begins']}  {r['ends']}  {r['roster']}  {r['lack']}  {' '.join(r['people'])}".rstrip() for r in rows)
    typer.echo(json.dumps(rows, ensure_ascii=False) if as_json else "\n".join(lines))
    raise typer.Exit(WRONG if rows else 0)


@roster.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A calendar (.ics) or a table like duty.csv (.csv).", exists=True, dir_okay=False)],
    url: Url = DEFAULT_URL,
    *,
    one: One = "",
    as_json: AsJson = False,
) -> None:
    """Take over what a file changes, whole or not at all. Needs a duty officer's token.

    Example: dispatcher roster import leaders.ics --roster county-leader
    """
    said = engine(url).put_file(_path(file, one), file.read_bytes())
    typer.echo(json.dumps(said) if as_json else f"{said['entries']} shifts and {said['overrides']} exceptions taken over")


@roster.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to write: a calendar (.ics) or a table like duty.csv (.csv).", dir_okay=False)],
    url: Url = DEFAULT_URL,
    *,
    one: One = "",
    hours: Hours = 744,
) -> None:
    """Write the coming duty into a file, to be edited and imported again.

    A calendar has who is on duty with exceptions and stand-ins; a table has whom every roster names for each shift, before them.

    Example: dispatcher roster export duty.csv
    """
    file.write_bytes(engine(url).fetch(f"{_path(file, one)}?hours={hours}"))
    typer.echo(str(file))


def _path(file: Path, one: str) -> str:
    """Where the engine gives and takes such a file."""
    ending = file.suffix.lower()
    if ending not in {_CALENDAR, _TABLE}:
        fail(f"{file.name}: unknown kind of file; allowed: {_CALENDAR}, {_TABLE}", WRONG_USAGE)
    if (ending == _CALENDAR) != bool(one):
        fail("say with --roster which roster a calendar (.ics) is of; a table (.csv) names its rosters itself", WRONG_USAGE)
    return f"/rosters/{part(one)}/calendar.ics" if one else "/rosters/duty.csv"


async def _turns(deployment: Deployment, hours: int) -> list[dict[str, Any]]:
    _, table, now = await _duty(deployment)
    return [
        {"roster": one.roster, "shift": one.turn.shift, "people": one.people, **_local(table, one.turn.begins, one.turn.ends)}
        for one in turns_to_come(table, now, now + timedelta(hours=hours))
        if one.turn
    ]


async def _gaps(deployment: Deployment, hours: int) -> list[dict[str, Any]]:
    county, table, now = await _duty(deployment)
    found = duty_gaps(table, reachable(county), now, now + timedelta(hours=hours))
    return [
        {"roster": g.roster, **_local(table, g.begins, g.ends), "lack": g.lack.value, "shift": g.shift, "people": g.people} for g in found
    ]


async def _duty(deployment: Deployment) -> tuple[Registry, DutyTable, datetime]:
    """The registry and duty table that are in force, as the store has them."""
    now = SystemClock().now()
    store = await open_store(deployment)
    try:
        county = load(deployment, await newest_in(store, deployment)).files.registry
        said = SaidOfDuty()
        async with store.read() as reader:
            await said.read(reader, county.county.code, now)
        return county, said.over(county.duty), now
    finally:
        await store.close()


def _local(table: DutyTable, begins: datetime, ends: datetime) -> dict[str, str]:
    return {"begins": _shown(begins.astimezone(table.zone)), "ends": _shown(ends.astimezone(table.zone))}


def _times(row: dict[str, Any]) -> dict[str, str]:
    """The engine's times, which are the county's, as this command shows them."""
    return {name: _shown(datetime.fromisoformat(row[name])) for name in ("begins", "ends")}


def _shown(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M")
