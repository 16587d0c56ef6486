"""``dispatcher db``: what the store holds, and whether it is whole."""

import base64
import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from dispatcher.application import open_store
from dispatcher.cli.running import OUT_OF_REACH, WRONG, WRONG_USAGE, fail, run_async, say_problems
from dispatcher.clock import SystemClock
from dispatcher.errors import ConfigurationError, Unreachable
from dispatcher.intake.journal import Damaged, read_row
from dispatcher.intake.refeeding import ask
from dispatcher.ports import Copies, Store
from dispatcher.settings import AdapterChoice, Deployment, find_adapter, load_deployment, validated
from dispatcher.timestamps import from_ms
from dispatcher.upkeep.audit import Act, verify_audit

stored = typer.Typer(help="The database: what it holds, whether it is whole, copies of it.", no_args_is_help=True)
Config = Annotated[Path | None, typer.Option("-c", "--config", help="deployment.yaml; default the embedded default.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
_PAGE = 100
_ALL = 2**62
T = TypeVar("T")


@stored.command()
def backup(to: Annotated[Path, typer.Argument(help="The file to write; must not be there yet.")], config: Config = None) -> None:
    """Write a consistent, checked copy of the database while the engine runs.

    Example: dispatcher db backup backups/monday.db
    """
    settings, copies = _copying(config)
    _or_say(lambda: copies.backup(settings, to))
    typer.echo(f"written: {to}")


@stored.command()
def restore(
    source: Annotated[Path, typer.Argument(help="A file that backup has written.", exists=True, dir_okay=False)], config: Config = None
) -> None:
    """Put a copy back as the database, while no engine runs; what was there is kept beside it.

    Example: dispatcher db restore backups/monday.db
    """
    settings, copies = _copying(config)
    before = _or_say(lambda: copies.restore(settings, source))
    typer.echo(f"restored: {source}" + (f"; what was there is now {before}" if before else ""))


@stored.command()
def migrate(config: Config = None) -> None:
    """Bring the schema up to date, as the engine does when it starts.

    Example: dispatcher db migrate
    """

    async def work() -> None:
        await (await open_store(_store_of(config)[0])).close()

    run_async(work())
    typer.echo("the schema is up to date")


@stored.command()
def verify(config: Config = None, *, as_json: AsJson = False) -> None:
    """Check the checksums of the journal and the chain of the audit log; exit 1 when one does not hold. The engine may run.

    Example: dispatcher db verify --json
    """
    deployment, settings, copies = _store_of(config)
    if copies is None:
        found = run_async(_verified(deployment))
    else:  # on a copy, because a running engine holds the file
        with tempfile.TemporaryDirectory(dir=deployment.state_dir if deployment.state_dir.is_dir() else None) as folder:
            copy = Path(folder) / "copy.db"
            _or_say(partial(copies.backup, settings, copy))
            own = copies.at(settings, copy).model_dump()
            found = run_async(_verified(deployment.model_copy(update={"store": AdapterChoice(adapter=deployment.store.adapter, **own)})))
    whole = not found["damaged"] and found["audit_broken_at"] is None
    typer.echo(json.dumps(found) if as_json else ("whole" if whole else f"not whole: {found}"))
    raise typer.Exit(0 if whole else WRONG)


async def _verified(deployment: Deployment) -> dict[str, Any]:
    store = await open_store(deployment)
    try:
        rows, damaged = await _damaged(store)
        async with store.read() as reader:
            return {"journal_rows": rows, "damaged": damaged, "audit_broken_at": await verify_audit(reader)}
    finally:
        await store.close()


def _store_of(config: Path | None) -> tuple[Deployment, Any, Copies[Any] | None]:
    """The deployment, the settings of its store, and how that is copied."""
    try:
        deployment = load_deployment(config) if config else Deployment()
        adapter = find_adapter("stores", deployment.store.adapter, "store")
        return deployment, validated(adapter.settings, deployment.store.own(), "store"), adapter.copies
    except ConfigurationError as error:
        say_problems(error)
        raise typer.Exit(WRONG) from error


def _copying(config: Path | None) -> tuple[Any, Copies[Any]]:
    deployment, settings, copies = _store_of(config)
    if copies is None:
        fail(
            f'the store {deployment.store.adapter} is copied by its own means: pg_dump -Fc -f backup.dump "$DISPATCHER_POSTGRES_DSN" while '
            "the engine runs, pg_restore --clean --if-exists while it does not; then dispatcher db verify",
            WRONG_USAGE,
        )
    return settings, copies


def _or_say(work: Callable[[], T]) -> T:
    try:
        return work()
    except Unreachable as error:
        fail(str(error), OUT_OF_REACH)


async def _damaged(store: Store) -> tuple[int, list[int]]:
    seq, count, damaged = 0, 0, []
    while True:
        async with store.read() as reader:
            rows = await reader.fetch("journal.since", {"seq": seq, "limit": _PAGE})
        for row in rows:
            seq, count = row["seq"], count + 1
            try:
                read_row(row, "")
            except Damaged:
                damaged.append(seq)
        if len(rows) < _PAGE:
            return count, damaged


@stored.command()
def rejects(
    config: Config = None,
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 50,
    code: Annotated[str, typer.Option(help="Only those refused for this reason, such as unknown_station.")] = "",
    refeed: Annotated[bool, typer.Option("--refeed", help="Have the engine read those listed again, after a fix.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what could not be read, newest first, with the reason; with --refeed the engine tries them again.

    Beside an engine on SQLite use POST /api/v1/rejects/refeed. Example: dispatcher db rejects --code unknown_station --refeed
    """
    deployment = load_deployment(config) if config else Deployment()

    async def work() -> tuple[list[dict[str, Any]], int]:
        store = await open_store(deployment)
        try:
            async with store.read() as reader:
                rows = [dict(row) for row in await reader.fetch("rejects.all", {"before": _ALL, "limit": limit, "code": code})]
            return rows, await _refeed(store, rows) if refeed else 0
        finally:
            await store.close()

    rows, asked = run_async(work())
    for row in rows:
        row["at"] = from_ms(row["at"]).isoformat()
        row["excerpt"] = base64.b64encode(row["excerpt"]).decode() if as_json else row["excerpt"].decode("utf-8", "replace")[:80]
        typer.echo(json.dumps(row, ensure_ascii=False) if as_json else f"{row['at']}  {row['source']}  {row['code']}  {row['reason']}")
    if refeed:
        typer.echo(f"{asked} of {len(rows)} will be read again by the engine", err=True)


async def _refeed(store: Store, rows: list[dict[str, Any]]) -> int:
    asked = 0
    async with store.write() as tx:
        for county in sorted({row["county"] for row in rows}):
            act = Act(actor="cli", origin="command line", act="refeed", subject="rejects")
            seqs = [row["seq"] for row in rows if row["county"] == county]
            asked += await ask(tx, county, seqs, act, SystemClock().now())
    return asked
